/* E6: tokens that were resolved, and what becomes of them. */
#include <stdio.h>
#include <string.h>

#include "library/support.h"
#include "live/guarantee_cases.h"
#include "live/recipes.h"

static const struct recipe in_image = {"a", .version = 1, .issue_number = 1, .credential = 1};

/* An engine whose token "a", with credential 1, is the image's, or its own. */
struct subject {
    struct weir_image *image;
    struct weir_engine *engine;
};

static struct subject subject_make(bool own)
{
    struct subject subject = {.image = compile_recipes(&in_image, own ? 0 : 1, 0)};

    subject.engine = engine_on(subject.image, NULL);
    if (own) {
        ck_assert_int_eq(issue_token(subject.engine, in_image), WEIR_OK);
    }
    return subject;
}

static void subject_free(struct subject *subject)
{
    weir_engine_close(subject->engine);
    weir_image_close(subject->image);
}

START_TEST(E6_what_was_resolved_by_credential_denies_for_ever_once_revoked)
{
    struct subject subject = subject_make(_i == 1);
    struct weir_resolved resolved = resolve_by_credential(subject.engine, 1);
    struct weir_resolved idle = resolved;

    ck_assert_int_eq(ask_resolved(subject.engine, &resolved, 1), WEIR_ALLOWED);
    ck_assert_int_eq(revoke_token(subject.engine, "a"), WEIR_OK);
    ck_assert_int_eq(ask_resolved(subject.engine, &resolved, 1), WEIR_UNKNOWN_TOKEN);
    ck_assert_int_eq(
        issue_token(subject.engine,
                    (struct recipe){"a", .version = 1, .issue_number = 2, .credential = 1}),
        WEIR_OK);
    ck_assert_int_eq(ask_by_credential(subject.engine, 1, 1), WEIR_ALLOWED);
    ck_assert_int_eq(ask_resolved(subject.engine, &resolved, 1), WEIR_UNKNOWN_TOKEN);
    ck_assert_int_eq(ask_resolved(subject.engine, &idle, 1), WEIR_UNKNOWN_TOKEN);
    subject_free(&subject);
}
END_TEST

START_TEST(E6_what_was_resolved_by_credential_denies_once_another_number_has_its_place)
{
    struct subject subject = subject_make(_i == 1);
    struct weir_resolved resolved = resolve_by_credential(subject.engine, 1);

    ck_assert_int_eq(ask_resolved(subject.engine, &resolved, 1), WEIR_ALLOWED);
    ck_assert_int_eq(
        replace_token(subject.engine,
                      (struct recipe){"a", .version = 1, .issue_number = 2, .credential = 1}),
        WEIR_OK);
    ck_assert_int_eq(ask_resolved(subject.engine, &resolved, 1), WEIR_UNKNOWN_TOKEN);
    subject_free(&subject);
}
END_TEST

START_TEST(E6_what_was_resolved_by_credential_is_no_token_without_that_credential)
{
    struct subject subject = subject_make(_i == 1);
    struct weir_resolved resolved = resolve_by_credential(subject.engine, 1);

    ck_assert_int_eq(
        replace_token(subject.engine,
                      (struct recipe){"a", .version = 1, .issue_number = 1, .credential = 2}),
        WEIR_OK);
    ck_assert_int_eq(ask_resolved(subject.engine, &resolved, 1), WEIR_UNKNOWN_TOKEN);
    ck_assert_int_eq(
        replace_token(subject.engine, (struct recipe){"a", .version = 1, .issue_number = 1}),
        WEIR_OK);
    ck_assert_int_eq(ask_resolved(subject.engine, &resolved, 1), WEIR_UNKNOWN_TOKEN);
    subject_free(&subject);
}
END_TEST

START_TEST(E6_what_was_resolved_by_credential_follows_changes_under_its_number)
{
    struct subject subject = subject_make(_i == 1);
    struct weir_resolved resolved = resolve_by_credential(subject.engine, 1);

    ck_assert_int_eq(
        replace_token(subject.engine,
                      (struct recipe){"a", .version = 2, .issue_number = 1, .credential = 1}),
        WEIR_OK);
    ck_assert_int_eq(ask_resolved(subject.engine, &resolved, 1), WEIR_STREAM_OUT_OF_SCOPE);
    ck_assert_int_eq(ask_resolved(subject.engine, &resolved, 2), WEIR_ALLOWED);
    subject_free(&subject);
}
END_TEST

