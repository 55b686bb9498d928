#include "ask.h"

#include <string.h>

#include <weir/decision.h>
#include <weir/difference.h>
#include <weir/engine.h>
#include <weir/listing.h>

#include "demand.h"

static const struct weir_instant noon = {1795435200, 0}; /* 2026-11-23T12:00:00Z */
static const struct weir_instant first = {INT64_MIN, 0};
static const struct weir_instant last = {INT64_MAX, 999999999};

static void take_rule(void *context, const struct weir_rule *rule)
{
    size_t *bytes = context;

    for (size_t i = 0; i < rule->set.name.length; i++) {
        *bytes += (unsigned char)rule->set.name.bytes[i];
    }
}

static void take_text(void *context, struct weir_text text)
{
    size_t *bytes = context;

    *bytes += text.length;
}

static void no_difference(void *context, const struct weir_difference *difference)
{
    (void)context;
    (void)difference;
    demand(false);
}

/* A name out of the hints: `length` bytes from somewhere on. */
static struct weir_text hint(const char *hints, size_t size, size_t start, size_t length)
{
    if (size == 0) {
        return WEIR_TEXT("");
    }
    start %= size;
    length = length < size - start ? length : size - start;
    return (struct weir_text){hints + start, length};
}

static void ask_listing(const struct weir_compiled_token *token, enum weir_operation operation,
                        struct weir_text basin, struct weir_text prefix)
{
    struct weir_listing *listing = NULL;
    enum weir_reason reason = WEIR_STALE;

    if (weir_narrow(token, operation, basin, prefix, noon, NULL, &reason, &listing, NULL) !=
            WEIR_OK ||
        listing == NULL) {
        return;
    }
    for (size_t i = 0; i < listing->exact_count; i++) {
        demand(weir_listing_admits(listing, listing->exact[i]));
    }
    for (size_t i = 0; i < listing->prefix_count; i++) {
        demand(weir_listing_admits(listing, listing->prefixes[i]));
    }
    weir_listing_free(listing);
}

/* What the token says of itself. */
static void ask_about(const struct weir_image *image, const struct weir_compiled_token *token)
{
    struct weir_instant expires_at = {0};
    bool expires = weir_compiled_token_expires(token, &expires_at);
    struct weir_text prefix = weir_compiled_token_stream_prefix(token);
    const uint8_t *digest = weir_compiled_token_digest(token);
    const struct weir_request request = {.operation = WEIR_LIST_BASINS};
    size_t bytes = 0;

    demand(weir_image_find(image, weir_compiled_token_id(token)) == token);
    demand(digest == NULL || weir_image_find_by_digest(image, digest) == token);
    demand(prefix.length <= WEIR_STREAM_MAX);
    (void)weir_compiled_token_issue_number(token);
    /* What is before the year 1 counts as its first instant. */
    demand(weir_check_token(token, &request, first).reason != WEIR_EXPIRED ||
           (expires_at.seconds == WEIR_INSTANT_SECONDS_MIN && expires_at.nanoseconds == 0));
    demand((weir_check_token(token, &request, last).reason == WEIR_EXPIRED) == expires);
    (void)weir_compiled_token_dump(token, NULL, take_text, &bytes, NULL);
    (void)weir_compiled_token_dot(token, NULL, take_text, &bytes, NULL);
}

/* By id, in a batch beside an id that may be none, and explained: one answer. */
static void ask_every_way(const struct weir_image *image, const struct weir_compiled_token *token,
                          const struct weir_request *request, struct weir_text other)
{
    struct weir_text id = weir_compiled_token_id(token);
    const struct weir_question questions[] = {{id, *request}, {other, *request}};
    struct weir_decision decision = weir_check_token(token, request, noon);
    struct weir_decision batched[2];
    size_t bytes = 0;

    demand(weir_check(image, id, request, noon).reason == decision.reason);
    weir_check_batch(image, questions, 2, noon, batched);
    demand(batched[0].reason == decision.reason && batched[0].token == token);
    demand(batched[1].token == weir_image_find(image, other));
    demand(batched[1].reason == weir_check(image, other, request, noon).reason);
    demand(weir_explain(token, request, noon, take_rule, &bytes).reason == decision.reason);
    demand(weir_check_under(image, id, request, noon).reason ==
           weir_check_token_under(token, request, noon).reason);
    demand(weir_reason_name(decision.reason) != NULL);
}

