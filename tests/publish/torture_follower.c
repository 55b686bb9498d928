#include "publish/torture.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "model/dice.h"

#define NOBODY UINT64_MAX

static struct weir_follower *follower;
/* By id, the version that the last poll without limit had to apply. */
static uint64_t polled[IDS];

struct checker {
    pthread_t thread;
    struct dice dice;
    uint64_t instant; /* the last one read */
    uint64_t seen[IDS];
    struct weir_resolved resolved[IDS];
    uint64_t judged;
    uint64_t under; /* allowed everything under a prefix */
    uint64_t stale;
    uint64_t unjudged;
};

/*
 * ---- Judging ----
 */

/* The last version that was published by that instant, among those of which that is known. */
static uint64_t published_by(const struct subject *subject, uint64_t instant)
{
    uint64_t version = load(&subject->done);

    for (unsigned back = 0; version > 0 && back < REMEMBERED / 2; back++, version--) {
        if (load(&subject->done_at[version % REMEMBERED]) <= instant) {
            return version;
        }
    }
    return version == 0 ? 0 : NOBODY;
}

static unsigned bucket_of(uint64_t value)
{
    unsigned bucket = 0;

    while (value > 0 && bucket < BUCKETS - 1) {
        value /= 2;
        bucket++;
    }
    return bucket;
}

/* Whoever sees a revocation first tells how long that took. */
static void time_denial(struct subject *subject, uint64_t version)
{
    uint64_t denied = load(&subject->denied);
    uint64_t called = load(&subject->called_at[version % REMEMBERED]);
    uint64_t instant = now();

    if (denied < version && instant > called &&
        __atomic_compare_exchange_n(&subject->denied, &denied, version, false, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST)) {
        count(&torture->latencies[bucket_of(instant - called)], 1);
    }
}

static uint64_t largest(uint64_t one, uint64_t other)
{
    return one > other ? one : other;
}

/* What was found, of a check at that instant that began after `floor` was loaded: an issue number,
 * or 0 for no token. */
static void judge(struct checker *checker, unsigned id, uint64_t instant, uint64_t floor,
                  uint64_t found, const char *way)
{
    struct subject *subject = &torture->subjects[id];
    uint64_t high = load(&subject->begun);
    uint64_t done = load(&subject->done);
    uint64_t leased = published_by(subject, instant - LEASE);
    uint64_t low = 0;

    if (leased == NOBODY || high - done > 1) {
        checker->unjudged++;
        return;
    }
    low = largest(largest(leased, floor), checker->seen[id]);
    /* The least version from there on that is none. */
    if (found == 0) {
        found = (low + 3) / 4 * 4;
    }
    if (found < low || found > high) {
        fail("%s: version %" PRIu64 " of id %u; published a lease before: %" PRIu64
             ", polled: %" PRIu64 ", seen: %" PRIu64 ", begun: %" PRIu64,
             way, found, id, leased, floor, checker->seen[id], high);
    }
    checker->seen[id] = found;
    checker->judged++;
    if (checker->judged % 64 == 0) {
        count(&torture->ages[bucket_of(high - found)], 1);
    }
    if (!is_token(found) && found + 4 > high) {
        time_denial(subject, found);
    }
}

/*
 * ---- Asking ----
 */

/* The number of the token, which must be the one that its scope tells. */
static uint64_t number_of(const struct weir_compiled_token *token)
{
    char stream[32];
    struct weir_request request = {.operation = WEIR_READ, .basin = WEIR_TEXT("basin-of-all")};
    uint64_t number = 0;

    if (token == NULL) {
        return 0;
    }
    number = weir_compiled_token_issue_number(token);
    request.stream = stream_text(number, stream);
    if (weir_check_token(token, &request, (struct weir_instant){0, 0}).reason != WEIR_ALLOWED) {
        fail("half a token: number %" PRIu64 " does not allow what it should", number);
    }
    return number;
}

/* An instant now, or one that was read a while ago. */
static uint64_t draw_instant(struct checker *checker)
{
    if (checker->instant == 0 || dice_chance(&checker->dice, 60)) {
        checker->instant = now();
    }
    return checker->instant;
}

static void find(struct checker *checker, unsigned id, bool resolved)
{
    char buffer[16];
    struct weir_text text = id_text(id, buffer);
    uint64_t floor = load(&polled[id]);
    uint64_t instant = draw_instant(checker);
    const struct weir_engine *engine = weir_follower_engine(follower, instant);
    uint64_t found = 0;

    if (engine == NULL) {
        checker->stale++;
        return;
    }
    weir_read_begin();
    found = number_of(resolved ? weir_engine_find_resolved(engine, &checker->resolved[id])
                               : weir_engine_find(engine, text));
    weir_read_end();
    judge(checker, id, instant, floor, found, resolved ? "resolved" : "found");
}

/* By a function of the follower's own, the token sought or resolved before. */
static enum weir_reason ask(struct checker *checker, unsigned id,
                            const struct weir_request *request, bool under, bool resolved,
                            struct weir_clocks clocks)
{
    char buffer[16];
    struct weir_text text = id_text(id, buffer);
    struct weir_resolved *remembered = &checker->resolved[id];

    if (under) {
        return resolved ? weir_follower_check_resolved_under(follower, remembered, request, clocks)
                        : weir_follower_check_under(follower, text, request, clocks);
    }
    return resolved ? weir_follower_check_resolved(follower, remembered, request, clocks)
                    : weir_follower_check(follower, text, request, clocks);
}