START_TEST(E6_what_was_resolved_by_credential_and_seen_expired_denies_for_ever)
{
    struct subject subject = subject_make(_i == 1);
    struct weir_resolved resolved;
    struct weir_resolved unaware;

    ck_assert_int_eq(
        replace_token(subject.engine,
                      (struct recipe){"a", .version = 1, .issue_number = 1, .credential = 1,
                                      .expires_at = NOW_SECONDS + 10}),
        WEIR_OK);
    resolved = resolve_by_credential(subject.engine, 1);
    unaware = resolved;
    ck_assert_int_eq(ask_resolved(subject.engine, &resolved, 1), WEIR_ALLOWED);
    ck_assert_int_eq(
        ask_resolved_at(subject.engine, &resolved, 1, (struct weir_instant){NOW_SECONDS + 10, 0}),
        WEIR_EXPIRED);
    /* The clock steps back. */
    ck_assert_int_eq(ask_resolved(subject.engine, &resolved, 1), WEIR_EXPIRED);
    ck_assert_int_eq(ask_resolved(subject.engine, &unaware, 1), WEIR_ALLOWED);
    /* The id lives again, without an end. */
    ck_assert_int_eq(revoke_token(subject.engine, "a"), WEIR_OK);
    ck_assert_int_eq(
        issue_token(subject.engine,
                    (struct recipe){"a", .version = 1, .issue_number = 9, .credential = 1}),
        WEIR_OK);
    ck_assert_int_eq(ask_resolved(subject.engine, &resolved, 1), WEIR_EXPIRED);
    ck_assert_int_eq(ask_resolved(subject.engine, &unaware, 1), WEIR_UNKNOWN_TOKEN);
    subject_free(&subject);
}
END_TEST

START_TEST(E6_what_was_resolved_by_id_follows_the_id)
{
    struct subject subject = subject_make(_i == 1);
    struct weir_resolved resolved = resolve(subject.engine, "a");
    const struct weir_instant later = {NOW_SECONDS + 10, 0};

    for (unsigned version = 2; version < 8; version++) {
        ck_assert_int_eq(
            replace_token(subject.engine,
                          (struct recipe){"a", .version = version, .issue_number = version,
                                          .expires_at = NOW_SECONDS + 10}),
            WEIR_OK);
        ck_assert_int_eq(ask_resolved(subject.engine, &resolved, version), WEIR_ALLOWED);
        ck_assert_int_eq(ask_resolved_at(subject.engine, &resolved, version, later), WEIR_EXPIRED);
        ck_assert_int_eq(ask_resolved(subject.engine, &resolved, version), WEIR_ALLOWED);
        ck_assert_int_eq(revoke_token(subject.engine, "a"), WEIR_OK);
        ck_assert_int_eq(ask_resolved(subject.engine, &resolved, version), WEIR_UNKNOWN_TOKEN);
        ck_assert_int_eq(
            issue_token(subject.engine,
                        (struct recipe){"a", .version = 50, .issue_number = 100 + version}),
            WEIR_OK);
        ck_assert_int_eq(ask_resolved(subject.engine, &resolved, 50), WEIR_ALLOWED);
    }
    subject_free(&subject);
}
END_TEST

START_TEST(E6_an_id_may_be_resolved_before_it_has_a_token)
{
    struct weir_engine *engine = engine_on(NULL, NULL);
    struct weir_resolved resolved;
    char long_id[WEIR_TOKEN_ID_MAX + 2] = {0};

    ck_assert(!weir_engine_resolve(engine, text_of("a"), &resolved));
    ck_assert_int_eq(ask_resolved(engine, &resolved, 1), WEIR_UNKNOWN_TOKEN);
    ck_assert_int_eq(issue_token(engine, (struct recipe){"a", .version = 1}), WEIR_OK);
    ck_assert_int_eq(ask_resolved(engine, &resolved, 1), WEIR_ALLOWED);
    for (size_t i = 0; i < sizeof long_id - 1; i++) {
        long_id[i] = 'x';
    }
    ck_assert(!weir_engine_resolve(engine, text_of(long_id), &resolved));
    ck_assert(!weir_engine_resolve(engine, text_of(""), &resolved));
    weir_engine_close(engine);
}
END_TEST

