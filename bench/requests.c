#include "requests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/compile.h>

#include "memory.h"
#include "tokens.h"

#define HOT_TOKENS 512
#define BROKER_PREFIXES 10000

static const enum weir_operation stream_operations[] = {WEIR_CREATE_STREAM,
                                                        WEIR_DELETE_STREAM,
                                                        WEIR_GET_STREAM_CONFIG,
                                                        WEIR_RECONFIGURE_STREAM,
                                                        WEIR_CHECK_TAIL,
                                                        WEIR_APPEND,
                                                        WEIR_READ,
                                                        WEIR_TRIM,
                                                        WEIR_FENCE,
                                                        WEIR_STREAM_METRICS};

/* A request as it is kept: its names follow it in the text of all. */
struct kept {
    const struct weir_compiled_token *token;
    const struct floor_token *floor;
    const char *index_line;
    uint16_t size;
    uint8_t operation;
    uint8_t id_length;
    uint8_t basin_length;
    uint8_t stream_length;
    bool allowed;
};

struct requests {
    struct kept *kept;
    char *text;
    size_t *chunk_text; /* where the text of each chunk begins */
    size_t count;       /* a multiple of CHUNK */
    size_t text_size;
    size_t next;
};

static struct requests *requests_new(size_t count)
{
    struct requests *requests = calloc(1, sizeof *requests);

    requests->count = count;
    requests->kept = memory_touched(count * sizeof *requests->kept);
    requests->text = memory_touched(count * 160 + CHUNK_MARGIN);
    requests->chunk_text = calloc(count / CHUNK + 1, sizeof *requests->chunk_text);
    return requests;
}

/* Keeps one more request, in place number `place`. */
static void keep(struct requests *requests, size_t place, struct kept kept, const char *id,
                 const char *basin, const char *stream)
{
    char *text = requests->text + requests->text_size;

    memcpy(text, id, kept.id_length);
    memcpy(text + kept.id_length, basin, kept.basin_length);
    memcpy(text + kept.id_length + kept.basin_length, stream, kept.stream_length);
    requests->text_size += (size_t)kept.id_length + kept.basin_length + kept.stream_length;
    requests->kept[place] = kept;
    if ((place + 1) % CHUNK == 0) {
        requests->chunk_text[(place + 1) / CHUNK] = requests->text_size;
    }
}

static void stage_one(const struct kept *kept, const char *text, size_t place, struct chunk *chunk)
{
    struct weir_question *question = &chunk->questions[place];

    question->token_id = (struct weir_text){text, kept->id_length};
    question->request.operation = (enum weir_operation)kept->operation;
    question->request.basin = (struct weir_text){text + kept->id_length, kept->basin_length};
    question->request.stream =
        (struct weir_text){text + kept->id_length + kept->basin_length, kept->stream_length};
    chunk->tokens[place] = kept->token;
    chunk->floors[place] = kept->floor;
    chunk->index_lines[place] = kept->index_line;
    chunk->sizes[place] = kept->size;
    chunk->allowed += kept->allowed;
}

void requests_stage(struct requests *requests, struct chunk *chunk)
{
    size_t begin = requests->chunk_text[requests->next / CHUNK];
    size_t end = requests->chunk_text[requests->next / CHUNK + 1];
    const char *text = chunk->text;

    memcpy(chunk->text, requests->text + begin, end - begin);
    chunk->allowed = 0;
    for (size_t i = 0; i < CHUNK; i++) {
        const struct kept *kept = &requests->kept[requests->next + i];

        stage_one(kept, text, i, chunk);
        text += (size_t)kept->id_length + kept->basin_length + kept->stream_length;
    }
    requests->next = (requests->next + CHUNK) % requests->count;
}

/*
 * ---- The million tokens ----
 */

