/*
 * follow.h - a live set of tokens that another process publishes (publish.h). Needs the library
 * weir_publish.
 *
 * A follower is an engine whose changes come from a directory. They are applied by
 * weir_follower_poll and by nothing else: a host of one thread polls before it checks (where
 * nothing is new that is two loads from memory); a host of many has a thread that polls and waits
 * in weir_follower_wait.
 *
 * Whether what a follower knows is recent enough to be answered from is told by the time since
 * boot, never by the wall clock: the publisher stamps a heartbeat with it, and each question brings
 * its own. Words: a *change*, *published* as in publish.h; a *check*, *begins*, *read section* as
 * in engine.h. A check that is given instants begins at these.
 *
 * What is promised; each has a test of its number (tests/publish/test_guarantees.c):
 *
 *   F1  A follower holds the tokens as they were after some change in the publisher's one order,
 *       and never goes back in it.
 *   F2  A poll without limit that returns WEIR_OK has applied every change that was published when
 *       it began. So a revocation holds at the first check after the first such poll.
 *   F3  A check is answered only from a state that contains every change published up to some
 *       instant less than the lease before the check's; else it is WEIR_STALE, and denied. So a
 *       change published at t holds in every follower at t + lease, whatever has died, stopped,
 *       filled up or been damaged; and no jump of the wall clock alters that.
 *   F4  Checks are wait-free and read nothing but this process's memory and the mapped image:
 *       E1 to E6 of engine.h hold, a poll being the writer.
 *   F5  Of a change that is torn, truncated or altered nothing is applied. The follower keeps
 *       what it had, its polls return errors, and when the lease ends it denies.
 *   F6  Files of another owner than the directory, files or a directory that others may write, and
 *       links are refused (WEIR_ERROR_OWNER), as are directories of a user that is not root, not
 *       this process's own and not named in the options.
 *   F7  What was published before the machine last booted is not answered from: WEIR_STALE. So is
 *       what bears a heartbeat from the future.
 *   F8  A follower that slept while the changes it lacks were removed, or whose directory was
 *       created anew, opens the newest snapshot in its next poll, whole, and goes on from there.
 *   F9  A poll, or an opening, that returns an error has applied a prefix of what there was to
 *       apply, or nothing; a later one goes on there. No file is ever read in a way that a disk
 *       without space can turn into a signal.
 *   F10 Followers of one snapshot share its pages; each has memory of its own for what changed.
 *
 * A process that forks (see weir_fork_prepare in engine.h) has a follower of its own in the child,
 * with the tokens of that moment; it polls for itself, and closes it or just ends.
 */
#ifndef WEIR_FOLLOW_H
#define WEIR_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>

#include <weir/allocator.h>
#include <weir/decision.h>
#include <weir/declarations.h>
#include <weir/engine.h>
#include <weir/error.h>
#include <weir/instant.h>
#include <weir/name.h>

WEIR_DECLARATIONS_BEGIN

struct weir_follower;

/* A change, as it is applied. */
struct weir_change {
    uint64_t sequence;
    uint64_t published; /* time since boot when the publisher wrote it, in nanoseconds */
    struct weir_text token_id;
    const struct weir_compiled_token *token; /* what is there from now on; NULL: revoked */
};

/* Called by a poll, in its thread, in which it may do anything but poll, adopt or close the same
 * follower, after it has applied a change from the journal; `change` lives
 * until the return. Changes that come with a snapshot are not told (see weir_follower_status). */
typedef void weir_change_observer(void *context, const struct weir_change *change);

/* All zero is what a follower has by default. */
struct weir_follower_options {
    const struct weir_allocator *allocator; /* called by the opening and the polling thread */
    size_t retired_max;                     /* as for an engine (engine.h) */
    uint32_t owner; /* a user whose directory may be followed, besides root and this process's */
    weir_change_observer *observer; /* or NULL */
    void *observer_context;
};

/*
 * Follows the directory `path`: opens its newest snapshot and applies all that was published
 * since. Succeeds also if the publisher has died: checks are WEIR_STALE then.
 *
 * WEIR_OK, WEIR_ERROR_MEMORY, WEIR_ERROR_IO, WEIR_ERROR_NOT_FOUND (nothing is published there),
 * WEIR_ERROR_OWNER (F6), and for damaged files the codes of weir_image_open. Any thread.
 */
