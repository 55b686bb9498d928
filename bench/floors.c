/* floors.c - what no check could be faster than: its hash, its comparisons, its cache misses. */
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <weir/image.h>

#include "benches.h"
#include "requests.h"
#include "rounds.h"
#include "times.h"
#include "tokens.h"

/* Lines that are asked for before the first of them is read. */
#define BATCH 32

static const struct rounds_effort hot_effort = {.warm = 200, .timed = 800};
static const struct rounds_effort short_effort = {.warm = 800, .timed = 4000}; /* a few ns each */
static const struct rounds_effort cold_effort = {.warm = 200, .timed = 800};

static uint64_t pass_fence(const struct chunk *chunk)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < CHUNK; i++) {
        sum += rounds_keep(chunk->sizes[i]);
        times_fence();
    }
    return sum;
}

static uint64_t pass_hash(const struct chunk *chunk)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < CHUNK; i++) {
        struct weir_text id = chunk->questions[i].token_id;

        sum += rounds_keep(XXH3_64bits_withSeed(id.bytes, id.length, 1));
    }
    return sum;
}

/*
 * ---- Names, sixteen bytes at a time ----
 *
 * The requests' own memory goes on after each name, so unlike a check these may read on beyond the
 * end and leave out what does not belong.
 */

typedef signed char lanes __attribute__((vector_size(16)));
typedef unsigned long long halves __attribute__((vector_size(16)));

static inline lanes lanes_load(const char *bytes)
{
    lanes loaded;

    memcpy(&loaded, bytes, sizeof loaded);
    return loaded;
}

static inline bool lanes_any(lanes lanes_bad)
{
    halves both = (halves)lanes_bad;

    return (both[0] | both[1]) != 0;
}

/* No name here is longer: so many bytes are always looked at, and nothing hangs on the length. */
#define LOOKED_AT 64

/* All bits of the lanes of sixteen bytes that belong to the name, `done` bytes of which lie before
 * them. */
static inline lanes lanes_within(struct weir_text name, size_t done)
{
#define EIGHT(byte) byte, byte, byte, byte, byte, byte, byte, byte
    static const signed char marks[2 * LOOKED_AT] = {EIGHT(-1), EIGHT(-1), EIGHT(-1), EIGHT(-1),
                                                     EIGHT(-1), EIGHT(-1), EIGHT(-1), EIGHT(-1)};
#undef EIGHT

    return lanes_load((const char *)marks + LOOKED_AT - name.length + done);
}

static inline lanes basin_bad(struct weir_text name, size_t done)
{
    lanes bytes = lanes_load(name.bytes + done);
    lanes letters = (bytes >= 'a') & (bytes <= 'z');
    lanes digits = (bytes >= '0') & (bytes <= '9');

    return ~(letters | digits | (bytes == '-')) & lanes_within(name, done);
}

/* Neither NUL nor beyond ASCII, whose bytes are negative here. */
static inline lanes stream_bad(struct weir_text name, size_t done)
{
    return (lanes_load(name.bytes + done) <= 0) & lanes_within(name, done);
}

static inline bool floor_basin_valid(struct weir_text name)
{
    lanes bad = basin_bad(name, 0) | basin_bad(name, 16) | basin_bad(name, 32);

    return !lanes_any(bad) && name.length - 8 <= 40 && name.bytes[0] != '-' &&
           name.bytes[name.length - 1] != '-';
}

static inline bool floor_stream_valid(struct weir_text name)
{
    lanes bad =
        stream_bad(name, 0) | stream_bad(name, 16) | stream_bad(name, 32) | stream_bad(name, 48);

    return !lanes_any(bad) && name.length > 0 && (name.length > 2 || name.bytes[0] != '.');
}

static inline bool floor_names_valid(const struct weir_request *request)
{
    return request->basin.length <= LOOKED_AT && request->stream.length <= LOOKED_AT &&
           floor_basin_valid(request->basin) && floor_stream_valid(request->stream);
}

