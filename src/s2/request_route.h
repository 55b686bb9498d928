/* request_route.h - the calls of S2's REST interface: methods and paths. */
#ifndef WEIR_S2_REQUEST_ROUTE_H
#define WEIR_S2_REQUEST_ROUTE_H

#include <weir/name.h>

#include "s2/request.h"

/* In a pattern, a segment `{b}` is a basin, `{s}` a stream, `{t}` the id of an access token. */
struct s2_route {
    const char *method;
    const char *pattern;
    enum s2_call call;
    weir_operations operations;
};

/* The names in a path, as they are in it. */
struct s2_path_names {
    struct weir_text basin;
    struct weir_text stream;
    struct weir_text access_token;
};

/* All of them, in no particular order. */
const struct s2_route *s2_routes(size_t *count);

/* The route of this method and path (HEAD is GET); NULL: there is none. */
const struct s2_route *s2_route_find(struct weir_text method, struct weir_text path,
                                     struct s2_path_names *names);

#endif
