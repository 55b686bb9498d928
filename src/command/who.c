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
    "Exits with 0, also if there is no such token, or 2 after an error.\n"
    "\n"
    "Example:\n"
    "  weir who --tokens tokens.json -- append s2://acme-prod/users/1234/inbox\n";

static int run(const struct command *command, const struct options *options, struct output *output)
{
    struct weir_error error = {0};
    struct weir_request request;
    struct weir_tokens found = {0};
    struct tokens tokens;
    int status = EXIT_ALLOWED;

    if (!request_read(&request, command, options->operands, options->operand_count) ||
        !tokens_load(&tokens, options->values[FLAG_TOKENS], NULL)) {
        return EXIT_TROUBLE;
    }
    if (weir_who(tokens.image, &request, options_now(options), NULL, &found, &error) != WEIR_OK) {
        (void)report_error(options->values[FLAG_TOKENS], &error);
        status = EXIT_TROUBLE;
    }
    for (size_t i = 0; i < found.count; i++) {
        output_quoted(output, weir_compiled_token_id(found.tokens[i]));
        output_string(output, "\n");
    }
    weir_tokens_free(&found, NULL);
    tokens_release(&tokens);
    return status;
}

const struct command who_command = {
    .name = "who",
    .summary = "the ids of all tokens that may do this",
    .help = help,
    .flags = FLAG_BIT(FLAG_TOKENS) | FLAG_BIT(FLAG_NOW),
    .required = FLAG_BIT(FLAG_TOKENS),
    .operands = {"OP", "TARGET"},
    .operands_required = 1,
    .run = run,
};
