/* weir.c - the commands of `weir`. Those that need a database or a network are another program's,
 * so that a check from a script does not load what it does not use. */
#include "command.h"
#include "commands.h"
#include "json_memory.h"

static const struct command token_elsewhere = {
    .name = "token",
    .summary = "issues, lists and revokes tokens in a store",
    .program = "weir-authority",
};

static const struct command serve_elsewhere = {
    .name = "serve",
    .summary = "issues, lists and revokes tokens over HTTP, as S2 does",
    .program = "weir-authority",
};

const struct command *const commands[] = {
    &check_command,   &eval_command,    &explain_command, &compile_command,
    &inspect_command, &who_command,     &diff_command,    &watch_command,
    &publish_command, &token_elsewhere, &serve_elsewhere, NULL,
};

void prepare(void)
{
    json_memory_init();
}