enum weir_status weir_follower_open(const char *path, const struct weir_follower_options *options,
                                    struct weir_follower **follower, struct weir_error *error);

/* Stops following; no thread may be using the follower, and the caller not be in a read section.
 * NULL is fine. */
void weir_follower_close(struct weir_follower *follower);

/*
 * Applies what was published since the last poll, at most `limit` changes (0: all). `boot` is the
 * time since boot (weir_clocks_now), as recent as is at hand: it decides when to look whether the
 * directory was created anew, and nothing else. Opening a snapshot (F8) counts as one change.
 *
 * WEIR_OK; any code of weir_follower_open: the follower is as it was or further on (F9), and may be
 * polled again. WEIR_ERROR_ARGUMENT inside a read section, if there is anything to do. One caller
 * at a time; beside it any number of threads check.
 */
enum weir_status weir_follower_poll(struct weir_follower *follower, uint64_t boot, uint64_t limit,
                                    struct weir_error *error);

/* Waits until there is something to poll for, or for `timeout` nanoseconds. True if there is
 * something, else false; early returns are possible. A host whose polls fail pauses by itself:
 * there is something all the while. A poll at least four times a lease keeps the follower fresh, so
 * `timeout` is a quarter of the lease or less. The polling thread. */
bool weir_follower_wait(const struct weir_follower *follower, uint64_t timeout);

/*
 * Goes over to the newest snapshot, and sheds what was remembered of the changes in it: for when
 * that has grown (weir_follower_status). Validates the new image whole before it is used, so it
 * takes time in proportion to it (a tenth of a microsecond a token), during which other threads
 * check as before, but nothing is polled: where that is more than a part of the lease, open another
 * follower beside this one instead, in another thread, and change over. WEIR_OK, also if
 * there is no newer snapshot; codes as weir_follower_poll. The polling thread.
 */
enum weir_status weir_follower_adopt(struct weir_follower *follower, struct weir_error *error);

/*
 * The engine to ask at that time since boot, by all functions of engine.h that take a const one,
 * or NULL: stale, deny. Ask it right then: the answer to "is it fresh?" ages. Any thread,
 * wait-free. The engine is the same one as long as the follower is open.
 */
const struct weir_engine *weir_follower_engine(const struct weir_follower *follower, uint64_t boot);

/* As their namesakes in engine.h, or WEIR_STALE. Any thread, wait-free (what is asked under a
 * prefix takes as long as the token's rules do there). */
enum weir_reason weir_follower_check(const struct weir_follower *follower,
                                     struct weir_text token_id, const struct weir_request *request,
                                     struct weir_clocks now);
void weir_follower_check_batch(const struct weir_follower *follower,
                               const struct weir_question *questions, size_t count,
                               struct weir_clocks now, enum weir_reason *reasons);
enum weir_reason weir_follower_check_resolved(const struct weir_follower *follower,
                                              struct weir_resolved *resolved,
                                              const struct weir_request *request,
                                              struct weir_clocks now);
enum weir_reason weir_follower_check_under(const struct weir_follower *follower,
                                           struct weir_text token_id,
                                           const struct weir_request *request,
                                           struct weir_clocks now);
enum weir_reason weir_follower_check_resolved_under(const struct weir_follower *follower,
                                                    struct weir_resolved *resolved,
                                                    const struct weir_request *request,
                                                    struct weir_clocks now);

struct weir_follower_standing {
    uint64_t identity;        /* drawn with each creation of the directory */
    uint64_t sequence;        /* of the last change applied */
    uint64_t published;       /* of the last change published; UINT64_MAX: created anew, poll */
    uint64_t heartbeat;       /* time since boot of the newest heartbeat that counts, or 0 */
    uint64_t lease;           /* nanoseconds */
    uint64_t snapshot;        /* sequence of the image in use */
    uint64_t newest_snapshot; /* of the newest one there is: weir_follower_adopt */
    struct weir_usage usage;
};

/* The polling thread. */
struct weir_follower_standing weir_follower_status(const struct weir_follower *follower);

WEIR_DECLARATIONS_END

#endif
