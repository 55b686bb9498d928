/*
 * program.h - any bytes as a program: numbers, names, declarations and requests are taken from the
 * front, and what is wanted when no byte is left is 0 or empty.
 */
#ifndef WEIR_FUZZ_PROGRAM_H
#define WEIR_FUZZ_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

#include <weir/decision.h>
#include <weir/token.h>

struct program {
    const uint8_t *bytes;
    size_t left;
    struct program_kept *kept; /* names and scopes, until program_fini */
};

/* The most bytes that a program is made of; what is behind is not looked at. */
#define PROGRAM_MAX 4096

void program_init(struct program *program, const uint8_t *bytes, size_t size);
void program_fini(struct program *program);

/* 0 to `bound` - 1, which is at most 255. */
unsigned program_number(struct program *program, unsigned bound);

/* A name, allowed or not, of few pieces, so that names coincide and begin with each other. */
struct weir_text program_name(struct program *program, enum weir_set_role role);

/* One of a few ids. */
struct weir_text program_id(struct program *program);

/* A declaration, often one that may be compiled; its issue number is for the caller to choose. */
struct weir_token program_token(struct program *program);

struct weir_request program_request(struct program *program);

/* One of a few digests of credentials, never the one of number 0, which no token has. */
void program_digest(struct program *program, uint8_t digest[WEIR_DIGEST_SIZE]);

#endif
