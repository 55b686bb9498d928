#include "serve/target.h"

#include <string.h>
#include <strings.h>

#include <weir/authority.h>

#include "wire/percent.h"

#define TOKENS "v1/access-tokens"

/* The most keys that a query may have. */
#define KEYS_MAX 16

/* Decodes once, in place, what lies between two places. */
static bool decode(char *begin, const char *end, bool plus_is_space, struct weir_text *text)
{
    return weir_percent_decode((struct weir_text){begin, (size_t)(end - begin)}, plus_is_space,
                               begin, text);
}

static bool is_text(struct weir_text text, const char *string)
{
    return text.length == strlen(string) && memcmp(text.bytes, string, text.length) == 0;
}

/*
 * ---- The query ----
 */

/* Digits alone; what is more than fits is as much as fits. */
static bool read_limit(struct weir_text text, uint64_t *limit)
{
    *limit = 0;
    for (size_t i = 0; i < text.length; i++) {
        uint64_t value = (uint64_t)(unsigned char)text.bytes[i] - '0';

        if (value > 9) {
            return false;
        }
        *limit = *limit > (UINT64_MAX - value) / 10 ? UINT64_MAX : *limit * 10 + value;
    }
    return text.length > 0;
}

/* Keys that there are not are for later versions to know. */
static const char *read_parameter(struct weir_text key, struct weir_text value,
                                  struct target *target)
{
    if (is_text(key, "prefix")) {
        target->prefix = value;
        target->has_prefix = true;
    } else if (is_text(key, "start_after")) {
        target->start_after = value;
    } else if (is_text(key, "limit")) {
        if (!read_limit(value, &target->limit)) {
            return "limit is not a number";
        }
    } else if (is_text(key, "all")) {
        target->all = is_text(value, "true");
        if (!target->all && !is_text(value, "false")) {
            return "all is neither true nor false";
        }
    }
    return NULL;
}

static bool is_known(const struct weir_text *keys, size_t count, struct weir_text key)
{
    for (size_t i = 0; i < count; i++) {
        if (keys[i].length == key.length && memcmp(keys[i].bytes, key.bytes, key.length) == 0) {
            return true;
        }
    }
    return false;
}

/* What is wrong with the query, or NULL. */
static const char *read_query(char *query, struct target *target)
{
    struct weir_text keys[KEYS_MAX];
    size_t count = 0;
    char *end = query;

    for (char *begin = query; *begin != '\0'; begin = *end == '\0' ? end : end + 1) {
        char *equals = NULL;
        struct weir_text value = {"", 0};
        const char *wrong = NULL;

        end = begin + strcspn(begin, "&");
        if (end == begin) {
            continue;
        }
        equals = memchr(begin, '=', (size_t)(end - begin));
        if (count == KEYS_MAX) {
            return "too many keys";
        }
        if (!decode(begin, equals != NULL ? equals : end, true, &keys[count]) ||
            (equals != NULL && !decode(equals + 1, end, true, &value))) {
            return "a percent sign without two digits behind it";
        }
        if (is_known(keys, count, keys[count])) {
            return "a key that is there twice";
        }
        wrong = read_parameter(keys[count++], value, target);
        if (wrong != NULL) {
            return wrong;
        }
    }
    return NULL;
}

/*
 * ---- The path ----
 */

/* A method, and the call that it makes of some path. */
struct method {
    const char *name;
    enum call call;
};

/* Finds the call that the method makes; `allow` names the methods that there are. */
static enum outcome choose(const char *name, const struct method *methods, const char *allow,
                           struct target *target, const char **message)
{
    for (; methods->name != NULL; methods++) {
        if (strcmp(methods->name, name) == 0) {
            target->call = methods->call;
            return OUTCOME_OK;
        }
    }
    target->allow = allow;
    *message = "this path has no such method";
    return OUTCOME_METHOD_NOT_ALLOWED;
}

static enum outcome choose_tokens(const char *name, bool operators, struct target *target,
                                  const char **message)
{
    static const struct method methods[] = {
        {"GET", CALL_LIST}, {"HEAD", CALL_LIST}, {"POST", CALL_ISSUE}, {NULL, CALL_OTHER}};

    if (operators && strcmp(name, "DELETE") == 0) {
        target->call = CALL_REVOKE_PREFIX;
        return OUTCOME_OK;
    }
    return choose(name, methods,
                  operators ? "GET, HEAD, POST, DELETE, OPTIONS" : "GET, HEAD, POST, OPTIONS",
                  target, message);
}

