/* What SPEC section 7 says of revoking. */
#include "authority_cases.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "library/support.h"
#include "office.h"

static struct office office;

static void set_up(void)
{
    office_make(&office, false);
}

static void tear_down(void)
{
    office_remove(&office);
}

static struct weir_credential holder(const char *id, const char *set)
{
    return issued(&office, NULL,
                  json("{'id':'%s','scope':{'access_tokens':%s,"
                       "'ops':['revoke-access-token','list-access-tokens',"
                       "'issue-access-token']}}",
                       id, set));
}

static enum weir_status revoke_prefix(const struct weir_credential *by, const char *prefix,
                                      uint64_t *count)
{
    const struct weir_requestor who = requestor(by);

    last_error = (struct weir_error){0};
    return weir_authority_revoke_prefix(office.authority, &who,
                                        (struct weir_text){prefix, strlen(prefix)}, count,
                                        &last_audit, &last_error);
}

START_TEST(what_is_unknown_revoked_or_expired_is_not_found)
{
    ck_assert_int_eq(revoke_token(&office, &office.root, "x"), WEIR_ERROR_NOT_FOUND);
    ck_issue(&office, NULL,
             json("{'id':'x','expires_at':'2026-11-19T00:00:00Z','scope':{'ops':['read']}}"),
             WEIR_OK);
    ck_assert_int_eq(revoke_token(&office, &office.root, "x"), WEIR_OK);
    ck_assert_uint_gt(last_audit.token_number, 0);
    ck_assert_uint_gt(last_audit.sequence, 0);
    ck_assert_int_eq(revoke_token(&office, &office.root, "x"), WEIR_ERROR_NOT_FOUND);
    ck_issue(&office, NULL,
             json("{'id':'x','expires_at':'2026-11-19T00:00:00Z','scope':{'ops':['read']}}"),
             WEIR_OK);
    office.now.seconds += 24 * 3600;
    ck_assert_int_eq(revoke_token(&office, &office.root, "x"), WEIR_ERROR_NOT_FOUND);
    ck_assert_uint_eq(last_audit.sequence, 0);
    ck_assert_int_eq(revoke_token(&office, &office.root, ".."), WEIR_ERROR_NAME);
    ck_assert_int_eq(revoke_token(&office, NULL, ".."), WEIR_ERROR_NAME);
}
END_TEST

START_TEST(revoking_needs_the_operation_on_that_id)
{
    struct weir_credential by = holder("a", "{'prefix':'team/'}");
    struct weir_credential reader = issued(
        &office, NULL, json("{'id':'r','scope':{'access_tokens':{'prefix':''},'ops':['read']}}"));

    ck_issue(&office, NULL, json("{'id':'team/1','scope':{'ops':['read']}}"), WEIR_OK);
    ck_assert_int_eq(revoke_token(&office, &by, "root"), WEIR_ERROR_DENIED);
    ck_assert_int_eq(last_audit.reason, WEIR_ACCESS_TOKEN_OUT_OF_SCOPE);
    /* Whether there is such a token is not told to who may not revoke it. */
    ck_assert_int_eq(revoke_token(&office, &by, "missing"), WEIR_ERROR_DENIED);
    ck_assert_int_eq(revoke_token(&office, &reader, "team/1"), WEIR_ERROR_DENIED);
    ck_assert_int_eq(last_audit.reason, WEIR_OP_NOT_PERMITTED);
    ck_assert_int_eq(revoke_token(&office, &by, "team/1"), WEIR_OK);
}
END_TEST

START_TEST(a_token_may_revoke_itself)
{
    struct weir_credential by = holder("a", "{'exact':'a'}");

    ck_assert_int_eq(revoke_token(&office, &by, "a"), WEIR_OK);
    ck_assert_int_eq(revoke_token(&office, &by, "a"), WEIR_ERROR_CREDENTIAL);
}
END_TEST

START_TEST(a_credential_belongs_to_its_issue_and_not_to_the_id)
{
    struct weir_credential first = holder("a", "{'prefix':''}");
    struct weir_credential second;

    ck_assert_int_eq(revoke_token(&office, NULL, "a"), WEIR_OK);
    second = holder("a", "{'prefix':''}");
    ck_assert_str_eq(page(&office, &first, "", "", 0), "credential");
    ck_assert_str_eq(page(&office, &second, "", "", 0), " a root");
}
END_TEST

