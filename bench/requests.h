/* requests.h - questions made beforehand, staged a few at a time in the first cache. */
#ifndef WEIR_BENCH_REQUESTS_H
#define WEIR_BENCH_REQUESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/decision.h>

/* Requests that are timed together: few enough that only what they ask about is cold. */
#define CHUNK 128

/* Bytes that may be read after the last name. */
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
    struct weir_question questions[CHUNK];
    const struct weir_compiled_token *tokens[CHUNK]; /* NULL for an unknown id */
    const struct floor_token *floors[CHUNK];         /* only in requests of the hot tokens */
    const char *index_lines[CHUNK];                  /* a line of the index, any */
    uint16_t sizes[CHUNK];                           /* of the tokens */
    uint64_t allowed;                                /* how many of the questions are */
    char text[CHUNK * 160 + CHUNK_MARGIN];
};

/* Requests that are staged in turn, over and over. */
struct requests;

void requests_stage(struct requests *requests, struct chunk *chunk);

/* Each is made once, and lives as long as the program. They ask about streams, all operations of
 * which are as frequent, and all but those of unknown ids and a tenth of the brokers' are allowed.
 */
void *requests_hot(void);            /* 512 of the million tokens, in random order */
void *requests_cold(void);           /* the million tokens, each as likely as any other */
void *requests_unknown(void);        /* ids that the image has not */
void *requests_of_services(void);    /* one token of 10 000 prefixes like org-07/audit/1c0ffe/ */
void *requests_of_hexadecimal(void); /* likewise, like 9f86d081884c/ */
void *requests_of_users(void);       /* likewise, like users/1234/ */

#endif