/* Some line of the index of ids: it lies between the image's first page and its first token. */
static const char *some_index_line(const struct weir_image *image, uint64_t random)
{
    static size_t lines;
    size_t size = 0;
    const char *bytes = weir_image_bytes(image, &size);

    if (lines == 0) {
        lines = (size_t)((const char *)weir_image_next(image, NULL) - bytes) / 64 - 64;
    }
    return bytes + 4096 + random % lines * 64;
}

static struct floor_token *floor_of(const struct names *names)
{
    struct floor_token *floor = aligned_alloc(64, 192);

    floor->expires_at = INT64_MAX;
    floor->operations = (uint32_t)WEIR_OPERATIONS_ALL;
    floor->basin_length = names->basin_length;
    floor->stream_length = names->stream_length;
    memcpy(floor->bytes, names->bytes + names->id_length,
           (size_t)names->basin_length + names->stream_length);
    return floor;
}

/* Keeps a request about token `number`: names under its prefixes, up to 44 and 60 bytes long. */
static void keep_request(struct requests *requests, size_t place, uint64_t number,
                         const struct floor_token *floor)
{
    const struct weir_image *image = tokens_image();
    uint64_t random = tokens_mix(place ^ UINT64_C(0x5eed) << 32);
    struct kept kept = {.floor = floor};
    struct names names;
    char basin[48];
    char stream[64];

    names_make(number, &names);
    memset(basin, 'x', sizeof basin);
    memset(stream, 'y', sizeof stream);
    memcpy(basin, names.bytes + names.id_length, names.basin_length);
    memcpy(stream, names.bytes + names.id_length + names.basin_length, names.stream_length);
    kept.id_length = names.id_length;
    kept.basin_length = (uint8_t)(names.basin_length + random % 24);
    kept.basin_length = kept.basin_length < WEIR_BASIN_MIN ? WEIR_BASIN_MIN : kept.basin_length;
    kept.stream_length = (uint8_t)(names.stream_length + 4 + (random >> 8) % 32);
    kept.operation = (uint8_t)stream_operations[(random >> 16) % 10];
    kept.token = weir_image_find(image, (struct weir_text){names.bytes, names.id_length});
    kept.size = kept.token != NULL ? (uint16_t)weir_compiled_token_size(kept.token) : 0;
    kept.index_line = some_index_line(image, random >> 24);
    kept.allowed = kept.token != NULL;
    keep(requests, place, kept, names.bytes, basin, stream);
}

void *requests_hot(void)
{
    static struct requests *requests;
    const struct floor_token *floors[HOT_TOKENS];

    if (requests != NULL) {
        return requests;
    }
    requests = requests_new((size_t)1 << 15);
    for (uint64_t i = 0; i < HOT_TOKENS; i++) {
        struct names names;

        names_make(i * 1777, &names);
        floors[i] = floor_of(&names);
    }
    for (size_t i = 0; i < requests->count; i++) {
        uint64_t token = tokens_mix(i) % HOT_TOKENS;

        keep_request(requests, i, token * 1777, floors[token]);
    }
    return requests;
}

void *requests_cold(void)
{
    static struct requests *requests;

    if (requests == NULL) {
        requests = requests_new((size_t)1 << 20);
        for (size_t i = 0; i < requests->count; i++) {
            keep_request(requests, i, tokens_mix(i) % TOKEN_COUNT, NULL);
        }
    }
    return requests;
}

void *requests_unknown(void)
{
    static struct requests *requests;

    if (requests == NULL) {
        requests = requests_new((size_t)1 << 20);
        for (size_t i = 0; i < requests->count; i++) {
            keep_request(requests, i, TOKEN_COUNT + i, NULL);
        }
    }
    return requests;
}

/*
 * ---- Tokens of many prefixes ----
 */

/* Writes prefix number `number` of some kind, and returns its length. */
typedef int prefix_writer(char *buffer, size_t size, uint64_t number);

static int write_service(char *buffer, size_t size, uint64_t number)
{
    static const char *const services[] = {"billing",  "orders",    "telemetry", "audit",  "events",
                                           "sessions", "inventory", "mail",      "search", "logs"};
    uint64_t random = tokens_mix(number);

    return snprintf(buffer, size, "org-%02u/%s/%06x/", (unsigned)(random % 50),
                    services[(random >> 8) % 10], (unsigned)(random >> 20) & 0xffffff);
}

