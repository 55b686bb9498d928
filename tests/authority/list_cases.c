/* What SPEC section 7 says of listing. */
#include "authority_cases.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
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

static void issue_ids(const char *const *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ck_issue(&office, NULL, json("{'id':'%s','scope':{'ops':['read']}}", ids[i]), WEIR_OK);
    }
}

START_TEST(ids_come_in_the_order_of_their_bytes)
{
    const char *const ids[] = {"b", "a/2", "a", "\xc3\xa9", "B", "a/10", "~"};

    issue_ids(ids, COUNT(ids));
    ck_assert_str_eq(page(&office, NULL, "", "", 0), " B a a/10 a/2 b root ~ \xc3\xa9");
    ck_assert_str_eq(page(&office, &office.root, "", "", 0), " B a a/10 a/2 b root ~ \xc3\xa9");
}
END_TEST

START_TEST(prefix_and_start_after_bound_the_page)
{
    const char *const ids[] = {"a", "ab", "ab/1", "ab/2", "ac", "b"};
    const struct {
        const char *prefix;
        const char *start_after;
        uint64_t limit;
        const char *page;
    } cases[] = {
        {"ab", "", 0, " ab ab/1 ab/2"},
        {"ab", "ab", 0, " ab/1 ab/2"},
        {"ab", "ab/1", 0, " ab/2"},
        {"ab", "ab/15", 0, " ab/2"},
        /* smaller than the prefix: starts at the prefix */
        {"ab", "a", 0, " ab ab/1 ab/2"},
        {"ab", "aa", 0, " ab ab/1 ab/2"},
        /* larger than all that begin so */
        {"ab", "ac", 0, ""},
        {"", "ab/2", 0, " ac b root"},
        {"", "", 3, " a ab ab/1 +"},
        {"", "ab/1", 3, " ab/2 ac b +"},
        {"", "b", 1, " root"},
        {"ab", "", 3, " ab ab/1 ab/2"},
        {"zz", "", 1, ""},
        {"", "", 1001, " a ab ab/1 ab/2 ac b root"},
    };

    issue_ids(ids, COUNT(ids));
    for (size_t i = 0; i < COUNT(cases); i++) {
        ck_assert_str_eq(page(&office, NULL, cases[i].prefix, cases[i].start_after, cases[i].limit),
                         cases[i].page);
        ck_assert_str_eq(
            page(&office, &office.root, cases[i].prefix, cases[i].start_after, cases[i].limit),
            cases[i].page);
    }
}
END_TEST

START_TEST(a_page_has_at_most_a_thousand)
{
    char last[16] = "";
    size_t count = 0;

    for (unsigned i = 0; i < 1002; i++) {
        ck_issue(&office, NULL, json("{'id':'t%04u','scope':{'ops':['read']}}", i), WEIR_OK);
    }
    for (const uint64_t *limit = (const uint64_t[]){0, 1000, 1001, UINT64_MAX, 1}; *limit != 1;
         limit++) {
        const char *ids = page(&office, NULL, "t", "", *limit);

        count = 0;
        for (const char *id = strchr(ids, 't'); id != NULL; id = strchr(id + 1, 't')) {
            count++;
        }
        ck_assert_uint_eq(count, 1000);
        ck_assert_str_eq(ids + strlen(ids) - 8, " t0999 +");
    }
    (void)snprintf(last, sizeof last, "t0999");
    ck_assert_str_eq(page(&office, NULL, "t", last, 0), " t1000 t1001");
}
END_TEST

/* Nine tokens of more than a mebibyte each, as they are kept: six are a page. */
START_TEST(a_page_ends_early_where_its_tokens_are_large)
{
    const size_t size = (size_t)960 << 10;
    char *declaration = malloc(size);

    for (unsigned i = 0; i < 9; i++) {
        size_t length = (size_t)snprintf(declaration, size, "{\"id\":\"t%u\",\"scopes\":[", i);

        for (unsigned j = 0; length < size - 600; j++) {
            length += (size_t)snprintf(declaration + length, size - length,
                                       "%s{\"streams\":{\"prefix\":\"%0500u\"},\"ops\":[\"read\"]}",
                                       j == 0 ? "" : ",", j);
        }
        length += (size_t)snprintf(declaration + length, size - length, "]}");
        ck_issue(&office, NULL, ((struct weir_text){declaration, length}), WEIR_OK);
    }
    free(declaration);
    ck_assert_str_eq(page(&office, NULL, "t", "", 0), " t0 t1 t2 t3 t4 t5 +");
    ck_assert_str_eq(page(&office, NULL, "t", "t5", 0), " t6 t7 t8");
    ck_assert_str_eq(page(&office, &office.root, "t", "t0", 0), " t1 t2 t3 t4 t5 t6 +");
}
END_TEST

