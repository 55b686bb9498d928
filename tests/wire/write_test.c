#include <jansson.h>

#include <stdlib.h>
#include <string.h>

#include "model/report.h"
#include "wire/generator.h"
#include "wire/support.h"

#define DECLARATIONS UINT64_C(60000)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* All that a token is written as, for the caller to free. */
static char *written(const struct weir_token *token)
{
    size_t length = weir_token_write(token, NULL, 0);
    char *json = malloc(length + 1);

    EXPECT(json != NULL);
    EXPECT(weir_token_write(token, json, length) == length);
    json[length] = '\0';
    return json;
}

static void expect_written(const struct weir_token *token, const char *expected)
{
    char *json = written(token);

    ck_assert_str_eq(json, expected);
    free(json);
}

#define NO_GROUPS                                                                                  \
    "\"op_groups\":{\"account\":{\"read\":false,\"write\":false},\"basin\":{\"read\":false,"       \
    "\"write\":false},\"stream\":{\"read\":false,\"write\":false}}"
#define NO_SETS "\"basins\":null,\"streams\":null,\"access_tokens\":null"
#define READS WEIR_OPERATION_BIT(WEIR_READ)

START_TEST(a_token_of_one_scope_is_written_in_full)
{
    const struct weir_scope scope = {
        .basins = {WEIR_SET_PREFIX, WEIR_TEXT("")},
        .streams = {WEIR_SET_PREFIX, WEIR_TEXT("users/1234/")},
        .access_tokens = {WEIR_SET_EXACT, WEIR_TEXT("me")},
        .ops = WEIR_OPERATION_BIT(24) | WEIR_OPERATION_BIT(9) | WEIR_OPERATION_BIT(1),
        .op_groups = WEIR_GROUP_BIT(WEIR_GROUP_STREAM, WEIR_ACCESS_READ) |
                     WEIR_GROUP_BIT(WEIR_GROUP_STREAM, WEIR_ACCESS_WRITE) |
                     WEIR_GROUP_BIT(WEIR_GROUP_ACCOUNT, WEIR_ACCESS_READ),
    };
    const struct weir_token token = {.id = WEIR_TEXT("user-1234-rw-token"),
                                     .scopes = &scope,
                                     .scope_count = 1,
                                     .expires = true,
                                     .expires_at = {1798761600, 500000000},
                                     .auto_prefix_streams = true};

    expect_written(&token,
                   "{\"id\":\"user-1234-rw-token\",\"expires_at\":\"2027-01-01T00:00:00.5Z\","
                   "\"auto_prefix_streams\":true,\"scope\":{\"basins\":{\"prefix\":\"\"},"
                   "\"streams\":{\"prefix\":\"users/1234/\"},\"access_tokens\":{\"exact\":\"me\"},"
                   "\"op_groups\":{\"account\":{\"read\":true,\"write\":false},"
                   "\"basin\":{\"read\":false,\"write\":false},"
                   "\"stream\":{\"read\":true,\"write\":true}},"
                   "\"ops\":[\"list-basins\",\"list-streams\",\"set-default-location\"]}}");
}
END_TEST

START_TEST(several_scopes_are_written_as_an_array)
{
    const struct weir_scope scopes[] = {{.ops = READS}, {.ops = WEIR_OPERATION_BIT(WEIR_APPEND)}};
    const struct weir_token token = {.id = WEIR_TEXT("t"), .scopes = scopes, .scope_count = 2};

    expect_written(&token, "{\"id\":\"t\",\"expires_at\":null,\"auto_prefix_streams\":false,"
                           "\"scopes\":[{" NO_SETS "," NO_GROUPS ",\"ops\":[\"read\"]},{" NO_SETS
                           "," NO_GROUPS ",\"ops\":[\"append\"]}]}");
}
END_TEST