static int write_hexadecimal(char *buffer, size_t size, uint64_t number)
{
    return snprintf(buffer, size, "%012llx/", (unsigned long long)(tokens_mix(number) >> 16));
}

static int write_user(char *buffer, size_t size, uint64_t number)
{
    return snprintf(buffer, size, "users/%u/", (unsigned)number);
}

/* The only token of an image, with as many scopes as prefixes. */
static const struct weir_compiled_token *broker_compile(prefix_writer *write)
{
    struct weir_scope *scopes = calloc(BROKER_PREFIXES, sizeof *scopes);
    char(*prefixes)[48] = calloc(BROKER_PREFIXES, sizeof *prefixes);
    struct weir_token token = {
        .id = WEIR_TEXT("broker"), .scopes = scopes, .scope_count = BROKER_PREFIXES};
    struct weir_compiled_token *compiled = NULL;
    size_t size = 0;

    for (size_t i = 0; i < BROKER_PREFIXES; i++) {
        int length = write(prefixes[i], sizeof prefixes[i], i);

        scopes[i] = (struct weir_scope){
            .basins = {WEIR_SET_PREFIX, WEIR_TEXT("acme-")},
            .streams = {WEIR_SET_PREFIX, {prefixes[i], (size_t)length}},
            .ops = WEIR_OPERATIONS_ALL,
        };
    }
    if (weir_compile_token(&token, NULL, &compiled, &size, NULL) != WEIR_OK) {
        (void)fprintf(stderr, "weir_bench: the broker does not compile\n");
        exit(EXIT_FAILURE);
    }
    free(prefixes);
    free(scopes);
    return compiled;
}

/* Names of 20 to 60 bytes under one of the prefixes; each tenth differs in its last byte but one,
 * by a byte that no prefix has. */
static void keep_broker_request(struct requests *requests, size_t place, prefix_writer *write,
                                const struct weir_compiled_token *token)
{
    static const char basin[] = "acme-production-eu-1";
    uint64_t random = tokens_mix(place ^ UINT64_C(0xb20c) << 32);
    char stream[64];
    char prefix[48];
    int prefix_length = write(prefix, sizeof prefix, random % BROKER_PREFIXES);
    size_t length = 20 + (random >> 32) % 41;
    struct kept kept = {.token = token,
                        .operation = (uint8_t)stream_operations[(random >> 24) % 10],
                        .basin_length = sizeof basin - 1,
                        .allowed = place % 10 != 9};

    length = length < (size_t)prefix_length + 2 ? (size_t)prefix_length + 2 : length;
    for (size_t i = 0; i < sizeof stream; i++) {
        stream[i] = (char)('a' + tokens_mix(random + i) % 26);
    }
    memcpy(stream, prefix, (size_t)prefix_length);
    if (!kept.allowed) {
        stream[prefix_length - 2] = '~';
    }
    kept.stream_length = (uint8_t)length;
    keep(requests, place, kept, "", basin, stream);
}

static struct requests *requests_of_broker(prefix_writer *write)
{
    struct requests *requests = requests_new((size_t)1 << 16);
    const struct weir_compiled_token *token = broker_compile(write);

    for (size_t i = 0; i < requests->count; i++) {
        keep_broker_request(requests, i, write, token);
    }
    return requests;
}

void *requests_of_services(void)
{
    static struct requests *requests;

    return requests = requests != NULL ? requests : requests_of_broker(write_service);
}

void *requests_of_hexadecimal(void)
{
    static struct requests *requests;

    return requests = requests != NULL ? requests : requests_of_broker(write_hexadecimal);
}

void *requests_of_users(void)
{
    static struct requests *requests;

    return requests = requests != NULL ? requests : requests_of_broker(write_user);
}
