#include "plain.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "demand.h"

bool plain_same(struct weir_text left, struct weir_text right)
{
    return left.length == right.length &&
           (left.length == 0 || memcmp(left.bytes, right.bytes, left.length) == 0);
}

static bool is(struct weir_text text, const char *word)
{
    return text.length == strlen(word) && strncasecmp(text.bytes, word, text.length) == 0;
}

static struct weir_text trimmed(struct weir_text text)
{
    const char *end = text.bytes + text.length;

    while (text.bytes < end && (*text.bytes == ' ' || *text.bytes == '\t')) {
        text.bytes++;
    }
    while (end > text.bytes && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    text.length = (size_t)(end - text.bytes);
    return text;
}

/* What is behind a byte in a text, and before it; false: it is not there. */
static bool split(struct weir_text text, char byte, struct weir_text *before,
                  struct weir_text *behind)
{
    const char *found = text.length > 0 ? memchr(text.bytes, byte, text.length) : NULL;

    if (found == NULL) {
        return false;
    }
    *before = (struct weir_text){text.bytes, (size_t)(found - text.bytes)};
    *behind = (struct weir_text){found + 1, text.length - before->length - 1};
    return true;
}

/*
 * ---- The head ----
 */

/* Whether a line ends with a zero, or begins with what MHD makes one, and so ends the head for it.
 */
static bool is_hidden(struct weir_text line)
{
    return line.length > 0 &&
           (line.bytes[0] == ':' || memchr(line.bytes, '\0', line.length) != NULL);
}

/* Takes a line that ends as lines have to. False: no line feed is left. */
static bool take_line(struct weir_text *rest, struct weir_text *line, bool *sound)
{
    if (!split(*rest, '\n', line, rest)) {
        return false;
    }
    if (line->length == 0 || line->bytes[line->length - 1] != '\r') {
        *sound = false;
        return true;
    }
    line->length--;
    *sound = *sound && memchr(line->bytes, '\0', line->length + 1) == NULL &&
             memchr(line->bytes, '\r', line->length) == NULL;
    return true;
}

/* Of printable characters, or what is none of ASCII. */
static bool is_word(struct weir_text text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (!isgraph((unsigned char)text.bytes[i]) && isascii((unsigned char)text.bytes[i])) {
            return false;
        }
    }
    return text.length > 0;
}

static bool read_first_line(struct plain_request *request, struct weir_text line)
{
    struct weir_text rest = {"", 0};

    return split(line, ' ', &request->method, &rest) &&
           split(rest, ' ', &request->uri, &request->version) && is_word(request->method) &&
           is_word(request->uri) && is_word(request->version);
}

static void read_header(struct plain_request *request, struct weir_text line)
{
    static const char *const names[HEADER_COUNT] = {
        "authorization", "content-type", "content-encoding", "content-length", "transfer-encoding",
        "expect",        "host"};
    struct weir_text name = {"", 0};
    struct weir_text value = {"", 0};

    if (!split(line, ':', &name, &value) || name.length == 0) {
        request->sound = false;
        return;
    }
    for (size_t i = 0; i < name.length; i++) {
        request->sound = request->sound && isgraph((unsigned char)name.bytes[i]);
    }
    for (size_t i = 0; i < HEADER_COUNT; i++) {
        if (is(name, names[i])) {
            request->sound = request->sound && !request->there[i];
            request->there[i] = true;
            request->values[i] = trimmed(value);
        }
    }
}

/*
 * ---- The body ----
 */

static void take_bytes(struct plain_request *request, struct weir_text *rest, size_t size)
{
    size = size < rest->length ? size : rest->length;
    memcpy(request->body + request->length, rest->bytes, size);
    request->length += size;
    rest->bytes += size;
    rest->length -= size;
}

/* A chunk's length, hexadecimal; what may be behind it means nothing. */
static size_t read_chunk_length(struct weir_text line, bool *sound)
{
    char digits[18] = "";
    size_t count = 0;

    while (count < line.length && count < 17 && isxdigit((unsigned char)line.bytes[count])) {
        digits[count] = line.bytes[count];
        count++;
    }
    *sound =
        *sound && count > 0 && count < 17 && (count == line.length || line.bytes[count] == ';');
    return strtoull(digits, NULL, 16);
}

static void read_chunks(struct plain_request *request, struct weir_text rest)
{
    struct weir_text line = {"", 0};
    bool sound = true;
    size_t length = 1;

    while (length > 0) {
        if (!take_line(&rest, &line, &sound) || !sound) {
            return;
        }
        length = read_chunk_length(line, &sound);
        if (!sound || length > rest.length) {
            return;
        }
        take_bytes(request, &rest, length);
        if (length > 0 && (!take_line(&rest, &line, &sound) || line.length != 0 || !sound)) {
            return;
        }
    }
    do { /* what is behind the last chunk is headers, which nobody looks at */
        if (!take_line(&rest, &line, &sound)) {
            return;
        }
    } while (line.length > 0);
    request->complete = sound;
}

