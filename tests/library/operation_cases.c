/* operation_cases.c - the 24 operations, as the specification lists them. */
#include "library/vocabulary_cases.h"

#include <string.h>

#include <weir/operation.h>

#include "library/support.h"

/* Written out from the specification, not taken from the header. */
static const struct row {
    int number;
    enum weir_operation operation;
    const char *name;
    const char *group;
    const char *access;
    enum weir_target target;
} rows[] = {
    {1, WEIR_LIST_BASINS, "list-basins", "account", "read", WEIR_TARGET_NONE},
    {2, WEIR_CREATE_BASIN, "create-basin", "account", "write", WEIR_TARGET_BASIN},
    {3, WEIR_DELETE_BASIN, "delete-basin", "account", "write", WEIR_TARGET_BASIN},
    {4, WEIR_RECONFIGURE_BASIN, "reconfigure-basin", "account", "write", WEIR_TARGET_BASIN},
    {5, WEIR_GET_BASIN_CONFIG, "get-basin-config", "account", "read", WEIR_TARGET_BASIN},
    {6, WEIR_ISSUE_ACCESS_TOKEN, "issue-access-token", "account", "write",
     WEIR_TARGET_ACCESS_TOKEN},
    {7, WEIR_REVOKE_ACCESS_TOKEN, "revoke-access-token", "account", "write",
     WEIR_TARGET_ACCESS_TOKEN},
    {8, WEIR_LIST_ACCESS_TOKENS, "list-access-tokens", "account", "read", WEIR_TARGET_NONE},
    {9, WEIR_LIST_STREAMS, "list-streams", "basin", "read", WEIR_TARGET_BASIN},
    {10, WEIR_CREATE_STREAM, "create-stream", "basin", "write", WEIR_TARGET_STREAM},
    {11, WEIR_DELETE_STREAM, "delete-stream", "basin", "write", WEIR_TARGET_STREAM},
    {12, WEIR_GET_STREAM_CONFIG, "get-stream-config", "basin", "read", WEIR_TARGET_STREAM},
    {13, WEIR_RECONFIGURE_STREAM, "reconfigure-stream", "basin", "write", WEIR_TARGET_STREAM},
    {14, WEIR_CHECK_TAIL, "check-tail", "stream", "read", WEIR_TARGET_STREAM},
    {15, WEIR_APPEND, "append", "stream", "write", WEIR_TARGET_STREAM},
    {16, WEIR_READ, "read", "stream", "read", WEIR_TARGET_STREAM},
    {17, WEIR_TRIM, "trim", "stream", "write", WEIR_TARGET_STREAM},
    {18, WEIR_FENCE, "fence", "stream", "write", WEIR_TARGET_STREAM},
    {19, WEIR_ACCOUNT_METRICS, "account-metrics", "account", "read", WEIR_TARGET_NONE},
    {20, WEIR_BASIN_METRICS, "basin-metrics", "basin", "read", WEIR_TARGET_BASIN},
    {21, WEIR_STREAM_METRICS, "stream-metrics", "stream", "read", WEIR_TARGET_STREAM},
    {22, WEIR_LIST_LOCATIONS, "list-locations", "account", "read", WEIR_TARGET_NONE},
    {23, WEIR_GET_DEFAULT_LOCATION, "get-default-location", "account", "read", WEIR_TARGET_NONE},
    {24, WEIR_SET_DEFAULT_LOCATION, "set-default-location", "account", "write", WEIR_TARGET_NONE},
};

/* Numbers that are no operation, of every sort that a careless caller could pass. */
static const int no_operations[] = {0, -1, 25, 26, 63, 64, 255, 0x7fffffff};

START_TEST(every_operation_has_the_number_name_and_target_of_the_specification)
{
    ck_assert_uint_eq(COUNT(rows), WEIR_OPERATION_COUNT);
    for (size_t i = 0; i < COUNT(rows); i++) {
        ck_assert_int_eq(rows[i].number, (int)i + 1);
        ck_assert_int_eq(rows[i].operation, rows[i].number);
        ck_assert_str_eq(weir_operation_name(rows[i].operation), rows[i].name);
        ck_assert_int_eq(weir_operation_target(rows[i].operation), rows[i].target);
    }
}
END_TEST

START_TEST(every_name_is_read_back_as_its_operation)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum weir_operation operation = (enum weir_operation)0;

        ck_assert(weir_operation_parse(text_of(rows[i].name), &operation));
        ck_assert_int_eq(operation, rows[i].number);
    }
}
END_TEST

START_TEST(nothing_but_the_very_name_is_an_operation)
{
    static const struct weir_text bad[] = {
        {NULL, 0},           {"", 0},           {"unknown", 7}, {"Read", 4},
        {"READ", 4},         {"rea", 3},        {"read ", 5},   {" read", 5},
        {"read\0", 5},       {"reads", 5},      {"16", 2},      {"list_basins", 11},
        {"listbasins", 10},  {"account", 7},    {"stream", 6},  {"WEIR_READ", 9},
        {"check-tai\0", 10}, {"re\xc3\xa9", 4},
    };

    for (size_t i = 0; i < COUNT(bad); i++) {
        enum weir_operation operation = WEIR_FENCE;

        ck_assert_msg(!weir_operation_parse(bad[i], &operation), "case %zu", i);
        ck_assert_int_eq(operation, WEIR_FENCE);
    }
}
END_TEST

