/*
 * publish.h - one process publishes a live set of tokens in a directory; any number of others
 * follow it (follow.h). Needs the library weir_publish.
 *
 * The directory holds what is true until the machine reboots: images (snapshots as of a sequence
 * number) and a journal of the changes since. *Published* means: it survives the death of any
 * process, and no power cut. What must survive that is for a store of the publisher's own, from
 * which it creates the directory anew after a reboot. A directory in memory (below /run, say) is
 * the best place. Whoever may write it is the authority: it belongs to the publisher's user, and
 * nobody else can write there. Who may read it, and so follow, is for the directory's mode to say:
 * the files in it are readable by all (they hold names and digests of credentials, no secrets).
 *
 * What is promised; each has a test of its number (tests/publish/test_guarantees.c). A change is an
 * issue, a replacement or a revocation; it is published when its function has returned WEIR_OK.
 *
 *   P1  There is one order of changes. Each has the sequence number after the one before.
 *   P2  What is published stays so, whatever process dies, and at whatever instruction: the next
 *       weir_publisher_resume continues after it. Of a change that had not returned, it continues
 *       after all of it or nothing of it.
 *   P3  A directory has at most one publisher (WEIR_ERROR_BUSY). It ends with its process, and with
 *       those that were forked from it and neither ended nor began another program.
 *   P4  A change that returns an error has published nothing and changed nothing.
 *   P5  A full disk is an error, never a signal; the last quarter of the journal that is there is
 *       kept for revocations, which so go on for a while. (That is for file systems on which a
 *       page that was written can be written again without more space, as tmpfs, ext4 and XFS, not
 *       those that copy on write.)
 *   P6  Heartbeats go on through compactions, and in a directory in memory through anything;
 *       while changes are held (weir_publisher_hold) they stop, and with them, after the lease,
 *       every follower's answers.
 *   P7  Compacting stops neither changes, nor heartbeats, nor followers. The journal that a
 *       snapshot makes superfluous is kept for ten leases more.
 *   P8  A directory that is created anew takes the followers of the old one with it: each changes
 *       over at its next poll, and none mixes the two. (Was the creating process killed right then,
 *       at the first poll after the next has resumed, or a quarter of the lease later.) Until then
 *       the old lease counts.
 */
#ifndef WEIR_PUBLISH_H
#define WEIR_PUBLISH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/allocator.h>
#include <weir/declarations.h>
#include <weir/engine.h>
#include <weir/error.h>
#include <weir/image.h>
#include <weir/instant.h>
#include <weir/name.h>

WEIR_DECLARATIONS_BEGIN

struct weir_publisher;

/* All zero is what a publisher has by default. */
struct weir_publisher_options {
    /* Called by any thread that calls the publisher, several at a time. */
    const struct weir_allocator *allocator;
    uint64_t lease;        /* nanoseconds; 0: 2 000 000 000 (create only) */
    uint64_t segment_size; /* bytes of a file of the journal, at least 65 536; 0: 1 MiB */
    size_t retired_max;    /* of the publisher's own engine (engine.h) */
};

/* The shortest and the longest lease that may be asked for, in nanoseconds. */
#define WEIR_LEASE_MIN UINT64_C(10000000)
#define WEIR_LEASE_MAX UINT64_C(86400000000000)

/*
 * Publishes the tokens of `image` (NULL: none), as of its sequence number, in the directory `path`,
 * which is made (mode 0755 less the umask) if there is none, and replaces what was published there
 * (P8). The image is copied into a file of the directory; it need not stay open.
 *
 * Neither this nor weir_publisher_resume gives a heartbeat: followers answer when the caller, who
 * has published all that it committed elsewhere, gives the first.
 *
 * WEIR_OK, WEIR_ERROR_MEMORY, WEIR_ERROR_IO, WEIR_ERROR_BUSY (P3), WEIR_ERROR_OWNER (a directory
 * of another user, or that others may write), WEIR_ERROR_ARGUMENT (an option). Any thread.
 */
enum weir_status weir_publisher_create(const char *path, const struct weir_image *image,
                                       const struct weir_publisher_options *options,
                                       struct weir_publisher **publisher, struct weir_error *error);

/*
 * Continues what a publisher that ended, however it did, has published in `path`. What the
 * sequence number (weir_publisher_sequence) lacks of the store's is for the caller to publish.
 *
 * Besides the above: WEIR_ERROR_NOT_FOUND (nothing published, or before the machine last booted),
 * WEIR_ERROR_DAMAGED, _CHECKSUM, _TRUNCATED, _VERSION (what is there contradicts itself). After any
 * of these but BUSY it can be created anew. Any thread.
 */
