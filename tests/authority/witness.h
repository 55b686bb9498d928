/*
 * witness.h - what was acknowledged of tokens that come and go, in memory that outlives whoever is
 * killed, and followers that hold it against what a directory tells.
 *
 * The tokens may list basins and do not expire. Any thread of any process that has the witness may
 * call these; a life is one thread's at a time.
 */
#ifndef WEIR_TESTS_AUTHORITY_WITNESS_H
#define WEIR_TESTS_AUTHORITY_WITNESS_H

#include <stdbool.h>
#include <stdint.h>

#include <weir/credential.h>

#define LIVES_MAX (1u << 20)

/* One token's. Times since boot, in nanoseconds; 0: not yet. */
struct life {
    struct weir_credential credential;
    uint64_t issued; /* acknowledged */
    uint64_t revoking;
    uint64_t revoked; /* acknowledged */
};

struct witness {
    uint64_t lease;
    uint64_t opened;       /* successors of who was killed, found to be right */
    uint64_t acknowledged; /* changes */
    uint64_t asked;
    uint64_t allowed;
    uint64_t stale;
    uint64_t revoked;
    bool ends;  /* followers end */
    bool wrong; /* something is, and was told */
    uint32_t count;
    struct life lives[LIVES_MAX];
};

extern const struct weir_request witness_request; /* what the tokens may */

/* Shared with children. NULL: there is no memory. */
struct witness *witness_make(uint64_t lease);

/* Tells what is wrong. */
__attribute__((format(printf, 2, 3))) void witness_wrong(struct witness *witness,
                                                         const char *format, ...);

/* A life that is acknowledged once life_issued says so. NULL: there are too many. */
struct life *life_begin(struct witness *witness, const struct weir_credential *credential);
/* Each of these also with NULL, for a token whose credential nobody knows. */
void life_issued(struct witness *witness, struct life *life);
void life_revoking(struct life *life);
void life_revoked(struct witness *witness, struct life *life);

struct weir_text life_credential(const struct life *life);

/*
 * Follows the directory until the witness ends or something is wrong, and asks by the credentials:
 * none is allowed by a poll that began after its revocation was acknowledged, nor, whatever the
 * polls say, once the lease is over; each is allowed, or the follower is stale, by a poll that
 * began after its issue was acknowledged, until it is being revoked; and none is allowed again
 * that was allowed and then denied, whatever was acknowledged.
 */
void witness_follow(struct witness *witness, const char *directory, uint64_t seed);

/* A successor has been found to be right. */
void witness_opened(struct witness *witness);

/* Waits before a kill, up to `most` nanoseconds: since now or, every other time, since more were
 * opened than `opened`. */
void witness_pause(const struct witness *witness, uint64_t opened, uint64_t most, uint64_t *state);

/* A line of what was seen. */
void witness_print(const struct witness *witness);

/* Times and chances. */
uint64_t boot_time(void);
void pause_for(uint64_t nanoseconds);
uint64_t draw(uint64_t *state);

#endif
