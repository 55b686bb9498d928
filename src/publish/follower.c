/*
 * A follower. Of its words two threads use: `fresh`, stored (release) by set_fresh in a poll,
 * loaded (acquire) by weir_follower_engine: E and its partner in the memory model of format.h; and
 * `lease`, which changes when a directory is created anew and orders nothing. All else is the
 * polling thread's, or the engine's.
 */
#include <weir/follow.h>

#include <string.h>

#include "live/section.h"
#include "publish/replay.h"
#include "vocabulary/failure.h"
#include "vocabulary/memory.h"

/* A heartbeat as it was read, and the change that must be applied for it to count. */
struct offer {
    uint64_t heartbeat; /* 0: none that may count */
    uint64_t seen;      /* as it was read */
    uint64_t sequence;
    bool pending;
};

struct weir_follower {
    struct weir_engine *engine; /* what checks read is in these three */
    uint64_t lease;
    uint64_t fresh; /* every change published by then is in the engine; 0: never */
    char between[WEIR_CACHE_LINE];
    struct offer offer; /* what the polls are working off */
    uint64_t heartbeat; /* the last up to which all was applied */
    uint64_t seen;      /* the last that a poll has seen */
    uint64_t looked;    /* when that was last seen to move, or the directory looked at */
    struct weir_replay replay;
};

/*
 * ---- Freshness ----
 */

/* Reads what the publisher says: the steps (e) and (f) of format.h. Between the two comes this
 * machine's clock: a heartbeat from its future is not of this machine. */
static struct offer read_offer(const struct weir_follower *follower)
{
    const struct weir_control_map *control = &follower->replay.control;
    uint64_t heartbeat = weir_control_heartbeat(control);
    bool counts = !control->foreign && heartbeat <= weir_boot_clock();

    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return (struct offer){
        .heartbeat = counts ? heartbeat : 0,
        .seen = heartbeat,
        .sequence = weir_control_sequence(control),
        .pending = true,
    };
}

/* Takes the heartbeat of an offer all of whose changes the engine has. */
static void set_fresh(struct weir_follower *follower, const struct offer *offer)
{
    follower->heartbeat = offer->seen;
    if (offer->heartbeat > follower->fresh) {
        __atomic_store_n(&follower->fresh, offer->heartbeat, __ATOMIC_RELEASE); /* E */
    }
}

/* Whether the two are less than the lease apart: a clock far behind the heartbeat's is no
 * better than one far ahead of it. */
static inline bool within_lease(uint64_t boot, uint64_t fresh, uint64_t lease)
{
    return (boot >= fresh ? boot - fresh : fresh - boot) < lease;
}

const struct weir_engine *weir_follower_engine(const struct weir_follower *follower, uint64_t boot)
{
    uint64_t fresh = __atomic_load_n(&follower->fresh, __ATOMIC_ACQUIRE); /* E */
    uint64_t lease = __atomic_load_n(&follower->lease, __ATOMIC_RELAXED);

    return fresh != 0 && within_lease(boot, fresh, lease) ? follower->engine : NULL;
}

enum weir_reason weir_follower_check(const struct weir_follower *follower,
                                     struct weir_text token_id, const struct weir_request *request,
                                     struct weir_clocks now)
{
    const struct weir_engine *engine = weir_follower_engine(follower, now.boot);

    return engine == NULL ? WEIR_STALE : weir_engine_check(engine, token_id, request, now.wall);
}

void weir_follower_check_batch(const struct weir_follower *follower,
                               const struct weir_question *questions, size_t count,
                               struct weir_clocks now, enum weir_reason *reasons)
{
    const struct weir_engine *engine = weir_follower_engine(follower, now.boot);

    if (engine != NULL) {
        weir_engine_check_batch(engine, questions, count, now.wall, reasons);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        reasons[i] = WEIR_STALE;
    }
}

enum weir_reason weir_follower_check_resolved(const struct weir_follower *follower,
                                              struct weir_resolved *resolved,
                                              const struct weir_request *request,
                                              struct weir_clocks now)
{
    const struct weir_engine *engine = weir_follower_engine(follower, now.boot);

