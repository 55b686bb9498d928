/* What SPEC section 7 says of issuing. */
#include "authority_cases.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

/* An issuer of tokens whose ids begin with "team/", for streams below "a/" in basins "b…", that
 * expires at second 1796000000. */
static struct weir_credential issuer(void)
{
    return issued(&office, NULL,
                  json("{'id':'issuer','expires_at':'2026-11-30T00:53:20Z','scope':{"
                       "'basins':{'prefix':'b'},'streams':{'prefix':'a/'},"
                       "'access_tokens':{'prefix':'team/'},'op_groups':{'stream':{'read':true}},"
                       "'ops':['issue-access-token','list-access-tokens']}}"));
}

START_TEST(the_answer_carries_a_secret_that_is_nowhere_else)
{
    struct weir_issued made;
    struct weir_text text;
    uint8_t digest[WEIR_DIGEST_SIZE];
    char command[1024];

    ck_assert_int_eq(
        issue(&office, &office.root, json("{'id':'x','scope':{'ops':['list-basins']}}"), &made),
        WEIR_OK);
    text = (struct weir_text){made.credential.text, strlen(made.credential.text)};
    ck_assert(weir_credential_well_formed(text));
    ck_assert(weir_credential_digest(text, digest));
    office_close(&office);
    (void)snprintf(command, sizeof command, "grep -rqF -- '%s' '%s'", text.bytes + 5,
                   office.folder);
    ck_assert_int_ne(system(command), 0);
    (void)snprintf(command, sizeof command, "grep -rqF -- 'list-basins' '%s'", office.folder);
    ck_assert_int_eq(system(command), 0); /* so it would have been found */
}
END_TEST

START_TEST(of_several_faults_the_first_check_tells)
{
    struct weir_credential by = issuer();
    struct weir_credential none = {"weir_nothing"};
    struct weir_credential reader =
        issued(&office, NULL, json("{'id':'reader','scope':{'ops':['read']}}"));
    const struct {
        const struct weir_credential *by;
        const char *declaration;
        enum weir_status status;
    } cases[] = {
        /* the credential */
        {&none, "not json", WEIR_ERROR_CREDENTIAL},
        /* the operation in any scope */
        {&reader, "not json", WEIR_ERROR_DENIED},
        /* a well-formed body with valid names */
        {&by, "not json", WEIR_ERROR_SYNTAX},
        {&by, "{'id':'other','scope':{},'unknown':1}", WEIR_ERROR_SCHEMA},
        {&by, "{'id':'other','scopes':[{},{'basins':{'exact':'B'}}]}", WEIR_ERROR_NAME},
        {&by, "{'id':'','scope':{}}", WEIR_ERROR_NAME},
        {&by, "{'id':'other','scope':{'ops':['fly']}}", WEIR_ERROR_OPERATION},
        {&by, "{'id':'other','scope':{},'credential_digest':null}", WEIR_ERROR_SCHEMA},
        /* issuing that id */
        {&by, "{'id':'other','scope':{}}", WEIR_ERROR_DENIED},
        /* permissions, auto-prefix, expiry */
        {&by, "{'id':'team/x','scope':{}}", WEIR_ERROR_PERMISSION},
        {&by, "{'id':'team/x','auto_prefix_streams':true,'scope':{'ops':['append']}}",
         WEIR_ERROR_PERMISSION},
        {&by, "{'id':'team/x','expires_at':'2026-01-01T00:00:00Z','scope':{'ops':['append']}}",
         WEIR_ERROR_EXPIRY},
        {&by, "{'id':'team/x','expires_at':'2027-01-01T00:00:00Z','scope':{'ops':['append']}}",
         WEIR_ERROR_EXPIRY},
        /* containment */
        {&by, "{'id':'team/taken','scope':{'ops':['append']}}", WEIR_ERROR_DENIED},
        /* whether the id is taken */
        {&by, "{'id':'team/taken','scope':{'ops':['read']}}", WEIR_ERROR_DUPLICATE},
        {&by, "{'id':'team/free','scope':{'ops':['read']}}", WEIR_OK},
    };

    (void)issued(&office, NULL, json("{'id':'team/taken','scope':{'ops':['read']}}"));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum weir_status status =
            issue(&office, cases[i].by, json("%s", cases[i].declaration), NULL);

        ck_assert_msg(status == cases[i].status, "case %zu: %s %s", i, weir_status_name(status),
                      last_error.message);
    }
}
END_TEST