static void ask_token(const struct weir_image *image, const struct weir_compiled_token *token,
                      const char *hints, size_t size)
{
    const struct weir_text basins[] = {WEIR_TEXT("tenant-0001"), WEIR_TEXT("acme-prod-basin")};
    struct weir_text id = weir_compiled_token_id(token);
    char other[WEIR_TOKEN_ID_MAX];

    ask_about(image, token);
    /* An id of the same length: of another token, perhaps. */
    memcpy(other, id.bytes, id.length);
    other[id.length - 1] ^= 1;
    for (unsigned number = 0; number <= WEIR_OPERATION_COUNT + 1; number++) {
        struct weir_request request = {
            .operation = (enum weir_operation)number,
            .basin = basins[number % 2],
            .stream = hint(hints, size, 7 * (size_t)number, 5 + number),
            .access_token = number % 2 == 0 ? id : hint(hints, size, 11 * (size_t)number, number),
        };

        ask_every_way(image, token, &request, (struct weir_text){other, id.length});
    }
    ask_listing(token, WEIR_LIST_BASINS, basins[0], WEIR_TEXT(""));
    ask_listing(token, WEIR_LIST_BASINS, basins[0], WEIR_TEXT("t"));
    ask_listing(token, WEIR_LIST_STREAMS, basins[0], WEIR_TEXT(""));
    ask_listing(token, WEIR_LIST_STREAMS, basins[1], hint(hints, size, id.length, 3));
    ask_listing(token, WEIR_LIST_ACCESS_TOKENS, basins[0], WEIR_TEXT(""));
}

/* Each answer of the engine about the image's tokens, as the image has it. */
static void ask_engine_of(const struct weir_engine *engine, const struct weir_image *image,
                          const char *hints, size_t size)
{
    const struct weir_compiled_token *token = NULL;

    while ((token = weir_image_next(image, token)) != NULL) {
        struct weir_question question = {weir_compiled_token_id(token),
                                         {.operation = WEIR_READ,
                                          .basin = WEIR_TEXT("tenant-0001"),
                                          .stream = hint(hints, size, 3, 9)}};
        enum weir_reason expected = weir_check_token(token, &question.request, noon).reason;
        enum weir_reason batched = WEIR_STALE;
        struct weir_resolved resolved;

        demand(weir_engine_check(engine, question.token_id, &question.request, noon) == expected);
        weir_engine_check_batch(engine, &question, 1, noon, &batched);
        demand(batched == expected);
        demand(weir_engine_resolve(engine, question.token_id, &resolved));
        demand(weir_engine_check_resolved(engine, &resolved, &question.request, noon) == expected);
    }
}

static void ask_who(const struct weir_image *image, const struct weir_engine *engine)
{
    const struct weir_request request = {.operation = WEIR_READ,
                                         .basin = WEIR_TEXT("tenant-0001"),
                                         .stream = WEIR_TEXT("users/1/a")};
    struct weir_tokens of_image;
    struct weir_tokens of_engine;

    if (weir_who(image, &request, noon, NULL, &of_image, NULL) != WEIR_OK) {
        return;
    }
    weir_read_begin();
    if (weir_engine_who(engine, &request, noon, NULL, &of_engine, NULL) == WEIR_OK) {
        demand(of_engine.count == of_image.count);
        weir_tokens_free(&of_engine, NULL);
    }
    weir_read_end();
    weir_tokens_free(&of_image, NULL);
}

void ask_engine(const struct weir_engine *engine, const char *hints, size_t size)
{
    struct weir_image *image = NULL;

    if (weir_engine_compact(engine, noon, 1, NULL, &image, NULL) == WEIR_OK) {
        ask_engine_of(engine, image, hints, size);
        ask_everything(image, hints, size);
        weir_image_close(image);
    }
}

void ask_everything(const struct weir_image *image, const char *hints, size_t size)
{
    const struct weir_compiled_token *token = NULL;
    struct weir_engine *engine = NULL;
    uint64_t count = 0;

    while ((token = weir_image_next(image, token)) != NULL) {
        ask_token(image, token, hints, size);
        count++;
    }
    demand(count == weir_image_token_count(image));
    demand(weir_image_digest_count(image) <= count);
    (void)weir_image_sequence(image);
    demand(weir_image_find(image, (struct weir_text){hints, size}) == NULL ||
           size <= WEIR_TOKEN_ID_MAX);
    (void)weir_diff(image, image, noon, NULL, no_difference, NULL, NULL);
    if (weir_engine_open(image, NULL, &engine, NULL) == WEIR_OK) {
        ask_engine_of(engine, image, hints, size);
        ask_who(image, engine);
        weir_engine_close(engine);
    }
}
