/* naive_request.h - S2's requests read slowly and obviously, by the gateway's contract. */
#ifndef WEIR_TESTS_S2_NAIVE_REQUEST_H
#define WEIR_TESTS_S2_NAIVE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/name.h>

/* The longest URI that the model reads. */
#define NAIVE_URI_MAX 8192

struct naive_parameter {
    struct weir_text key;
    struct weir_text value;
};

struct naive_request {
    const char *code;    /* of the error; NULL: it is one of the interface's */
    const char *call;    /* of the path, such as "v1/streams/s"; "passed" */
    uint64_t operations; /* bit n: operation n */
    struct weir_text basin;
    struct weir_text stream;
    struct weir_text access_token;
    struct naive_parameter query[32];
    size_t query_count;

    char memory[2 * NAIVE_URI_MAX];
    size_t used;
};

/* `basin`: of the header. */
void naive_request_read(struct naive_request *request, struct weir_text method,
                        struct weir_text uri, struct weir_text basin);

/* Whether a request that was read is what the model makes of it. */
struct s2_request;
bool naive_request_agrees(const struct naive_request *naive, const struct s2_request *request);

/* Decodes percent signs, into `room`; false if one is not followed by two digits. */
bool naive_decode(struct weir_text encoded, bool query, char *room, struct weir_text *text);

/* Splits at a byte: what is before it goes to `*first`, what is behind it stays in `*rest`. False:
 * it is not there, and all goes to `*first`. */
bool naive_split(struct weir_text *rest, char byte, struct weir_text *first);

#endif
