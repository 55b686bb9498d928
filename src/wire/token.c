#include <weir/wire.h>

#include <stdio.h>
#include <string.h>

#include "vocabulary/failure.h"
#include "vocabulary/memory.h"
#include "vocabulary/text.h"
#include "wire/json.h"
#include "wire/token_copy.h"
#include "wire/token_declared.h"
#include "wire/token_reading.h"

#define FIELD(name, nullable, structure, member, read)                                             \
    {                                                                                              \
        {name, sizeof(name) - 1}, nullable, offsetof(structure, member), read                      \
    }
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/*
 * ---- A scope ----
 */

static enum weir_status read_exact(json_t *value, void *into, struct weir_error *error)
{
    struct weir_set *set = into;
    enum weir_status status = weir_json_read_text(value, &set->name, error);

    /* An empty exact name is how clients spell the set of nothing. */
    set->kind = set->name.length > 0 ? WEIR_SET_EXACT : WEIR_SET_NOTHING;
    return status;
}

static enum weir_status read_prefix(json_t *value, void *into, struct weir_error *error)
{
    struct weir_set *set = into;

    set->kind = WEIR_SET_PREFIX;
    return weir_json_read_text(value, &set->name, error);
}

static enum weir_status read_set(json_t *value, void *into, struct weir_error *error)
{
    static const struct weir_json_field fields[] = {
        {{"exact", 5}, false, 0, read_exact},
        {{"prefix", 6}, false, 0, read_prefix},
    };
    enum weir_status status = weir_json_read_object(value, fields, COUNT(fields), into, error);

    if (status == WEIR_OK && json_object_size(value) != 1) {
        status = weir_fail(error, WEIR_ERROR_SCHEMA,
                           "exactly one of \"exact\" and \"prefix\" was expected");
    }
    return status;
}

static enum weir_status read_operation(json_t *value, weir_operations *operations,
                                       struct weir_error *error)
{
    struct weir_text name = {0};
    enum weir_operation operation = WEIR_LIST_BASINS;
    enum weir_status status = weir_json_read_text(value, &name, error);
    char quoted[128];

    if (status != WEIR_OK) {
        return status;
    }
    if (!weir_operation_parse(name, &operation)) {
        (void)weir_quote(name, quoted, sizeof quoted);
        return weir_fail(error, WEIR_ERROR_OPERATION, "unknown operation %s", quoted);
    }
    *operations |= WEIR_OPERATION_BIT(operation);
    return WEIR_OK;
}

static enum weir_status read_ops(json_t *value, void *into, struct weir_error *error)
{
    weir_operations *operations = into;

    if (!json_is_array(value)) {
        return weir_json_fail_kind(value, "an array", error);
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        enum weir_status status = read_operation(json_array_get(value, i), operations, error);

        if (status != WEIR_OK) {
            weir_error_within(error, "[%zu]", i);
            return status;
        }
    }
    return WEIR_OK;
}

struct accesses {
    bool read;
    bool write;
};

static enum weir_status read_group(json_t *value, void *into, struct weir_error *error)
{
    static const struct weir_json_field fields[] = {
        FIELD("read", true, struct accesses, read, weir_json_read_boolean),
        FIELD("write", true, struct accesses, write, weir_json_read_boolean),
    };

    return weir_json_read_object(value, fields, COUNT(fields), into, error);
}

struct groups {
    struct accesses of[WEIR_GROUP_STREAM + 1];
};

static enum weir_status read_op_groups(json_t *value, void *into, struct weir_error *error)
{
    static const struct weir_json_field fields[] = {
        FIELD("account", true, struct groups, of[WEIR_GROUP_ACCOUNT], read_group),
        FIELD("basin", true, struct groups, of[WEIR_GROUP_BASIN], read_group),
        FIELD("stream", true, struct groups, of[WEIR_GROUP_STREAM], read_group),
    };
    struct groups groups = {0};
    unsigned *bits = into;
    enum weir_status status = weir_json_read_object(value, fields, COUNT(fields), &groups, error);

    for (unsigned group = WEIR_GROUP_ACCOUNT; group <= WEIR_GROUP_STREAM; group++) {
        *bits |= groups.of[group].read ? WEIR_GROUP_BIT(group, WEIR_ACCESS_READ) : 0;
        *bits |= groups.of[group].write ? WEIR_GROUP_BIT(group, WEIR_ACCESS_WRITE) : 0;
    }
    return status;
}

static enum weir_status read_scope(json_t *value, struct weir_scope *scope,
                                   struct weir_error *error)
{
    static const struct weir_json_field fields[] = {
        FIELD("basins", true, struct weir_scope, basins, read_set),
        FIELD("streams", true, struct weir_scope, streams, read_set),
        FIELD("access_tokens", true, struct weir_scope, access_tokens, read_set),
        FIELD("op_groups", true, struct weir_scope, op_groups, read_op_groups),
        FIELD("ops", true, struct weir_scope, ops, read_ops),
    };

