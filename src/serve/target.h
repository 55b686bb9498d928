/* target.h - what a request is about: its method and its URI. */
#ifndef WEIR_SERVE_TARGET_H
#define WEIR_SERVE_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include <weir/name.h>

#include "serve/outcome.h"

/* What a socket is there for: S2's interface, for anyone; that and more, for the operator; the
 * metrics. */
enum site_kind { SITE_PUBLIC, SITE_OPERATOR, SITE_METRICS };

struct target {
    enum call call;
    struct weir_text id; /* of REVOKE */
    struct weir_text prefix;
    struct weir_text start_after;
    uint64_t limit;
    bool has_prefix;
    bool all;          /* an empty prefix is meant */
    const char *allow; /* of METHOD_NOT_ALLOWED: the methods that there are */
};

/*
 * Reads a URI as it was sent, which it decodes in place: `target` refers to it. OUTCOME_OK, or what
 * is wrong; then `*message`, static, says it in words. The call is known in either case, as far as
 * it could be told.
 */
enum outcome target_read(const char *method, char *uri, enum site_kind site, struct target *target,
                         const char **message);

#endif
