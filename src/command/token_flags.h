/* token_flags.h - a token declared by flags. */
#ifndef WEIR_COMMAND_TOKEN_FLAGS_H
#define WEIR_COMMAND_TOKEN_FLAGS_H

#include <stdbool.h>
#include <stddef.h>

#include "options.h"

struct command;

/* What the help texts say of a set. */
#define HELP_SET                                                                                   \
    "A SET is a prefix, or an exact name after '=': users/, =users/1. An empty one is all\n"       \
    "names; a flag that is not given is none.\n"

/*
 * Writes the declaration that the flags make, as JSON, into memory that is the caller's to free. On
 * an error, which is reported, NULL.
 */
char *token_flags_json(const struct command *command, const struct options *options,
                       size_t *length);

#endif
