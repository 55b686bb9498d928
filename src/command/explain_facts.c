/* explain_facts.c - the decision in words, the token, the names. */
#include <string.h>

#include <weir/listing.h>

#include "explain.h"
#include "words.h"

/* The most names of a narrowed listing that are shown, of each kind, and ids like the unknown one.
 */
#define LISTED_MAX ((size_t)8)
#define SIMILAR_MAX 3

static const char *words_for(enum weir_reason reason)
{
    switch (reason) {
    case WEIR_UNKNOWN_TOKEN:
        return "there is no token of this id";
    case WEIR_EXPIRED:
        return "the token has expired";
    case WEIR_INVALID_NAME:
        return "a name that nothing can have";
    case WEIR_OP_NOT_PERMITTED:
        return "no scope of the token permits this operation";
    case WEIR_BASIN_OUT_OF_SCOPE:
        return "the token permits this operation, but not on this basin";
    case WEIR_STREAM_OUT_OF_SCOPE:
        return "the token permits this operation on this basin, but not on this stream";
    case WEIR_ACCESS_TOKEN_OUT_OF_SCOPE:
        return "the token permits this operation, but not on this access token";
    case WEIR_ALLOWED:
        return "the token may do this";
    case WEIR_STALE:
    default:
        return "what is published was last confirmed too long ago to be answered from";
    }
}

static void write_answer(struct output *output, enum weir_reason reason)
{
    if (reason == WEIR_ALLOWED) {
        output_format(output, "allowed: %s\n", words_for(reason));
    } else {
        output_format(output, "DENIED (%s): %s\n", weir_reason_name(reason), words_for(reason));
    }
}

static void write_question(struct output *output, const struct inquiry *inquiry)
{
    output_string(output, "token    ");
    output_quoted(output, inquiry->token_id);
    output_format(output, "\nasks to  %s", weir_operation_name(inquiry->request.operation));
    if (inquiry_has_name(inquiry, WEIR_BASINS)) {
        output_string(output, ", basin ");
        output_quoted(output, inquiry->request.basin);
    }
    if (inquiry_has_name(inquiry, WEIR_STREAMS)) {
        output_string(output, ", stream ");
        output_quoted(output, inquiry->request.stream);
    }
    if (inquiry_has_name(inquiry, WEIR_ACCESS_TOKENS)) {
        output_string(output, ", access token ");
        output_quoted(output, inquiry->request.access_token);
    }
    output_string(output, "\nat       ");
    write_instant(output, inquiry->now);
    output_string(output, "\n");
}

static void write_token(struct output *output, const struct inquiry *inquiry)
{
    const struct weir_compiled_token *token = inquiry->decision.token;
    struct weir_text prefix = weir_compiled_token_stream_prefix(token);

    output_string(output, "expires  ");
    write_expiry(output, token, inquiry->now);
    output_string(output, "\n");
    if (prefix.length > 0) {
        output_string(output, "prefix   ");
        output_quoted(output, prefix);
        output_string(output, ", put before its streams\n");
    }
    if (prefix.length > 0 && inquiry_has_name(inquiry, WEIR_STREAMS)) {
        output_string(output, "stream   ");
        output_quoted(output, inquiry->effective_stream);
        output_string(output, ", as the server calls it\n");
    }
    if (inquiry->decision.reason == WEIR_EXPIRED && inquiry->decision_then.reason != WEIR_EXPIRED) {
        output_string(output, "before it expired: ");
        write_answer(output, inquiry->decision_then.reason);
    }
}

static void write_invalid(struct output *output, const char *what, struct weir_text name,
                          const char *rule)
{
    output_format(output, "\nno %s can be called ", what);
    output_quoted(output, name);
    output_format(output, " (%zu bytes)\n  %s\n", name.length, rule);
}

static void explain_invalid_name(struct output *output, const struct inquiry *inquiry)
{
    static const char basin_rule[] = "8 to 48 bytes: lowercase letters, digits and hyphens, "
                                     "no hyphen first or last";
    static const char stream_rule[] = "1 to 512 bytes of UTF-8 without NUL, not . or ..; "
                                      "the token's prefix counts";
    static const char token_rule[] = "1 to 96 bytes of UTF-8 without NUL, not . or ..";
    const struct weir_request *request = &inquiry->request;

    if (inquiry_has_name(inquiry, WEIR_BASINS) && !weir_basin_valid(request->basin)) {
        write_invalid(output, "basin", request->basin, basin_rule);
    }
    if (inquiry_has_name(inquiry, WEIR_STREAMS) && !weir_stream_valid(request->stream)) {
        write_invalid(output, "stream", request->stream, stream_rule);
    } else if (inquiry_has_name(inquiry, WEIR_STREAMS) &&
               !weir_stream_valid(inquiry->effective_stream)) {
        write_invalid(output, "stream", inquiry->effective_stream, stream_rule);
    }
    if (inquiry_has_name(inquiry, WEIR_ACCESS_TOKENS) &&
        !weir_token_id_valid(request->access_token)) {
        write_invalid(output, "access token", request->access_token, token_rule);
    }
}

