/* outcome.h - what a request can come to, and what the calls are named. */
#ifndef WEIR_SERVE_OUTCOME_H
#define WEIR_SERVE_OUTCOME_H

/*
 *   X(CONSTANT, HTTP status, code)
 *
 * The codes of errors are S2's where it has one. UNPUBLISHED is what clients do not repeat: the
 * change is durable. OK has the status of its call.
 */
#define OUTCOME_TABLE(X)                                                                           \
    X(OK, 200, "ok")                                                                               \
    X(BAD_HEADER, 400, "bad_header")                                                               \
    X(BAD_JSON, 400, "bad_json")                                                                   \
    X(BAD_PATH, 400, "bad_path")                                                                   \
    X(BAD_QUERY, 400, "bad_query")                                                                 \
    X(AUTHN, 401, "authn")                                                                         \
    X(PERMISSION_DENIED, 403, "permission_denied")                                                 \
    X(ACCESS_TOKEN_NOT_FOUND, 404, "access_token_not_found")                                       \
    X(NOT_FOUND, 404, "not_found")                                                                 \
    X(METHOD_NOT_ALLOWED, 405, "method_not_allowed")                                               \
    X(RESOURCE_ALREADY_EXISTS, 409, "resource_already_exists")                                     \
    X(TOO_LARGE, 413, "too_large")                                                                 \
    X(URI_TOO_LONG, 414, "uri_too_long")                                                           \
    X(UNSUPPORTED_MEDIA_TYPE, 415, "unsupported_media_type")                                       \
    X(INVALID, 422, "invalid")                                                                     \
    X(UNPUBLISHED, 424, "unpublished")                                                             \
    X(INTERNAL, 500, "internal")                                                                   \
    X(UNAVAILABLE, 503, "unavailable")

enum outcome {
#define OUTCOME_ENUMERATOR(constant, status, code) OUTCOME_##constant,
    OUTCOME_TABLE(OUTCOME_ENUMERATOR)
#undef OUTCOME_ENUMERATOR
        OUTCOME_COUNT
};

const char *outcome_code(enum outcome outcome);
unsigned outcome_status(enum outcome outcome);

/*
 *   X(CONSTANT, name)
 *
 * The first CALL_AUTHORITY_COUNT are calls of the authority. OTHER is what no route was found for.
 */
#define CALL_TABLE(X)                                                                              \
    X(LIST, "list")                                                                                \
    X(ISSUE, "issue")                                                                              \
    X(REVOKE, "revoke")                                                                            \
    X(REVOKE_PREFIX, "revoke_prefix")                                                              \
    X(COUNT_TOKENS, "count")                                                                       \
    X(HEALTH, "health")                                                                            \
    X(METRICS, "metrics")                                                                          \
    X(OPTIONS, "options")                                                                          \
    X(OTHER, "other")

enum call {
#define CALL_ENUMERATOR(constant, name) CALL_##constant,
    CALL_TABLE(CALL_ENUMERATOR)
#undef CALL_ENUMERATOR
        CALL_COUNT
};

#define CALL_AUTHORITY_COUNT 5

const char *call_name(enum call call);

#endif
