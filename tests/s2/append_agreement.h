/* append_agreement.h - whether the library and the reference read the same from a body. */
#ifndef WEIR_TESTS_S2_APPEND_AGREEMENT_H
#define WEIR_TESTS_S2_APPEND_AGREEMENT_H

#include "s2/append.h"
#include "s2/reference_append.h"

/* How a unary body is sent. */
struct sending {
    enum s2_content content;
    enum s2_encoding encoding;
    bool base64;
};

/*
 * NULL, or what the two disagree about: whether it may be read, what it needs, the records that
 * were encoded afresh, or the budget, which is `most` and is all given back. `*read`: it was.
 */
const char *unary_disagreement(struct weir_text body, struct sending sending, size_t most,
                               bool *read);

/* The same of a session's bytes, which come in pieces of `piece(context)` bytes, at least one.
 * `*frames`: how many were read before the end, or what was refused. */
const char *session_disagreement(struct weir_text bytes, size_t piece(void *context), void *context,
                                 size_t most, size_t *frames);

#endif