/* Ids that begin as the unknown one does, the longest common beginning first. */
struct similar {
    struct weir_text ids[SIMILAR_MAX];
    size_t count;
};

static bool is_more_similar(struct weir_text asked, struct weir_text left, struct weir_text right)
{
    size_t left_common = common_length(asked, left);
    size_t right_common = common_length(asked, right);

    if (left_common != right_common) {
        return left_common > right_common;
    }
    return compare_texts(left, right) < 0;
}

static void consider(struct similar *similar, struct weir_text asked, struct weir_text id)
{
    size_t place = similar->count;

    if (common_length(asked, id) == 0) {
        return;
    }
    while (place > 0 && is_more_similar(asked, id, similar->ids[place - 1])) {
        place--;
    }
    if (place == SIMILAR_MAX) {
        return;
    }
    similar->count += similar->count < SIMILAR_MAX;
    memmove(&similar->ids[place + 1], &similar->ids[place],
            (similar->count - 1 - place) * sizeof similar->ids[0]);
    similar->ids[place] = id;
}

static void explain_unknown(struct output *output, const struct inquiry *inquiry)
{
    const struct weir_compiled_token *token = NULL;
    struct weir_error error;
    const struct weir_image *image = tokens_image(inquiry->tokens, &error);
    struct similar similar = {.count = 0};

    while (image != NULL && (token = weir_image_next(image, token)) != NULL) {
        consider(&similar, inquiry->token_id, weir_compiled_token_id(token));
    }
    if (similar.count > 0) {
        output_string(output, "\nids that begin most like it:\n");
    }
    for (size_t i = 0; i < similar.count; i++) {
        output_string(output, "  ");
        output_quoted(output, similar.ids[i]);
        output_string(output, "\n");
    }
}

static void write_names(struct output *output, const char *kind, const struct weir_text *names,
                        size_t count)
{
    for (size_t i = 0; i < count && i < LISTED_MAX; i++) {
        output_format(output, "  %s ", kind);
        output_quoted(output, names[i]);
        output_string(output, "\n");
    }
    if (count > LISTED_MAX) {
        output_format(output, "  and %zu more\n", count - LISTED_MAX);
    }
}

/* A list operation that is allowed may still list nothing. */
static void explain_listing(struct output *output, const struct inquiry *inquiry)
{
    enum weir_operation operation = inquiry->request.operation;
    enum weir_reason reason = WEIR_STALE;
    struct weir_listing *listing = NULL;

    if (weir_narrow(inquiry->decision_then.token, operation, inquiry->request.basin,
                    (struct weir_text){"", 0}, inquiry->asked_at, NULL, &reason, &listing,
                    NULL) != WEIR_OK ||
        listing == NULL) {
        return;
    }
    if (listing->exact_count + listing->prefix_count == 0) {
        output_string(output, "\nthe list is empty: the scopes hold no name that could be in it\n");
    } else {
        output_string(output, "\nthe list has only names that are or begin as one of these:\n");
        write_names(output, "exact ", listing->exact, listing->exact_count);
        write_names(output, "prefix", listing->prefixes, listing->prefix_count);
    }
    weir_listing_free(listing);
}

/* What a scope would have to say. */
static void explain_operation(struct output *output, enum weir_operation operation)
{
    output_format(output, "\nit would take \"%s\" among the ops of a scope",
                  weir_operation_name(operation));
    for (unsigned group = WEIR_GROUP_ACCOUNT; group <= WEIR_GROUP_STREAM; group++) {
        for (unsigned access = WEIR_ACCESS_READ; access <= WEIR_ACCESS_WRITE; access++) {
            if ((weir_group_operations((enum weir_group)group, (enum weir_access)access) &
                 WEIR_OPERATION_BIT(operation)) != 0) {
                output_format(output, ", or its op_groups.%s.%s",
                              weir_group_name((enum weir_group)group),
                              weir_access_name((enum weir_access)access));
            }
        }
    }
    output_string(output, "\n");
}

static bool lists(enum weir_operation operation)
{
    return operation == WEIR_LIST_BASINS || operation == WEIR_LIST_STREAMS ||
           operation == WEIR_LIST_ACCESS_TOKENS;
}

void explain_facts(struct output *output, const struct inquiry *inquiry)
{
    write_answer(output, inquiry->decision.reason);
    output_string(output, "\n");
    write_question(output, inquiry);
    if (tokens_followed(inquiry->tokens)) {
        explain_directory(output, inquiry);
    }
    if (inquiry->decision.reason == WEIR_STALE) {
        return;
    }
    if (inquiry->decision.token == NULL) {
        explain_unknown(output, inquiry);
        return;
    }
    write_token(output, inquiry);
    if (inquiry->decision_then.reason == WEIR_INVALID_NAME) {
        explain_invalid_name(output, inquiry);
    }
    if (inquiry->decision_then.reason == WEIR_OP_NOT_PERMITTED) {
        explain_operation(output, inquiry->request.operation);
    }
    if (weir_allowed(inquiry->decision_then) && lists(inquiry->request.operation)) {
        explain_listing(output, inquiry);
    }
}