/* How long the body is stands in the head, once. */
static void read_body(struct plain_request *request, struct weir_text rest)
{
    struct weir_text digits = request->values[HEADER_CONTENT_LENGTH];
    bool is_1_0 = is(request->version, "HTTP/1.0");
    char number[20] = "";
    unsigned long long length = 0;

    for (size_t i = 0; i < digits.length; i++) {
        request->sound = request->sound && isdigit((unsigned char)digits.bytes[i]);
    }
    if (request->there[HEADER_CONTENT_LENGTH]) {
        request->sound = request->sound && digits.length > 0 && digits.length <= 19 &&
                         !request->there[HEADER_TRANSFER_ENCODING];
    }
    if (request->there[HEADER_TRANSFER_ENCODING]) {
        request->sound =
            request->sound && !is_1_0 && is(request->values[HEADER_TRANSFER_ENCODING], "chunked");
    }
    if (!request->sound) {
        return;
    }
    if (request->there[HEADER_TRANSFER_ENCODING]) {
        read_chunks(request, rest);
        return;
    }
    (void)snprintf(number, sizeof number, "%.*s", (int)digits.length, digits.bytes);
    length = strtoull(number, NULL, 10);
    request->complete = length <= rest.length;
    take_bytes(request, &rest, request->complete ? (size_t)length : rest.length);
}

void plain_read(struct plain_request *request, const char *bytes, size_t size)
{
    struct weir_text rest = {bytes, size};
    struct weir_text line = {"", 0};

    *request = (struct plain_request){.sound = true, .body = malloc(size + 1)};
    demand(request->body != NULL);
    for (size_t i = 0; i < HEADER_COUNT; i++) {
        request->values[i] = (struct weir_text){"", 0};
    }
    do { /* before a request, lines that are empty, or that begin as no text does, mean nothing */
        request->begun = true;
        if (!take_line(&rest, &line, &request->begun)) {
            return;
        }
    } while (line.length == 0 || line.bytes[0] == '\0');
    request->begun = read_first_line(request, line) && request->begun;
    while (take_line(&rest, &line, &request->sound)) {
        request->hidden = request->hidden || is_hidden(line);
        if (line.length == 0) {
            request->headed = true;
            read_body(request, rest);
            return;
        }
        read_header(request, line);
    }
    request->headed = !request->sound;
}

void plain_free(struct plain_request *request)
{
    free(request->body);
}

/*
 * ---- The target ----
 */

/* A percent sign is never followed by what is no digit. */
static bool decoded(char *begin, char *end, bool plus_is_space, struct weir_text *text)
{
    char *out = begin;

    for (char *in = begin; in < end; in++) {
        unsigned byte = (unsigned char)*in;

        if (*in == '%') {
            char digits[3] = "";

            if (end - in < 3 || !isxdigit((unsigned char)in[1]) ||
                !isxdigit((unsigned char)in[2])) {
                return false;
            }
            memcpy(digits, in + 1, 2);
            byte = (unsigned)strtoul(digits, NULL, 16);
            in += 2;
        } else if (*in == '+' && plus_is_space) {
            byte = ' ';
        }
        *out++ = (char)byte;
    }
    *text = (struct weir_text){begin, (size_t)(out - begin)};
    return true;
}

static bool exactly(struct weir_text text, const char *word)
{
    return plain_same(text, (struct weir_text){word, strlen(word)});
}

/* A number as large as may be, if it is too large. */
static bool number(struct weir_text text, uint64_t *value)
{
    bool too_large = false;

    *value = 0;
    for (size_t i = 0; i < text.length; i++) {
        if (!isdigit((unsigned char)text.bytes[i])) {
            return false;
        }
        too_large |= __builtin_mul_overflow(*value, 10, value);
        too_large |= __builtin_add_overflow(*value, text.bytes[i] - '0', value);
    }
    *value = too_large ? UINT64_MAX : *value;
    return text.length > 0;
}

static bool read_pair(struct target *target, struct weir_text key, struct weir_text value)
{
    if (exactly(key, "prefix")) {
        target->has_prefix = true;
        target->prefix = value;
    } else if (exactly(key, "start_after")) {
        target->start_after = value;
    } else if (exactly(key, "limit")) {
        return number(value, &target->limit);
    } else if (exactly(key, "all")) {
        target->all = exactly(value, "true");
        return target->all || exactly(value, "false");
    }
    return true;
}

static bool read_query(struct target *target, char *query)
{
    struct weir_text keys[16];
    size_t count = 0;
    char *next = query;

    for (char *pair = strsep(&next, "&"); pair != NULL; pair = strsep(&next, "&")) {
        char *equals = pair + strcspn(pair, "=");
        char *end = pair + strlen(pair);
        struct weir_text value = {"", 0};

        if (*pair == '\0') {
            continue;
        }
        if (count == 16 || !decoded(pair, equals, true, &keys[count]) ||
            (*equals == '=' && !decoded(equals + 1, end, true, &value))) {
            return false;
        }
        for (size_t i = 0; i < count; i++) {
            if (plain_same(keys[i], keys[count])) {
                return false;
            }
        }
        if (!read_pair(target, keys[count++], value)) {
            return false;
        }
    }
    return true;
}

