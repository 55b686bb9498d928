/* plain.h - what a client sends, read off the bytes without MHD and the
 * server's code: strictly, and at leisure. */
#ifndef WEIR_FUZZ_PLAIN_H
#define WEIR_FUZZ_PLAIN_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/name.h>

#include "serve/headers.h"
#include "serve/target.h"

/* A request, its texts those of the bytes that were read. */
struct plain_request {
    bool headed;   /* its headers are there to their end */
    bool begun;    /* its first line is one that nobody can read in another way */
    bool sound;    /* nor can anybody so read its headers, and where its body ends */
    bool hidden;   /* a byte of its head is a zero after MHD has read it, which hides what it was */
    bool complete; /* its body is there to its end */
    struct weir_text method;
    struct weir_text uri;
    struct weir_text version;
    bool there[HEADER_COUNT];
    struct weir_text values[HEADER_COUNT];
    char *body; /* for plain_free */
    size_t length;
};

/* Reads the first request in the bytes. */
void plain_read(struct plain_request *request, const char *bytes, size_t size);
void plain_free(struct plain_request *request);

/* As target_read (target.h); what it refers to is for plain_target_free. */
struct plain_target {
    enum outcome outcome;
    struct target target;
    char *uri;
};

void plain_target_read(struct plain_target *plain, const char *method, const char *uri,
                       enum site_kind site);
void plain_target_free(struct plain_target *plain);

bool plain_same(struct weir_text left, struct weir_text right);

#endif
