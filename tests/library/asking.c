#include "library/asking.h"

#include <string.h>

#include <weir/decision.h>
#include <weir/listing.h>

#include "library/samples.h"
#include "library/support.h"

/* No answer about a token has more text in it than this many times the token's size. */
#define TEXT_PER_BYTE 4096

/* Names that lead a walk some way into the samples' tries, and out of them in different places. */
static const struct weir_text basins[] = {
    {"acme-production", 15}, {"first-basin", 11}, {"tenant-0000001", 14}, {"", 0}};
static const struct weir_text streams[] = {
    {"0/0/x", 5}, {"logs/audit", 10}, {"users/1234/inbox", 16}, {"llllllllllllllll", 16}};
static const struct weir_text ids[] = {{"broker/one", 10}, {"secret/", 7}, {"two", 3}};
static const struct weir_text prefixes[] = {{"", 0}, {"a", 1}, {"acme-", 5}, {"llll", 4}};

/* The answers so far, and how much text the present token may still give. */
struct asking {
    const struct weir_image *image;
    answers sum;
    size_t text_left;
};

/* Reads every byte of the text, so that one outside of its memory is noticed. */
static void take_text(struct asking *asking, struct weir_text text)
{
    if (text.length > asking->text_left) {
        ck_abort_msg("an answer without end");
    }
    asking->text_left -= text.length;
    asking->sum = asking->sum * 31 + text.length;
    for (size_t i = 0; i < text.length; i++) {
        asking->sum = asking->sum * 31 + (unsigned char)text.bytes[i];
    }
}

static void take_number(struct asking *asking, uint64_t number)
{
    asking->sum = asking->sum * 31 + number;
}

static void take_dump(void *context, struct weir_text text)
{
    take_text(context, text);
}

static void take_rule(void *context, const struct weir_rule *rule)
{
    struct asking *asking = context;

    take_text(asking, rule->set.name);
    take_number(asking, rule->operations);
    take_number(asking, (uint64_t)rule->role * 4 + (uint64_t)rule->matches);
    take_number(asking, rule->common);
}

static void ask_who_it_is(struct asking *asking, const struct weir_compiled_token *token)
{
    const uint8_t *digest = weir_compiled_token_digest(token);
    struct weir_instant expires_at = {0};
    size_t image_size = 0;
    const char *bytes = weir_image_bytes(asking->image, &image_size);
    const char *start = (const char *)token;

    if (start < bytes || weir_compiled_token_size(token) > image_size ||
        start > bytes + image_size - weir_compiled_token_size(token)) {
        ck_abort_msg("a token outside its image");
    }
    asking->text_left = (weir_compiled_token_size(token) + 64) * TEXT_PER_BYTE;
    take_text(asking, weir_compiled_token_id(token));
    take_text(asking, weir_compiled_token_stream_prefix(token));
    take_number(asking, weir_compiled_token_issue_number(token));
    if (weir_compiled_token_expires(token, &expires_at)) {
        take_number(asking, (uint64_t)expires_at.seconds);
        take_number(asking, expires_at.nanoseconds);
    }
    if (weir_image_find(asking->image, weir_compiled_token_id(token)) != token) {
        ck_abort_msg("a token that its id does not find");
    }
    if (digest != NULL && weir_image_find_by_digest(asking->image, digest) != token) {
        ck_abort_msg("a token that its digest does not find");
    }
    if (weir_compiled_token_dump(token, NULL, take_dump, asking, NULL) != WEIR_OK) {
        ck_abort_msg("a token that cannot be dumped");
    }
}

static void ask_one(struct asking *asking, const struct weir_compiled_token *token,
                    const struct weir_request *request)
{
    struct weir_question question = {weir_compiled_token_id(token), *request};
    struct weir_decision decision = weir_check_token(token, request, SAMPLE_NOW);
    struct weir_decision by_id = weir_check(asking->image, question.token_id, request, SAMPLE_NOW);
    struct weir_decision in_batch = {0};
    struct weir_decision explained = weir_explain(token, request, SAMPLE_NOW, take_rule, asking);

    weir_check_batch(asking->image, &question, 1, SAMPLE_NOW, &in_batch);
    if (decision.token != token || by_id.token != token || in_batch.token != token ||
        explained.token != token || by_id.reason != decision.reason ||
        in_batch.reason != decision.reason || explained.reason != decision.reason) {
        ck_abort_msg("the ways to ask do not agree");
    }
    take_number(asking, decision.reason);
}