START_TEST(operations_and_groups_are_written_as_they_were_declared)
{
    /* Each stands for the other's operations; neither is written for the other. */
    const struct weir_scope scopes[] = {
        {.ops = weir_group_operations(WEIR_GROUP_BASIN, WEIR_ACCESS_WRITE)},
        {.op_groups = WEIR_GROUP_BIT(WEIR_GROUP_BASIN, WEIR_ACCESS_WRITE)},
    };
    struct weir_token token = {.id = WEIR_TEXT("t"), .scopes = &scopes[0], .scope_count = 1};

    expect_written(&token, "{\"id\":\"t\",\"expires_at\":null,\"auto_prefix_streams\":false,"
                           "\"scope\":{" NO_SETS "," NO_GROUPS
                           ",\"ops\":[\"create-stream\",\"delete-stream\","
                           "\"reconfigure-stream\"]}}");
    token.scopes = &scopes[1];
    expect_written(&token, "{\"id\":\"t\",\"expires_at\":null,\"auto_prefix_streams\":false,"
                           "\"scope\":{" NO_SETS ",\"op_groups\":{"
                           "\"account\":{\"read\":false,\"write\":false},"
                           "\"basin\":{\"read\":false,\"write\":true},"
                           "\"stream\":{\"read\":false,\"write\":false}},\"ops\":[]}}");
}
END_TEST

START_TEST(a_set_that_no_name_is_in_is_null)
{
    const struct weir_scope scope = {.basins = {WEIR_SET_EXACT, WEIR_TEXT("")},
                                     .streams = {WEIR_SET_EXACT, {NULL, 0}},
                                     .access_tokens = {WEIR_SET_NOTHING, WEIR_TEXT("unused")},
                                     .ops = READS};
    const struct weir_token token = {.id = WEIR_TEXT("t"), .scopes = &scope, .scope_count = 1};

    expect_written(&token, "{\"id\":\"t\",\"expires_at\":null,\"auto_prefix_streams\":false,"
                           "\"scope\":{" NO_SETS "," NO_GROUPS ",\"ops\":[\"read\"]}}");
}
END_TEST

START_TEST(a_digest_is_written_where_there_is_one)
{
    const struct weir_scope scope = {.ops = READS};
    struct weir_token token = {.id = WEIR_TEXT("t"),
                               .scopes = &scope,
                               .scope_count = 1,
                               .has_credential_digest = true,
                               .credential_digest = {0x00, 0x9a, 0xff, 0x0f, 0xf0}};

    expect_written(&token, "{\"id\":\"t\",\"expires_at\":null,\"auto_prefix_streams\":false,"
                           "\"scope\":{" NO_SETS "," NO_GROUPS ",\"ops\":[\"read\"]},"
                           "\"credential_digest\":"
                           "\"009aff0ff0000000000000000000000000000000000000000000000000000000\"}");
}
END_TEST

START_TEST(names_are_escaped_where_json_or_a_reader_of_lines_needs_it)
{
    const struct weir_scope scope = {.ops = READS};
    const struct weir_token token = {
        .id = WEIR_TEXT("\"\\/\x01\x1f\n\t\x7f \xc2\x80\xe2\x80\xa8\xf0\x9d\x84\x9e"),
        .scopes = &scope,
        .scope_count = 1};

    expect_written(&token, "{\"id\":\"\\\"\\\\/\\u0001\\u001f\\u000a\\u0009\\u007f "
                           "\xc2\x80\xe2\x80\xa8\xf0\x9d\x84\x9e\",\"expires_at\":null,"
                           "\"auto_prefix_streams\":false,\"scope\":{" NO_SETS "," NO_GROUPS
                           ",\"ops\":[\"read\"]}}");
}
END_TEST

START_TEST(no_more_is_written_than_there_is_room_for)
{
    uint64_t random = 11;
    struct generated generated;
    char *whole = NULL;
    size_t length = 0;

    generate_token(&random, &generated);
    whole = written(&generated.token);
    length = strlen(whole);
    for (size_t size = 0; size <= length + 3; size++) {
        size_t kept = size < length ? size : length;
        char *json = malloc(size + 1); /* of that size, for a sanitizer to see */

        EXPECT(json != NULL);
        memset(json, '~', size + 1);
        EXPECT(weir_token_write(&generated.token, json, size) == length);
        EXPECT(memcmp(json, whole, kept) == 0);
        EXPECT(json[kept] == '~');
        free(json);
    }
    free(whole);
}
END_TEST