/* The lanes in which a prefix differs from the name that must begin with it. */
static inline lanes prefix_differs(struct weir_text prefix, const char *name, size_t done)
{
    return (lanes_load(prefix.bytes + done) ^ lanes_load(name + done)) & lanes_within(prefix, done);
}

/* No prefix has more than 24 bytes (see tokens.h); what lies behind it may be read. */
static inline bool floor_allows(const struct floor_token *token, const struct weir_request *request,
                                int64_t now)
{
    struct weir_text basin = {token->bytes, token->basin_length};
    struct weir_text stream = {token->bytes + basin.length, token->stream_length};
    lanes differ = prefix_differs(basin, request->basin.bytes, 0) |
                   prefix_differs(basin, request->basin.bytes, 16) |
                   prefix_differs(stream, request->stream.bytes, 0) |
                   prefix_differs(stream, request->stream.bytes, 16);

    return now < token->expires_at && (token->operations >> request->operation & 1) != 0 &&
           request->basin.length >= basin.length && request->stream.length >= stream.length &&
           !lanes_any(differ);
}

/* All names are valid: the answer is the right one if all are found to be. */
static uint64_t pass_names(const struct chunk *chunk)
{
    uint64_t valid = 0;

    for (size_t i = 0; i < CHUNK; i++) {
        valid += rounds_keep(floor_names_valid(&chunk->questions[i].request));
    }
    return chunk->allowed + CHUNK - valid;
}

static uint64_t pass_resolved(const struct chunk *chunk)
{
    uint64_t allowed = 0;

    for (size_t i = 0; i < CHUNK; i++) {
        allowed += rounds_keep(
            floor_allows(chunk->floors[i], &chunk->questions[i].request, BENCH_NOW.seconds));
    }
    return allowed;
}

static uint64_t pass_resolved_with_names(const struct chunk *chunk)
{
    uint64_t allowed = 0;

    for (size_t i = 0; i < CHUNK; i++) {
        const struct weir_request *request = &chunk->questions[i].request;

        allowed += rounds_keep(floor_names_valid(request) &&
                               floor_allows(chunk->floors[i], request, BENCH_NOW.seconds));
    }
    return allowed;
}

void floor_fence(void *requests, struct bench_round *round)
{
    rounds_run(requests, hot_effort, pass_fence, false, round);
}

void floor_hash(void *requests, struct bench_round *round)
{
    rounds_run(requests, short_effort, pass_hash, false, round);
}

void floor_names(void *requests, struct bench_round *round)
{
    rounds_run(requests, hot_effort, pass_names, true, round);
}

void floor_resolved(void *requests, struct bench_round *round)
{
    rounds_run(requests, hot_effort, pass_resolved, true, round);
}

void floor_resolved_with_names(void *requests, struct bench_round *round)
{
    rounds_run(requests, hot_effort, pass_resolved_with_names, true, round);
}

/*
 * ---- Cache misses, in the image's own memory ----
 */

/* A part of the image, in lines. */
struct part {
    const char *bytes;
    uint64_t pairs; /* of lines: neighbours come along */
};

struct walk {
    struct part index;
    struct part records;
    uint64_t random;
};

static struct walk walk_of_image(const struct weir_image *image)
{
    static uint64_t seed;
    size_t size = 0;
    const char *bytes = weir_image_bytes(image, &size);
    const char *first = (const char *)weir_image_next(image, NULL);

    return (struct walk){
        .index = {bytes + 4096, (uint64_t)(first - bytes - 4096) / 128},
        .records = {first, (uint64_t)(bytes + size - first) / 128},
        .random = tokens_mix(++seed),
    };
}

__extension__ typedef unsigned __int128 wide;

static inline const volatile uint64_t *line_of(const struct part *part, uint64_t random)
{
    uint64_t pair = (uint64_t)((wide)random * part->pairs >> 64);

    return (const volatile uint64_t *)(const volatile void *)(part->bytes + 128 * pair);
}

static inline uint64_t step(uint64_t random, uint64_t loaded)
{
    return random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407) +
           (rounds_keep(loaded) & rounds_zero);
}

