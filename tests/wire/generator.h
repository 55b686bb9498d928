/* generator.h - random declarations, and the many ways in which JSON can spell one. */
#ifndef WEIR_TESTS_WIRE_GENERATOR_H
#define WEIR_TESTS_WIRE_GENERATOR_H

#include <stdint.h>
#include <stdio.h>

#include <weir/token.h>

#define GENERATED_SCOPES_MAX 4

/* A declaration with what it refers to. Not to be moved. */
struct generated {
    struct weir_token token;
    struct weir_scope scopes[GENERATED_SCOPES_MAX];
    char names[3 * GENERATED_SCOPES_MAX + 1][WEIR_STREAM_MAX];
};

/* Draws a declaration that weir_token_check allows. */
void generate_token(uint64_t *random, struct generated *generated);

/* Prints it as JSON: fields in any order, blanks anywhere, any character as an escape, what is
 * absent now and then as null. There is no line break in it unless `breaks`. */
void print_token(FILE *out, const struct weir_token *token, bool breaks, uint64_t *random);

/* Prints a string as JSON, any character as an escape. */
void print_string(FILE *out, struct weir_text text, uint64_t *random);

#endif