/* The answer tells no version, but whether that one may do what the newest may, or all under it. */
static void check(struct checker *checker, unsigned id)
{
    char stream[32];
    struct weir_request request = {.operation = WEIR_READ, .basin = WEIR_TEXT("basin-of-all")};
    uint64_t floor = load(&polled[id]);
    uint64_t newest = load(&torture->subjects[id].done);
    struct weir_clocks clocks = {{0, 0}, draw_instant(checker)};
    bool under = dice_chance(&checker->dice, 40);
    enum weir_reason reason = WEIR_STALE;

    request.stream = stream_text(newest, stream);
    reason = ask(checker, id, &request, under, dice_chance(&checker->dice, 40), clocks);
    if (reason == WEIR_STALE) {
        checker->stale++;
    } else if (reason == WEIR_UNKNOWN_TOKEN || reason == WEIR_ALLOWED) {
        judge(checker, id, clocks.boot, floor, reason == WEIR_ALLOWED ? newest : 0,
              under ? "checked under" : "checked");
    } else if (reason != WEIR_STREAM_OUT_OF_SCOPE) {
        fail("checked: %s", weir_reason_name(reason));
    }
    if (under && reason == WEIR_ALLOWED) {
        checker->under++;
        if (!has_prefix(newest)) {
            fail("number %" PRIu64 " allows what it should not", newest);
        }
    }
}

static void *check_on(void *context)
{
    struct checker *checker = context;

    for (unsigned id = 0; id < IDS; id++) {
        char buffer[16];
        const struct weir_engine *engine = NULL;

        while (engine == NULL && load(&torture->ends) == 0) {
            engine = weir_follower_engine(follower, now());
        }
        if (engine != NULL) {
            (void)weir_engine_resolve(engine, id_text(id, buffer), &checker->resolved[id]);
        }
    }
    while (load(&torture->ends) == 0) {
        unsigned id = (unsigned)dice_below(&checker->dice, IDS);

        if (dice_chance(&checker->dice, 30)) {
            check(checker, id);
        } else {
            find(checker, id, dice_chance(&checker->dice, 40));
        }
        /* On few cores the others must come, too. */
        if (dice_below(&checker->dice, 4000) == 0) {
            (void)usleep((useconds_t)dice_below(&checker->dice, 2000));
        }
    }
    count(&torture->judged, checker->judged);
    count(&torture->under, checker->under);
    count(&torture->stale, checker->stale);
    count(&torture->unjudged, checker->unjudged);
    return NULL;
}

/*
 * ---- Polling ----
 */

static void poll_once(struct dice *dice)
{
    uint64_t limit = dice_chance(dice, 10) ? 1 + dice_below(dice, 50) : 0;
    uint64_t done[IDS];
    struct weir_error error = {0};
    enum weir_status status = WEIR_OK;

    for (unsigned id = 0; id < IDS; id++) {
        done[id] = load(&torture->subjects[id].done);
    }
    status = weir_follower_poll(follower, now(), limit, &error);
    if (status == WEIR_OK && limit == 0) {
        for (unsigned id = 0; id < IDS; id++) {
            store(&polled[id], done[id]);
        }
    } else if (status != WEIR_OK && status != WEIR_ERROR_NOT_FOUND) {
        fail("poll: %s: %s: %s", weir_status_name(status), error.place, error.message);
    }
    count(&torture->polls, 1);
}

static void poll_on(uint64_t seed)
{
    struct dice dice = {seed};
    struct weir_error error = {0};

    while (load(&torture->ends) == 0) {
        enum weir_status status = WEIR_OK;

        poll_once(&dice);
        if (dice_below(&dice, 3000) == 0) {
            (void)usleep((useconds_t)dice_below(&dice, 2 * LEASE / 1000));
        }
        if (dice_below(&dice, 500) == 0) {
            status = weir_follower_adopt(follower, &error);
            if (status != WEIR_OK && status != WEIR_ERROR_NOT_FOUND) {
                fail("adopt: %s: %s", weir_status_name(status), error.message);
            }
            count(&torture->adoptions, 1);
        }
        (void)weir_follower_wait(follower, LEASE / 8);
    }
}

void check_all_the_time(unsigned threads, uint64_t seed)
{
    struct checker *checkers = calloc(threads, sizeof *checkers);
    struct weir_error error = {0};
    enum weir_status status = WEIR_ERROR_NOT_FOUND;

    while (status == WEIR_ERROR_NOT_FOUND && load(&torture->ends) == 0) {
        status = weir_follower_open(published, NULL, &follower, &error);
    }
    if (status != WEIR_OK && load(&torture->ends) == 0) {
        fail("follow: %s: %s: %s", weir_status_name(status), error.place, error.message);
    }
    for (unsigned i = 0; i < threads; i++) {
        checkers[i].dice.state = seed * 1000 + i;
        if (pthread_create(&checkers[i].thread, NULL, check_on, &checkers[i]) != 0) {
            fail("no thread");
        }
    }
    poll_on(seed);
    for (unsigned i = 0; i < threads; i++) {
        (void)pthread_join(checkers[i].thread, NULL);
    }
    weir_follower_close(follower);
    free(checkers);
    _exit(0);
}
