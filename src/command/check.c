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
    "\n"
    "  --tokens FILE  the tokens: JSON, NDJSON or a compiled image, told apart by\n"
    "                 content; may be a pipe\n"
    "  --now T        the instant to decide for, RFC 3339; the clock's otherwise\n"
    "  -h, --help     this text\n"
    "  --             ends the flags: what follows is TOKEN, whatever it begins with\n"
    "\n"
    "  TOKEN          the id of a token\n"
    "  OP             an operation, such as read, append, list-streams\n"
    "  TARGET         what OP is done to: s2://BASIN/STREAM, s2://BASIN or the id of an\n"
    "                 access token; none where OP needs none. A stream is named as the\n"
    "                 token's client names it. Nothing is percent-decoded.\n"
    "\n"
    "Exits with 0 if it is allowed, 1 if it is denied, 2 after an error.\n"
    "\n"
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
        !tokens_load(&tokens, options->values[FLAG_TOKENS], NULL)) {
        return EXIT_TROUBLE;
    }
    decision = weir_check(tokens.image, id, &request, options_now(options));
    decision_lines_init(&lines);
    decision_write(output, &lines, &request, decision);
    tokens_release(&tokens);
    return weir_allowed(decision) ? EXIT_ALLOWED : EXIT_DENIED;
}

const struct command check_command = {
    .name = "check",
    .summary = "may a token do this? one decision, as JSON",
    .help = help,
    .flags = FLAG_BIT(FLAG_TOKENS) | FLAG_BIT(FLAG_NOW),
    .required = FLAG_BIT(FLAG_TOKENS),
    .operands = {"TOKEN", "OP", "TARGET"},
    .operands_required = 2,
    .run = run,
};
