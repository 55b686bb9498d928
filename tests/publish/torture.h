/*
 * torture.h - one process that publishes, others whose threads check, and the memory between them
 * in which the publisher writes what it did and when.
 *
 * Each id goes through versions 0, 1, 2 …: of each four the first three are tokens, whose issue
 * number is the version, and the fourth is none. So the version follows from what is found, and an
 * answer can be judged: found at instant t it must be a version not older than the last one that
 * was published a lease before t, nor than what the follower's last poll had to apply, nor than
 * what the same thread found before; and not newer than the one that was begun last.
 */
#ifndef WEIR_TESTS_PUBLISH_TORTURE_H
#define WEIR_TESTS_PUBLISH_TORTURE_H

#include <stdbool.h>
#include <stdint.h>

#include <weir/follow.h>

#define IDS 16u
#define REMEMBERED 8192u /* versions of an id whose instants are known */
#define BUCKETS 40u
#define LEASE UINT64_C(20000000)

struct subject {
    uint64_t begun;  /* version of the change that was begun last */
    uint64_t done;   /* that was done last */
    uint64_t denied; /* version of the last revocation that somebody else has seen */
    uint64_t called_at[REMEMBERED];
    uint64_t done_at[REMEMBERED]; /* after the publisher's function had returned */
};

struct torture {
    uint64_t ends;
    uint64_t failed;
    uint64_t changes, compactions, resumptions, creations, silences; /* the publisher's */
    uint64_t polls, adoptions, judged, under, stale, unjudged;       /* the followers' */
    uint64_t latencies[BUCKETS]; /* from the call of revoke to the first denial, by powers of 2 */
    uint64_t ages[BUCKETS];      /* how many versions behind the newest an answer was */
    struct subject subjects[IDS];
};

extern struct torture *torture;
extern char published[300];

static inline uint64_t load(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static inline void store(uint64_t *word, uint64_t value)
{
    __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}

static inline void count(uint64_t *word, uint64_t more)
{
    (void)__atomic_fetch_add(word, more, __ATOMIC_RELAXED);
}

static inline bool is_token(uint64_t version)
{
    return version % 4 != 0;
}

uint64_t now(void);
struct weir_text id_text(unsigned id, char buffer[16]);

/* What the version may read; that of no other begins so. Of every other version it is too short to
 * be compared quickly. */
struct weir_text stream_text(uint64_t version, char buffer[32]);

/* Whether the version may read all that begins so. */
static inline bool has_prefix(uint64_t version)
{
    return version / 4 % 2 == 0;
}

_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The two kinds of process. */
_Noreturn void publish_all_the_time(uint64_t seed);
_Noreturn void check_all_the_time(unsigned threads, uint64_t seed);

#endif
