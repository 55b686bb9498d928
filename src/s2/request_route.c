#include "s2/request_route.h"

#include <string.h>

#include "vocabulary/text.h"

#define BIT(operation) WEIR_OPERATION_BIT(WEIR_##operation)

static const struct s2_route routes[] = {
    {"GET", "/v1/streams/{s}/records", S2_READ, BIT(READ)},
    {"POST", "/v1/streams/{s}/records", S2_APPEND, 0},
    {"GET", "/v1/streams/{s}/records/tail", S2_CHECK_TAIL, BIT(CHECK_TAIL)},
    {"GET", "/v1/streams/{s}", S2_ONE_STREAM, BIT(GET_STREAM_CONFIG)},
    {"PATCH", "/v1/streams/{s}", S2_ONE_STREAM, BIT(RECONFIGURE_STREAM)},
    {"DELETE", "/v1/streams/{s}", S2_ONE_STREAM, BIT(DELETE_STREAM)},
    {"PUT", "/v1/streams/{s}", S2_PUT_STREAM, BIT(CREATE_STREAM) | BIT(RECONFIGURE_STREAM)},
    {"GET", "/v1/streams", S2_LIST_STREAMS, BIT(LIST_STREAMS)},
    {"POST", "/v1/streams", S2_CREATE_STREAM, BIT(CREATE_STREAM)},
    {"GET", "/v1/basins/{b}", S2_ONE_BASIN, BIT(GET_BASIN_CONFIG)},
    {"PATCH", "/v1/basins/{b}", S2_ONE_BASIN, BIT(RECONFIGURE_BASIN)},
    {"DELETE", "/v1/basins/{b}", S2_ONE_BASIN, BIT(DELETE_BASIN)},
    {"PUT", "/v1/basins/{b}", S2_PUT_BASIN, BIT(CREATE_BASIN) | BIT(RECONFIGURE_BASIN)},
    {"GET", "/v1/basins", S2_LIST_BASINS, BIT(LIST_BASINS)},
    {"POST", "/v1/basins", S2_CREATE_BASIN, BIT(CREATE_BASIN)},
    {"GET", "/v1/access-tokens", S2_ACCESS_TOKENS, BIT(LIST_ACCESS_TOKENS)},
    {"POST", "/v1/access-tokens", S2_ACCESS_TOKENS, BIT(ISSUE_ACCESS_TOKEN)},
    {"DELETE", "/v1/access-tokens/{t}", S2_ACCESS_TOKENS, BIT(REVOKE_ACCESS_TOKEN)},
    {"GET", "/v1/locations", S2_LOCATIONS, BIT(LIST_LOCATIONS)},
    {"GET", "/v1/locations/default", S2_LOCATIONS, BIT(GET_DEFAULT_LOCATION)},
    {"PUT", "/v1/locations/default", S2_LOCATIONS, BIT(SET_DEFAULT_LOCATION)},
    {"GET", "/v1/metrics", S2_METRICS, BIT(ACCOUNT_METRICS)},
    {"GET", "/v1/metrics/{b}", S2_METRICS, BIT(BASIN_METRICS)},
    {"GET", "/v1/metrics/{b}/{s}", S2_METRICS, BIT(STREAM_METRICS)},
    {"GET", "/health", S2_PASSED, 0},
    {"GET", "/ping", S2_PASSED, 0},
    {"GET", "/metrics", S2_METRICS_PAGE, 0},
};

const struct s2_route *s2_routes(size_t *count)
{
    *count = sizeof routes / sizeof routes[0];
    return routes;
}

static void take_name(struct s2_path_names *names, char kind, struct weir_text segment)
{
    if (kind == 'b') {
        names->basin = segment;
    } else if (kind == 's') {
        names->stream = segment;
    } else {
        names->access_token = segment;
    }
}

static bool matches(const char *pattern, struct weir_text path, struct s2_path_names *names)
{
    *names = (struct s2_path_names){.basin = {"", 0}, .stream = {"", 0}, .access_token = {"", 0}};
    while (*pattern != '\0') {
        const char *end = NULL;
        size_t length = 0;

        if (*pattern == '{') {
            end = memchr(path.bytes, '/', path.length);
            length = end != NULL ? (size_t)(end - path.bytes) : path.length;
            take_name(names, pattern[1], (struct weir_text){path.bytes, length});
            pattern += 3;
        } else {
            length = (size_t)(strchrnul(pattern, '{') - pattern);
            if (path.length < length || memcmp(path.bytes, pattern, length) != 0) {
                return false;
            }
            pattern += length;
        }
        path = weir_text_from(path, length);
    }
    return path.length == 0;
}

static bool is_method(struct weir_text method, const char *name)
{
    return method.length == strlen(name) && memcmp(method.bytes, name, method.length) == 0;
}

const struct s2_route *s2_route_find(struct weir_text method, struct weir_text path,
                                     struct s2_path_names *names)
{
    if (weir_text_equal(method, WEIR_TEXT("HEAD"))) {
        method = WEIR_TEXT("GET");
    }
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (is_method(method, routes[i].method) && matches(routes[i].pattern, path, names)) {
            return &routes[i];
        }
    }
    return NULL;
}
