/* users.c - requests of tokens of one scope. */
#include <stdlib.h>
#include <string.h>

#include "popularity.h"
#include "requests.h"
#include "tokens.h"
#include "workloads.h"

#define HOT_TOKENS 512

/* Requests of a set-up: enough to drive from the caches what they asked about. */
#define FEW ((size_t)1 << 17)
#define MANY ((size_t)1 << 19)

/*
 * ---- One request ----
 */

static struct weir_text basin_of(const struct names *names)
{
    return (struct weir_text){names->bytes + names->id_length, names->basin_length};
}

static struct weir_text stream_of(const struct names *names)
{
    return (struct weir_text){names->bytes + names->id_length + names->basin_length,
                              names->stream_length};
}

/* A name of that length at least that begins with the prefix. */
static struct weir_text name_under(char *buffer, struct weir_text prefix, size_t length,
                                   char filler)
{
    length = length < prefix.length ? prefix.length : length;
    memset(buffer, filler, length);
    memcpy(buffer, prefix.bytes, prefix.length);
    return (struct weir_text){buffer, length};
}

static bool begins_with(struct weir_text name, struct weir_text prefix)
{
    return name.length >= prefix.length && memcmp(name.bytes, prefix.bytes, prefix.length) == 0;
}

/* Adds a request of user `number`: names up to 44 and 60 bytes long under the prefixes of that
 * user, or, each tenth time, of another one. The token is one of the first `known`. */
static void add_request(struct requests *requests, uint64_t number, uint64_t known,
                        const struct floor_token *floor, uint64_t random)
{
    struct names own;
    struct names other;
    bool trespasses = (random >> 32) % 10 == 0;
    bool changes_basin = trespasses && (random >> 48) % 3 == 0;
    struct weir_text prefix;
    struct kept_request kept = {.floor = floor};
    struct weir_request *request = &kept.question.request;
    char basin[WEIR_BASIN_MAX];
    char stream[64];
    size_t length = 0;

    names_make(number, &own);
    names_make(number + 1, &other);
    prefix = basin_of(changes_basin ? &other : &own);
    length = prefix.length + random % 24;
    request->basin =
        name_under(basin, prefix, length < WEIR_BASIN_MIN ? WEIR_BASIN_MIN : length, 'x');
    prefix = stream_of(trespasses ? &other : &own);
    request->stream = name_under(stream, prefix, prefix.length + 4 + (random >> 8) % 32, 'y');
    request->operation = requests_operation(random >> 16);
    kept.question.token_id = (struct weir_text){own.bytes, own.id_length};
    kept.allowed = number < known && begins_with(request->basin, basin_of(&own)) &&
                   begins_with(request->stream, stream_of(&own));
    requests_add(requests, &kept);
}

/* The random number of request number `place`. */
static uint64_t random_of(size_t place)
{
    return tokens_mix(place ^ UINT64_C(0x5eed) << 32);
}

/*
 * ---- The million tokens ----
 */

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

static uint64_t hot_token(uint64_t number)
{
    return number * 1777 % TOKEN_COUNT;
}

void *requests_hot(void)
{
    static struct requests *requests;
    const struct floor_token *floors[HOT_TOKENS];

    if (requests != NULL) {
        return requests;
    }
    requests = requests_new(tokens_image(), (size_t)1 << 15);
    for (uint64_t i = 0; i < HOT_TOKENS; i++) {
        struct names names;

        names_make(hot_token(i), &names);
        floors[i] = floor_of(&names);
    }
    for (size_t i = 0; i < (size_t)1 << 15; i++) {
        uint64_t token = tokens_mix(i) % HOT_TOKENS;

        add_request(requests, hot_token(token), TOKEN_COUNT, floors[token], random_of(i));
    }
    return requests;
}

static struct requests *requests_drawn(const struct weir_image *image,
                                       const struct popularity *popularity, size_t count)
{
    struct requests *requests = requests_new(image, count);

    for (size_t i = 0; i < count; i++) {
        add_request(requests, popularity_draw(popularity, tokens_mix(i)), popularity->count, NULL,
                    random_of(i));
    }
    return requests;
}

