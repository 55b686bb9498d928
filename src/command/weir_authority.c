/* weir_authority.c - the commands of `weir` that keep tokens: weir runs them. */
#include "command.h"
#include "commands.h"

const struct command *const commands[] = {&token_command, &serve_command, NULL};

void prepare(void) {}
