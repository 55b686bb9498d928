#include "authority/witness.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include <weir/follow.h>

/* Of so many lives half of the questions are about. */
#define RECENT 64

/* For so long a successor is waited for. */
#define PATIENCE UINT64_C(10000000000)

const struct weir_request witness_request = {.operation = WEIR_LIST_BASINS};

uint64_t boot_time(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

void pause_for(uint64_t nanoseconds)
{
    const struct timespec pause = {
        .tv_sec = (time_t)(nanoseconds / UINT64_C(1000000000)),
        .tv_nsec = (long)(nanoseconds % UINT64_C(1000000000)),
    };

    (void)nanosleep(&pause, NULL);
}

uint64_t draw(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

struct witness *witness_make(uint64_t lease)
{
    struct witness *witness = mmap(NULL, sizeof *witness, PROT_READ | PROT_WRITE,
                                   MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (witness == MAP_FAILED) {
        return NULL;
    }
    witness->lease = lease;
    return witness;
}

void witness_wrong(struct witness *witness, const char *format, ...)
{
    char message[512];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    (void)fprintf(stderr, "wrong: %s\n", message);
    __atomic_store_n(&witness->wrong, true, __ATOMIC_SEQ_CST);
}

static bool is_over(const struct witness *witness)
{
    return __atomic_load_n(&witness->ends, __ATOMIC_RELAXED) ||
           __atomic_load_n(&witness->wrong, __ATOMIC_RELAXED);
}

void witness_opened(struct witness *witness)
{
    (void)__atomic_fetch_add(&witness->opened, 1, __ATOMIC_RELAXED);
}

void witness_pause(const struct witness *witness, uint64_t opened, uint64_t most, uint64_t *state)
{
    const uint64_t end = boot_time() + PATIENCE;

    if (draw(state) % 2 == 0) {
        while (__atomic_load_n(&witness->opened, __ATOMIC_RELAXED) == opened && boot_time() < end &&
               !is_over(witness)) {
            pause_for(1000000);
        }
    }
    pause_for(draw(state) % most);
}

/*
 * ---- Lives ----
 */

struct life *life_begin(struct witness *witness, const struct weir_credential *credential)
{
    uint32_t index = __atomic_fetch_add(&witness->count, 1, __ATOMIC_RELAXED);

    if (index >= LIVES_MAX) {
        return NULL;
    }
    witness->lives[index].credential = *credential;
    return &witness->lives[index];
}

void life_issued(struct witness *witness, struct life *life)
{
    if (life != NULL) {
        __atomic_store_n(&life->issued, boot_time(), __ATOMIC_RELEASE);
    }
    (void)__atomic_fetch_add(&witness->acknowledged, 1, __ATOMIC_RELAXED);
}

void life_revoking(struct life *life)
{
    if (life != NULL) {
        __atomic_store_n(&life->revoking, boot_time(), __ATOMIC_SEQ_CST);
    }
}

void life_revoked(struct witness *witness, struct life *life)
{
    if (life != NULL) {
        __atomic_store_n(&life->revoked, boot_time(), __ATOMIC_RELEASE);
        (void)__atomic_fetch_add(&witness->revoked, 1, __ATOMIC_RELAXED);
    }
    (void)__atomic_fetch_add(&witness->acknowledged, 1, __ATOMIC_RELAXED);
}

struct weir_text life_credential(const struct life *life)
{
    return (struct weir_text){life->credential.text, WEIR_CREDENTIAL_LENGTH};
}

/*
 * ---- Following ----
 */

/* What a follower has said of a life; DENIED: after it was allowed. */
enum seen { NOTHING, ALLOWED, DENIED };

struct watcher {
    struct witness *witness;
    struct weir_follower *follower;
    uint64_t polled; /* when the last poll that succeeded began */
    uint64_t late;   /* until then it does not poll */
    uint64_t state;
    uint8_t *seen; /* of each life */
};

/* What is asked about a life, and what is answered. */
struct question {
    uint64_t issued;
    uint64_t revoked;
    uint64_t asked;
    enum weir_reason reason;
};

static void judge_allowed(const struct watcher *watcher, const struct question *question,
                          uint8_t *seen)
{
    struct witness *witness = watcher->witness;

    if (question->revoked != 0 && (watcher->polled > question->revoked ||
                                   question->asked >= question->revoked + witness->lease)) {
        witness_wrong(witness,
                      "a credential is allowed %" PRIu64
                      " us after its revocation was acknowledged, by a poll that began %" PRId64
                      " us after it",
                      (question->asked - question->revoked) / 1000,
                      ((int64_t)watcher->polled - (int64_t)question->revoked) / 1000);
    }
    if (*seen == DENIED) {
        witness_wrong(witness, "a credential is allowed that was denied, having been allowed");
    }
    *seen = ALLOWED;
}

static void judge_denied(const struct watcher *watcher, const struct question *question,
                         const struct life *life, uint8_t *seen)
{
    if (question->issued != 0 && watcher->polled > question->issued &&
        __atomic_load_n(&life->revoking, __ATOMIC_SEQ_CST) == 0) {
        witness_wrong(watcher->witness,
                      "a credential is denied (%s) by a poll that began %" PRIu64
                      " us after its issue was acknowledged",
                      weir_reason_name(question->reason),
                      (watcher->polled - question->issued) / 1000);
    }
    *seen = *seen == NOTHING ? NOTHING : DENIED;
}

static void ask_one(const struct watcher *watcher, const struct life *life, uint8_t *seen)
{
    struct witness *witness = watcher->witness;
    struct weir_clocks now;
    struct question question = {
        .issued = __atomic_load_n(&life->issued, __ATOMIC_ACQUIRE),
        .revoked = __atomic_load_n(&life->revoked, __ATOMIC_ACQUIRE),
    };

    if (question.issued == 0 && question.revoked == 0) {
        return; /* it may be that its credential is not written yet */
    }
    now = weir_clocks_now();
    question.asked = now.boot;
    question.reason = weir_follower_check_credential(watcher->follower, life_credential(life),
                                                     &witness_request, now);
    (void)__atomic_fetch_add(&witness->asked, 1, __ATOMIC_RELAXED);
    if (question.reason == WEIR_STALE) {
        (void)__atomic_fetch_add(&witness->stale, 1, __ATOMIC_RELAXED);
    } else if (question.reason == WEIR_ALLOWED) {
        (void)__atomic_fetch_add(&witness->allowed, 1, __ATOMIC_RELAXED);
        judge_allowed(watcher, &question, seen);
    } else {
        judge_denied(watcher, &question, life, seen);
    }
}

static void ask(struct watcher *watcher)
{
    const struct witness *witness = watcher->witness;
    uint32_t count = __atomic_load_n(&witness->count, __ATOMIC_RELAXED);

    count = count < LIVES_MAX ? count : LIVES_MAX;
    for (unsigned i = 0; i < 64 && count > 0; i++) {
        uint32_t some = i % 2 == 0 && count > RECENT ? RECENT : count;
        uint32_t index = count - 1 - (uint32_t)(draw(&watcher->state) % some);

        ask_one(watcher, &witness->lives[index], &watcher->seen[index]);
    }
}

/* Polls, or opens the directory. Whether there is a follower to ask. */
static bool look(struct watcher *watcher, const char *directory)
{
    uint64_t begun = boot_time();

    if (watcher->follower == NULL) {
        if (weir_follower_open(directory, NULL, &watcher->follower, NULL) != WEIR_OK) {
            return false;
        }
        watcher->polled = begun;
    } else if (begun >= watcher->late &&
               weir_follower_poll(watcher->follower, begun, 0, NULL) == WEIR_OK) {
        watcher->polled = begun;
    }
    return true;
}

/* At times it is late, at times it begins anew. */
static void falter(struct watcher *watcher)
{
    if (draw(&watcher->state) % 500 == 0) {
        watcher->late = boot_time() + draw(&watcher->state) % (2 * watcher->witness->lease);
    } else if (draw(&watcher->state) % 500 == 0) {
        weir_follower_close(watcher->follower);
        watcher->follower = NULL;
    }
}

void witness_follow(struct witness *witness, const char *directory, uint64_t seed)
{
    struct watcher watcher = {
        .witness = witness,
        .state = seed,
        .seen = calloc(LIVES_MAX, sizeof watcher.seen[0]),
    };

    if (watcher.seen == NULL) {
        witness_wrong(witness, "there is no memory");
    }
    while (!is_over(witness)) {
        if (look(&watcher, directory)) {
            ask(&watcher);
            falter(&watcher);
        }
        pause_for(draw(&watcher.state) % 500000);
    }
    weir_follower_close(watcher.follower);
    free(watcher.seen);
}

void witness_print(const struct witness *witness)
{
    (void)printf("%" PRIu64 " successors found right; %" PRIu64 " changes acknowledged, %" PRIu64
                 " of them revocations of %u tokens; "
                 "followers asked %" PRIu64 " times, allowed %" PRIu64 ", stale %" PRIu64 "\n",
                 witness->opened, witness->acknowledged, witness->revoked, witness->count,
                 witness->asked, witness->allowed, witness->stale);
}
