/* commands.h - what a program has: weir.c and weir_authority.c tell it, one for each. */
#ifndef WEIR_COMMAND_COMMANDS_H
#define WEIR_COMMAND_COMMANDS_H

struct command;

/* Ends with NULL. */
extern const struct command *const commands[];

/* Called once, before anything else is done. */
void prepare(void);

#endif
