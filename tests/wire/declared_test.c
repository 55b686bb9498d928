#include <stdlib.h>
#include <string.h>

#include "model/report.h"
#include "wire/generator.h"
#include "wire/support.h"
#include "wire/token_declared.h"

#define DECLARATIONS UINT64_C(40000)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What weir_token_parse_declared came to. */
struct outcome {
    enum weir_status status;
    enum weir_status permission;
    struct weir_error error;
    struct weir_error permission_error;
    struct weir_token *token;
};

static struct outcome declare(struct weir_text json)
{
    struct outcome outcome = {.permission = WEIR_ERROR_IO};

    outcome.status = weir_token_parse_declared(json, NULL, &outcome.token, &outcome.permission,
                                               &outcome.permission_error, &outcome.error);
    EXPECT((outcome.token != NULL) == (outcome.status == WEIR_OK));
    EXPECT(outcome.error.status == outcome.status);
    EXPECT(outcome.permission_error.status == outcome.permission);
    EXPECT(outcome.status == WEIR_OK || outcome.permission == WEIR_OK);
    return outcome;
}

START_TEST(what_is_wrong_with_permissions_alone_is_put_off)
{
    static const struct {
        const char *json;
        const char *place;
    } rows[] = {
        {"{\"id\":\"t\",\"scope\":{\"streams\":{\"prefix\":\"a\"}}}", "scope"},
        {"{\"id\":\"t\",\"scope\":{\"ops\":[],\"op_groups\":{\"stream\":{\"read\":false}}}}",
         "scope"},
        {"{\"id\":\"t\",\"scopes\":[{\"ops\":null}]}", "scopes[0]"},
        {"{\"id\":\"t\",\"scopes\":[{\"ops\":[\"read\"]},{},{}]}", "scopes[1]"},
        {"{\"id\":\"t\",\"auto_prefix_streams\":true,\"scope\":{\"ops\":[\"read\"]}}",
         "auto_prefix_streams"},
        {"{\"id\":\"t\",\"auto_prefix_streams\":true,\"scope\":{\"ops\":[\"read\"],"
         "\"streams\":{\"exact\":\"a\"}}}",
         "auto_prefix_streams"},
        {"{\"id\":\"t\",\"auto_prefix_streams\":true,\"scopes\":["
         "{\"ops\":[\"read\"],\"streams\":{\"prefix\":\"a\"}},"
         "{\"ops\":[\"read\"],\"streams\":{\"prefix\":\"a\"}}]}",
         "auto_prefix_streams"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct outcome outcome = declare(text_of(rows[i].json));

        ck_assert_msg(outcome.status == WEIR_OK, "%s", rows[i].json);
        ck_assert_msg(outcome.permission == WEIR_ERROR_PERMISSION, "%s", rows[i].json);
        ck_assert_str_eq(outcome.permission_error.place, rows[i].place);
        expect_printable(outcome.permission, &outcome.permission_error);
        ck_assert_uint_eq(outcome.token->id.length, 1);
        weir_token_free(outcome.token, NULL);
    }
}
END_TEST

/* Each of them has a scope that permits nothing, too, before what is wrong, or auto-prefix where it
 * may not be. */
START_TEST(what_is_wrong_otherwise_is_told_of_before_permissions)
{
    static const struct {
        const char *json;
        enum weir_status status;
        const char *place;
    } rows[] = {
        {"{\"id\":\"..\",\"scope\":{}}", WEIR_ERROR_NAME, "id"},
        {"{\"id\":\"t\",\"scope\":{\"streams\":{\"exact\":\".\"}}}", WEIR_ERROR_NAME,
         "scope.streams"},
        {"{\"id\":\"t\",\"scopes\":[{},{\"basins\":{\"exact\":\"short\"}}]}", WEIR_ERROR_NAME,
         "scopes[1].basins"},
        {"{\"id\":\"t\",\"scopes\":[{},{},{\"ops\":[\"read\"],"
         "\"access_tokens\":{\"exact\":\"..\"}},{\"streams\":{\"exact\":\".\"}}]}",
         WEIR_ERROR_NAME, "scopes[2].access_tokens"},
        {"{\"id\":\"t\",\"auto_prefix_streams\":true,\"scope\":{\"streams\":{\"exact\":\"..\"}}}",
         WEIR_ERROR_NAME, "scope.streams"},
        {"{\"id\":\"t\",\"scopes\":[{},{\"ops\":[\"reed\"]}]}", WEIR_ERROR_OPERATION,
         "scopes[1].ops[0]"},
        {"{\"id\":\"t\",\"scopes\":[{},{\"opps\":[]}]}", WEIR_ERROR_SCHEMA, "scopes[1]"},
        {"{\"id\":\"t\",\"scope\":{},\"expires_at\":\"soon\"}", WEIR_ERROR_SYNTAX, "expires_at"},
        {"{\"id\":\"t\",\"scope\":{},\"scopes\":[{}]}", WEIR_ERROR_SCHEMA, ""},
        {"{\"id\":\"t\",\"scope\":{}}x", WEIR_ERROR_SYNTAX, ""},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct outcome outcome = declare(text_of(rows[i].json));
        struct weir_token *token = NULL;
        struct weir_error error;

        ck_assert_msg(outcome.status == rows[i].status, "%s", rows[i].json);
        ck_assert_str_eq(outcome.error.place, rows[i].place);
        ck_assert_int_eq(weir_token_parse(text_of(rows[i].json), NULL, &token, &error),
                         rows[i].status);
        ck_assert_str_eq(error.place, rows[i].place);
        ck_assert_str_eq(error.message, outcome.error.message);
    }
}
END_TEST

START_TEST(a_credential_digest_is_an_unknown_field)
{
    static const char *const values[] = {
        "null", "1", "\"\"", "\"x\"",
        "\"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\""};

    for (size_t i = 0; i < COUNT(values); i++) {
        struct outcome outcome;
        char json[256];

        (void)snprintf(json, sizeof json,
                       "{\"id\":\"t\",\"credential_digest\":%s,\"scope\":{\"ops\":[\"read\"]}}",
                       values[i]);
        outcome = declare(text_of(json));
        ck_assert_int_eq(outcome.status, WEIR_ERROR_SCHEMA);
        ck_assert_str_eq(outcome.error.message, "unknown field \"credential_digest\"");
        ck_assert_str_eq(outcome.error.place, "");
    }
}
END_TEST

/* Takes the permissions of some of the scopes, and says whether of any. */
static bool spoil_permissions(uint64_t *random, struct generated *generated)
{
    bool spoilt = false;

    for (size_t i = 0; i < generated->token.scope_count; i++) {
        if (next_random(random) % 8 == 0) {
            generated->scopes[i].ops = generated->scopes[i].op_groups = 0;
            spoilt = true;
        }
    }
    if (next_random(random) % 8 == 0) {
        generated->token.auto_prefix_streams = true;
        spoilt = spoilt || generated->token.scope_count > 1 ||
                 generated->scopes[0].streams.kind != WEIR_SET_PREFIX;
    }
    return spoilt;
}

/* Makes one of the names none, or not. */
static bool spoil_names(uint64_t *random, struct generated *generated)
{
    struct weir_scope *scope =
        &generated->scopes[next_random(random) % generated->token.scope_count];

    switch (next_random(random) % 8) {
    case 0:
        scope->streams = (struct weir_set){WEIR_SET_EXACT, WEIR_TEXT("..")};
        return true;
    case 1:
        scope->basins = (struct weir_set){WEIR_SET_PREFIX, WEIR_TEXT("A")};
        return true;
    case 2:
        scope->access_tokens = (struct weir_set){WEIR_SET_EXACT, WEIR_TEXT(".")};
        return true;
    default:
        return false;
    }
}

static char *described(const struct weir_token *token)
{
    struct printed description;

    text_begin(&description);
    describe_token(description.stream, token);
    (void)text_done(&description);
    return description.bytes;
}

static void expect_declared(struct generated *generated, enum weir_status status,
                            enum weir_status permission)
{
    char json[65536];
    size_t length = weir_token_write(&generated->token, json, sizeof json);
    struct outcome outcome = declare((struct weir_text){json, length});

    EXPECT(length < sizeof json);
    if (outcome.status != status || outcome.permission != permission) {
        ck_abort_msg("%s, %s: %.2000s", weir_status_name(outcome.status),
                     weir_status_name(outcome.permission), json);
    }
    if (status == WEIR_OK) {
        char *expected = described(&generated->token);
        char *got = described(outcome.token);

        EXPECT(strcmp(expected, got) == 0);
        free(expected);
        free(got);
        weir_token_free(outcome.token, NULL);
    }
}

START_TEST(names_come_before_permissions_whatever_else_is_declared)
{
    uint64_t random = model_seed();

    for (uint64_t i = 0; i < model_amount(DECLARATIONS); i++) {
        struct generated generated;
        enum weir_status permission = WEIR_OK;
        enum weir_status status = WEIR_OK;
        bool has_digest = next_random(&random) % 8 == 0;

        generate_token(&random, &generated);
        /* A stream set that is spoilt may be one that auto-prefix cannot have. */
        status = spoil_names(&random, &generated) ? WEIR_ERROR_NAME : WEIR_OK;
        permission = spoil_permissions(&random, &generated) ? WEIR_ERROR_PERMISSION : WEIR_OK;
        generated.token.has_credential_digest = has_digest;
        status = has_digest ? WEIR_ERROR_SCHEMA : status;
        expect_declared(&generated, status, status == WEIR_OK ? permission : WEIR_OK);
    }
}
END_TEST

Suite *declared_suite(void)
{
    Suite *suite = suite_create("declared");
    TCase *cases = tcase_create("for issuing");

    tcase_add_test(cases, what_is_wrong_with_permissions_alone_is_put_off);
    tcase_add_test(cases, what_is_wrong_otherwise_is_told_of_before_permissions);
    tcase_add_test(cases, a_credential_digest_is_an_unknown_field);
    tcase_add_test(cases, names_come_before_permissions_whatever_else_is_declared);
    suite_add_tcase(suite, cases);
    return suite;
}