START_TEST(a_number_that_is_no_operation_is_called_unknown_and_has_no_target)
{
    for (size_t i = 0; i < COUNT(no_operations); i++) {
        enum weir_operation operation = (enum weir_operation)no_operations[i];

        ck_assert_str_eq(weir_operation_name(operation), "unknown");
        ck_assert_int_eq(weir_operation_target(operation), WEIR_TARGET_NONE);
    }
}
END_TEST

START_TEST(the_set_of_all_operations_has_bits_1_to_24)
{
    weir_operations all = 0;

    for (size_t i = 0; i < COUNT(rows); i++) {
        ck_assert_uint_eq(WEIR_OPERATION_BIT(rows[i].operation), UINT64_C(1) << (i + 1));
        all |= WEIR_OPERATION_BIT(rows[i].operation);
    }
    ck_assert_uint_eq(all, WEIR_OPERATIONS_ALL);
}
END_TEST

START_TEST(each_group_and_access_holds_the_operations_of_the_specification)
{
    for (unsigned group = 0; group < 3; group++) {
        for (unsigned access = 0; access < 2; access++) {
            weir_operations expected = 0;

            for (size_t i = 0; i < COUNT(rows); i++) {
                if (strcmp(rows[i].group, weir_group_name((enum weir_group)group)) == 0 &&
                    strcmp(rows[i].access, weir_access_name((enum weir_access)access)) == 0) {
                    expected |= WEIR_OPERATION_BIT(rows[i].number);
                }
            }
            ck_assert_uint_eq(
                weir_group_operations((enum weir_group)group, (enum weir_access)access), expected);
            ck_assert_uint_ne(expected, 0);
        }
    }
}
END_TEST

START_TEST(groups_and_accesses_that_do_not_exist_are_empty_and_unknown)
{
    static const int bad[] = {-1, 3, 4, 1000};

    for (size_t i = 0; i < COUNT(bad); i++) {
        ck_assert_uint_eq(weir_group_operations((enum weir_group)bad[i], WEIR_ACCESS_READ), 0);
        ck_assert_uint_eq(weir_group_operations(WEIR_GROUP_BASIN, (enum weir_access)bad[i]), 0);
        ck_assert_str_eq(weir_group_name((enum weir_group)bad[i]), "unknown");
        ck_assert_str_eq(weir_access_name((enum weir_access)bad[i]), "unknown");
    }
    ck_assert_str_eq(weir_access_name((enum weir_access)2), "unknown");
    ck_assert_uint_eq(weir_group_operations(WEIR_GROUP_BASIN, (enum weir_access)2), 0);
}
END_TEST

START_TEST(groups_and_accesses_are_called_as_tokens_spell_them)
{
    ck_assert_str_eq(weir_group_name(WEIR_GROUP_ACCOUNT), "account");
    ck_assert_str_eq(weir_group_name(WEIR_GROUP_BASIN), "basin");
    ck_assert_str_eq(weir_group_name(WEIR_GROUP_STREAM), "stream");
    ck_assert_str_eq(weir_access_name(WEIR_ACCESS_READ), "read");
    ck_assert_str_eq(weir_access_name(WEIR_ACCESS_WRITE), "write");
}
END_TEST

START_TEST(the_operations_of_a_target_are_those_with_that_target)
{
    for (unsigned target = 0; target < 5; target++) {
        weir_operations expected = 0;

        for (size_t i = 0; i < COUNT(rows); i++) {
            if (rows[i].target == target) {
                expected |= WEIR_OPERATION_BIT(rows[i].number);
            }
        }
        ck_assert_uint_eq(weir_target_operations((enum weir_target)target), expected);
    }
}
END_TEST

TCase *operation_cases(void)
{
    TCase *cases = tcase_create("operations");

    tcase_add_test(cases, every_operation_has_the_number_name_and_target_of_the_specification);
    tcase_add_test(cases, every_name_is_read_back_as_its_operation);
    tcase_add_test(cases, nothing_but_the_very_name_is_an_operation);
    tcase_add_test(cases, a_number_that_is_no_operation_is_called_unknown_and_has_no_target);
    tcase_add_test(cases, the_set_of_all_operations_has_bits_1_to_24);
    tcase_add_test(cases, each_group_and_access_holds_the_operations_of_the_specification);
    tcase_add_test(cases, groups_and_accesses_that_do_not_exist_are_empty_and_unknown);
    tcase_add_test(cases, groups_and_accesses_are_called_as_tokens_spell_them);
    tcase_add_test(cases, the_operations_of_a_target_are_those_with_that_target);
    return cases;
}
