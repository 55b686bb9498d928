/* samples.h - credentials that are the same in every run. */
#ifndef WEIR_TESTS_CREDENTIAL_SAMPLES_H
#define WEIR_TESTS_CREDENTIAL_SAMPLES_H

#include <weir/credential.h>

#include "model/dice.h"

/* One that is real, and its digest (by sha256sum). */
#define SAMPLE_CREDENTIAL "weir_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg3tu5cd"
extern const uint8_t sample_digest[WEIR_DIGEST_SIZE];

/* A credential that luck makes, not weir_credential_draw. */
struct weir_credential credential_of(struct dice *dice);

static inline struct weir_text text_of_credential(const struct weir_credential *credential)
{
    return (struct weir_text){credential->text, WEIR_CREDENTIAL_LENGTH};
}

#endif
