/* command.h - what a subcommand of `weir` is. */
#ifndef WEIR_COMMAND_COMMAND_H
#define WEIR_COMMAND_COMMAND_H

#include <stddef.h>
#include <stdint.h>

#include "options.h"
#include "output.h"

/* The exit codes. A command that answers a question exits with the first two. */
enum { EXIT_ALLOWED = 0, EXIT_DENIED = 1, EXIT_TROUBLE = 2 };

/* What the help texts of several commands say. */
#define HELP_TOKENS                                                                                \
    "  --tokens FILE  the tokens: JSON, NDJSON or a compiled image, told apart by\n"               \
    "                 content; may be a pipe. See weir help tokens. Or a directory that\n"         \
    "                 is published: see weir help publish\n"                                       \
    "  --owner USER   if FILE is a directory: it may belong to that user, too, not only\n"         \
    "                 to root and to whoever runs this\n"
#define HELP_NOW "  --now T        the instant to decide for, RFC 3339; the clock's otherwise\n"
#define HELP_HELP "  -h, --help     this text\n"
#define HELP_BEFORE_TOKEN                                                                          \
    "  --             ends the flags: what follows is TOKEN, whatever it begins with\n"
#define HELP_TOKEN "  TOKEN          the id of a token\n"
#define HELP_OP                                                                                    \
    "  OP             an operation, such as read, append, list-streams; all of them:\n"            \
    "                 weir help operations\n"
#define HELP_STALE                                                                                 \
    "Where FILE is a directory and its publisher has not been heard of for longer than its\n"      \
    "lease, everything is denied, for the reason \"stale\".\n"
#define HELP_DECISION_EXIT "Exits with 0 if it is allowed, 1 if it is denied, 2 after an error.\n"

/* The most arguments besides flags that a command takes. */
#define OPERANDS_MAX 3

#define SUBCOMMANDS_MAX 4

/*
 * A subcommand. `run` is called once its flags and operands are known to be complete. It writes to
 * `output`, which main flushes, and returns an exit code. If that is EXIT_TROUBLE it has reported
 * one line on standard error, unless `output` has failed: that is for main to report.
 */
struct command {
    const char *name;
    const char *summary;
    const char *help;
    uint64_t flags;    /* FLAG_BIT of each flag it takes */
    uint64_t required; /* of each that it cannot do without */
    const char *operands[OPERANDS_MAX];
    size_t operands_required;
    const char *program; /* that has it, beside this one; NULL: this one */
    /* Of a command that is several, each named after it; it has nothing else but a help text. */
    const struct command *subcommands[SUBCOMMANDS_MAX];
    int (*run)(const struct command *command, const struct options *options, struct output *output);
};

extern const struct command check_command;
extern const struct command eval_command;
extern const struct command explain_command;
extern const struct command compile_command;
extern const struct command inspect_command;
extern const struct command who_command;
extern const struct command diff_command;
extern const struct command watch_command;
extern const struct command publish_command;
extern const struct command token_command;
extern const struct command serve_command;

#endif
