/*
 * An image: whatever it is, it is refused or safe to ask. Its checksum is mended first, or nothing
 * would get past that. The number of its last change, which may be any, says how it is opened: in
 * place or as a copy, and which allocation fails before that.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <weir/engine.h>
#include <weir/image.h>

#include "ask.h"
#include "crowd.h"
#include "demand.h"
#include "image/format.h"
#include "scarcity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed);
/* libFuzzer's own. */
__attribute__((weak)) size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t size_max);

static void mend_checksum(uint8_t *bytes, size_t size)
{
    uint64_t checksum = 0;

    if (size >= 16) {
        memset(bytes + 8, 0, sizeof checksum);
        checksum = XXH3_64bits(bytes, size);
        memcpy(bytes + 8, &checksum, sizeof checksum);
    }
}

/* An engine takes the image's tokens as its own, one after the other, and gives them up again. */
static void adopt_tokens(const struct weir_image *image, const char *hints, size_t size)
{
    const struct weir_compiled_token *token = NULL;
    struct weir_engine *engine = NULL;

    demand(weir_engine_open(NULL, NULL, &engine, NULL) == WEIR_OK);
    while ((token = weir_image_next(image, token)) != NULL) {
        demand(weir_engine_issue(engine, token, NULL) == WEIR_OK);
    }
    ask_engine(engine, hints, size);
    demand(weir_engine_swap(engine, image, NULL) == WEIR_OK);
    while ((token = weir_image_next(image, token)) != NULL) {
        demand(weir_engine_replace(engine, token, NULL) == WEIR_OK);
        demand(weir_engine_revoke(engine, weir_compiled_token_id(token), NULL) == WEIR_OK);
    }
    demand(weir_engine_usage(engine).tokens == 0);
    weir_engine_close(engine);
}

/* ---- A mutator that knows the format ---- */

