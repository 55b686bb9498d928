#include "live/stamped.h"

#include <stdio.h>
#include <string.h>

enum { OPERATIONS = 3, BASINS = 7, STREAMS = 61, EXPIRED_EVERY = 8, TRIES_EVERY = 5 };

static const enum weir_operation operations[OPERATIONS] = {WEIR_READ, WEIR_APPEND, WEIR_TRIM};
static const char basins[BASINS][9] = {"basin-00", "basin-01", "basin-02", "basin-03",
                                       "basin-04", "basin-05", "basin-06"};

static const char streams[] = "0001020304050607080910111213141516171819"
                              "2021222324252627282930313233343536373839"
                              "4041424344454647484950515253545556575859"
                              "6061626364656667686970717273747576777879";

/* Every other one is long enough to be compared quickly, and every fourth longer than what is
 * compared at once. None begins another. */
static struct weir_text stream_of(uint32_t stamp)
{
    size_t number = stamp % STREAMS;

    return (struct weir_text){streams + 2 * number, number % 4 == 0   ? 40
                                                    : number % 2 == 0 ? 12
                                                                      : 2};
}

static enum weir_set_kind stream_kind_of(uint32_t stamp)
{
    return stamped_number(stamp) % 2 == 0 ? WEIR_SET_PREFIX : WEIR_SET_EXACT;
}

static struct weir_text basin_of(uint32_t stamp)
{
    return (struct weir_text){basins[stamp % BASINS], 8};
}

/* Every third is too short to be sought in two steps. */
struct weir_text stamped_id(char buffer[16], const char *kind, uint32_t id)
{
    int length = snprintf(buffer, 16, "%.*s/%u", id % 3 == 0 ? 1 : 8, kind, id);

    return (struct weir_text){buffer, (size_t)length};
}

void stamped_digest(uint32_t credential, uint8_t digest[WEIR_DIGEST_SIZE])
{
    memset(digest, 0x5a, WEIR_DIGEST_SIZE);
    memcpy(digest + 8, &credential, sizeof credential);
}

void stamped_make(struct stamped *stamped, const char *kind, uint32_t id, uint32_t stamp,
                  uint32_t credential)
{
    struct weir_token *token = &stamped->token;

    stamped->scopes[0] = (struct weir_scope){
        .basins = {WEIR_SET_EXACT, basin_of(stamp)},
        .streams = {stream_kind_of(stamp), stream_of(stamp)},
        .ops = WEIR_OPERATION_BIT(operations[stamp % OPERATIONS]),
    };
    *token = (struct weir_token){
        .id = stamped_id(stamped->id, kind, id),
        .scopes = stamped->scopes,
        .scope_count = 1,
        .issue_number = stamped_number(stamp),
        .expires = stamp % EXPIRED_EVERY == EXPIRED_EVERY - 1,
        .expires_at = {STAMPED_NOW.seconds - 10, 0},
        .has_credential_digest = credential != NO_CREDENTIAL,
    };
    stamped_digest(credential, token->credential_digest);
    /* Scopes that grant nothing of what is asked, so that blocks have tries and many sizes. */
    if (stamp % TRIES_EVERY == 0) {
        for (uint32_t i = 1; i < 2 + stamp % 14; i++) {
            stamped->scopes[i] = (struct weir_scope){
                .basins = {WEIR_SET_PREFIX, basin_of(i)},
                .streams = {WEIR_SET_PREFIX, stream_of(stamp + i)},
                .ops = WEIR_OPERATION_BIT(WEIR_CHECK_TAIL),
            };
            token->scope_count++;
        }
    }
}

struct weir_request stamped_request(uint32_t asked)
{
    return (struct weir_request){.operation = operations[asked % OPERATIONS],
                                 .basin = basin_of(asked),
                                 .stream = stream_of(asked)};
}

enum weir_reason stamped_reason(uint32_t stamp, uint32_t asked)
{
    return stamp % EXPIRED_EVERY == EXPIRED_EVERY - 1 ? WEIR_EXPIRED
           : stamp % OPERATIONS != asked % OPERATIONS ? WEIR_OP_NOT_PERMITTED
           : stamp % BASINS != asked % BASINS         ? WEIR_BASIN_OUT_OF_SCOPE
           : stamp % STREAMS != asked % STREAMS       ? WEIR_STREAM_OUT_OF_SCOPE
                                                      : WEIR_ALLOWED;
}

enum weir_reason stamped_reason_under(uint32_t stamp, uint32_t asked)
{
    const enum weir_reason reason = stamped_reason(stamp, asked);

    return reason == WEIR_ALLOWED && stream_kind_of(stamp) == WEIR_SET_EXACT
               ? WEIR_STREAM_OUT_OF_SCOPE
               : reason;
}

uint32_t stamped_sum(const struct weir_compiled_token *token)
{
    const unsigned char *bytes = (const unsigned char *)token;
    size_t size = weir_compiled_token_size(token);
    uint32_t sum = UINT32_C(2166136261);

    for (size_t i = 0; i < size; i++) {
        sum = (sum ^ bytes[i]) * UINT32_C(16777619);
    }
    return sum;
}
