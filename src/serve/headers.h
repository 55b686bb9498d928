/* headers.h - the headers of a request that matter here. */
#ifndef WEIR_SERVE_HEADERS_H
#define WEIR_SERVE_HEADERS_H

#include <stdbool.h>
#include <stdint.h>

#include <microhttpd.h>

#include <weir/name.h>

/* Those that may be there once at most. */
enum header {
    HEADER_AUTHORIZATION,
    HEADER_CONTENT_TYPE,
    HEADER_CONTENT_ENCODING,
    HEADER_CONTENT_LENGTH,
    HEADER_TRANSFER_ENCODING,
    HEADER_EXPECT,
    HEADER_HOST,
    HEADER_COUNT
};

/* The values live as long as the request, in MHD's memory. */
struct headers {
    bool there[HEADER_COUNT];
    struct weir_text values[HEADER_COUNT];
    const char *twice; /* the name of one that is there twice; else NULL */
    bool malformed;    /* a name is none, or a line is not as it was sent */
    const char *next;  /* where the next line has to begin */
};

/* `method` and `version` are those of the request's first line, where MHD has put them. */
void headers_read(struct MHD_Connection *connection, const char *method, const char *version,
                  struct headers *headers);

/* What others might read otherwise, so that they take a body for another request's beginning, or
 * one request's Host for another's; NULL: nothing. Static. */
const char *headers_ambiguity(const struct headers *headers, const char *version);

/* Whether there is a body, and how long it is if that is told; else 0. */
bool headers_body(const struct headers *headers, uint64_t *length);

/* The credential of `Authorization: Bearer …`; empty if it is anything else. */
struct weir_text headers_credential(const struct headers *headers);

/* Whether the body may be JSON: application/json, or one of its kind, or not told. */
bool headers_json(const struct headers *headers);

/* Overwrites the credential in MHD's memory. */
void headers_wipe(struct headers *headers);

#endif
