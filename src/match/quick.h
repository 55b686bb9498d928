/*
 * quick.h - the most frequent question, first: may a token of one scope do that to a stream?
 *
 * Answers as weir_decide does, or says nothing: about tokens of many scopes and expired ones, other
 * operations, and names that are very short, very long, not allowed or not ASCII. Those are for
 * decide.h, which takes longer. Nothing here is decided by a branch that depends on how long a name
 * is in the token, but for whether it is longer than 32 bytes, which few are.
 */
#ifndef WEIR_MATCH_QUICK_H
#define WEIR_MATCH_QUICK_H

#include <weir/decision.h>

#include "image/block.h"
#include "vocabulary/name_rules.h"
#include "vocabulary/operation_sets.h"
#include "vocabulary/pieces.h"

/* The longest stream name that is usual. */
#define WEIR_USUAL_STREAM_MAX 64

/* Not inlined, the compiler would keep more in memory than it computes. */
#define WEIR_QUICK static inline __attribute__((always_inline))

/* Whether the token is of those that are answered quickly: whose sets are beside its id, and that
 * put no prefix before a usual stream name that makes it too long. */
WEIR_QUICK bool weir_block_is_usual(const struct weir_block *block)
{
    return (block->flags & WEIR_FLAG_TRIES) == 0 &&
           block->stream_length <= WEIR_STREAM_MAX - WEIR_USUAL_STREAM_MAX;
}

/*
 * What the request alone must be: an operation on a stream, with names that are allowed, of 8 to 48
 * and of 8 to 64 bytes.
 */
WEIR_QUICK bool weir_request_is_usual(const struct weir_request *request)
{
    struct weir_text stream = request->stream;

    return (weir_operation_bit(request->operation) & WEIR_STREAM_OPERATIONS) != 0 &&
           weir_basin_allowed(request->basin) &&
           stream.length - WEIR_WORD <= WEIR_USUAL_STREAM_MAX - WEIR_WORD &&
           weir_plain_bytes(stream.bytes, stream.length);
}

/* Whether the token of one scope permits the operation at that instant. */
WEIR_QUICK bool weir_permits_quickly(const struct weir_block *block, enum weir_operation operation,
                                     struct weir_instant now)
{
    uint64_t seconds = (uint64_t)now.seconds - (uint64_t)WEIR_INSTANT_SECONDS_MIN;
    uint64_t high =
        seconds << WEIR_EXPIRES_SECONDS_SHIFT | now.nanoseconds >> WEIR_EXPIRES_LOW_BITS;

    return (block->operations >> operation & 1) != 0 && high < block->expires &&
           seconds <= (uint64_t)WEIR_INSTANT_SECONDS_MAX - (uint64_t)WEIR_INSTANT_SECONDS_MIN;
}

/* Whether the name, of 8 bytes or more, is in an inline set; the kind is the two lowest bits. */
WEIR_QUICK bool weir_set_has_quickly(unsigned kind, const char *set, size_t length,
                                     struct weir_text name)
{
    _Static_assert(WEIR_SET_EXACT == 1 && WEIR_SET_PREFIX == 2, "one bit each");

    unsigned fits = kind >> 1 | (kind & (unsigned)(length == name.length));
    bool begins = weir_common_start(name, set) >= weir_smaller(length, WEIR_READ_AHEAD);

    if (__builtin_expect(length > WEIR_READ_AHEAD, 0)) {
        size_t rest = length - WEIR_READ_AHEAD;

        begins = begins && length <= name.length &&
                 weir_bytes_equal(name.bytes + WEIR_READ_AHEAD, set + WEIR_READ_AHEAD, rest);
    }
    return (begins & fits) != 0;
}

/* No answer, where weir_decide is to be asked: a reason that it never gives. */
#define WEIR_UNDECIDED WEIR_STALE

/* What weir_decide would answer for a usual block and a usual request, or WEIR_UNDECIDED. */
WEIR_QUICK enum weir_reason weir_decide_quickly(const struct weir_block *block,
                                                const struct weir_request *request,
                                                struct weir_instant now)
{
    const char *basin_set = (const char *)(block + 1) + block->id_length;
    const char *stream_set = basin_set + block->basin_length;

    if (!weir_permits_quickly(block, request->operation, now)) {
        return WEIR_UNDECIDED;
    }
    if (!weir_set_has_quickly(block->kinds >> WEIR_KIND_BASINS, basin_set, block->basin_length,
                              request->basin)) {
        return WEIR_BASIN_OUT_OF_SCOPE;
    }
    if ((block->flags & WEIR_FLAG_AUTO_PREFIX) != 0) {
        return WEIR_ALLOWED;
    }
    return weir_set_has_quickly(block->kinds >> WEIR_KIND_STREAMS, stream_set, block->stream_length,
                                request->stream)
               ? WEIR_ALLOWED
               : WEIR_STREAM_OUT_OF_SCOPE;
}

/* The decision by weir_decide, not inlined, and the last thing that is done: the quick way must not
 * save registers for it. */
struct weir_decision weir_decide_thoroughly(const struct weir_block *block,
                                            const struct weir_request *request,
                                            struct weir_instant now);

/* The decision; `usual` is whether the request is. */
WEIR_QUICK struct weir_decision weir_decide_either_way(const struct weir_block *block,
                                                       const struct weir_request *request,
                                                       bool usual, struct weir_instant now)
{
    enum weir_reason reason = WEIR_UNDECIDED;

    if (usual && weir_block_is_usual(block)) {
        reason = weir_decide_quickly(block, request, now);
    }
    if (reason == WEIR_UNDECIDED) {
        return weir_decide_thoroughly(block, request, now);
    }
    return (struct weir_decision){reason, weir_block_token(block)};
}

#endif
