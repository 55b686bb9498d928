/* requests.h - questions made beforehand, staged a few at a time in the first cache. */
#ifndef WEIR_BENCH_REQUESTS_H
#define WEIR_BENCH_REQUESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/decision.h>

/* Requests that are timed together: few enough that only what they ask about is cold. */
#define CHUNK 128

/* Bytes of names that a request may have, and that may be read after the last one. */
#define REQUEST_TEXT 160
#define CHUNK_MARGIN 64

/* What the floor of a resolved check compares: the least that says what a token of one scope may.
 */
struct floor_token {
    int64_t expires_at;
    uint32_t operations;
    uint8_t basin_length;
    uint8_t stream_length;
    char bytes[];
};

/* A chunk, staged. */
struct chunk {
    const struct weir_image *image; /* that has the tokens */
    struct weir_question questions[CHUNK];
    const struct weir_compiled_token *tokens[CHUNK]; /* NULL for an unknown id */
    const struct floor_token *floors[CHUNK];         /* only in requests of the hot tokens */
    const char *index_lines[CHUNK];                  /* of the image's index: the id's home */
    uint32_t sizes[CHUNK];                           /* of the tokens */
    uint64_t allowed;                                /* how many of the questions are */
    char text[CHUNK * REQUEST_TEXT + CHUNK_MARGIN];
};

/* Requests that are staged in turn, over and over. */
struct requests;

void requests_stage(struct requests *requests, struct chunk *chunk);

/* The image that they ask, or NULL if their token lies in none. */
const struct weir_image *requests_image(const struct requests *requests);

/*
 * ---- Making them ----
 */

/* Room for so many requests, a multiple of CHUNK. They live as long as the program. */
struct requests *requests_new(const struct weir_image *image, size_t count);

/* Adds one; its names are copied, REQUEST_TEXT bytes at most. The token is that of the id unless it
 * is given. `allowed` is what an answer must be, found without asking Weir. */
struct kept_request {
    struct weir_question question;
    const struct weir_compiled_token *token;
    const struct floor_token *floor;
    bool allowed;
};

void requests_add(struct requests *requests, const struct kept_request *request);

/* One of the operations on streams, all of which are as frequent. */
enum weir_operation requests_operation(uint64_t random);

#endif
