/* The first look: from what is published, or from the store. */
#include "authority_cases.h"

#include <check.h>
#include <string.h>

#include "library/support.h"
#include "office.h"

static struct office office;

/* `publishes`: then that is what is asked. */
static void set_up(bool publishes)
{
    office_make(&office, publishes);
}

static void tear_down(void)
{
    office_remove(&office);
}

static enum weir_status admit(const struct weir_credential *by, enum weir_operation operation)
{
    const struct weir_requestor who = requestor(by);
    enum weir_status status =
        weir_authority_admit(office.authority, &who, operation, &last_audit, &last_error);

    if (status != WEIR_OK) {
        expect_error(&last_error, status);
    }
    return status;
}

START_TEST(whoever_has_a_living_token_is_admitted)
{
    struct weir_credential reader;
    struct weir_credential unknown;

    set_up(_i == 1);
    reader = issued(&office, NULL,
                    json("{'id':'reader','expires_at':'2026-11-30T00:00:00Z','scope':{"
                         "'access_tokens':{'prefix':'a/'},'ops':['list-access-tokens',"
                         "'issue-access-token','revoke-access-token']}}"));
    ck_assert_int_eq(admit(NULL, WEIR_ISSUE_ACCESS_TOKEN), WEIR_OK);
    ck_assert(last_audit.is_operator);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(admit(&reader, ((const enum weir_operation[]){
                                            WEIR_LIST_ACCESS_TOKENS, WEIR_ISSUE_ACCESS_TOKEN,
                                            WEIR_REVOKE_ACCESS_TOKEN})[i]),
                         WEIR_OK);
        ck_assert_uint_eq(last_audit.requestor_number, 2);
        ck_assert_uint_eq(last_audit.requestor_id_length, strlen("reader"));
        ck_assert_mem_eq(last_audit.requestor_id, "reader", strlen("reader"));
    }
    unknown = reader;
    unknown.text[strlen("weir_") + 3] ^= 1;
    ck_assert_int_eq(admit(&unknown, WEIR_LIST_ACCESS_TOKENS), WEIR_ERROR_CREDENTIAL);
    ck_assert_uint_eq(last_audit.requestor_number, 0);
    office.now.seconds += 30 * 24 * 3600;
    ck_assert_int_eq(admit(&reader, WEIR_LIST_ACCESS_TOKENS), WEIR_ERROR_CREDENTIAL);
    ck_assert_uint_eq(last_audit.requestor_number, 0);
    ck_assert_int_eq(admit(&office.root, WEIR_LIST_ACCESS_TOKENS), WEIR_OK);
    tear_down();
}
END_TEST

START_TEST(whoever_is_revoked_is_not)
{
    struct weir_credential reader;

    set_up(_i == 1);
    reader = issued(&office, NULL, json("{'id':'reader','scope':{'ops':['list-access-tokens']}}"));
    ck_assert_int_eq(admit(&reader, WEIR_LIST_ACCESS_TOKENS), WEIR_OK);
    ck_assert_int_eq(revoke_token(&office, NULL, "reader"), WEIR_OK);
    ck_assert_int_eq(admit(&reader, WEIR_LIST_ACCESS_TOKENS), WEIR_ERROR_CREDENTIAL);
    reader = issued(&office, NULL, json("{'id':'reader','scope':{'ops':['list-access-tokens']}}"));
    ck_assert_int_eq(admit(&reader, WEIR_LIST_ACCESS_TOKENS), WEIR_OK);
    ck_assert_uint_eq(last_audit.requestor_number, 3);
    tear_down();
}
END_TEST

START_TEST(what_is_published_tells_what_a_token_may_not_do_at_all)
{
    struct weir_credential lister;

    set_up(true);
    lister = issued(&office, NULL, json("{'id':'lister','scope':{'ops':['list-access-tokens']}}"));
    ck_assert_int_eq(admit(&lister, WEIR_LIST_ACCESS_TOKENS), WEIR_OK);
    ck_assert_int_eq(admit(&lister, WEIR_ISSUE_ACCESS_TOKEN), WEIR_ERROR_DENIED);
    ck_assert_int_eq(last_audit.reason, WEIR_OP_NOT_PERMITTED);
    ck_assert_uint_eq(last_audit.requestor_number, 2);
    ck_assert_str_eq(last_error.message, "issue-access-token: op_not_permitted");
    tear_down();
}
END_TEST

TCase *admit_cases(void)
{
    TCase *tcase = tcase_create("admit");

    tcase_add_loop_test(tcase, whoever_has_a_living_token_is_admitted, 0, 2);
    tcase_add_loop_test(tcase, whoever_is_revoked_is_not, 0, 2);
    tcase_add_test(tcase, what_is_published_tells_what_a_token_may_not_do_at_all);
    return tcase;
}