/*
 * ---- Whatever is declared ----
 */

static bool same_set(const struct weir_set *declared, const struct weir_set *read)
{
    if (declared->kind == WEIR_SET_NOTHING ||
        (declared->kind == WEIR_SET_EXACT && declared->name.length == 0)) {
        return read->kind == WEIR_SET_NOTHING;
    }
    return declared->kind == read->kind && declared->name.length == read->name.length &&
           (read->name.length == 0 ||
            memcmp(declared->name.bytes, read->name.bytes, read->name.length) == 0);
}

static bool same_scope(const struct weir_scope *declared, const struct weir_scope *read)
{
    return same_set(&declared->basins, &read->basins) &&
           same_set(&declared->streams, &read->streams) &&
           same_set(&declared->access_tokens, &read->access_tokens) && declared->ops == read->ops &&
           declared->op_groups == read->op_groups;
}

static bool same_token(const struct weir_token *declared, const struct weir_token *read)
{
    const struct weir_set id = {WEIR_SET_EXACT, declared->id};
    const struct weir_set read_id = {WEIR_SET_EXACT, read->id};
    bool same =
        same_set(&id, &read_id) && declared->scope_count == read->scope_count &&
        declared->expires == read->expires &&
        declared->auto_prefix_streams == read->auto_prefix_streams &&
        declared->has_credential_digest == read->has_credential_digest &&
        (!read->expires || (declared->expires_at.seconds == read->expires_at.seconds &&
                            declared->expires_at.nanoseconds == read->expires_at.nanoseconds)) &&
        (!read->has_credential_digest ||
         memcmp(declared->credential_digest, read->credential_digest, WEIR_DIGEST_SIZE) == 0);

    for (size_t i = 0; same && i < read->scope_count; i++) {
        same = same_scope(&declared->scopes[i], &read->scopes[i]);
    }
    return same;
}

/* Makes some of the sets such as have no name in them. */
static void empty_some_sets(uint64_t *random, struct generated *generated)
{
    for (size_t i = 0; i < generated->token.scope_count; i++) {
        uint64_t drawn = next_random(random) % 8;

        if (drawn == 0) {
            generated->scopes[i].basins = (struct weir_set){WEIR_SET_EXACT, {NULL, 0}};
        } else if (drawn == 1) {
            generated->scopes[i].access_tokens = (struct weir_set){WEIR_SET_EXACT, {"", 0}};
        } else if (drawn == 2 && !generated->token.auto_prefix_streams) {
            generated->scopes[i].streams = (struct weir_set){WEIR_SET_EXACT, {"", 0}};
        }
    }
}

static void draw_token(uint64_t *random, struct generated *generated)
{
    generate_token(random, generated);
    empty_some_sets(random, generated);
}

START_TEST(what_is_written_is_read_as_the_same_declaration)
{
    uint64_t random = model_seed();

    for (uint64_t i = 0; i < model_amount(DECLARATIONS); i++) {
        struct generated generated;
        struct weir_token *read = NULL;
        struct weir_error error;
        char *json = NULL;
        char *again = NULL;

        draw_token(&random, &generated);
        json = written(&generated.token);
        if (weir_token_parse(text_of(json), NULL, &read, &error) != WEIR_OK) {
            ck_abort_msg("%s: %s: %.2000s", error.place, error.message, json);
        }
        again = written(read);
        if (!same_token(&generated.token, read) || strcmp(json, again) != 0) {
            ck_abort_msg("read as another declaration: %.2000s", json);
        }
        free(again);
        free(json);
        weir_token_free(read, NULL);
    }
}
END_TEST

/* Whether the value has exactly those fields, in this order. */
static bool has_fields(json_t *value, const char *const *fields, size_t count)
{
    void *field = json_object_iter(value);

    for (size_t i = 0; i < count; i++, field = json_object_iter_next(value, field)) {
        if (field == NULL || strcmp(json_object_iter_key(field), fields[i]) != 0) {
            return false;
        }
    }
    return field == NULL;
}

static bool is_set(json_t *value)
{
    return json_is_null(value) ||
           (json_object_size(value) == 1 && (json_is_string(json_object_get(value, "exact")) ||
                                             json_is_string(json_object_get(value, "prefix"))));
}

