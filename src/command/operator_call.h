/* operator_call.h - a call through the operator socket of a process that owns a store. */
#ifndef WEIR_COMMAND_OPERATOR_CALL_H
#define WEIR_COMMAND_OPERATOR_CALL_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/name.h>

/* Whether somebody listens there; also one whom we may not ask, which waiting does not change. */
bool operator_listens(const char *path);

struct operator_call {
    const char *socket;
    const char *store; /* how messages call it */
    const char *method;
    const char *path;            /* with its query, encoded */
    struct weir_text credential; /* empty: the operator's authority */
    struct weir_text body;       /* for POST */
};

/* What was answered; freed with operator_answer_release. */
struct operator_answer {
    char *bytes;
    size_t length;
    size_t capacity;
};

/* Makes the call. False, with the error reported, unless its answer is of success. */
bool operator_call(const struct operator_call *call, struct operator_answer *answer);
void operator_answer_release(struct operator_answer *answer);

/* Encodes a name for a path or a query: memory of the caller's to free with operator_text_free;
 * NULL, with the error reported, if there is none. */
char *operator_text(struct weir_text text);
void operator_text_free(char *text);

/* The number that an answer has under that key. False, with the error reported: none. */
bool operator_number(const struct operator_answer *answer, const char *store, const char *key,
                     unsigned long long *number);

#endif
