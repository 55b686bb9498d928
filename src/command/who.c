/* who.c - all tokens that may do something. */
#include "command.h"
#include "input.h"
#include "question.h"
#include "report.h"

static const char help[] =
    "Usage: weir who --tokens FILE [--now T] [--] OP [TARGET]\n"
    "\n"
    "Prints the ids of all tokens that may do this: a JSON string a line, in byte order.\n"
    "\n" HELP_TOKENS HELP_NOW HELP_HELP "  --             ends the flags\n"
    "\n" HELP_OP
    "  TARGET         what OP is done to: s2://BASIN/STREAM, s2://BASIN or the id of an\n"
    "                 access token; none where OP needs none. A stream is named as each\n"
    "                 token's own client names it: after the token's prefix, if its\n"
    "                 streams are prefixed automatically.\n"
    "\n"
    "Exits with 0, also if there is no such token, or 2 after an error, which a directory\n"
    "is whose publisher has not been heard of for longer than its lease.\n"
    "\n"
    "Example:\n"
    "  weir who --tokens tokens.json -- append s2://acme-prod/users/1234/inbox\n";

static bool write_who(struct output *output, const struct options *options,
                      const struct tokens *tokens, const struct weir_request *request)
{
    const char *path = options->values[FLAG_TOKENS];
    struct weir_error error = {0};
    struct weir_tokens found = {0};

    if (tokens_stale(tokens)) {
        struct standing standing = standing_of(tokens->directory.follower, weir_clocks_now().boot);

        return report(path, "stale, so nobody can be told: %s", staleness_of(&standing).text);
    }
    if (tokens_who(tokens, request, options_now(options), &found, &error) != WEIR_OK) {
        return report_error(path, &error);
    }
    for (size_t i = 0; i < found.count; i++) {
        output_quoted(output, weir_compiled_token_id(found.tokens[i]));
        output_string(output, "\n");
    }
    weir_tokens_free(&found, NULL);
    return true;
}

static int run(const struct command *command, const struct options *options, struct output *output)
{
    struct weir_request request;
    struct tokens tokens;
    bool found = false;

    if (!request_read(&request, command, options->operands, options->operand_count) ||
        !tokens_load(&tokens, options, NULL)) {
        return EXIT_TROUBLE;
    }
    tokens_begin(&tokens);
    found = write_who(output, options, &tokens, &request);
    tokens_end(&tokens);
    tokens_release(&tokens);
    return found ? EXIT_ALLOWED : EXIT_TROUBLE;
}

const struct command who_command = {
    .name = "who",
    .summary = "the ids of all tokens that may do this",
    .help = help,
    .flags = FLAG_BIT(FLAG_TOKENS) | FLAG_BIT(FLAG_NOW) | FLAG_BIT(FLAG_OWNER),
    .required = FLAG_BIT(FLAG_TOKENS),
    .operands = {"OP", "TARGET"},
    .operands_required = 1,
    .run = run,
};