static bool are_groups(json_t *value)
{
    static const char *const groups[] = {"account", "basin", "stream"};
    static const char *const accesses[] = {"read", "write"};
    bool good = has_fields(value, groups, COUNT(groups));

    for (size_t i = 0; good && i < COUNT(groups); i++) {
        json_t *group = json_object_get(value, groups[i]);

        good = has_fields(group, accesses, COUNT(accesses)) &&
               json_is_boolean(json_object_get(group, "read")) &&
               json_is_boolean(json_object_get(group, "write"));
    }
    return good;
}

static bool are_ops_in_order(json_t *value)
{
    int last = 0;

    for (size_t i = 0; i < json_array_size(value); i++) {
        enum weir_operation operation;

        if (!weir_operation_parse(text_of(json_string_value(json_array_get(value, i))),
                                  &operation) ||
            (int)operation <= last) {
            return false;
        }
        last = (int)operation;
    }
    return json_is_array(value);
}

static bool is_scope(json_t *value)
{
    static const char *const fields[] = {"basins", "streams", "access_tokens", "op_groups", "ops"};

    return has_fields(value, fields, COUNT(fields)) && is_set(json_object_get(value, "basins")) &&
           is_set(json_object_get(value, "streams")) &&
           is_set(json_object_get(value, "access_tokens")) &&
           are_groups(json_object_get(value, "op_groups")) &&
           are_ops_in_order(json_object_get(value, "ops"));
}

static bool is_token(json_t *value, const struct weir_token *token)
{
    const char *const fields[] = {"id", "expires_at", "auto_prefix_streams",
                                  token->scope_count == 1 ? "scope" : "scopes",
                                  "credential_digest"};
    json_t *scopes = json_object_get(value, "scopes");
    bool good = has_fields(value, fields, COUNT(fields) - !token->has_credential_digest) &&
                json_is_string(json_object_get(value, "id")) &&
                json_is_boolean(json_object_get(value, "auto_prefix_streams")) &&
                (token->expires ? json_is_string(json_object_get(value, "expires_at"))
                                : json_is_null(json_object_get(value, "expires_at"))) &&
                (token->scope_count == 1 ? is_scope(json_object_get(value, "scope"))
                                         : json_array_size(scopes) == token->scope_count);

    for (size_t i = 0; good && i < json_array_size(scopes); i++) {
        good = is_scope(json_array_get(scopes, i));
    }
    return good;
}

START_TEST(every_field_is_there_in_order_and_all_is_one_printable_line)
{
    uint64_t random = model_seed() + 1;

    for (uint64_t i = 0; i < model_amount(DECLARATIONS) / 4; i++) {
        struct generated generated;
        json_t *value = NULL;
        char *json = NULL;

        draw_token(&random, &generated);
        json = written(&generated.token);
        value = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
        if (!is_token(value, &generated.token)) {
            ck_abort_msg("not in full: %.2000s", json);
        }
        for (const char *byte = json; *byte != '\0'; byte++) {
            EXPECT((unsigned char)*byte >= ' ' && *byte != 0x7f);
        }
        json_decref(value);
        free(json);
    }
}
END_TEST

Suite *write_suite(void)
{
    Suite *suite = suite_create("writing");
    TCase *cases = tcase_create("write");

    tcase_add_test(cases, a_token_of_one_scope_is_written_in_full);
    tcase_add_test(cases, several_scopes_are_written_as_an_array);
    tcase_add_test(cases, operations_and_groups_are_written_as_they_were_declared);
    tcase_add_test(cases, a_set_that_no_name_is_in_is_null);
    tcase_add_test(cases, a_digest_is_written_where_there_is_one);
    tcase_add_test(cases, names_are_escaped_where_json_or_a_reader_of_lines_needs_it);
    tcase_add_test(cases, no_more_is_written_than_there_is_room_for);
    tcase_add_test(cases, what_is_written_is_read_as_the_same_declaration);
    tcase_add_test(cases, every_field_is_there_in_order_and_all_is_one_printable_line);
    suite_add_tcase(suite, cases);
    return suite;
}