static void ask_every_operation(struct asking *asking, const struct weir_compiled_token *token)
{
    for (unsigned operation = 0; operation <= WEIR_OPERATION_COUNT + 1; operation++) {
        /* Operations differ in a bit only: all names in turn, not each with each. */
        for (unsigned turn = operation; turn < operation + 2; turn++) {
            struct weir_request request = {
                .operation = (enum weir_operation)operation,
                .basin = basins[turn % COUNT(basins)],
                .stream = streams[turn / 4 % COUNT(streams)],
                .access_token = ids[turn % COUNT(ids)],
            };

            ask_one(asking, token, &request);
        }
    }
}

static void take_listing(struct asking *asking, const struct weir_listing *listing)
{
    for (size_t i = 0; i < listing->exact_count; i++) {
        take_text(asking, listing->exact[i]);
        take_number(asking, weir_listing_admits(listing, listing->exact[i]));
    }
    for (size_t i = 0; i < listing->prefix_count; i++) {
        take_text(asking, listing->prefixes[i]);
        take_number(asking, weir_listing_admits(listing, listing->prefixes[i]));
    }
    for (size_t i = 0; i < COUNT(streams); i++) {
        take_number(asking, weir_listing_admits(listing, streams[i]));
    }
}

static void ask_listings(struct asking *asking, const struct weir_compiled_token *token)
{
    static const enum weir_operation lists[] = {WEIR_LIST_BASINS, WEIR_LIST_STREAMS,
                                                WEIR_LIST_ACCESS_TOKENS};

    for (size_t i = 0; i < COUNT(lists) * COUNT(prefixes); i++) {
        enum weir_reason reason = WEIR_STALE;
        struct weir_listing *listing = NULL;
        enum weir_status status =
            weir_narrow(token, lists[i % COUNT(lists)], basins[i % 2], prefixes[i / COUNT(lists)],
                        SAMPLE_NOW, NULL, &reason, &listing, NULL);

        if (status != WEIR_OK || (listing != NULL) != (reason == WEIR_ALLOWED)) {
            ck_abort_msg("narrowing: %s, %s", weir_status_name(status), weir_reason_name(reason));
        }
        take_number(asking, reason);
        if (listing != NULL) {
            take_listing(asking, listing);
        }
        weir_listing_free(listing);
    }
}

static void ask_who_may(struct asking *asking)
{
    uint64_t token_count = weir_image_token_count(asking->image);

    for (unsigned operation = 1; operation <= WEIR_OPERATION_COUNT; operation++) {
        struct weir_request request = {.operation = (enum weir_operation)operation,
                                       .basin = basins[operation % COUNT(basins)],
                                       .stream = streams[operation % COUNT(streams)],
                                       .access_token = ids[operation % COUNT(ids)]};
        struct weir_tokens tokens = {0};

        if (weir_who(asking->image, &request, SAMPLE_NOW, NULL, &tokens, NULL) != WEIR_OK ||
            tokens.count > token_count) {
            ck_abort_msg("who");
        }
        for (size_t i = 0; i < tokens.count; i++) {
            asking->text_left = WEIR_TOKEN_ID_MAX;
            take_text(asking, weir_compiled_token_id(tokens.tokens[i]));
        }
        weir_tokens_free(&tokens, NULL);
    }
}

answers ask_everything(const struct weir_image *image)
{
    struct asking asking = {.image = image};
    uint64_t left = weir_image_token_count(image);
    const struct weir_compiled_token *token = weir_image_next(image, NULL);

    for (; token != NULL && left > 0; left--) {
        ask_who_it_is(&asking, token);
        ask_every_operation(&asking, token);
        ask_listings(&asking, token);
        token = weir_image_next(image, token);
    }
    if (token != NULL || left > 0) {
        ck_abort_msg("as many tokens as the image says, no more, no fewer");
    }
    ask_who_may(&asking);
    take_number(&asking, weir_image_digest_count(image));
    take_number(&asking, weir_image_sequence(image));
    return asking.sum;
}
