#include "s2/listing_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/naive.h"
#include "s2/naive_request.h"
#include "s2/support.h"

#define ITEM_ROOM (WEIR_QUOTED_MAX(WEIR_STREAM_MAX) + 128)

size_t listing_server_find(const struct listing_server *server, struct weir_text name)
{
    size_t low = 0;
    size_t high = server->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (naive_order(server->names[middle], name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct weir_text parameter(const struct naive_request *request, const char *key)
{
    for (size_t i = 0; i < request->query_count; i++) {
        if (naive_same(request->query[i].key, (struct weir_text){key, strlen(key)})) {
            return request->query[i].value;
        }
    }
    return (struct weir_text){"", 0};
}

static void put_item(char **out, struct weir_text name)
{
    static char quoted[WEIR_QUOTED_MAX(WEIR_STREAM_MAX)];

    (void)weir_quote(name, quoted, sizeof quoted);
    *out += sprintf(*out, "{\"name\":%s,\"created_at\":\"2026-11-23T12:00:00Z\",\"cipher\":null}",
                    quoted);
}

static size_t limit_of(const struct naive_request *request)
{
    struct weir_text digits = parameter(request, "limit");
    size_t limit = 0;

    for (size_t i = 0; i < digits.length; i++) {
        limit = limit * 10 + (size_t)(digits.bytes[i] - '0');
    }
    DEMAND(limit >= 1 && limit <= 1000, "a limit of %zu", limit);
    return limit;
}

char *listing_server_answer(struct listing_server *server, struct weir_text uri, size_t *length)
{
    static struct naive_request request;
    struct weir_text prefix;
    struct weir_text start_after;
    size_t limit = 0;
    size_t at = 0;
    size_t sent = 0;
    char *answer = NULL;
    char *out = NULL;

    naive_request_read(&request, WEIR_TEXT("GET"), uri, WEIR_TEXT("acme-prod"));
    DEMAND(request.code == NULL, "asked with %.*s", (int)uri.length, uri.bytes);
    DEMAND(strcmp(request.call, server->of_basins ? "v1/basins" : "v1/streams") == 0,
           "asked for %s", request.call);
    DEMAND(parameter(&request, "x").length == 1, "x is not passed on");
    prefix = parameter(&request, "prefix");
    start_after = parameter(&request, "start_after");
    limit = limit_of(&request);
    limit = limit < server->most ? limit : server->most;
    answer = malloc(limit * ITEM_ROOM + 64);
    DEMAND(answer != NULL, "no memory");
    out = answer + sprintf(answer, "{\"%s\":[", server->of_basins ? "basins" : "streams");
    at = listing_server_find(server, naive_order(prefix, start_after) > 0 ? prefix : start_after);
    if (at < server->count && naive_same(server->names[at], start_after)) {
        at++;
    }
    while (sent < limit && at < server->count && naive_begins(server->names[at], prefix)) {
        out += sprintf(out, "%s", sent > 0 ? "," : "");
        put_item(&out, server->names[at++]);
        sent++;
    }
    out +=
        sprintf(out, "],\"has_more\":%s}",
                at < server->count && naive_begins(server->names[at], prefix) ? "true" : "false");
    server->questions++;
    server->items += sent;
    *length = (size_t)(out - answer);
    return answer;
}
