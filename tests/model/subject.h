/* subject.h - one token in every place where a token can be, to be asked in every way there is. */
#ifndef WEIR_TESTS_SUBJECT_H
#define WEIR_TESTS_SUBJECT_H

#include <weir/engine.h>
#include <weir/token.h>

#include "library/support.h"

/* An engine has its tokens in an image, or has them itself. */
enum holding { HOLDS_IMAGE, HOLDS_OWN, HOLDINGS };

struct subject {
    const struct weir_token *token;
    struct guarded alone; /* compiled by itself, with its margin and not a byte more */
    struct guarded bytes; /* of the image, not a byte more */
    struct weir_image *image;
    struct weir_engine *engines[HOLDINGS];
    struct weir_resolved resolved[HOLDINGS];
};

/* Behind the token compiled by itself comes the beginning of `beyond`, and 0xff after that. The
 * token must stay as long as the subject. */
void subject_make(struct subject *subject, const struct weir_token *token, struct weir_text beyond);
void subject_free(struct subject *subject);

/* Demands the naive evaluator's answer in every way, and returns it. The question may be about
 * another id. */
enum weir_reason subject_expect(struct subject *subject, const struct weir_question *question,
                                struct weir_instant now);

#endif
