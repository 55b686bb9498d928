/* question.h - a question asked in arguments: TOKEN OP [TARGET]. */
#ifndef WEIR_COMMAND_QUESTION_H
#define WEIR_COMMAND_QUESTION_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/decision.h>

#include "command.h"

/*
 * Reads OP and, as it demands, TARGET: a token id, `s2://BASIN` or `s2://BASIN/STREAM`. Names are
 * taken as they are: one that is not allowed is for the check to deny. The texts of `request`
 * borrow from `operands`. Returns false, with the error reported, if there is no such operation or
 * the target is not one for it.
 */
bool request_read(struct weir_request *request, const struct command *command, char **operands,
                  size_t count);

#endif
