/*
 * stamped.h - tokens whose stamp can be told from what they answer. A stamp is a number that no two
 * tokens of a run share; two that differ in the last bit only are one issue, replaced once.
 */
#ifndef WEIR_TESTS_LIVE_STAMPED_H
#define WEIR_TESTS_LIVE_STAMPED_H

#include <stddef.h>
#include <stdint.h>

#include <weir/engine.h>
#include <weir/token.h>

#define STAMPED_NOW ((struct weir_instant){1795435200, 0})
#define NO_CREDENTIAL UINT32_MAX

/* A declaration; its texts are within it, or static. */
struct stamped {
    struct weir_token token;
    struct weir_scope scopes[16];
    char id[16];
};

void stamped_make(struct stamped *stamped, const char *kind, uint32_t id, uint32_t stamp,
                  uint32_t credential);
struct weir_text stamped_id(char buffer[16], const char *kind, uint32_t id);
void stamped_digest(uint32_t credential, uint8_t digest[WEIR_DIGEST_SIZE]);

static inline uint64_t stamped_number(uint32_t stamp)
{
    return stamp >> 1;
}

/* What the token of stamp `asked` is allowed to do, unless it has expired; and what that of stamp
 * `stamp` answers to that. */
struct weir_request stamped_request(uint32_t asked);
enum weir_reason stamped_reason(uint32_t stamp, uint32_t asked);

/* Likewise if that may be done on everything under the stream's name. */
enum weir_reason stamped_reason_under(uint32_t stamp, uint32_t asked);

/* A sum of the token's bytes: all of them are read. */
uint32_t stamped_sum(const struct weir_compiled_token *token);

#endif
