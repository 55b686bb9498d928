/*
 * A publisher. One lock orders all changes; what is done beside it: heartbeats and holds, which use
 * `held` and the control page only (see format.h), and a compaction's long part, which has an
 * engine of its own.
 *
 * `held` is stored (sequentially consistent) by weir_publisher_hold and _release, and loaded
 * (sequentially consistent) by weir_publisher_heartbeat after it has read the clock. `compacting`
 * is exchanged (acquire) and stored (release): one thread at a time compacts. `waiting` is relaxed:
 * it only tells a compaction to let others go first.
 */
#include <weir/publish.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/image.h"
#include "image/layout.h"
#include "live/change.h"
#include "live/edition.h"
#include "live/find.h"
#include "live/memory.h"
#include "live/section.h"
#include "publish/record.h"
#include "publish/replay.h"
#include "vocabulary/failure.h"
#include "vocabulary/memory.h"

#define LEASE_DEFAULT UINT64_C(2000000000)
#define SEGMENT_SIZE_DEFAULT (UINT64_C(1) << 20)
#define SEGMENT_SIZE_MIN UINT64_C(65536)
#define SEGMENT_SIZE_MAX (UINT64_C(1) << 32)

/* For so many leases the journal of a snapshot is kept beside it. */
#define LEASES_KEPT 10

struct weir_publisher {
    pthread_mutex_t lock; /* of the replay and the writer */
    struct weir_replay replay;
    struct weir_journal_writer writer;
    int lock_file;
    pid_t process;       /* that opened it */
    uint32_t waiting;    /* threads that want the lock for a change */
    uint32_t held;       /* by weir_publisher_hold */
    uint32_t compacting; /* by some thread */
};

/*
 * ---- Options ----
 */

static enum weir_status complete_options(const struct weir_publisher_options *options,
                                         struct weir_publisher_options *complete,
                                         struct weir_error *error)
{
    const struct weir_publisher_options defaults = {0};

    if (weir_section_open()) {
        return weir_fail_section(error, "opening a directory");
    }
    *complete = options != NULL ? *options : defaults;
    if (complete->lease == 0) {
        complete->lease = LEASE_DEFAULT;
    }
    if (complete->segment_size == 0) {
        complete->segment_size = SEGMENT_SIZE_DEFAULT;
    }
    if (complete->lease < WEIR_LEASE_MIN || complete->lease > WEIR_LEASE_MAX) {
        return weir_fail(error, WEIR_ERROR_ARGUMENT, "a lease that is too short or too long");
    }
    if (complete->segment_size < SEGMENT_SIZE_MIN || complete->segment_size > SEGMENT_SIZE_MAX) {
        return weir_fail(error, WEIR_ERROR_ARGUMENT, "a segment size that is too small or large");
    }
    return WEIR_OK;
}

/*
 * ---- Whose directory it is ----
 */