    *scope = (struct weir_scope){0};
    return weir_json_read_object(value, fields, COUNT(fields), scope, error);
}

/*
 * ---- A token ----
 */

/* Makes room for the scopes of the token; NULL if the memory cannot be had. */
static struct weir_scope *make_scopes(struct weir_token_reading *reading, size_t count)
{
    if (!weir_room_make(&reading->scopes, &reading->allocator, count * sizeof(struct weir_scope))) {
        return NULL;
    }
    reading->token.scopes = reading->scopes.memory;
    reading->token.scope_count = count;
    return reading->scopes.memory;
}

static enum weir_status read_one_scope(json_t *value, void *into, struct weir_error *error)
{
    struct weir_token_reading *reading = into;
    struct weir_scope *scope = make_scopes(reading, 1);

    reading->one_scope_given = true;
    return scope != NULL ? read_scope(value, scope, error) : weir_fail_memory(error);
}

static enum weir_status read_scopes(json_t *value, void *into, struct weir_error *error)
{
    struct weir_token_reading *reading = into;
    size_t count = json_array_size(value);
    struct weir_scope *scopes = NULL;

    reading->several_scopes_given = true;
    if (!json_is_array(value)) {
        return weir_json_fail_kind(value, "an array", error);
    }
    if (count == 0) {
        return weir_fail(error, WEIR_ERROR_SCHEMA, "at least one scope was expected");
    }
    if (count > WEIR_SCOPES_MAX) {
        return weir_fail(error, WEIR_ERROR_LIMIT, "more than %d scopes", WEIR_SCOPES_MAX);
    }
    scopes = make_scopes(reading, count);
    if (scopes == NULL) {
        return weir_fail_memory(error);
    }
    for (size_t i = 0; i < count; i++) {
        enum weir_status status = read_scope(json_array_get(value, i), &scopes[i], error);

        if (status != WEIR_OK) {
            weir_error_within(error, "[%zu]", i);
            return status;
        }
    }
    return WEIR_OK;
}

static enum weir_status read_expires_at(json_t *value, void *into, struct weir_error *error)
{
    struct weir_token *token = into;
    struct weir_text text = {0};
    enum weir_status status = weir_json_read_text(value, &text, error);
    char quoted[128];

    if (status != WEIR_OK) {
        return status;
    }
    if (!weir_instant_parse(text, &token->expires_at)) {
        (void)weir_quote(text, quoted, sizeof quoted);
        return weir_fail(error, WEIR_ERROR_SYNTAX,
                         "not an RFC 3339 date and time like 2027-01-01T00:00:00Z: %s", quoted);
    }
    token->expires = true;
    return WEIR_OK;
}

