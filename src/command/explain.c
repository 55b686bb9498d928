/* explain.c - the decision and why, for a person. */
#include "explain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "question.h"
#include "report.h"

static const char help[] =
    "Usage: weir explain --tokens FILE [--now T] [--] TOKEN OP [TARGET]\n"
    "\n"
    "Answers as check does, and says why: what the token is, each of its scopes, what\n"
    "matched and what did not, and where the names part. From JSON the scopes are those\n"
    "of the file; from an image or a directory, where scopes are merged, the rules on the\n"
    "way and the nearest beside it are shown. Of a token with more than eight scopes the\n"
    "nearest eight are shown.\n"
    "\n" HELP_TOKENS HELP_NOW HELP_HELP HELP_BEFORE_TOKEN "\n" HELP_TOKEN HELP_OP
    "  TARGET         what OP is done to: s2://BASIN/STREAM, s2://BASIN or the id of an\n"
    "                 access token; none where OP needs none\n"
    "\n" HELP_STALE HELP_DECISION_EXIT "\n"
    "Example:\n"
    "  weir explain --tokens tokens.json -- user-1234 read s2://acme-prod/users/1235/inbox\n";

bool inquiry_reached_scopes(const struct inquiry *inquiry)
{
    return inquiry->decision_then.reason >= WEIR_OP_NOT_PERMITTED;
}

bool inquiry_has_name(const struct inquiry *inquiry, enum weir_set_role role)
{
    enum weir_target target = weir_operation_target(inquiry->request.operation);

    switch (role) {
    case WEIR_BASINS:
        return target == WEIR_TARGET_BASIN || target == WEIR_TARGET_STREAM;
    case WEIR_STREAMS:
        return target == WEIR_TARGET_STREAM;
    case WEIR_ACCESS_TOKENS:
        return target == WEIR_TARGET_ACCESS_TOKEN;
    default:
        return false;
    }
}

struct weir_text inquiry_name(const struct inquiry *inquiry, enum weir_set_role role)
{
    switch (role) {
    case WEIR_BASINS:
        return inquiry->request.basin;
    case WEIR_STREAMS:
        return inquiry->effective_stream;
    case WEIR_ACCESS_TOKENS:
    default:
        return inquiry->request.access_token;
    }
}

/* The instant before another. */
static struct weir_instant before(struct weir_instant instant)
{
    if (instant.nanoseconds > 0) {
        return (struct weir_instant){instant.seconds, instant.nanoseconds - 1};
    }
    return (struct weir_instant){instant.seconds - 1, 999999999};
}

static void decide(struct inquiry *inquiry)
{
    const struct weir_compiled_token *token = tokens_find(inquiry->tokens, inquiry->token_id);
    struct weir_instant expires_at;

    inquiry->decision =
        tokens_check(inquiry->tokens, inquiry->token_id, &inquiry->request, inquiry->now);
    inquiry->asked_at = inquiry->now;
    if (inquiry->decision.reason == WEIR_EXPIRED &&
        weir_compiled_token_expires(token, &expires_at)) {
        inquiry->asked_at = before(expires_at);
    }
    inquiry->decision_then =
        tokens_check(inquiry->tokens, inquiry->token_id, &inquiry->request, inquiry->asked_at);
}

/* Puts the token's stream prefix before the stream; the memory is for the caller to free. NULL,
 * with the error reported, if there is none. */
static char *make_effective(struct inquiry *inquiry)
{
    struct weir_text stream = inquiry->request.stream;
    struct weir_text prefix = {"", 0};
    char *name = NULL;

    if (inquiry->decision.token != NULL) {
        prefix = weir_compiled_token_stream_prefix(inquiry->decision.token);
    }
    name = malloc(prefix.length + stream.length + 1);
    if (name == NULL) {
        (void)report_errno(inquiry->file, ENOMEM);
        return NULL;
    }
    if (prefix.length > 0) {
        memcpy(name, prefix.bytes, prefix.length);
    }
    if (stream.length > 0) {
        memcpy(name + prefix.length, stream.bytes, stream.length);
    }
    inquiry->effective_stream = (struct weir_text){name, prefix.length + stream.length};
    return name;
}

static void explain(struct output *output, const struct inquiry *inquiry)
{
    explain_facts(output, inquiry);
    if (!inquiry_reached_scopes(inquiry)) {
        return;
    }
    if (inquiry->tokens->declaration != NULL) {
        explain_scopes(output, inquiry);
    } else {
        explain_rules(output, inquiry);
    }
}

static int run(const struct command *command, const struct options *options, struct output *output)
{
    struct tokens tokens;
    struct inquiry inquiry = {.file = options->values[FLAG_TOKENS], .tokens = &tokens};
    int status = EXIT_TROUBLE;
    char *name = NULL;

    inquiry.token_id = text_of(options->operands[0]);
    if (!request_read(&inquiry.request, command, options->operands + 1,
                      options->operand_count - 1) ||
        !tokens_load(&tokens, options, &inquiry.token_id)) {
        return EXIT_TROUBLE;
    }
    tokens_begin(&tokens);
    inquiry.now = options_now(options);
    decide(&inquiry);
    name = make_effective(&inquiry);
    if (name != NULL) {
        explain(output, &inquiry);
        status = weir_allowed(inquiry.decision) ? EXIT_ALLOWED : EXIT_DENIED;
    }
    free(name);
    tokens_end(&tokens);
    tokens_release(&tokens);
    return status;
}

const struct command explain_command = {
    .name = "explain",
    .summary = "the same decision as check, and why, for a person",
    .help = help,
    .flags = FLAG_BIT(FLAG_TOKENS) | FLAG_BIT(FLAG_NOW) | FLAG_BIT(FLAG_OWNER),
    .required = FLAG_BIT(FLAG_TOKENS),
    .operands = {"TOKEN", "OP", "TARGET"},
    .operands_required = 2,
    .run = run,
};