static bool count_meanwhile(void *context, const struct weir_token *token)
{
    uint64_t *tokens = context;

    (void)token;
    return weir_authority_count(office.authority, (struct weir_text){"", 0}, tokens, NULL) ==
           WEIR_OK;
}

START_TEST(other_calls_do_not_wait_for_a_visitor)
{
    const struct weir_requestor who = requestor(&office.root);
    const struct weir_list_query query = {.limit = 0};
    uint64_t tokens = 0;
    bool has_more = true;

    ck_assert_int_eq(weir_authority_list(office.authority, &who, &query, count_meanwhile, &tokens,
                                         &has_more, NULL, NULL),
                     WEIR_OK);
    ck_assert_uint_eq(tokens, 1);
    ck_assert(!has_more);
}
END_TEST

START_TEST(has_more_is_never_true_with_an_empty_page)
{
    struct weir_credential by =
        issued(&office, NULL,
               json("{'id':'a','expires_at':'2026-11-30T00:00:00Z','scope':{"
                    "'access_tokens':{'prefix':''},'ops':['list-access-tokens']}}"));

    ck_issue(&office, NULL,
             json("{'id':'b','expires_at':'2026-11-19T00:00:00Z','scope':{'ops':['read']}}"),
             WEIR_OK);
    ck_assert_str_eq(page(&office, &by, "", "a", 1), " b +");
    office.now.seconds += 24 * 3600;
    ck_assert_str_eq(page(&office, &by, "", "a", 1), " root");
    ck_assert_str_eq(page(&office, &by, "b", "", 1), "");
    ck_assert_str_eq(page(&office, &by, "", "a", 1), " root");
}
END_TEST

/* Takes as many tokens as there is room for. */
struct room {
    size_t left;
    char ids[64];
};

static bool take_while_there_is_room(void *context, const struct weir_token *token)
{
    struct room *room = context;
    size_t length = strlen(room->ids);

    if (room->left == 0) {
        return false;
    }
    room->left--;
    (void)snprintf(room->ids + length, sizeof room->ids - length, " %.*s", (int)token->id.length,
                   token->id.bytes);
    return true;
}

START_TEST(a_page_ends_before_a_token_that_its_visitor_has_no_room_for)
{
    const char *const ids[] = {"a", "b", "c"};
    const char *const pages[] = {"", " a", " a b", " a b c", " a b c root"};
    const struct weir_requestor requestors[] = {requestor(NULL), requestor(&office.root)};
    const struct weir_list_query query = {.limit = 0};

    issue_ids(ids, COUNT(ids));
    for (size_t i = 0; i < COUNT(pages) * COUNT(requestors); i++) {
        struct room room = {i / 2, ""};
        bool has_more = false;

        ck_assert_int_eq(weir_authority_list(office.authority, &requestors[i % 2], &query,
                                             take_while_there_is_room, &room, &has_more, NULL,
                                             &last_error),
                         WEIR_OK);
        ck_assert_str_eq(room.ids, pages[i / 2]);
        ck_assert_int_eq(has_more, i / 2 < COUNT(pages) - 1);
    }
}
END_TEST

START_TEST(only_ids_within_the_requestors_set_are_listed)
{
    const char *const ids[] = {"a", "ab", "abc", "b", "c/1", "c/2"};
    struct weir_credential none =
        issued(&office, NULL, json("{'id':'none','scope':{'ops':['list-access-tokens']}}"));
    struct weir_credential one = issued(&office, NULL,
                                        json("{'id':'one','scope':{'access_tokens':{'exact':'ab'},"
                                             "'ops':['list-access-tokens']}}"));
    struct weir_credential several =
        issued(&office, NULL,
               json("{'id':'several','scopes':["
                    "{'access_tokens':{'prefix':'c/'},'ops':['list-access-tokens']},"
                    "{'access_tokens':{'exact':'abc'},'ops':['list-access-tokens']},"
                    "{'access_tokens':{'exact':'missing'},'ops':['list-access-tokens']},"
                    "{'access_tokens':{'prefix':'b'},'ops':['read']},"
                    "{'access_tokens':{'exact':'a'},'ops':['list-access-tokens']}]}"));

    issue_ids(ids, COUNT(ids));
    ck_assert_str_eq(page(&office, &none, "", "", 0), "");
    ck_assert_str_eq(page(&office, &one, "", "", 0), " ab");
    ck_assert_str_eq(page(&office, &one, "", "", 1), " ab");
    ck_assert_str_eq(page(&office, &one, "", "ab", 0), "");
    ck_assert_str_eq(page(&office, &one, "abc", "", 0), "");
    ck_assert_str_eq(page(&office, &several, "", "", 0), " a abc c/1 c/2");
    ck_assert_str_eq(page(&office, &several, "", "", 2), " a abc +");
    ck_assert_str_eq(page(&office, &several, "", "abc", 1), " c/1 +");
    ck_assert_str_eq(page(&office, &several, "", "c/1", 1), " c/2");
    ck_assert_str_eq(page(&office, &several, "a", "", 0), " a abc");
    ck_assert_str_eq(page(&office, &several, "c/2", "", 0), " c/2");
}
END_TEST

