/* check.c - one question, one line of JSON. */
#include "command.h"
#include "decision.h"
#include "input.h"
#include "question.h"
#include "report.h"

static const char help[] =
    "Usage: weir check --tokens FILE [--now T] [--] TOKEN OP [TARGET]\n"
    "\n"
    "May the token do this? Prints the decision as one line of JSON.\n"
    "\n" HELP_TOKENS HELP_NOW HELP_HELP HELP_BEFORE_TOKEN "\n" HELP_TOKEN HELP_OP
    "  TARGET         what OP is done to: s2://BASIN/STREAM, s2://BASIN or the id of an\n"
    "                 access token; none where OP needs none. A stream is named as the\n"
    "                 token's client names it. Nothing is percent-decoded.\n"
    "\n" HELP_STALE HELP_DECISION_EXIT "\n"
    "Example:\n"
    "  weir check --tokens tokens.json -- user-1234 read s2://acme-prod/users/1234/inbox\n";

static int run(const struct command *command, const struct options *options, struct output *output)
{
    struct weir_text id = text_of(options->operands[0]);
    struct weir_request request;
    struct weir_decision decision;
    struct decision_lines lines;
    struct tokens tokens;

    if (!request_read(&request, command, options->operands + 1, options->operand_count - 1) ||
        !tokens_load(&tokens, options, NULL)) {
        return EXIT_TROUBLE;
    }
    decision_lines_init(&lines);
    tokens_begin(&tokens);
    decision = tokens_check(&tokens, id, &request, options_now(options));
    decision_write(output, &lines, &request, decision);
    tokens_end(&tokens);
    tokens_release(&tokens);
    return weir_allowed(decision) ? EXIT_ALLOWED : EXIT_DENIED;
}

const struct command check_command = {
    .name = "check",
    .summary = "may a token do this? one decision, as JSON",
    .help = help,
    .flags = FLAG_BIT(FLAG_TOKENS) | FLAG_BIT(FLAG_NOW) | FLAG_BIT(FLAG_OWNER),
    .required = FLAG_BIT(FLAG_TOKENS),
    .operands = {"TOKEN", "OP", "TARGET"},
    .operands_required = 2,
    .run = run,
};
