/* operations.h - the table of operations, for a person. */
#ifndef WEIR_COMMAND_OPERATIONS_H
#define WEIR_COMMAND_OPERATIONS_H

#include "output.h"

void write_operation_table(struct output *output);

#endif