    return engine == NULL ? WEIR_STALE
                          : weir_engine_check_resolved(engine, resolved, request, now.wall);
}

enum weir_reason weir_follower_check_under(const struct weir_follower *follower,
                                           struct weir_text token_id,
                                           const struct weir_request *request,
                                           struct weir_clocks now)
{
    const struct weir_engine *engine = weir_follower_engine(follower, now.boot);

    return engine == NULL ? WEIR_STALE
                          : weir_engine_check_under(engine, token_id, request, now.wall);
}

enum weir_reason weir_follower_check_resolved_under(const struct weir_follower *follower,
                                                    struct weir_resolved *resolved,
                                                    const struct weir_request *request,
                                                    struct weir_clocks now)
{
    const struct weir_engine *engine = weir_follower_engine(follower, now.boot);

    return engine == NULL ? WEIR_STALE
                          : weir_engine_check_resolved_under(engine, resolved, request, now.wall);
}

/*
 * ---- Opening and closing ----
 */

enum weir_status weir_follower_open(const char *path, const struct weir_follower_options *options,
                                    struct weir_follower **follower, struct weir_error *error)
{
    const struct weir_follower_options defaults = {0};
    struct weir_engine_options engine_options = {0};
    struct weir_allocator allocator;
    struct weir_follower *made = NULL;
    enum weir_status status = WEIR_OK;

    if (weir_section_open()) {
        return weir_fail_section(error, "opening a directory");
    }
    options = options != NULL ? options : &defaults;
    allocator = weir_allocator_or_default(options->allocator);
    engine_options.allocator = &allocator;
    engine_options.retired_max = options->retired_max;
    made = weir_allocate(&allocator, sizeof *made);
    if (made == NULL) {
        return weir_fail_memory(error);
    }
    memset(made, 0, sizeof *made);
    status = weir_replay_open(&made->replay, path, options->owner, false, &engine_options, error);
    if (status != WEIR_OK) {
        weir_release(&allocator, made, sizeof *made);
        return status;
    }
    made->engine = made->replay.engine;
    made->lease = made->replay.control.header.lease;
    made->replay.observer = options->observer;
    made->replay.observer_context = options->observer_context;
    /* What was published between the snapshot and now is for a first poll to apply and vouch for;
     * without one who opens and asks at once would find it stale. */
    status = weir_follower_poll(made, weir_boot_clock(), 0, error);
    if (status != WEIR_OK) {
        weir_follower_close(made);
        return status;
    }
    *follower = made;
    return WEIR_OK;
}

void weir_follower_close(struct weir_follower *follower)
{
    struct weir_allocator allocator;

    if (follower == NULL) {
        return;
    }
    allocator = follower->replay.allocator;
    weir_replay_close(&follower->replay);
    weir_release(&allocator, follower, sizeof *follower);
}

/*
 * ---- Polling ----
 */

/* What opens anew has another lease and another heartbeat. */
static enum weir_status open_anew(struct weir_follower *follower, struct weir_error *error)
{
    enum weir_status status = weir_replay_reopen(&follower->replay, error);

    if (status == WEIR_OK) {
        follower->heartbeat = 0;
        follower->offer.pending = false;
        __atomic_store_n(&follower->lease, follower->replay.control.header.lease, __ATOMIC_RELAXED);
    }
    return status;
}

/* Applies what is new, or, where what comes next was removed, opens the newest snapshot. */
static enum weir_status catch_up(struct weir_follower *follower, uint64_t sequence, uint64_t limit,
                                 struct weir_error *error)
{
    enum weir_status status = weir_replay_apply(&follower->replay, sequence, limit, error);

    return status == WEIR_ERROR_NOT_FOUND ? weir_replay_adopt(&follower->replay, error) : status;
}

/* An offer that many polls of a few changes each are needed for is kept until it counts: a newer
 * one would be as far away again. */
static enum weir_status poll_control(struct weir_follower *follower, uint64_t limit,
                                     struct weir_error *error)
{
    struct offer newest = read_offer(follower);
    enum weir_status status = WEIR_OK;