/* Each call, by its path and method: `*` stands for an id; the sites that have it, a bit each. */
static enum outcome find_call(const char *method, const char *path, enum site_kind site,
                              enum call *call)
{
    enum { ALL = 7, FOR_TOKENS = 3, NOT_PUBLIC = 6, FOR_OPERATORS = 2 };
    static const struct {
        const char *path;
        const char *method;
        unsigned sites;
        enum call call;
    } calls[] = {
        {"/v1/access-tokens", "GET", FOR_TOKENS, CALL_LIST},
        {"/v1/access-tokens", "HEAD", FOR_TOKENS, CALL_LIST},
        {"/v1/access-tokens", "POST", FOR_TOKENS, CALL_ISSUE},
        {"/v1/access-tokens", "DELETE", FOR_OPERATORS, CALL_REVOKE_PREFIX},
        {"/v1/access-tokens/*", "DELETE", FOR_TOKENS, CALL_REVOKE},
        {"/health", "GET", ALL, CALL_HEALTH},
        {"/health", "HEAD", ALL, CALL_HEALTH},
        {"/metrics", "GET", NOT_PUBLIC, CALL_METRICS},
        {"/metrics", "HEAD", NOT_PUBLIC, CALL_METRICS},
    };
    enum outcome outcome = OUTCOME_NOT_FOUND;

    *call = CALL_OTHER;
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        if (strcmp(calls[i].path, path) == 0 && (calls[i].sites >> site & 1) != 0) {
            if (strcmp(calls[i].method, method) == 0) {
                *call = calls[i].call;
                return OUTCOME_OK;
            }
            outcome = OUTCOME_METHOD_NOT_ALLOWED;
        }
    }
    return outcome;
}

/* Whether each segment is there, and none is `..`. */
static bool is_plain_path(const char *path)
{
    const char *bad = "/../";
    char whole[4096];

    if (strcmp(path, "/") == 0) {
        return true;
    }
    (void)snprintf(whole, sizeof whole, "%s/", path);
    return path[0] == '/' && strstr(whole, "//") == NULL && strstr(whole, bad) == NULL;
}

static enum outcome read_path(struct target *target, const char *method, char *path,
                              enum site_kind site)
{
    const char tokens[] = "/v1/access-tokens/";
    char *id = path + sizeof tokens - 1;
    enum outcome outcome = OUTCOME_OK;

    if (!is_plain_path(path)) {
        return OUTCOME_BAD_PATH;
    }
    if (strncmp(path, tokens, sizeof tokens - 1) != 0 || strchr(id, '/') != NULL) {
        return strchr(path, '*') != NULL ? OUTCOME_NOT_FOUND
                                         : find_call(method, path, site, &target->call);
    }
    if (site == SITE_OPERATOR && strcmp(method, "GET") == 0 && strcmp(id, "count") == 0) {
        target->call = CALL_COUNT_TOKENS;
        return OUTCOME_OK;
    }
    outcome = find_call(method, "/v1/access-tokens/*", site, &target->call);
    if (outcome == OUTCOME_OK &&
        (!decoded(id, id + strlen(id), false, &target->id) || !weir_token_id_valid(target->id))) {
        return OUTCOME_BAD_PATH;
    }
    return outcome;
}

void plain_target_read(struct plain_target *plain, const char *method, const char *uri,
                       enum site_kind site)
{
    struct target *target = &plain->target;
    char *path = strdup(uri);
    char *query = NULL;

    demand(path != NULL);
    *plain = (struct plain_target){.uri = path, .target.call = CALL_OTHER};
    if (uri[0] != '\0' && !is_word((struct weir_text){uri, strlen(uri)})) {
        plain->outcome = OUTCOME_BAD_PATH;
        return;
    }
    if (strcmp(method, "OPTIONS") == 0) {
        target->call = CALL_OPTIONS;
        return;
    }
    if (strncasecmp(path, "http://", 7) == 0 || strncasecmp(path, "https://", 8) == 0) {
        path = strstr(path, "//") + 2;
        path += strcspn(path, "/?");
    }
    query = strchr(path, '?');
    if (query != NULL) {
        *query++ = '\0';
    }
    plain->outcome = read_path(target, method, path, site);
    if (plain->outcome == OUTCOME_OK &&
        (!read_query(target, query) ||
         (target->call == CALL_REVOKE_PREFIX &&
          (!target->has_prefix || (target->prefix.length == 0 && !target->all))))) {
        plain->outcome = OUTCOME_BAD_QUERY;
    }
}

void plain_target_free(struct plain_target *plain)
{
    free(plain->uri);
}
