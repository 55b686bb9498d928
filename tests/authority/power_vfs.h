/*
 * power_vfs.h - a disk under SQLite whose power can fail, and that can refuse.
 *
 * Wraps the default VFS and becomes the default itself. Reads and writes go to the real files,
 * which thus are what the system's cache would show; beside them it is kept what of each file has
 * been synced, each write and truncation since then, and which names have been made and removed
 * since their directory was synced. (As SQLite's VFS for Unix does it, a journal or WAL syncs its
 * directory when it is synced for the first time after it was opened to be created.) Nothing is
 * really synced.
 *
 * When the power has failed, every call fails. When all files are closed, what is known of them can
 * be taken as a scene, from which the real files are made as they may have been found on the disk,
 * one way of many: of each write since the last sync every sector was written or not, or a part of
 * it was, or it holds garbage; each truncation, each new and each removed name has happened or not.
 *
 * One store at a time, one call at a time. It reports, and never judges: no Check in here.
 */
#ifndef WEIR_TESTS_AUTHORITY_POWER_VFS_H
#define WEIR_TESTS_AUTHORITY_POWER_VFS_H

#include <stdbool.h>
#include <stdint.h>

/* Registers it, as the default VFS; and the former one as the default again. */
void power_vfs_install(void);
void power_vfs_remove(void);

/* Begins anew: nothing has been called; what lies in the files is synced. No file is open. `seed`
 * decides whatever chance decides while calls are made. */
void power_begin(uint64_t seed);
/* As long as it is false, files are only read and written: fast, and nothing can fail. */
void power_watch(bool watches);

/* Calls so far that change a file or a directory, or sync: what follows is numbered by them, from
 * 1. */
uint64_t power_calls(void);
/* The power fails at that call, of whose writing some may happen still. 0: at none. */
void power_cut_at(uint64_t call);
/* Now. */
void power_cut(void);
bool power_is_off(void);

enum power_failure {
    POWER_FAILS_ONCE,
    POWER_FAILS_ON, /* that call and all that follow, until power_mend */
    POWER_KILLS,    /* likewise, but the process is at fault: the disk loses nothing of it */
    POWER_IS_FULL   /* likewise, but only what makes a file longer, for want of room */
};
/* That call fails: a write after a part of it, a sync after which some of what was written since
 * the last one never reaches the disk. */
void power_fail_at(uint64_t call, enum power_failure failure);
void power_mend(void);
/* Calls that have failed since power_begin. */
uint64_t power_failures(void);

/* What is known when the power is off and all files are closed. */
struct power_scene;
struct power_scene *power_scene_take(void);
void power_scene_free(struct power_scene *scene);

/* The power is on again: makes the files what may have survived, and calls power_begin. */
void power_survive(const struct power_scene *scene, uint64_t seed);

#endif