static uint32_t next_number(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Where the last section begins, the blocks: all that is behind the indexes. */
static size_t blocks_start(const uint8_t *bytes, size_t size)
{
    struct weir_image_header header;

    memcpy(&header, bytes, sizeof header);
    return header.blocks_size > 0 && header.blocks_size <= size ? size - (size_t)header.blocks_size
                                                                : 0;
}

/* A place where something stands, in the header, or an index, or mostly the blocks. */
static size_t choose_place(const uint8_t *bytes, size_t size, uint32_t *state)
{
    uint32_t section = next_number(state) % 8;
    size_t start = section < 6 ? blocks_start(bytes, size) : 0;
    size_t end = section == 7 ? sizeof(struct weir_image_header) : size;
    size_t place = 0;

    for (int tries = 0; tries < 64; tries++) {
        place = start + next_number(state) % (end - start);
        if (bytes[place] != 0) {
            break;
        }
    }
    return place;
}

/* Eight bytes from elsewhere: a hash, a count, both halves of an entry. */
static void copy_two_words(uint8_t *bytes, size_t size, uint32_t *state)
{
    size_t place = choose_place(bytes, size, state) & ~(size_t)7;
    size_t other = choose_place(bytes, size, state) & ~(size_t)7;

    if (place + 8 <= size && other + 8 <= size) {
        memmove(bytes + place, bytes + other, 8);
    }
}

/* Four bytes at a time, since that is what the format is made of. */
static void change_word(uint8_t *bytes, size_t size, uint32_t *state)
{
    static const uint32_t steps[] = {1, 4, 8, 16, 0x400, 0x80000, UINT32_MAX, (uint32_t)-4};
    size_t place = choose_place(bytes, size, state) & ~(size_t)3;
    size_t other = choose_place(bytes, size, state) & ~(size_t)3;
    uint32_t word = 0;

    if (place + sizeof word > size || other + sizeof word > size) {
        return;
    }
    memcpy(&word, bytes + place, sizeof word);
    switch (next_number(state) % 4) {
    case 0:
        word += steps[next_number(state) % 8];
        break;
    case 1:
        word ^= UINT32_C(1) << next_number(state) % 32;
        break;
    case 2:
        memcpy(&word, bytes + other, sizeof word);
        break;
    default:
        word = next_number(state) % 64;
        break;
    }
    memcpy(bytes + place, &word, sizeof word);
}

static void change_byte(uint8_t *bytes, size_t size, uint32_t *state)
{
    size_t place = choose_place(bytes, size, state);

    bytes[place] = (uint8_t)(next_number(state) % 2 == 0 ? next_number(state)
                                                         : bytes[choose_place(bytes, size, state)]);
}

/* Other indexes, often of so few homes that keys overflow. */
static size_t crowd(uint8_t *bytes, size_t size, size_t size_max, uint32_t *state)
{
    uint64_t homes = 1 + next_number(state) % 4;
    size_t crowded = 0;

    mend_checksum(bytes, size);
    crowded = crowd_image(bytes, size, size_max, homes, next_number(state));
    return crowded > 0 ? crowded : size;
}

static void change(uint8_t *bytes, size_t size, uint32_t *state)
{
    switch (next_number(state) % 8) {
    case 0:
        copy_two_words(bytes, size, state);
        break;
    case 1:
    case 2:
    case 3:
        change_byte(bytes, size, state);
        break;
    default:
        change_word(bytes, size, state);
        break;
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed)
{
    uint32_t state = seed;
    uint32_t way = next_number(&state) % 16;

    if (size < WEIR_PAGE || way == 0) {
        return LLVMFuzzerMutate(data, size, size_max);
    }
    if (way == 1) {
        size = crowd(data, size, size_max, &state);
    }
    for (uint32_t changes = way == 1 ? 0 : 1 + next_number(&state) % 3; changes > 0; changes--) {
        change(data, size, &state);
    }
    mend_checksum(data, size);
    return size;
}

/* ---- Opening it ---- */

static uint64_t sequence_of(const uint8_t *bytes, size_t size)
{
    struct weir_image_header header = {.sequence = 0};

    if (size >= sizeof header) {
        memcpy(&header, bytes, sizeof header);
    }
    return header.sequence;
}

/* An allocation fails, and nothing is left of what was begun; or none, and it is as if none could.
 */
static void open_scarcely(const uint8_t *bytes, size_t size, enum weir_image_mode mode,
                          enum weir_status expected)
{
    struct scarcity scarcity = {.left = (size_t)(sequence_of(bytes, size) / 2 % 8)};
    const struct weir_allocator allocator = scarce_allocator(&scarcity);
    struct weir_image *image = NULL;
    enum weir_status status = weir_image_open_memory(bytes, size, mode, &allocator, &image, NULL);

    demand(status == (scarcity.lacked ? WEIR_ERROR_MEMORY : expected));
    if (status == WEIR_OK) {
        weir_image_close(image);
    }
    demand(scarcity.blocks == 0);
}

/* With all keys behind one home it is as valid, and each token is found. */
static void ask_crowded(const uint8_t *data, size_t size, uint64_t tokens)
{
    size_t room = size + 2 * (WEIR_PAGE + (size_t)tokens * sizeof(struct weir_overflow));
    uint8_t *bytes = calloc(1, room);
    const struct weir_compiled_token *token = NULL;
    struct weir_image *image = NULL;

    demand(bytes != NULL);
    memcpy(bytes, data, size);
    size = crowd_image(bytes, size, room, 1, sequence_of(data, size));
    demand(size > 0);
    mend_checksum(bytes, size);
    demand(weir_image_open_memory(bytes, size, WEIR_IMAGE_SHARED, NULL, &image, NULL) == WEIR_OK);
    while ((token = weir_image_next(image, token)) != NULL) {
        demand(weir_image_find(image, weir_compiled_token_id(token)) == token);
        tokens--;
    }
    demand(tokens == 0);
    weir_image_close(image);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_image *image = NULL;
    enum weir_image_mode mode = WEIR_IMAGE_SHARED;
    enum weir_status status = WEIR_OK;
    uint8_t *bytes = malloc(size > 0 ? size : 1);

    if (bytes == NULL) {
        return 0;
    }
    memcpy(bytes, data, size);
    mend_checksum(bytes, size);
    mode = sequence_of(bytes, size) % 2 == 0 ? WEIR_IMAGE_SHARED : WEIR_IMAGE_COPY;
    status = weir_image_open_memory(bytes, size, mode, NULL, &image, NULL);
    open_scarcely(bytes, size, mode, status);
    if (status == WEIR_OK) {
        ask_everything(image, (const char *)data, size);
        adopt_tokens(image, (const char *)data, size);
        ask_crowded(bytes, size, weir_image_token_count(image));
        weir_image_close(image);
    }
    free(bytes);
    return 0;
}