enum weir_status weir_publisher_resume(const char *path,
                                       const struct weir_publisher_options *options,
                                       struct weir_publisher **publisher, struct weir_error *error);

/* Ends publishing; followers deny when the lease ends, until it is resumed. No thread may be using
 * the publisher, and the caller not be in a read section. NULL is fine. */
void weir_publisher_close(struct weir_publisher *publisher);

/*
 * Changes: as their namesakes in engine.h, and with their codes; besides those, WEIR_ERROR_IO, and
 * WEIR_ERROR_BUSY in a process that was forked from the publisher's, which may only close it.
 * `sequence`, unless NULL, becomes the number of the change. Any thread; one waits for the other. A
 * thread that is cancelled in one of them leaves the publisher locked.
 */
enum weir_status weir_publisher_issue(struct weir_publisher *publisher,
                                      const struct weir_compiled_token *token, uint64_t *sequence,
                                      struct weir_error *error);
enum weir_status weir_publisher_replace(struct weir_publisher *publisher,
                                        const struct weir_compiled_token *token, uint64_t *sequence,
                                        struct weir_error *error);
enum weir_status weir_publisher_put(struct weir_publisher *publisher,
                                    const struct weir_compiled_token *token, uint64_t *sequence,
                                    struct weir_error *error);
enum weir_status weir_publisher_revoke(struct weir_publisher *publisher, struct weir_text token_id,
                                       uint64_t *sequence, struct weir_error *error);

/*
 * Sees to it that the next `changes` changes, whose tokens take `size` bytes
 * (weir_compiled_token_size; a revocation's id) altogether, find room in the journal: before they
 * are committed elsewhere. `revocations`: no other changes; they may take what is kept for them
 * (P5). Counts for the changes that come next; a later call takes its place. WEIR_OK,
 * WEIR_ERROR_IO (nothing was changed), WEIR_ERROR_BUSY, WEIR_ERROR_ARGUMENT. Any thread.
 */
enum weir_status weir_publisher_reserve(struct weir_publisher *publisher, size_t changes,
                                        size_t size, bool revocations, struct weir_error *error);

/*
 * Tells the followers that the publisher lives and has published all that it committed. To be
 * called at least four times a lease, by a thread or timer that waits for nothing else. Any thread,
 * wait-free but for a clock.
 */
void weir_publisher_heartbeat(struct weir_publisher *publisher);

/*
 * Between committing a change elsewhere (a store) and publishing it, heartbeats must not say that
 * all is published: hold before committing, release after publishing or after the commit failed.
 * Holds add up. While any is left weir_publisher_heartbeat does nothing. Any thread, wait-free.
 */
void weir_publisher_hold(struct weir_publisher *publisher);
void weir_publisher_release(struct weir_publisher *publisher);

/*
 * Publishes a new snapshot: an image of the tokens as of now (without those that expired more than
 * an hour before `now`), so that who opens the directory later reads that and not the changes since
 * the last one; removes what no follower needs any more (P7). Opens the directory once more and
 * lays out all tokens: time and memory in proportion to them. The publisher's own engine goes over
 * to the new image; until it has, its usage counts tokens of both. WEIR_OK, WEIR_ERROR_MEMORY, _IO,
 * _LIMIT; WEIR_ERROR_BUSY if another thread is compacting; WEIR_ERROR_ARGUMENT; the codes of
 * weir_publisher_resume if the directory is damaged: then it is to be created anew, from
 * weir_engine_compact of the publisher's engine. Any thread.
 */
enum weir_status weir_publisher_compact(struct weir_publisher *publisher, struct weir_instant now,
                                        struct weir_error *error);

/* The engine that holds what is published: to be asked, by any thread, as long as the publisher is
 * open. Changes, usage and compaction go through the publisher. */
const struct weir_engine *weir_publisher_engine(const struct weir_publisher *publisher);

/* What that engine holds beside its image: when to compact. Any thread, but not in a read section;
 * waits for changes. */
struct weir_usage weir_publisher_usage(struct weir_publisher *publisher);

/* The number of the last change published. Any thread, wait-free. */
uint64_t weir_publisher_sequence(const struct weir_publisher *publisher);

/* The lease of the directory, in nanoseconds. Any thread, wait-free. */
uint64_t weir_publisher_lease(const struct weir_publisher *publisher);

WEIR_DECLARATIONS_END

#endif
