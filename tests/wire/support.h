/* support.h - what the tests of wire share: sources of bytes, allocators, tables of bad input. */
#ifndef WEIR_TESTS_WIRE_SUPPORT_H
#define WEIR_TESTS_WIRE_SUPPORT_H

#include <check.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <weir/wire.h>

/* For what is checked very often: Check notes each of its own assertions in a file. */
#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            ck_abort_msg("%s", #condition);                                                        \
        }                                                                                          \
    } while (0)

/*
 * ---- Texts ----
 */

/* A string that is written at run time, as a text. */
struct weir_text text_of(const char *string);

/* A text that grows while it is printed to `stream`. It may be used from text_done until
 * text_free. */
struct printed {
    FILE *stream;
    char *bytes;
    size_t length;
};
void text_begin(struct printed *text);
struct weir_text text_done(struct printed *text);
void text_free(struct printed *text);

/* Reads all of the file. */
struct weir_text text_of_file(struct printed *text, const char *path);

/* Prints everything that a declaration says; two of them are equal if this is. */
void describe_token(FILE *out, const struct weir_token *token);

/*
 * ---- Reading token files ----
 */

/* Where the bytes of a file come from. */
struct bytes_source {
    struct weir_text text;
    size_t given;
    size_t most;       /* bytes at once; 0: any number, drawn from `random` */
    uint64_t random;   /* state of the generator */
    size_t fails_from; /* reading fails from this byte on, unless SIZE_MAX */
    int fails_with;    /* errno */
};
struct bytes_source bytes_from(struct weir_text text, size_t most);
ptrdiff_t read_bytes(void *context, void *buffer, size_t size);

/* Reads the file and prints its form, a description of each token with its position, then the
 * failure or "ok". For the caller to free. `most` is as in a bytes_source. */
char *describe_file(struct weir_text text, size_t most, uint64_t random);

/* A visitor that does nothing, and one that adds one to a size_t. */
enum weir_status ignore_token(void *context, const struct weir_token *token, uint64_t position,
                              struct weir_error *error);
enum weir_status count_token(void *context, const struct weir_token *token, uint64_t position,
                             struct weir_error *error);

/* Reads a whole file with a visitor that does nothing. */
enum weir_status read_file(struct weir_text text, const struct weir_allocator *allocator,
                           struct weir_error *error);

/*
 * ---- Allocators that count, check and fail ----
 */

struct tally {
    size_t calls;    /* allocations and reallocations asked for */
    size_t pieces;   /* of memory not given back */
    size_t live;     /* bytes not given back */
    size_t peak;     /* the most there ever were */
    size_t fails_at; /* the call of this number fails, from 1; 0: none */
    bool for_good;   /* and so do all after it */
};

/* An allocator that keeps the tally, and checks the sizes that it is told. */
struct weir_allocator tallying(struct tally *tally);

/* Gives jansson such an allocator, or, for NULL, malloc and free. */
void tally_jansson(struct tally *tally);

/*
 * ---- Tables of bad input ----
 *
 * A case is two lines; lines that begin with '#', and empty ones, separate them:
 *
 *     STATUS PLACE LINE:COLUMN FRAGMENT OF THE MESSAGE
 *     the text, in which <0A> stands for that byte and <61*513> for as many of it
 *
 * PLACE or LINE:COLUMN are "-" where the error has none.
 */

struct bad_case {
    char name[64]; /* file and line */
    const char *status;
    char place[WEIR_PLACE_SIZE];
    uint64_t line;
    uint64_t column;
    char fragment[256];
    struct weir_text text; /* lives as long as the call */
};

/* Calls `test` for each case of the table and returns their number. */
size_t each_bad_case(const char *table, void (*test)(const struct bad_case *bad));

/* Fails the test unless the error is what the case says. `place` is put before the case's. */
void expect_bad(const struct bad_case *bad, enum weir_status status, const struct weir_error *error,
                const char *place);

/* Fails the test unless the error is one that may be shown to anybody. */
void expect_printable(enum weir_status status, const struct weir_error *error);

/* The next number of a sequence that its start decides. */
uint64_t next_random(uint64_t *state);

/*
 * ---- The suites ----
 */

Suite *token_suite(void);
Suite *declared_suite(void);
Suite *write_suite(void);
Suite *bad_input_suite(void);
Suite *file_suite(void);
Suite *question_suite(void);
Suite *memory_suite(void);

#endif