static enum outcome choose_token(const char *name, bool operators, char *id, struct target *target,
                                 const char **message)
{
    static const struct method methods[] = {{"DELETE", CALL_REVOKE}, {NULL, CALL_OTHER}};
    enum outcome outcome = OUTCOME_OK;

    if (operators && strcmp(id, "count") == 0 && strcmp(name, "GET") == 0) {
        target->call = CALL_COUNT_TOKENS;
        return OUTCOME_OK;
    }
    outcome = choose(name, methods, "DELETE, OPTIONS", target, message);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (!decode(id, id + strlen(id), false, &target->id)) {
        *message = "a percent sign without two digits behind it";
        return OUTCOME_BAD_PATH;
    }
    if (!weir_token_id_valid(target->id)) {
        *message = "an id that no token can have";
        return OUTCOME_BAD_PATH;
    }
    return OUTCOME_OK;
}

/* No segment may be empty, or be `..`: what is before us might have read the path otherwise. */
static bool is_plain(const char *path)
{
    for (const char *segment = path + 1;; segment++) {
        size_t length = strcspn(segment, "/");

        if (length == 0 || (length == 2 && memcmp(segment, "..", 2) == 0)) {
            return false;
        }
        segment += length;
        if (*segment == '\0') {
            return true;
        }
    }
}

static enum outcome read_own_path(const char *method, const char *path, enum site_kind site,
                                  struct target *target, const char **message)
{
    static const struct method health[] = {
        {"GET", CALL_HEALTH}, {"HEAD", CALL_HEALTH}, {NULL, CALL_OTHER}};
    static const struct method metrics[] = {
        {"GET", CALL_METRICS}, {"HEAD", CALL_METRICS}, {NULL, CALL_OTHER}};

    if (strcmp(path, "/health") == 0) {
        return choose(method, health, "GET, HEAD, OPTIONS", target, message);
    }
    if (site != SITE_PUBLIC && strcmp(path, "/metrics") == 0) {
        return choose(method, metrics, "GET, HEAD, OPTIONS", target, message);
    }
    *message = "there is nothing of that name here";
    return OUTCOME_NOT_FOUND;
}

static enum outcome read_path(const char *method, char *path, enum site_kind site,
                              struct target *target, const char **message)
{
    const size_t length = strlen("/" TOKENS "/");
    const bool operators = site == SITE_OPERATOR;

    if (path[0] != '/' || (path[1] != '\0' && !is_plain(path))) {
        *message = "the path has an empty segment, or .. for one";
        return OUTCOME_BAD_PATH;
    }
    if (site != SITE_METRICS && strcmp(path, "/" TOKENS) == 0) {
        return choose_tokens(method, operators, target, message);
    }
    if (site != SITE_METRICS && strncmp(path, "/" TOKENS "/", length) == 0 &&
        strchr(path + length, '/') == NULL) {
        return choose_token(method, operators, path + length, target, message);
    }
    return read_own_path(method, path, site, target, message);
}

/* What has a blank or a control character ends there for some. */
static bool is_uri(const char *uri)
{
    for (; *uri != '\0'; uri++) {
        unsigned char byte = (unsigned char)*uri;

        if (byte <= ' ' || byte == 0x7f) {
            return false;
        }
    }
    return true;
}

/* Of a URI with a host (`http://host/path`), which proxies are sent, what is behind the host. */
static char *skip_host(char *uri)
{
    static const char *const schemes[] = {"http://", "https://"};

    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t length = strlen(schemes[i]);

        if (strncasecmp(uri, schemes[i], length) == 0) {
            return uri + length + strcspn(uri + length, "/?");
        }
    }
    return uri;
}

enum outcome target_read(const char *method, char *uri, enum site_kind site, struct target *target,
                         const char **message)
{
    char *path = skip_host(uri);
    char *query = path + strcspn(path, "?");
    enum outcome outcome = OUTCOME_OK;

    *target = (struct target){.call = CALL_OTHER};
    if (!is_uri(uri)) {
        *message = "the URI holds a blank or a control character";
        return OUTCOME_BAD_PATH;
    }
    if (strcmp(method, "OPTIONS") == 0) {
        target->call = CALL_OPTIONS;
        return OUTCOME_OK;
    }
    if (*query == '?') {
        *query++ = '\0';
    }
    outcome = read_path(method, path, site, target, message);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    *message = read_query(query, target);
    if (*message != NULL) {
        return OUTCOME_BAD_QUERY;
    }
    if (target->call == CALL_REVOKE_PREFIX &&
        (!target->has_prefix || (target->prefix.length == 0 && !target->all))) {
        *message = "prefix is missing, or is empty without all=true";
        return OUTCOME_BAD_QUERY;
    }
    return OUTCOME_OK;
}