/* The value of a hexadecimal digit, or -1. */
static int digit_value(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    digit |= 0x20;
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

static bool parse_digest(struct weir_text text, uint8_t digest[WEIR_DIGEST_SIZE])
{
    if (text.length != 2 * (size_t)WEIR_DIGEST_SIZE) {
        return false;
    }
    for (size_t i = 0; i < WEIR_DIGEST_SIZE; i++) {
        int high = digit_value(text.bytes[2 * i]);
        int low = digit_value(text.bytes[2 * i + 1]);

        if (high < 0 || low < 0) {
            return false;
        }
        digest[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* The digest is not shown: a person who put the secret itself here should not find it in a log. */
static enum weir_status read_credential_digest(json_t *value, void *into, struct weir_error *error)
{
    struct weir_token *token = into;
    struct weir_text text = {0};
    enum weir_status status = weir_json_read_text(value, &text, error);

    if (status == WEIR_OK && !parse_digest(text, token->credential_digest)) {
        status = weir_fail(error, WEIR_ERROR_SYNTAX, "exactly 64 hexadecimal digits were expected");
    }
    token->has_credential_digest = true;
    return status;
}

static enum weir_status read_fields(struct weir_token_reading *reading, json_t *value,
                                    struct weir_error *error)
{
    static const struct weir_json_field fields[] = {
        FIELD("id", false, struct weir_token_reading, token.id, weir_json_read_text),
        FIELD("expires_at", true, struct weir_token_reading, token, read_expires_at),
        {{"scope", 5}, true, 0, read_one_scope},
        {{"scopes", 6}, true, 0, read_scopes},
        FIELD("auto_prefix_streams", true, struct weir_token_reading, token.auto_prefix_streams,
              weir_json_read_boolean),
        FIELD("credential_digest", true, struct weir_token_reading, token, read_credential_digest),
    };
    const size_t known = COUNT(fields) - reading->for_issue; /* without the last one */
    enum weir_status status = weir_json_read_object(value, fields, known, reading, error);

    if (status != WEIR_OK) {
        return status;
    }
    if (reading->token.id.bytes == NULL) {
        return weir_json_fail_missing("id", error);
    }
    if (reading->one_scope_given == reading->several_scopes_given) {
        return weir_fail(error, WEIR_ERROR_SCHEMA,
                         "exactly one of \"scope\" and \"scopes\" was expected");
    }
    return WEIR_OK;
}

/* weir_token_check calls the only scope `scope`, whether it was given so or as an array of one. */
static enum weir_status check(const struct weir_token_reading *reading, struct weir_error *error)
{
    const size_t length = sizeof "scope" - 1;
    enum weir_status status = weir_token_check(&reading->token, error);

    if (status != WEIR_OK && error != NULL && reading->several_scopes_given &&
        strncmp(error->place, "scope", length) == 0 &&
        (error->place[length] == '.' || error->place[length] == '\0')) {
        memmove(error->place, error->place + length, sizeof error->place - length);
        weir_error_within(error, "scopes[0]");
    }
    return status;
}

/* Likewise, but what is wrong with permissions alone is put off. */
static enum weir_status check_for_issue(struct weir_token_reading *reading,
                                        struct weir_error *error)
{
    struct weir_error failure = {0};
    enum weir_status status = check(reading, &failure);

    if (status == WEIR_ERROR_PERMISSION) {
        reading->permission = failure;
        return WEIR_OK;
    }
    return weir_fail_as(error, status, &failure);
}

/* Says which token has too many scopes: its id may stand anywhere in it. */
static void name_token(const json_t *value, struct weir_error *error)
{
    const json_t *id = json_object_get(value, "id");

    if (error != NULL && json_is_string(id)) {
        struct weir_text text = {json_string_value(id), json_string_length(id)};

        (void)snprintf(error->message, sizeof error->message, "token %s has more than %d scopes",
                       weir_quoted_id(text).text, WEIR_SCOPES_MAX);
    }
}

enum weir_status weir_token_reading_next(struct weir_token_reading *reading, json_t *value,
                                         struct weir_error *error)
{
    enum weir_status status = WEIR_OK;

    reading->token = (struct weir_token){0};
    reading->one_scope_given = false;
    reading->several_scopes_given = false;
    status = read_fields(reading, value, error);
    if (status == WEIR_OK) {
        return reading->for_issue ? check_for_issue(reading, error) : check(reading, error);
    }
    if (status == WEIR_ERROR_LIMIT) {
        name_token(value, error);
    }
    weir_json_finish_place(error);
    return status;
}

void weir_token_reading_fini(struct weir_token_reading *reading)
{
    weir_room_release(&reading->scopes, &reading->allocator);
}

/*
 * ---- A token alone ----
 */

static enum weir_status parse(struct weir_text json, struct weir_token_reading *reading,
                              struct weir_token **token, struct weir_error *error)
{
    struct weir_token *copy = NULL;
    json_t *value = NULL;
    enum weir_status status = WEIR_OK;

    if (json.length > WEIR_TOKEN_JSON_MAX) {
        return weir_fail(error, WEIR_ERROR_LIMIT, "a token of more than %zu bytes of JSON",
                         WEIR_TOKEN_JSON_MAX);
    }
    status = weir_json_load(json, WEIR_TOKEN_JSON_VALUES_MAX, &value, error);
    if (status != WEIR_OK) {
        return status;
    }
    status = weir_token_reading_next(reading, value, error);
    if (status == WEIR_OK) {
        copy = weir_token_copy(&reading->token, (struct weir_text){0}, &reading->allocator);
        status = copy != NULL ? WEIR_OK : weir_fail_memory(error);
    }
    weir_token_reading_fini(reading);
    json_decref(value);
    if (status == WEIR_OK) {
        *token = copy;
    }
    return status;
}

enum weir_status weir_token_parse(struct weir_text json, const struct weir_allocator *allocator,
                                  struct weir_token **token, struct weir_error *error)
{
    struct weir_token_reading reading = {.allocator = weir_allocator_or_default(allocator)};

    return parse(json, &reading, token, error);
}

enum weir_status weir_token_parse_declared(struct weir_text json,
                                           const struct weir_allocator *allocator,
                                           struct weir_token **token, enum weir_status *permission,
                                           struct weir_error *permission_error,
                                           struct weir_error *error)
{
    struct weir_token_reading reading = {.allocator = weir_allocator_or_default(allocator),
                                         .for_issue = true};
    enum weir_status status = parse(json, &reading, token, error);

    *permission = WEIR_OK;
    if (status == WEIR_OK) {
        *permission =
            weir_fail_as(permission_error, reading.permission.status, &reading.permission);
    }
    return status;
}