    if (newest.sequence == WEIR_SEQUENCE_SUPERSEDED) {
        return weir_fail(error, WEIR_ERROR_NOT_FOUND, "what was published there was superseded");
    }
    if (!follower->offer.pending) {
        follower->offer = newest;
    }
    if (newest.sequence > follower->replay.applied) {
        status = catch_up(follower, newest.sequence, limit, error);
    }
    if (follower->replay.applied >= follower->offer.sequence) {
        set_fresh(follower, &follower->offer);
        follower->offer.pending = false;
    }
    if (follower->replay.applied >= newest.sequence) {
        set_fresh(follower, &newest);
    }
    return status;
}

/* Whether it is time to look whether the directory was created anew: its publisher says so, or has
 * not been heard of for a while. */
static bool is_time_to_look(struct weir_follower *follower, uint64_t boot)
{
    const struct weir_control_map *control = &follower->replay.control;

    if (weir_control_sequence(control) == WEIR_SEQUENCE_SUPERSEDED) {
        return true;
    }
    if (weir_control_heartbeat(control) != follower->seen) {
        follower->seen = weir_control_heartbeat(control);
        follower->looked = boot;
    }
    if (within_lease(boot, follower->looked, follower->lease / 4)) {
        return false;
    }
    follower->looked = boot;
    return true;
}

static enum weir_status poll_directory(struct weir_follower *follower, uint64_t boot,
                                       uint64_t limit, struct weir_error *error)
{
    enum weir_status status = WEIR_OK;

    if (is_time_to_look(follower, boot) && weir_replay_replaced(&follower->replay)) {
        status = open_anew(follower, error);
    }
    if (status == WEIR_OK) {
        status = poll_control(follower, limit, error);
    }
    /* What is looked for may be gone because all of the old creation is. */
    if (status == WEIR_ERROR_NOT_FOUND && weir_replay_replaced(&follower->replay)) {
        status = open_anew(follower, error);
        if (status == WEIR_OK) {
            status = poll_control(follower, limit, error);
        }
    }
    return status;
}

enum weir_status weir_follower_poll(struct weir_follower *follower, uint64_t boot, uint64_t limit,
                                    struct weir_error *error)
{
    const struct weir_control_map *control = &follower->replay.control;
    struct weir_error attempt;

    if (weir_control_sequence(control) == follower->replay.applied &&
        weir_control_heartbeat(control) == follower->heartbeat &&
        within_lease(boot, follower->looked, follower->lease / 4)) {
        return WEIR_OK;
    }
    if (weir_section_open()) {
        return weir_fail_section(error, "a poll");
    }
    return weir_fail_as(error, poll_directory(follower, boot, limit, &attempt), &attempt);
}

bool weir_follower_wait(const struct weir_follower *follower, uint64_t timeout)
{
    const struct weir_control_map *control = &follower->replay.control;

    if (weir_control_sequence(control) == follower->replay.applied) {
        weir_control_wait(control, follower->replay.applied, timeout);
    }
    return weir_control_sequence(control) != follower->replay.applied;
}

enum weir_status weir_follower_adopt(struct weir_follower *follower, struct weir_error *error)
{
    if (weir_section_open()) {
        return weir_fail_section(error, "going over to a snapshot");
    }
    if (weir_control_sequence(&follower->replay.control) == WEIR_SEQUENCE_SUPERSEDED) {
        return open_anew(follower, error);
    }
    if (weir_control_snapshot(&follower->replay.control) == follower->replay.snapshot) {
        return WEIR_OK;
    }
    return weir_replay_adopt(&follower->replay, error);
}

struct weir_follower_standing weir_follower_status(const struct weir_follower *follower)
{
    const struct weir_control_map *control = &follower->replay.control;

    return (struct weir_follower_standing){
        .identity = control->header.identity,
        .sequence = follower->replay.applied,
        .published = weir_control_sequence(control),
        .heartbeat = follower->fresh,
        .lease = follower->lease,
        .snapshot = follower->replay.snapshot,
        .newest_snapshot = weir_control_snapshot(control),
        .usage = weir_engine_usage(follower->engine),
    };
}