START_TEST(a_denial_tells_its_reason)
{
    struct weir_credential by = issuer();

    ck_issue(&office, &by, json("{'id':'other','scope':{'ops':['read']}}"), WEIR_ERROR_DENIED);
    ck_assert_int_eq(last_audit.reason, WEIR_ACCESS_TOKEN_OUT_OF_SCOPE);
    ck_assert_ptr_nonnull(strstr(last_error.message, "access_token_out_of_scope"));
    ck_assert(last_audit.requestor_id_length == 6 &&
              memcmp(last_audit.requestor_id, "issuer", 6) == 0);
    ck_assert(last_audit.token_id_length == 5 && memcmp(last_audit.token_id, "other", 5) == 0);
    ck_issue(&office, &by, json("{'id':'team/x','scope':{'ops':['append']}}"), WEIR_ERROR_DENIED);
    ck_assert_int_eq(last_audit.reason, WEIR_ALLOWED);
}
END_TEST

START_TEST(the_default_expiry_is_the_requestors)
{
    struct weir_credential by = issuer();
    struct weir_issued made;

    ck_assert_int_eq(issue(&office, &by, json("{'id':'team/x','scope':{'ops':['read']}}"), &made),
                     WEIR_OK);
    ck_assert(made.expires && made.expires_at.seconds == 1796000000);
    ck_assert_int_eq(issue(&office, &by,
                           json("{'id':'team/y','expires_at':null,'scope':{'ops':['read']}}"),
                           &made),
                     WEIR_OK);
    ck_assert(made.expires && made.expires_at.seconds == 1796000000);
    ck_assert_int_eq(issue(&office, NULL, json("{'id':'z','scope':{'ops':['read']}}"), &made),
                     WEIR_OK);
    ck_assert(!made.expires);
}
END_TEST

START_TEST(an_expiry_lies_in_the_future_and_not_after_the_requestors)
{
    struct weir_credential by = issuer();

    ck_issue(&office, &by,
             json("{'id':'team/1','expires_at':'2026-11-30T00:53:20.000000001Z',"
                  "'scope':{'ops':['read']}}"),
             WEIR_ERROR_EXPIRY);
    ck_issue(&office, &by,
             json("{'id':'team/1','expires_at':'2026-11-30T00:53:20Z','scope':{'ops':['read']}}"),
             WEIR_OK);
    /* The clock says 2026-11-18T11:06:40Z. */
    ck_issue(&office, &by,
             json("{'id':'team/2','expires_at':'2026-11-18T11:06:40Z','scope':{'ops':['read']}}"),
             WEIR_ERROR_EXPIRY);
    ck_issue(&office, &by,
             json("{'id':'team/2','expires_at':'2026-11-18T11:06:40.000000001Z',"
                  "'scope':{'ops':['read']}}"),
             WEIR_OK);
}
END_TEST

/* In the transaction that commits, the clock has gone on. */
static void expire_at_the_second_reading(struct office *at)
{
    if (__atomic_load_n(&at->clock_reads, __ATOMIC_RELAXED) == 2) {
        at->now.seconds = 1796000000;
    }
}

START_TEST(a_requestor_that_expires_meanwhile_issues_nothing)
{
    struct weir_credential by = issuer();

    office.clock_reads = 0;
    office_on_clock(&office, expire_at_the_second_reading);
    ck_issue(&office, &by, json("{'id':'team/x','scope':{'ops':['read']}}"), WEIR_ERROR_CREDENTIAL);
    office_on_clock(&office, NULL);
    ck_assert_uint_eq(office.clock_reads, 2);
    ck_assert_str_eq(page(&office, NULL, "team/", "", 0), "");
}
END_TEST

