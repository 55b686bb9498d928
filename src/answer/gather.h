/* gather.h - an array of tokens that grows, and ends in the order of their ids. */
#ifndef WEIR_ANSWER_GATHER_H
#define WEIR_ANSWER_GATHER_H

#include <weir/decision.h>

struct weir_gathered {
    const struct weir_compiled_token **tokens;
    size_t count;
    size_t capacity;
    struct weir_allocator allocator;
};

/* Adds a token; false if there is no memory. */
bool weir_gather(struct weir_gathered *gathered, const struct weir_compiled_token *token);

/* Hands over what was gathered, sorted; or, if it is not complete for want of memory, releases it
 * and fails. */
enum weir_status weir_gathered_finish(struct weir_gathered *gathered, bool complete,
                                      struct weir_tokens *tokens, struct weir_error *error);

#endif