START_TEST(E6_swaps_and_growing_indexes_leave_resolved_tokens_what_they_stand_for)
{
    struct subject subject = subject_make(_i == 1);
    struct weir_resolved by_id = resolve(subject.engine, "a");
    struct weir_resolved by_credential = resolve_by_credential(subject.engine, 1);

    for (unsigned round = 0; round < 3; round++) {
        struct weir_image *image = NULL;

        for (unsigned i = 0; i < 100; i++) {
            char id[16];

            (void)snprintf(id, sizeof id, "other%u/%u", round, i);
            ck_assert_int_eq(issue_token(subject.engine, (struct recipe){id, .version = 1}),
                             WEIR_OK);
            ck_assert_int_eq(ask_resolved(subject.engine, &by_id, 1), WEIR_ALLOWED);
            ck_assert_int_eq(ask_resolved(subject.engine, &by_credential, 1), WEIR_ALLOWED);
        }
        ck_assert_int_eq(weir_engine_compact(subject.engine, NOW, 0, NULL, &image, NULL), WEIR_OK);
        ck_assert_int_eq(swap_image(subject.engine, image), WEIR_OK);
        weir_image_close(subject.image);
        subject.image = image;
        ck_assert_int_eq(ask_resolved(subject.engine, &by_id, 1), WEIR_ALLOWED);
        ck_assert_int_eq(ask_resolved(subject.engine, &by_credential, 1), WEIR_ALLOWED);
    }
    ck_assert_int_eq(swap_image(subject.engine, NULL), WEIR_OK);
    ck_assert_int_eq(ask_resolved(subject.engine, &by_id, 1), WEIR_UNKNOWN_TOKEN);
    ck_assert_int_eq(ask_resolved(subject.engine, &by_credential, 1), WEIR_UNKNOWN_TOKEN);
    subject_free(&subject);
}
END_TEST

START_TEST(E6_number_zero_tells_no_two_tokens_of_a_file_apart)
{
    const struct recipe recipe = {"a", .version = 1, .credential = 1};
    struct weir_engine *engine = engine_on(NULL, NULL);
    struct weir_resolved resolved;

    ck_assert_int_eq(issue_token(engine, recipe), WEIR_OK);
    resolved = resolve_by_credential(engine, 1);
    ck_assert_int_eq(revoke_token(engine, "a"), WEIR_OK);
    ck_assert_int_eq(ask_resolved(engine, &resolved, 1), WEIR_UNKNOWN_TOKEN);
    ck_assert_int_eq(issue_token(engine, recipe), WEIR_OK);
    ck_assert_int_eq(ask_resolved(engine, &resolved, 1), WEIR_ALLOWED);
    weir_engine_close(engine);
}
END_TEST

START_TEST(E6_what_no_token_can_have_is_resolved_to_none_whatever_was_resolved_before)
{
    const struct recipe recipe = {"a", .version = 1, .credential = 1};
    struct weir_engine *engine = engine_on(NULL, NULL);
    const uint8_t nobodys[WEIR_DIGEST_SIZE] = {1};
    char long_id[WEIR_TOKEN_ID_MAX + 1];
    const struct weir_text impossible[] = {{"", 0}, {long_id, sizeof long_id}};
    struct weir_resolved resolved;

    memset(long_id, 'a', sizeof long_id);
    ck_assert_int_eq(issue_token(engine, recipe), WEIR_OK);
    for (size_t i = 0; i < COUNT(impossible); i++) {
        ck_assert(weir_engine_resolve(engine, text_of("a"), &resolved));
        ck_assert(!weir_engine_resolve(engine, impossible[i], &resolved));
        ck_assert_int_eq(ask_resolved(engine, &resolved, 1), WEIR_UNKNOWN_TOKEN);
    }
    ck_assert(weir_engine_resolve(engine, text_of("a"), &resolved));
    ck_assert(!weir_engine_resolve_by_digest(engine, nobodys, &resolved));
    ck_assert_int_eq(ask_resolved(engine, &resolved, 1), WEIR_UNKNOWN_TOKEN);
    weir_engine_close(engine);
}
END_TEST

TCase *resolved_cases(void)
{
    TCase *cases = tcase_create("resolved");

    tcase_add_test(cases,
                   E6_what_no_token_can_have_is_resolved_to_none_whatever_was_resolved_before);

    tcase_add_loop_test(cases, E6_what_was_resolved_by_credential_denies_for_ever_once_revoked, 0,
                        2);
    tcase_add_loop_test(
        cases, E6_what_was_resolved_by_credential_denies_once_another_number_has_its_place, 0, 2);
    tcase_add_loop_test(
        cases, E6_what_was_resolved_by_credential_is_no_token_without_that_credential, 0, 2);
    tcase_add_loop_test(cases, E6_what_was_resolved_by_credential_follows_changes_under_its_number,
                        0, 2);
    tcase_add_loop_test(cases, E6_what_was_resolved_by_credential_and_seen_expired_denies_for_ever,
                        0, 2);
    tcase_add_loop_test(cases, E6_what_was_resolved_by_id_follows_the_id, 0, 2);
    tcase_add_test(cases, E6_an_id_may_be_resolved_before_it_has_a_token);
    tcase_add_loop_test(
        cases, E6_swaps_and_growing_indexes_leave_resolved_tokens_what_they_stand_for, 0, 2);
    tcase_add_test(cases, E6_number_zero_tells_no_two_tokens_of_a_file_apart);
    return cases;
}