/* Another thread revokes the issuer while memory is asked for: it succeeds as soon as the lock is
 * free, which is before the transaction that commits. */
static struct {
    pthread_t thread;
    bool begun;
    bool done;
} revoking;

static _Thread_local bool is_revoker;

static void *revoke_the_issuer(void *at)
{
    is_revoker = true;
    ck_assert_int_eq(revoke_token(at, NULL, "issuer"), WEIR_OK);
    __atomic_store_n(&revoking.done, true, __ATOMIC_RELEASE);
    return NULL;
}

static bool revoke_meanwhile(struct office *at)
{
    const struct timespec pause = {.tv_nsec = 1000000};

    if (is_revoker) {
        return true;
    }
    if (!revoking.begun) {
        revoking.begun = true;
        ck_assert_int_eq(pthread_create(&revoking.thread, NULL, revoke_the_issuer, at), 0);
    }
    for (unsigned i = 0; i < 100 && !__atomic_load_n(&revoking.done, __ATOMIC_ACQUIRE); i++) {
        (void)nanosleep(&pause, NULL);
    }
    return true;
}

START_TEST(a_requestor_that_is_revoked_meanwhile_issues_nothing)
{
    struct weir_credential by = issuer();
    const struct weir_requestor who = requestor(&by);
    struct weir_issued made;

    office.clock_reads = 0;
    office_on_memory(&office, revoke_meanwhile);
    ck_assert_int_eq(weir_authority_issue(office.authority, &who,
                                          json("{'id':'team/x','scope':{'ops':['read']}}"), &made,
                                          NULL, NULL),
                     WEIR_ERROR_CREDENTIAL);
    ck_assert_int_eq(pthread_join(revoking.thread, NULL), 0);
    office_on_memory(&office, NULL);
    ck_assert_str_eq(page(&office, NULL, "", "", 0), " root");
}
END_TEST

START_TEST(every_issue_gets_a_number_never_used_before)
{
    struct weir_text declaration = json("{'id':'x','scope':{'ops':['read']}}");
    uint64_t last = 0;

    for (unsigned i = 0; i < 20; i++) {
        struct weir_issued made;

        ck_assert_int_eq(issue(&office, NULL, declaration, &made), WEIR_OK);
        ck_assert_uint_gt(made.issue_number, last);
        last = made.issue_number;
        ck_issue(&office, NULL, declaration, WEIR_ERROR_DUPLICATE);
        ck_assert_int_eq(revoke_token(&office, NULL, "x"), WEIR_OK);
        if (i % 5 == 0) {
            office_close(&office);
            office_open(&office);
        }
    }
}
END_TEST

START_TEST(an_id_whose_token_has_expired_is_free)
{
    struct weir_issued first;
    struct weir_issued second;
    struct weir_text declaration =
        json("{'id':'x','expires_at':'2026-11-19T00:00:00Z','scope':{'ops':['read']}}");

    ck_assert_int_eq(issue(&office, NULL, declaration, &first), WEIR_OK);
    office.now = first.expires_at;
    ck_assert_int_eq(issue(&office, NULL, json("{'id':'x','scope':{'ops':['read']}}"), &second),
                     WEIR_OK);
    ck_assert_uint_gt(second.issue_number, first.issue_number);
    ck_assert_uint_eq(second.sequence, first.sequence + 2); /* the old one was removed */
    /* Also where the clock steps back. */
    office.now.seconds -= 1000;
    ck_issue(&office, &first.credential, json("{'id':'y','scope':{'ops':['read']}}"),
             WEIR_ERROR_CREDENTIAL);
    ck_assert_str_eq(page(&office, NULL, "x", "", 0), " x");
}
END_TEST

