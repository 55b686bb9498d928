/* decision.h - a decision as a line of JSON. */
#ifndef WEIR_COMMAND_DECISION_H
#define WEIR_COMMAND_DECISION_H

#include <weir/decision.h>

#include "output.h"

/* The line for each reason, made once; that of WEIR_ALLOWED also up to the value of "stream". */
struct decision_lines {
    struct weir_text whole[WEIR_REASON_COUNT];
    struct weir_text before_stream;
    char text[WEIR_REASON_COUNT + 1][80];
};

void decision_lines_init(struct decision_lines *lines);

/* Writes the decision on the request: with the stream's name at the server where one is allowed. */
void decision_write(struct output *output, const struct decision_lines *lines,
                    const struct weir_request *request, struct weir_decision decision);

#endif