/* Opens the directory, which must be this user's, and takes its lock. */
static enum weir_status open_locked(const char *path, struct weir_directory *directory,
                                    int *lock_file, struct weir_error *error)
{
    enum weir_status status = weir_directory_open(path, geteuid(), directory, error);
    int file = -1;

    if (status != WEIR_OK) {
        return status;
    }
    if (directory->owner != geteuid()) {
        status = weir_fail(error, WEIR_ERROR_OWNER, "the directory belongs to another user");
    } else {
        file = openat(directory->file, WEIR_LOCK_NAME,
                      O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
        if (file < 0) {
            status = weir_fail_errno(error, "open of the lock");
        } else if (flock(file, LOCK_EX | LOCK_NB) != 0) {
            status = errno == EWOULDBLOCK
                         ? weir_fail(error, WEIR_ERROR_BUSY, "another process publishes there")
                         : weir_fail_errno(error, "flock");
        }
    }
    if (status != WEIR_OK) {
        if (file >= 0) {
            (void)close(file);
        }
        weir_directory_close(directory);
        return status;
    }
    *lock_file = file;
    return WEIR_OK;
}

/*
 * ---- Tidying ----
 */

/* What of a directory's files is still of use. */
struct tidying {
    const struct weir_directory *directory;
    uint64_t identity;
    uint64_t snapshot; /* the newest image */
    uint64_t oldest;   /* the oldest image that is kept */
    uint64_t segment;  /* the segment that has the first change after that */
    bool temporary;    /* remove what was being written by whoever died */
    bool removed_any;
};

static bool is_needed(const struct tidying *tidying, const struct weir_file_facts *facts)
{
    if (facts->kind == WEIR_FILE_TEMPORARY) {
        return !tidying->temporary;
    }
    if (facts->identity != tidying->identity) {
        return false;
    }
    if (facts->kind == WEIR_FILE_IMAGE) {
        return facts->sequence >= tidying->oldest && facts->sequence <= tidying->snapshot;
    }
    return facts->kind != WEIR_FILE_SEGMENT || facts->sequence >= tidying->segment;
}

static bool tidy_file(void *context, const char *name, const struct weir_file_facts *facts)
{
    struct tidying *tidying = context;

    if (!is_needed(tidying, facts) && unlinkat(tidying->directory->file, name, 0) == 0) {
        tidying->removed_any = true;
    }
    return true;
}

/* Removes what no follower needs: what came before a snapshot that was published ten leases ago,
 * images that never were published, other creations; and, while nobody writes, temporary files.
 * That it fails harms nothing: it is done again. Beside changes: it touches nothing of theirs. */
static void tidy(const struct weir_replay *replay, bool temporary)
{
    struct weir_control *page = replay->control.page;
    struct tidying tidying = {
        .directory = &replay->directory,
        .identity = replay->control.header.identity,
        .snapshot = page->snapshot,
        .temporary = temporary,
    };

    if (page->due_since != 0 &&
        (weir_boot_clock() - page->due_since) / LEASES_KEPT >= replay->control.header.lease) {
        tidying.oldest = page->due;
        page->due_since = 0;
        (void)weir_segment_find(&replay->directory, tidying.identity, tidying.oldest + 1,
                                &tidying.segment, NULL);
    }
    do {
        tidying.removed_any = false;
        (void)weir_directory_each(&replay->directory, tidy_file, &tidying, NULL);
    } while (tidying.removed_any);
}

/*
 * ---- Opening ----
 */

static enum weir_status open_replay(const char *path, const struct weir_publisher_options *options,
                                    struct weir_publisher *publisher, struct weir_error *error)
{
    struct weir_engine_options engine_options = {
        .allocator = options->allocator,
        .retired_max = options->retired_max,
    };
    struct weir_replay *replay = &publisher->replay;
    enum weir_status status =
        weir_replay_open(replay, path, geteuid(), true, &engine_options, error);

    if (status != WEIR_OK) {
        return status;
    }
    if (replay->control.foreign) {
        status = weir_fail(error, WEIR_ERROR_NOT_FOUND,
                           "what is published there is from before the machine last booted");
    } else if (replay->applied != weir_control_sequence(&replay->control)) {
        status = weir_fail(error, WEIR_ERROR_NOT_FOUND, "what is published there was superseded");
    } else {
        status =
            weir_journal_continue(&publisher->writer, replay->reader, options->segment_size, error);
    }
    if (status != WEIR_OK) {
        weir_replay_close(replay);
    }
    return status;
}

/* Whether it is the directory that is locked which was opened by the path. */
static enum weir_status check_locked(const struct weir_replay *replay,
                                     const struct weir_directory *locked, struct weir_error *error)
{
    struct stat here;
    struct stat there;

    if (fstat(locked->file, &here) != 0 || fstat(replay->directory.file, &there) != 0) {
        return weir_fail_errno(error, "fstat");
    }
    return here.st_ino == there.st_ino && here.st_dev == there.st_dev
               ? WEIR_OK
               : weir_fail(error, WEIR_ERROR_BUSY, "the path leads to another directory by now");
}

/* Makes a publisher of what is in the directory whose lock is held. Both are taken over. */
static enum weir_status open_publisher(const char *path, struct weir_directory *locked,
                                       int lock_file, const struct weir_publisher_options *options,
                                       struct weir_publisher **publisher, struct weir_error *error)
{
    struct weir_allocator allocator = weir_allocator_or_default(options->allocator);
    struct weir_publisher *made = weir_allocate(&allocator, sizeof *made);
    enum weir_status status = WEIR_OK;

    if (made == NULL) {
        weir_directory_close(locked);
        (void)close(lock_file);
        return weir_fail_memory(error);
    }
    memset(made, 0, sizeof *made);
    made->lock_file = lock_file;
    made->process = getpid();
    status = open_replay(path, options, made, error);
    if (status == WEIR_OK) {
        status = check_locked(&made->replay, locked, error);
        if (status != WEIR_OK) {
            weir_journal_end(&made->writer);
            weir_replay_close(&made->replay);
        }
    }
    weir_directory_close(locked);
    if (status != WEIR_OK) {
        (void)close(lock_file);
        weir_release(&allocator, made, sizeof *made);
        return status;
    }
    (void)pthread_mutex_init(&made->lock, NULL);
    tidy(&made->replay, true);
    weir_journal_prepare_spare(&made->writer);
    *publisher = made;
    return WEIR_OK;
}

/* Tells those who follow the page before this one that it was superseded, if that is left to do. */
static void finish_creation(const struct weir_directory *directory)
{
    struct weir_control_map old = {0};
    enum weir_status status = weir_control_open(directory, WEIR_OLD_CONTROL_NAME, true, &old, NULL);

    if (status == WEIR_ERROR_IO || status == WEIR_ERROR_NOT_FOUND) {
        return; /* to be tried again, or done */
    }
    if (status == WEIR_OK) {
        if (weir_control_replaced(directory, &old)) {
            weir_control_publish(&old, WEIR_SEQUENCE_SUPERSEDED);
        }
        weir_control_close(&old);
    }
    (void)unlinkat(directory->file, WEIR_OLD_CONTROL_NAME, 0);
}

enum weir_status weir_publisher_resume(const char *path,
                                       const struct weir_publisher_options *options,
                                       struct weir_publisher **publisher, struct weir_error *error)
{
    struct weir_publisher_options complete;
    struct weir_directory directory;
    int lock_file = -1;
    enum weir_status status = complete_options(options, &complete, error);

    if (status == WEIR_OK) {
        status = open_locked(path, &directory, &lock_file, error);
    }
    if (status != WEIR_OK) {
        return status;
    }
    finish_creation(&directory);
    return open_publisher(path, &directory, lock_file, &complete, publisher, error);
}

void weir_publisher_close(struct weir_publisher *publisher)
{
    struct weir_allocator allocator;

    if (publisher == NULL) {
        return;
    }
    allocator = publisher->replay.allocator;
    weir_journal_end(&publisher->writer);
    weir_replay_close(&publisher->replay);
    (void)close(publisher->lock_file);
    (void)pthread_mutex_destroy(&publisher->lock);
    weir_release(&allocator, publisher, sizeof *publisher);
}

/*
 * ---- Creating ----
 */

static enum weir_status make_image_file(const struct weir_directory *directory, uint64_t identity,
                                        const struct weir_image *image, struct weir_error *error)
{
    return weir_directory_make_file(directory,
                                    weir_image_name(identity, weir_image_sequence(image)).text,
                                    image->bytes, image->size, image->size, NULL, error);
}

static enum weir_status draw_identity(uint64_t *identity, struct weir_error *error)
{
    return getrandom(identity, sizeof *identity, 0) == (ssize_t)sizeof *identity
               ? WEIR_OK
               : weir_fail_errno(error, "getrandom");
}

/* Gives the page of this creation a second name, by which it is found when it has lost its first.
 * Where that cannot be, followers find out by its heartbeat. */
static void keep_control(const struct weir_directory *directory)
{
    if (linkat(directory->file, WEIR_CONTROL_NAME, directory->file, WEIR_OLD_CONTROL_NAME, 0) !=
        0) {
        return; /* there is none, or another's has that name */
    }
}

/* Makes the files of a new identity, the control page last, and tells who follows the old one. */
static enum weir_status make_files(const struct weir_directory *directory,
                                   const struct weir_image *image,
                                   const struct weir_publisher_options *options,
                                   struct weir_error *error)
{
    uint64_t sequence = weir_image_sequence(image);
    uint64_t identity = 0;
    enum weir_status status = draw_identity(&identity, error);

    if (status == WEIR_OK) {
        status = make_image_file(directory, identity, image, error);
    }
    if (status == WEIR_OK) {
        status =
            weir_journal_begin(directory, identity, sequence + 1, options->segment_size, error);
    }
    if (status == WEIR_OK) {
        finish_creation(directory);
        keep_control(directory);
        status = weir_control_make(directory, identity, options->lease, sequence, error);
    }
    if (status != WEIR_OK) {
        (void)unlinkat(directory->file, weir_image_name(identity, sequence).text, 0);
        (void)unlinkat(directory->file, weir_segment_name(identity, sequence + 1).text, 0);
    }
    finish_creation(directory);
    return status;
}

/* Likewise for no image: the tokens are none. */
static enum weir_status make_files_for(const struct weir_directory *directory,
                                       const struct weir_image *image,
                                       const struct weir_publisher_options *options,
                                       struct weir_error *error)
{
    struct weir_allocator allocator = weir_allocator_or_default(options->allocator);
    const struct weir_content content = {0};
    struct weir_image *empty = NULL;
    enum weir_status status = WEIR_OK;

    if (image == NULL) {
        status = weir_lay_out(NULL, &content, 0, &allocator, &empty, NULL, error);
        image = empty;
    }
    if (status == WEIR_OK) {
        status = weir_image_sequence(image) < WEIR_SEQUENCE_MAX
                     ? make_files(directory, image, options, error)
                     : weir_fail(error, WEIR_ERROR_ARGUMENT, "a sequence number that is too large");
    }
    weir_image_close(empty);
    return status;
}

enum weir_status weir_publisher_create(const char *path, const struct weir_image *image,
                                       const struct weir_publisher_options *options,
                                       struct weir_publisher **publisher, struct weir_error *error)
{
    struct weir_publisher_options complete;
    struct weir_directory directory;
    int lock_file = -1;
    enum weir_status status = complete_options(options, &complete, error);

    if (status != WEIR_OK) {
        return status;
    }
    if (mkdir(path, 0755) != 0 && errno != EEXIST) {
        return weir_fail_errno(error, "mkdir");
    }
    status = open_locked(path, &directory, &lock_file, error);
    if (status != WEIR_OK) {
        return status;
    }
    status = make_files_for(&directory, image, &complete, error);
    if (status != WEIR_OK) {
        weir_directory_close(&directory);
        (void)close(lock_file);
        return status;
    }
    return open_publisher(path, &directory, lock_file, &complete, publisher, error);
}

/*
 * ---- Changes ----
 */

static void lock_for_change(struct weir_publisher *publisher)
{
    (void)__atomic_fetch_add(&publisher->waiting, 1, __ATOMIC_RELAXED);
    (void)pthread_mutex_lock(&publisher->lock);
    (void)__atomic_fetch_sub(&publisher->waiting, 1, __ATOMIC_RELAXED);
}

/* Whether the caller may wait for the lock, and change anything. */
static enum weir_status check_caller(const struct weir_publisher *publisher,
                                     struct weir_error *error)
{
    if (weir_section_open()) {
        return weir_fail_section(error, "a change");
    }
    return publisher->process == getpid()
               ? WEIR_OK
               : weir_fail(error, WEIR_ERROR_BUSY,
                           "only the process that opened the publisher may use it");
}

/* Writes a change that is planned, publishes it, and commits it; or abandons it. The lock is held.
 */
static enum weir_status publish(struct weir_publisher *publisher, const struct weir_plan *plan,
                                enum weir_record_kind kind, bool urgent, struct weir_text bytes,
                                uint64_t *sequence, struct weir_error *error)
{
    struct weir_replay *replay = &publisher->replay;
    uint64_t next = replay->applied + 1;
    enum weir_status status =
        next > WEIR_SEQUENCE_MAX
            ? weir_fail(error, WEIR_ERROR_LIMIT, "no sequence numbers are left")
            : weir_journal_write(&publisher->writer, next, kind, urgent, bytes.bytes, bytes.length,
                                 error);

    if (status != WEIR_OK) {
        weir_plan_abandon(replay->engine, plan);
        return status;
    }
    weir_control_publish(&replay->control, next);
    replay->applied = next;
    weir_plan_commit(replay->engine, plan);
    weir_journal_prepare_spare(&publisher->writer);
    if (sequence != NULL) {
        *sequence = next;
    }
    return WEIR_OK;
}

static enum weir_status put(struct weir_publisher *publisher,
                            const struct weir_compiled_token *token, enum weir_put how,
                            uint64_t *sequence, struct weir_error *error)
{
    struct weir_text bytes = {(const char *)(const void *)token, weir_compiled_token_size(token)};
    struct weir_plan plan;
    enum weir_status status = check_caller(publisher, error);

    if (status != WEIR_OK) {
        return status;
    }
    lock_for_change(publisher);
    status = weir_plan_put(publisher->replay.engine, NULL, weir_block_of(token), how, &plan, error);
    if (status == WEIR_OK) {
        status = publish(publisher, &plan, WEIR_RECORD_PUT, false, bytes, sequence, error);
    }
    (void)pthread_mutex_unlock(&publisher->lock);
    return status;
}

enum weir_status weir_publisher_issue(struct weir_publisher *publisher,
                                      const struct weir_compiled_token *token, uint64_t *sequence,
                                      struct weir_error *error)
{
    return put(publisher, token, WEIR_PUT_ISSUE, sequence, error);
}

enum weir_status weir_publisher_replace(struct weir_publisher *publisher,
                                        const struct weir_compiled_token *token, uint64_t *sequence,
                                        struct weir_error *error)
{
    return put(publisher, token, WEIR_PUT_REPLACE, sequence, error);
}

enum weir_status weir_publisher_put(struct weir_publisher *publisher,
                                    const struct weir_compiled_token *token, uint64_t *sequence,
                                    struct weir_error *error)
{
    return put(publisher, token, WEIR_PUT_EITHER, sequence, error);
}

static enum weir_status revoke_locked(struct weir_publisher *publisher, struct weir_text token_id,
                                      bool urgent, uint64_t *sequence, struct weir_error *error)
{
    struct weir_plan plan;
    enum weir_status status =
        weir_plan_revoke(publisher->replay.engine, NULL, token_id, &plan, error);

    return status == WEIR_OK
               ? publish(publisher, &plan, WEIR_RECORD_REVOKE, urgent, token_id, sequence, error)
               : status;
}

enum weir_status weir_publisher_revoke(struct weir_publisher *publisher, struct weir_text token_id,
                                       uint64_t *sequence, struct weir_error *error)
{
    enum weir_status status = check_caller(publisher, error);

    if (status != WEIR_OK) {
        return status;
    }
    lock_for_change(publisher);
    status = revoke_locked(publisher, token_id, true, sequence, error);
    (void)pthread_mutex_unlock(&publisher->lock);
    return status;
}

enum weir_status weir_publisher_reserve(struct weir_publisher *publisher, size_t changes,
                                        size_t size, bool revocations, struct weir_error *error)
{
    /* Each record is rounded up, and has a header. */
    const uint64_t room = size + changes * weir_record_room(WEIR_RECORD_ALIGNMENT);
    enum weir_status status = check_caller(publisher, error);

    if (status != WEIR_OK) {
        return status;
    }
    lock_for_change(publisher);
    status = weir_journal_reserve(&publisher->writer, publisher->replay.applied + 1, room,
                                  revocations, error);
    (void)pthread_mutex_unlock(&publisher->lock);
    return status;
}

/*
 * ---- Heartbeats ----
 */

void weir_publisher_heartbeat(struct weir_publisher *publisher)
{
    const struct weir_control_map *control = &publisher->replay.control;
    uint64_t boot = weir_boot_clock();

    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (__atomic_load_n(&publisher->held, __ATOMIC_SEQ_CST) != 0 ||
        publisher->process != getpid()) {
        return;
    }
    (void)weir_control_sequence(control); /* S: what was published by then comes before H */
    __atomic_store_n(&control->page->heartbeat, boot, __ATOMIC_RELEASE); /* H */
}

void weir_publisher_hold(struct weir_publisher *publisher)
{
    (void)__atomic_fetch_add(&publisher->held, 1, __ATOMIC_SEQ_CST);
}

void weir_publisher_release(struct weir_publisher *publisher)
{
    (void)__atomic_fetch_sub(&publisher->held, 1, __ATOMIC_SEQ_CST);
}

/*
 * ---- Compacting ----
 */

/* What is left of compacting when the changes begin for which the publisher is needed. */
struct compaction {
    struct weir_publisher *publisher;
    struct weir_replay replay; /* with an engine of its own, on the same directory */
    struct weir_expiry dropped;
    enum weir_status status;
    struct weir_error *error;
};

/* Revokes, as a change like any other, a token that expired more than an hour ago; so all followers
 * lose it at the same number. It may have been replaced meanwhile. */
static bool revoke_expired(void *context, uint32_t offset)
{
    struct compaction *compaction = context;
    struct weir_publisher *publisher = compaction->publisher;
    struct weir_engine *engine = publisher->replay.engine;
    const struct weir_edition *edition = compaction->replay.engine->edition;
    struct weir_text id =
        weir_block_id(weir_live_block(compaction->replay.engine, &edition->base, offset));
    const struct weir_block *block = NULL;

    if (!weir_block_expired_before(
            weir_live_block(compaction->replay.engine, &edition->base, offset),
            compaction->dropped)) {
        return true;
    }
    (void)pthread_mutex_lock(&publisher->lock);
    block = weir_live_find(engine, engine->edition, id);
    if (block != NULL && weir_block_expired_before(block, compaction->dropped)) {
        compaction->status = revoke_locked(publisher, id, false, NULL, compaction->error);
    }
    (void)pthread_mutex_unlock(&publisher->lock);
    return compaction->status == WEIR_OK;
}

/* Makes the file of an image of what is published, without what has expired. `*sequence` is its
 * number: that of the snapshot there is already if nothing has changed. */
static enum weir_status make_snapshot(struct compaction *compaction, uint64_t *sequence)
{
    const struct weir_instant never = {WEIR_INSTANT_SECONDS_MIN, 0};
    struct weir_replay *replay = &compaction->replay;
    struct weir_image *image = NULL;
    enum weir_status status = WEIR_OK;

    (void)weir_edition_each(replay->engine->edition, revoke_expired, compaction);
    status = compaction->status;
    if (status == WEIR_OK) {
        status = weir_replay_apply(replay, weir_control_sequence(&replay->control), 0,
                                   compaction->error);
    }
    *sequence = replay->applied;
    if (status != WEIR_OK || *sequence == weir_control_snapshot(&replay->control)) {
        return status;
    }
    status = weir_engine_compact(replay->engine, never, *sequence, &replay->allocator, &image,
                                 compaction->error);
    if (status == WEIR_OK) {
        status = make_image_file(&replay->directory, replay->control.header.identity, image,
                                 compaction->error);
        weir_image_close(image);
    }
    return status;
}

/* So many changes, or positions of an index, are gone through while the lock is held: compacting is
 * not to be felt by those who wait for it. */
#define STEP 128

/* So often, at most, a compaction lets others go first before its next step: about a millisecond.
 */
#define COURTESY 2000

/* Unlocks, and lets those who wait for the lock have it: it is not given to them by itself if the
 * thread that had it comes back at once. */
static void unlock_for_others(struct weir_publisher *publisher)
{
    (void)pthread_mutex_unlock(&publisher->lock);
    for (unsigned i = 0;
         i < COURTESY && __atomic_load_n(&publisher->waiting, __ATOMIC_RELAXED) != 0; i++) {
        (void)sched_yield();
    }
}

/* Brings the succession up to date and puts it in the place of what was there, which becomes
 * `*old`. */
static enum weir_status succeed(struct weir_publisher *publisher,
                                struct weir_succession *succession, struct weir_edition **old,
                                struct weir_error *error)
{
    struct weir_control *page = publisher->replay.control.page;
    enum weir_status status = WEIR_OK;
    bool complete = false;

    while (status == WEIR_OK && !complete) {
        (void)pthread_mutex_lock(&publisher->lock);
        status = weir_succession_advance(&publisher->replay, succession, STEP, &complete, error);
        if (status != WEIR_OK) {
            weir_succession_discard(&publisher->replay, succession);
        } else if (complete) {
            *old = weir_succession_succeed(&publisher->replay, succession);
            __atomic_store_n(&page->snapshot, publisher->replay.snapshot, __ATOMIC_RELEASE); /* N */
            if (page->due_since == 0) {
                page->due = publisher->replay.snapshot;
                page->due_since = weir_boot_clock();
            }
        }
        unlock_for_others(publisher);
    }
    return status;
}

static void let_go(struct weir_publisher *publisher, struct weir_edition *old)
{
    struct weir_engine *engine = publisher->replay.engine;
    struct weir_base base;
    uint64_t position = 0;
    bool complete = false;

    while (!complete) {
        (void)pthread_mutex_lock(&publisher->lock);
        complete = weir_edition_retire_tokens(engine, old, &position, STEP);
        if (complete) {
            base = weir_edition_retire(engine, old);
        }
        weir_retired_settle(engine);
        unlock_for_others(publisher);
    }
    weir_grace_wait();
    weir_base_release(engine, &base);
}

/* Goes over to the image, and tells the followers of it. */
static enum weir_status publish_snapshot(struct weir_publisher *publisher, uint64_t sequence,
                                         struct weir_error *error)
{
    struct weir_succession succession = {0};
    struct weir_edition *old = NULL;
    enum weir_status status =
        weir_succession_open(&publisher->replay, &sequence, &succession, error);

    if (status == WEIR_OK) {
        status = succeed(publisher, &succession, &old, error);
    }
    if (status == WEIR_OK) {
        let_go(publisher, old);
    }
    return status;
}

static enum weir_status compact(struct weir_publisher *publisher, struct weir_instant now,
                                struct weir_error *error)
{
    struct weir_engine_options options = {.allocator = &publisher->replay.allocator};
    struct compaction compaction = {
        .publisher = publisher,
        .dropped = weir_first_kept(now),
        .error = error,
    };
    uint64_t sequence = 0;
    enum weir_status status = WEIR_OK;

    tidy(&publisher->replay, false);
    status = weir_replay_open(&compaction.replay, publisher->replay.path, geteuid(), false,
                              &options, error);
    if (status != WEIR_OK) {
        return status;
    }
    status =
        compaction.replay.control.inode == publisher->replay.control.inode &&
                compaction.replay.control.device == publisher->replay.control.device
            ? make_snapshot(&compaction, &sequence)
            : weir_fail(error, WEIR_ERROR_NOT_FOUND, "the path leads to another directory by now");
    weir_replay_close(&compaction.replay);
    return status == WEIR_OK && sequence != weir_control_snapshot(&publisher->replay.control)
               ? publish_snapshot(publisher, sequence, error)
               : status;
}

enum weir_status weir_publisher_compact(struct weir_publisher *publisher, struct weir_instant now,
                                        struct weir_error *error)
{
    enum weir_status status = check_caller(publisher, error);

    if (status != WEIR_OK) {
        return status;
    }
    if (__atomic_exchange_n(&publisher->compacting, 1, __ATOMIC_ACQUIRE) != 0) {
        return weir_fail(error, WEIR_ERROR_BUSY, "another thread is compacting");
    }
    status = compact(publisher, now, error);
    __atomic_store_n(&publisher->compacting, 0, __ATOMIC_RELEASE);
    return status;
}

/*
 * ---- Asking ----
 */

const struct weir_engine *weir_publisher_engine(const struct weir_publisher *publisher)
{
    return publisher->replay.engine;
}

struct weir_usage weir_publisher_usage(struct weir_publisher *publisher)
{
    struct weir_usage usage;

    (void)pthread_mutex_lock(&publisher->lock);
    usage = weir_engine_usage(publisher->replay.engine);
    (void)pthread_mutex_unlock(&publisher->lock);
    return usage;
}

uint64_t weir_publisher_sequence(const struct weir_publisher *publisher)
{
    return weir_control_sequence(&publisher->replay.control);
}

uint64_t weir_publisher_lease(const struct weir_publisher *publisher)
{
    return publisher->replay.control.header.lease;
}