START_TEST(a_child_of_an_issuer_with_auto_prefix_is_relative_to_its_prefix)
{
    struct weir_credential by =
        issued(&office, NULL,
               json("{'id':'issuer','auto_prefix_streams':true,'scope':{'basins':{'prefix':''},"
                    "'streams':{'prefix':'p/'},'access_tokens':{'prefix':''},"
                    "'op_groups':{'account':{'read':true,'write':true},'stream':{'read':true}}}}"));

    ck_issue(&office, &by,
             json("{'id':'x','scope':{'basins':{'prefix':''},'streams':{'exact':'s'},"
                  "'ops':['read']}}"),
             WEIR_OK);
    ck_assert_ptr_nonnull(strstr(page_json(&office, NULL, "x"), "\"streams\":{\"exact\":\"p/s\"}"));
    ck_assert_ptr_nonnull(strstr(page_json(&office, &by, "x"), "\"streams\":{\"exact\":\"s\"}"));
    /* What lies outside is not shown. */
    ck_issue(&office, NULL, json("{'id':'other','scope':{'streams':{'exact':'q'},'ops':['read']}}"),
             WEIR_OK);
    ck_assert_ptr_nonnull(strstr(page_json(&office, &by, "other"), "\"streams\":null"));
    /* All of them are not what it may give but as it has it. */
    ck_issue(&office, &by, json("{'id':'all','scope':{'streams':{'prefix':''},'ops':['read']}}"),
             WEIR_ERROR_DENIED);
    ck_issue(&office, &by,
             json("{'id':'all','auto_prefix_streams':true,'scope':{'streams':{'prefix':''},"
                  "'ops':['read']}}"),
             WEIR_OK);
}
END_TEST

START_TEST(credentials_that_are_wrong_are_all_refused_alike)
{
    struct weir_credential revoked =
        issued(&office, NULL, json("{'id':'r','scope':{'ops':['list-access-tokens']}}"));
    struct weir_credential expired = issued(&office, NULL,
                                            json("{'id':'e','expires_at':'2026-11-19T00:00:00Z',"
                                                 "'scope':{'ops':['list-access-tokens']}}"));
    struct weir_credential unknown;
    const struct weir_credential cases[] = {revoked, expired, {""}, {"weir_"}, {"root"}};
    struct weir_error first;

    ck_assert_int_eq(weir_credential_draw(&unknown, NULL), WEIR_OK);
    ck_assert_str_eq(page(&office, &revoked, "", "", 0), "");
    ck_assert_int_eq(revoke_token(&office, NULL, "r"), WEIR_OK);
    office.now.seconds += 24 * 3600;
    ck_assert_str_eq(page(&office, &unknown, "", "", 0), "credential");
    first = last_error;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_str_eq(page(&office, &cases[i], "", "", 0), "credential");
        ck_assert_mem_eq(&last_error, &first, sizeof first);
        ck_issue(&office, &cases[i], json("{}"), WEIR_ERROR_CREDENTIAL);
        ck_assert_str_eq(last_error.message, first.message);
        ck_assert_int_eq(revoke_token(&office, &cases[i], "root"), WEIR_ERROR_CREDENTIAL);
        ck_assert_str_eq(last_error.message, first.message);
    }
}
END_TEST

TCase *issue_cases(void)
{
    TCase *cases = tcase_create("issuing");

    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, the_answer_carries_a_secret_that_is_nowhere_else);
    tcase_add_test(cases, of_several_faults_the_first_check_tells);
    tcase_add_test(cases, a_denial_tells_its_reason);
    tcase_add_test(cases, the_default_expiry_is_the_requestors);
    tcase_add_test(cases, an_expiry_lies_in_the_future_and_not_after_the_requestors);
    tcase_add_test(cases, a_requestor_that_expires_meanwhile_issues_nothing);
    tcase_add_test(cases, a_requestor_that_is_revoked_meanwhile_issues_nothing);
    tcase_add_test(cases, every_issue_gets_a_number_never_used_before);
    tcase_add_test(cases, an_id_whose_token_has_expired_is_free);
    tcase_add_test(cases, a_child_of_an_issuer_with_auto_prefix_is_relative_to_its_prefix);
    tcase_add_test(cases, credentials_that_are_wrong_are_all_refused_alike);
    return cases;
}