START_TEST(what_has_expired_stays_so_if_the_clock_steps_back)
{
    struct weir_credential by =
        issued(&office, NULL,
               json("{'id':'a','expires_at':'2026-11-19T00:00:00Z','scope':{"
                    "'access_tokens':{'prefix':''},'ops':['list-access-tokens']}}"));

    ck_assert_str_eq(page(&office, &by, "", "", 0), " a root");
    office.now.seconds += 24 * 3600;
    ck_assert_str_eq(page(&office, &by, "", "", 0), "credential");
    office.now.seconds -= 24 * 3600;
    ck_assert_str_eq(page(&office, &by, "", "", 0), "credential");
    ck_assert_str_eq(page(&office, NULL, "", "", 0), " root");
}
END_TEST

START_TEST(children_of_a_revoked_token_live_on)
{
    struct weir_credential by = holder("a", "{'prefix':''}");
    struct weir_credential child =
        issued(&office, &by, json("{'id':'c','scope':{'ops':['list-access-tokens']}}"));

    ck_assert_int_eq(revoke_token(&office, NULL, "a"), WEIR_OK);
    ck_assert_str_eq(page(&office, &child, "", "", 0), "");
    ck_assert_str_eq(page(&office, NULL, "", "", 0), " c root");
}
END_TEST

START_TEST(all_that_begin_so_are_revoked_the_requestors_own_last)
{
    struct weir_credential by = holder("team/boss", "{'prefix':'team/'}");
    uint64_t count = 0;

    for (unsigned i = 0; i < 600; i++) {
        ck_issue(&office, NULL, json("{'id':'team/%u','scope':{'ops':['read']}}", i), WEIR_OK);
    }
    ck_issue(&office, NULL, json("{'id':'team','scope':{'ops':['read']}}"), WEIR_OK);
    ck_assert_int_eq(
        weir_authority_count(office.authority, (struct weir_text){"team/", 5}, &count, NULL),
        WEIR_OK);
    ck_assert_uint_eq(count, 601);
    ck_assert_int_eq(revoke_prefix(&by, "team", &count), WEIR_ERROR_DENIED);
    ck_assert_uint_eq(count, 0);
    ck_assert_int_eq(revoke_prefix(&by, "team/", &count), WEIR_OK);
    ck_assert_uint_eq(count, 601);
    ck_assert_str_eq(page(&office, NULL, "", "", 0), " root team");
    ck_assert_int_eq(revoke_prefix(NULL, "none", &count), WEIR_OK);
    ck_assert_uint_eq(count, 0);
    ck_assert_int_eq(revoke_prefix(NULL, "", &count), WEIR_OK);
    ck_assert_uint_eq(count, 2);
}
END_TEST

/* One of two that want the same id. */
static void *race(void *context)
{
    static const struct weir_requestor the_operator = {.is_operator = true};
    const struct weir_text declaration = WEIR_TEXT("{\"id\":\"x\",\"scope\":{\"ops\":[\"read\"]}}");
    struct weir_issued made;

    *(enum weir_status *)context =
        weir_authority_issue(office.authority, &the_operator, declaration, &made, NULL, NULL);
    return NULL;
}

START_TEST(of_two_that_want_one_id_one_gets_it)
{
    for (unsigned round = 0; round < 50; round++) {
        enum weir_status results[2];
        pthread_t threads[2];

        for (unsigned i = 0; i < 2; i++) {
            ck_assert_int_eq(pthread_create(&threads[i], NULL, race, &results[i]), 0);
        }
        for (unsigned i = 0; i < 2; i++) {
            ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
        }
        ck_assert(results[0] == WEIR_OK || results[1] == WEIR_OK);
        ck_assert(results[0] == WEIR_ERROR_DUPLICATE || results[1] == WEIR_ERROR_DUPLICATE);
        ck_assert_int_eq(revoke_token(&office, NULL, "x"), WEIR_OK);
    }
}
END_TEST

TCase *revoke_cases(void)
{
    TCase *cases = tcase_create("revoking");

    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, what_is_unknown_revoked_or_expired_is_not_found);
    tcase_add_test(cases, revoking_needs_the_operation_on_that_id);
    tcase_add_test(cases, a_token_may_revoke_itself);
    tcase_add_test(cases, a_credential_belongs_to_its_issue_and_not_to_the_id);
    tcase_add_test(cases, what_has_expired_stays_so_if_the_clock_steps_back);
    tcase_add_test(cases, children_of_a_revoked_token_live_on);
    tcase_add_test(cases, all_that_begin_so_are_revoked_the_requestors_own_last);
    tcase_add_test(cases, of_two_that_want_one_id_one_gets_it);
    return cases;
}