/* Each line's address depends on what was in the one before. */
static uint64_t pass_record_miss(void *context)
{
    struct walk *walk = context;

    for (size_t i = 0; i < CHUNK; i++) {
        walk->random = step(walk->random, *line_of(&walk->records, walk->random));
    }
    return walk->random;
}

static uint64_t pass_index_and_record_miss(void *context)
{
    struct walk *walk = context;

    for (size_t i = 0; i < CHUNK; i++) {
        walk->random = step(walk->random, *line_of(&walk->index, walk->random));
        walk->random = step(walk->random, *line_of(&walk->records, walk->random));
    }
    return walk->random;
}

void floor_record_miss(void *requests, struct bench_round *round)
{
    struct walk walk = walk_of_image(requests_image(requests));

    rounds_run_alone(600, CHUNK, pass_record_miss, &walk, round);
}

void floor_index_and_record_miss(void *requests, struct bench_round *round)
{
    struct walk walk = walk_of_image(requests_image(requests));

    rounds_run_alone(600, CHUNK, pass_index_and_record_miss, &walk, round);
}

/* Reads the lines of a token: the first and the last, which are nearly always all. */
static inline uint64_t read_token(const struct chunk *chunk, size_t i, uint64_t distance)
{
    const volatile char *token = (const volatile char *)chunk->tokens[i] + distance;

    return (uint64_t)token[0] + (uint64_t)token[chunk->sizes[i] - 1];
}

/* What a check touches, with addresses that are known beforehand, and nothing else: a line of the
 * index, then the token, whose address waits for that line. */
static uint64_t pass_replay_one_at_a_time(const struct chunk *chunk)
{
    uint64_t zero = rounds_zero;
    uint64_t sum = 0;

    for (size_t i = 0; i < CHUNK; i++) {
        uint64_t line = *(const volatile uint64_t *)(const void *)chunk->index_lines[i];

        sum += read_token(chunk, i, rounds_keep(line) & zero);
        times_fence();
    }
    return sum;
}

static uint64_t pass_replay_in_batches(const struct chunk *chunk)
{
    uint64_t zero = rounds_zero;
    uint64_t sum = 0;

    for (size_t done = 0; done < CHUNK; done += BATCH) {
        for (size_t i = done; i < done + BATCH; i++) {
            __builtin_prefetch(chunk->index_lines[i]);
        }
        for (size_t i = done; i < done + BATCH; i++) {
            uint64_t line = *(const volatile uint64_t *)(const void *)chunk->index_lines[i];
            const char *token = (const char *)chunk->tokens[i] + (rounds_keep(line) & zero);

            __builtin_prefetch(token);
            __builtin_prefetch(token + chunk->sizes[i] - 1);
        }
        for (size_t i = done; i < done + BATCH; i++) {
            sum += read_token(chunk, i, 0);
        }
    }
    return sum;
}

/* The least that an index and a record take, a line of each, where all addresses are known and none
 * waits for another. */
static uint64_t pass_two_lines(const struct chunk *chunk)
{
    uint64_t sum = 0;

    for (size_t done = 0; done < CHUNK; done += BATCH) {
        for (size_t i = done; i < done + BATCH; i++) {
            __builtin_prefetch(chunk->index_lines[i]);
            __builtin_prefetch(chunk->tokens[i]);
        }
        for (size_t i = done; i < done + BATCH; i++) {
            sum += (uint64_t) * (const volatile char *)chunk->index_lines[i] +
                   (uint64_t) * (const volatile char *)chunk->tokens[i];
        }
    }
    return sum;
}

void floor_replay_one_at_a_time(void *requests, struct bench_round *round)
{
    rounds_run(requests, cold_effort, pass_replay_one_at_a_time, false, round);
}

void floor_replay_in_batches(void *requests, struct bench_round *round)
{
    rounds_run(requests, cold_effort, pass_replay_in_batches, false, round);
}

void floor_two_lines(void *requests, struct bench_round *round)
{
    rounds_run(requests, cold_effort, pass_two_lines, false, round);
}