void *requests_cold(void)
{
    static const struct popularity popularity = {TOKEN_COUNT, POPULARITY_UNIFORM};
    static struct requests *requests;

    if (requests == NULL) {
        requests = requests_drawn(tokens_image(), &popularity, 2 * MANY);
    }
    return requests;
}

void *requests_zipf(void)
{
    static const struct popularity popularity = {TOKEN_COUNT, POPULARITY_ZIPF};
    static struct requests *requests;

    if (requests == NULL) {
        requests = requests_drawn(tokens_image(), &popularity, 2 * MANY);
    }
    return requests;
}

void *requests_unknown(void)
{
    static struct requests *requests;

    if (requests == NULL) {
        requests = requests_new(tokens_image(), 2 * MANY);
        for (size_t i = 0; i < 2 * MANY; i++) {
            add_request(requests, TOKEN_COUNT + i, TOKEN_COUNT, NULL, random_of(i));
        }
    }
    return requests;
}

/*
 * ---- So many tokens, in such pages ----
 */

struct sized {
    uint64_t tokens;
    const struct weir_image *images[2]; /* by enum memory_pages */
    struct requests *requests[2];
};

/* The image in large pages is compiled, that in small ones is a copy of it. */
static const struct weir_image *image_in(struct sized *sized, enum memory_pages pages)
{
    const struct weir_image **image = &sized->images[pages];

    if (*image != NULL) {
        return *image;
    }
    if (pages == MEMORY_SMALL_PAGES) {
        *image = tokens_copy(image_in(sized, MEMORY_LARGE_PAGES), pages);
    } else if (sized->tokens == TOKEN_COUNT) {
        *image = tokens_image();
    } else {
        *image = tokens_image_of(sized->tokens, pages);
    }
    return *image;
}

static struct requests *requests_in(struct sized *sized, enum memory_pages pages)
{
    struct popularity popularity = {sized->tokens, POPULARITY_UNIFORM};
    struct requests **requests = &sized->requests[pages];

    if (*requests == NULL) {
        *requests = requests_drawn(image_in(sized, pages), &popularity,
                                   sized->tokens < TOKEN_COUNT ? FEW : MANY);
    }
    return *requests;
}

static struct sized sized_1k = {.tokens = 1000};
static struct sized sized_10k = {.tokens = 10000};
static struct sized sized_100k = {.tokens = 100000};
static struct sized sized_1m = {.tokens = 1000000};
static struct sized sized_10m = {.tokens = 10000000};
static struct sized sized_100m = {.tokens = 100000000};

void *requests_of_1k(void)
{
    return requests_in(&sized_1k, MEMORY_LARGE_PAGES);
}

void *requests_of_10k(void)
{
    return requests_in(&sized_10k, MEMORY_LARGE_PAGES);
}

void *requests_of_100k(void)
{
    return requests_in(&sized_100k, MEMORY_LARGE_PAGES);
}

void *requests_of_1m(void)
{
    return requests_in(&sized_1m, MEMORY_LARGE_PAGES);
}

void *requests_of_10m(void)
{
    return requests_in(&sized_10m, MEMORY_LARGE_PAGES);
}

void *requests_of_100m(void)
{
    return requests_in(&sized_100m, MEMORY_LARGE_PAGES);
}

void *requests_of_1k_small(void)
{
    return requests_in(&sized_1k, MEMORY_SMALL_PAGES);
}

void *requests_of_10k_small(void)
{
    return requests_in(&sized_10k, MEMORY_SMALL_PAGES);
}

void *requests_of_100k_small(void)
{
    return requests_in(&sized_100k, MEMORY_SMALL_PAGES);
}

void *requests_of_1m_small(void)
{
    return requests_in(&sized_1m, MEMORY_SMALL_PAGES);
}

void *requests_of_10m_small(void)
{
    return requests_in(&sized_10m, MEMORY_SMALL_PAGES);
}
