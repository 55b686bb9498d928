/* support.h - what the library's tests share: randomness, memory that watches, naive rules. */
#ifndef WEIR_TESTS_LIBRARY_SUPPORT_H
#define WEIR_TESTS_LIBRARY_SUPPORT_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/allocator.h>
#include <weir/error.h>
#include <weir/name.h>

/* Number of elements of an array. */
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Runs a program's cases and returns what main should. */
int run_cases(const char *name, TCase *const *cases, size_t count);

/* A sequence of numbers that is the same in every run. All zero is a fine start. */
struct random {
    uint64_t state;
};

uint64_t random_number(struct random *random);

/* A number from 0 to `bound` - 1. */
size_t random_below(struct random *random, size_t bound);

struct weir_text text_of(const char *string);

/* Demands what every struct weir_error promises after `status` was returned. Like all helpers that
 * run often it uses plain conditions: Check writes a record for each assertion of its own. */
void expect_error(const struct weir_error *error, enum weir_status status);

/*
 * An allocator that keeps count of what is out, notices when memory comes back with another size
 * than it went out with, and fails when told to.
 */
struct counting_allocator {
    struct weir_allocator allocator; /* hand this out */
    size_t blocks;                   /* now allocated */
    size_t bytes;
    size_t calls;          /* allocations and reallocations so far */
    size_t fails_at;       /* the call, from 1, that returns NULL; 0 for none */
    bool fails_ever_after; /* and all calls after it do so, too */
    bool size_differed;
};

void counting_allocator_start(struct counting_allocator *counting);

/* Demands that everything came back, each with its own size. */
void counting_allocator_expect_balance(const struct counting_allocator *counting);

/* Memory whose first or last byte lies against a page that cannot be touched. */
struct guarded {
    unsigned char *bytes;
    size_t size;
    void *mapping;
    size_t mapping_size;
};

struct guarded guarded_copy(const void *bytes, size_t size, bool at_end);
void guarded_free(struct guarded *guarded);

/* Number of open files of this process. */
size_t open_files(void);

/* Length of the well-formed UTF-8 character at `bytes`, of which `left` remain; 0 if there is none.
 * By the table of the Unicode standard (3-7), not by decoding; a NUL counts as a character. */
size_t naive_character(const unsigned char *bytes, size_t left);

/* Appends a random character of one to four bytes to `bytes`, if `room` admits it, and returns its
 * length, else 0. Never a NUL. */
size_t random_character(struct random *random, char *bytes, size_t room);

#endif
