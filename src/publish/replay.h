/*
 * replay.h - bringing an engine to the state that a directory publishes: a snapshot, and the
 * changes since. What a follower does in its polls, and a publisher when it resumes and compacts.
 */
#ifndef WEIR_PUBLISH_REPLAY_H
#define WEIR_PUBLISH_REPLAY_H

#include <weir/follow.h>

#include "live/engine.h"
#include "publish/control.h"
#include "publish/journal.h"

struct weir_replay {
    char *path;
    uid_t owner;
    struct weir_directory directory;
    struct weir_control_map control;
    struct weir_engine *engine;
    struct weir_journal_reader *reader;
    uint64_t applied;  /* number of the last change in the engine */
    uint64_t snapshot; /* number of the image that the engine is on */
    struct weir_allocator allocator;
    weir_change_observer *observer; /* or NULL */
    void *observer_context;
};

/* Opens the directory (see weir_directory_open) and an engine with all that is published. The
 * control page is writable for its publisher. Errors as weir_follower_open. */
enum weir_status weir_replay_open(struct weir_replay *replay, const char *path, uid_t owner,
                                  bool writable, const struct weir_engine_options *options,
                                  struct weir_error *error);
void weir_replay_close(struct weir_replay *replay);

/* Applies the changes up to number `sequence`, which S has reached, but at most `limit` (0: all).
 * WEIR_OK; WEIR_ERROR_NOT_FOUND if what comes next was removed; errors as weir_follower_poll. What
 * was applied before the error stays. */
enum weir_status weir_replay_apply(struct weir_replay *replay, uint64_t sequence, uint64_t limit,
                                   struct weir_error *error);

/* Puts the newest snapshot and all changes since in the place of what the engine has, at one
 * moment. Tells no observer. Errors as weir_follower_poll: nothing has happened. */
enum weir_status weir_replay_adopt(struct weir_replay *replay, struct weir_error *error);

/* Whether what the path leads to, or its control page, is another than what is open. */
bool weir_replay_replaced(const struct weir_replay *replay);

/* Likewise from what the path leads to now: the directory was created anew. */
enum weir_status weir_replay_reopen(struct weir_replay *replay, struct weir_error *error);

/*
 * ---- Adopting in steps ----
 *
 * Between which, in a publisher, other changes are made: all but the first are steps of the writer.
 */

/* What is to take the place of what the engine has. */
struct weir_succession {
    struct weir_image *image; /* of the edition, which closes it */
    struct weir_journal_reader *reader;
    struct weir_edition *edition;
    uint64_t applied;
};

/* Opens the snapshot of that number (NULL: the newest) and the journal behind it. Any thread. */
enum weir_status weir_succession_open(const struct weir_replay *replay, const uint64_t *snapshot,
                                      struct weir_succession *succession, struct weir_error *error);

/* Applies changes to it, at most `limit` (0: all); `*complete` if it has all that was published
 * when this began. After an error it is to be discarded. */
enum weir_status weir_succession_advance(struct weir_replay *replay,
                                         struct weir_succession *succession, uint64_t limit,
                                         bool *complete, struct weir_error *error);
void weir_succession_discard(struct weir_replay *replay, struct weir_succession *succession);

/* Puts it, complete, in the place of what was there, which is returned, to be let go of (see
 * live/edition.h). */
struct weir_edition *weir_succession_succeed(struct weir_replay *replay,
                                             struct weir_succession *succession);

#endif
