/* word_cases.c - stable codes and the words for them. */
#include "library/vocabulary_cases.h"

#include <weir/decision.h>
#include <weir/error.h>

#include "library/support.h"

struct row {
    int number;
    int constant;
    const char *word;
};

START_TEST(statuses_keep_their_numbers_and_words)
{
    static const struct row rows[] = {
        {0, WEIR_OK, "ok"},
        {1, WEIR_ERROR_MEMORY, "memory"},
        {2, WEIR_ERROR_ARGUMENT, "argument"},
        {3, WEIR_ERROR_SYNTAX, "syntax"},
        {4, WEIR_ERROR_SCHEMA, "schema"},
        {5, WEIR_ERROR_NAME, "name"},
        {6, WEIR_ERROR_OPERATION, "operation"},
        {7, WEIR_ERROR_PERMISSION, "permission"},
        {8, WEIR_ERROR_DUPLICATE, "duplicate"},
        {9, WEIR_ERROR_LIMIT, "limit"},
        {10, WEIR_ERROR_IO, "io"},
        {11, WEIR_ERROR_NOT_IMAGE, "not_image"},
        {12, WEIR_ERROR_VERSION, "version"},
        {13, WEIR_ERROR_TRUNCATED, "truncated"},
        {14, WEIR_ERROR_CHECKSUM, "checksum"},
        {15, WEIR_ERROR_DAMAGED, "damaged"},
        {16, WEIR_ERROR_NOT_FOUND, "not_found"},
        {17, WEIR_ERROR_BUSY, "busy"},
        {18, WEIR_ERROR_OWNER, "owner"},
        {19, WEIR_ERROR_CREDENTIAL, "credential"},
        {20, WEIR_ERROR_DENIED, "denied"},
        {21, WEIR_ERROR_EXPIRY, "expiry"},
        {22, WEIR_ERROR_BEHIND, "behind"},
        {23, WEIR_ERROR_UNPUBLISHED, "unpublished"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        ck_assert_int_eq(rows[i].constant, rows[i].number);
        ck_assert_str_eq(weir_status_name((enum weir_status)rows[i].number), rows[i].word);
    }
    ck_assert_str_eq(weir_status_name((enum weir_status)COUNT(rows)), "unknown");
    ck_assert_str_eq(weir_status_name((enum weir_status) - 1), "unknown");
}
END_TEST

START_TEST(reasons_keep_their_numbers_and_the_words_of_the_specification)
{
    static const struct row rows[] = {
        {0, WEIR_STALE, "stale"},
        {1, WEIR_UNKNOWN_TOKEN, "unknown_token"},
        {2, WEIR_EXPIRED, "expired"},
        {3, WEIR_INVALID_NAME, "invalid_name"},
        {4, WEIR_OP_NOT_PERMITTED, "op_not_permitted"},
        {5, WEIR_BASIN_OUT_OF_SCOPE, "basin_out_of_scope"},
        {6, WEIR_STREAM_OUT_OF_SCOPE, "stream_out_of_scope"},
        {7, WEIR_ACCESS_TOKEN_OUT_OF_SCOPE, "access_token_out_of_scope"},
        {8, WEIR_ALLOWED, "allowed"},
    };

    ck_assert_uint_eq(COUNT(rows), WEIR_REASON_COUNT);
    for (size_t i = 0; i < COUNT(rows); i++) {
        ck_assert_int_eq(rows[i].constant, rows[i].number);
        ck_assert_str_eq(weir_reason_name((enum weir_reason)rows[i].number), rows[i].word);
    }
    ck_assert_str_eq(weir_reason_name((enum weir_reason)WEIR_REASON_COUNT), "unknown");
    ck_assert_str_eq(weir_reason_name((enum weir_reason) - 1), "unknown");
}
END_TEST

START_TEST(only_the_reason_allowed_allows)
{
    for (int number = -1; number <= WEIR_REASON_COUNT + 1; number++) {
        struct weir_decision decision = {.reason = (enum weir_reason)number};

        ck_assert_int_eq(weir_allowed(decision), number == WEIR_ALLOWED);
    }
    ck_assert(!weir_allowed((struct weir_decision){0}));
}
END_TEST

TCase *word_cases(void)
{
    TCase *cases = tcase_create("words");

    tcase_add_test(cases, statuses_keep_their_numbers_and_words);
    tcase_add_test(cases, reasons_keep_their_numbers_and_the_words_of_the_specification);
    tcase_add_test(cases, only_the_reason_allowed_allows);
    return cases;
}