START_TEST(who_may_not_list_is_denied)
{
    struct weir_credential by = issued(
        &office, NULL, json("{'id':'a','scope':{'access_tokens':{'prefix':''},'ops':['read']}}"));

    ck_assert_str_eq(page(&office, &by, "", "", 0), "denied");
    ck_assert_int_eq(last_audit.reason, WEIR_OP_NOT_PERMITTED);
}
END_TEST

START_TEST(a_prefix_that_no_id_can_have_is_an_error)
{
    char longest[98];

    memset(longest, 'x', 97);
    longest[97] = '\0';
    ck_assert_str_eq(page(&office, &office.root, longest, "", 0), "name");
    ck_assert_str_eq(page(&office, NULL, longest, "", 0), "name");
    ck_assert_str_eq(page(&office, NULL, "", longest, 0), "name");
    ck_assert_str_eq(page(&office, NULL, "\xff", "", 0), "name");
    longest[96] = '\0';
    ck_assert_str_eq(page(&office, NULL, longest, "", 0), "");
}
END_TEST

START_TEST(expired_tokens_are_not_listed)
{
    ck_issue(&office, NULL,
             json("{'id':'x','expires_at':'2026-11-18T11:06:40.000000001Z','scope':{"
                  "'ops':['read']}}"),
             WEIR_OK);
    ck_assert_str_eq(page(&office, NULL, "", "", 0), " root x");
    office.now.nanoseconds = 1;
    ck_assert_str_eq(page(&office, NULL, "", "", 0), " root");
}
END_TEST

START_TEST(a_listed_token_is_printed_in_full_as_it_was_declared)
{
    ck_issue(&office, NULL,
             json("{'id':'x','expires_at':'2027-01-01T01:00:00.5+01:00','scope':{"
                  "'streams':{'exact':''},'basins':{'prefix':''},"
                  "'op_groups':{'stream':{'read':true}},'ops':['read','list-basins','read']}}"),
             WEIR_OK);
    ck_assert_str_eq(
        page_json(&office, NULL, "x"),
        "{\"id\":\"x\",\"expires_at\":\"2027-01-01T00:00:00.5Z\",\"auto_prefix_streams\":false,"
        "\"scope\":{\"basins\":{\"prefix\":\"\"},\"streams\":null,\"access_tokens\":null,"
        "\"op_groups\":{\"account\":{\"read\":false,\"write\":false},"
        "\"basin\":{\"read\":false,\"write\":false},\"stream\":{\"read\":true,\"write\":false}},"
        "\"ops\":[\"list-basins\",\"read\"]}}\n");
    ck_issue(&office, NULL, json("{'id':'y','scopes':[{'ops':['read']},{'ops':['append']}]}"),
             WEIR_OK);
    ck_assert_ptr_nonnull(strstr(page_json(&office, NULL, "y"), "\"scopes\":[{"));
}
END_TEST

TCase *list_cases(void)
{
    TCase *cases = tcase_create("listing");

    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, ids_come_in_the_order_of_their_bytes);
    tcase_add_test(cases, prefix_and_start_after_bound_the_page);
    tcase_add_test(cases, a_page_has_at_most_a_thousand);
    tcase_add_test(cases, a_page_ends_early_where_its_tokens_are_large);
    tcase_add_test(cases, other_calls_do_not_wait_for_a_visitor);
    tcase_add_test(cases, has_more_is_never_true_with_an_empty_page);
    tcase_add_test(cases, a_page_ends_before_a_token_that_its_visitor_has_no_room_for);
    tcase_add_test(cases, only_ids_within_the_requestors_set_are_listed);
    tcase_add_test(cases, who_may_not_list_is_denied);
    tcase_add_test(cases, a_prefix_that_no_id_can_have_is_an_error);
    tcase_add_test(cases, expired_tokens_are_not_listed);
    tcase_add_test(cases, a_listed_token_is_printed_in_full_as_it_was_declared);
    return cases;
}
