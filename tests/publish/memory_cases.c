/* P4, F9: no memory, and what is refused. */
#include <stdio.h>
#include <stdlib.h>

#include "library/support.h"
#include "publish/guarantee_cases.h"
#include "publish/stage.h"

/* A directory with three tokens, of a snapshot and of the journal, and what is done there. */
struct setting {
    struct stage stage;
    struct counting_allocator counting;
    struct weir_follower *follower;
    struct weir_compiled_token *large;
    struct state before; /* of the publisher's engine */
};

static void setting_make(struct setting *setting)
{
    struct weir_follower_options options = {.retired_max = 1};
    struct stage *stage = &setting->stage;

    stage_make(stage);
    counting_allocator_start(&setting->counting);
    stage->options.allocator = &setting->counting.allocator;
    options.allocator = &setting->counting.allocator;
    stage_create_anew(stage, &(struct recipe){"a", .version = 1, .credential = 1}, 1, 0);
    ck_assert_int_eq(weir_follower_open(stage->path, &options, &setting->follower, NULL), WEIR_OK);
    ck_assert_int_eq(publish_issue(stage, (struct recipe){"b", .version = 1, .credential = 2}),
                     WEIR_OK);
    ck_assert_int_eq(publish_compact(stage), WEIR_OK);
    ck_assert_int_eq(publish_issue(stage, (struct recipe){"c", .version = 1, .credential = 3}),
                     WEIR_OK);
    setting->large = compile_large("d", 1500);
    ck_assert_int_eq(publish_block(stage, setting->large), WEIR_OK);
    setting->before = state_of(weir_publisher_engine(stage->publisher));
}

static void setting_free(struct setting *setting)
{
    setting->counting.fails_at = 0;
    free(setting->large);
    weir_follower_close(setting->follower);
    stage_remove(&setting->stage);
    counting_allocator_expect_balance(&setting->counting);
}

typedef enum weir_status doing(struct setting *setting, struct weir_error *error);

static enum weir_status open_follower(struct setting *setting, struct weir_error *error)
{
    struct weir_follower_options options = {.allocator = &setting->counting.allocator};
    struct weir_follower *follower = NULL;
    enum weir_status status = weir_follower_open(setting->stage.path, &options, &follower, error);

    ck_assert_int_eq(follower != NULL, status == WEIR_OK);
    weir_follower_close(follower);
    return status;
}

static enum weir_status poll_follower(struct setting *setting, struct weir_error *error)
{
    return weir_follower_poll(setting->follower, weir_clocks_now().boot, 0, error);
}

static enum weir_status adopt(struct setting *setting, struct weir_error *error)
{
    return weir_follower_adopt(setting->follower, error);
}

static enum weir_status issue(struct setting *setting, struct weir_error *error)
{
    struct weir_compiled_token *token =
        compile_recipe((struct recipe){"e", .version = 5, .credential = 5});
    enum weir_status status = weir_publisher_issue(setting->stage.publisher, token, NULL, error);

    free(token);
    return status;
}

static enum weir_status compact(struct setting *setting, struct weir_error *error)
{
    return weir_publisher_compact(setting->stage.publisher, NOW, error);
}

static enum weir_status create_elsewhere(struct setting *setting, struct weir_error *error)
{
    struct stage elsewhere;
    struct weir_publisher *publisher = NULL;
    enum weir_status status = WEIR_OK;

    stage_make(&elsewhere);
    status =
        weir_publisher_create(elsewhere.path, NULL, &setting->stage.options, &publisher, error);
    ck_assert_int_eq(publisher != NULL, status == WEIR_OK);
    weir_publisher_close(publisher);
    stage_remove(&elsewhere);
    return status;
}

static enum weir_status resume_copy(struct setting *setting, struct weir_error *error)
{
    struct weir_publisher *publisher = NULL;
    enum weir_status status = WEIR_OK;
    char path[512];

    shell(&setting->stage, "rm -rf \"$F/copy\" && cp -a \"$D\" \"$F/copy\"");
    (void)snprintf(path, sizeof path, "%s/copy", setting->stage.folder);
    status = weir_publisher_resume(path, &setting->stage.options, &publisher, error);
    ck_assert_int_eq(publisher != NULL, status == WEIR_OK);
    weir_publisher_close(publisher);
    return status;
}

static doing *const doings[] = {open_follower, poll_follower,    adopt,      issue,
                                compact,       create_elsewhere, resume_copy};

/* Allocation N fails, alone or with all after it. */
START_TEST(P4_F9_without_memory_nothing_is_changed_and_nothing_lost)
{
    doing *does = doings[_i / 2];
    struct setting setting;
    enum weir_status status = WEIR_ERROR_MEMORY;
    size_t fails = 1;
    size_t files = 0;

    setting_make(&setting);
    files = open_files();
    for (; status != WEIR_OK; fails++) {
        struct weir_error error = {0};
        struct state after;

        setting.counting.fails_at = setting.counting.calls + fails;
        setting.counting.fails_ever_after = _i % 2 == 1;
        status = does(&setting, &error);
        setting.counting.fails_at = 0;
        setting.counting.fails_ever_after = false;
        if (status == WEIR_OK) {
            break;
        }
        ck_assert_int_eq(status, WEIR_ERROR_MEMORY);
        expect_error(&error, status);
        ck_assert_uint_eq(open_files(), files);
        after = state_of(weir_publisher_engine(setting.stage.publisher));
        ck_assert(states_equal(&setting.before, &after));
        ck_assert_uint_eq(weir_publisher_sequence(setting.stage.publisher), 3);
        ck_assert_uint_le(sequence_of(setting.follower), 3);
        ck_assert_uint_lt(fails, 500);
    }
    ck_assert_uint_gt(fails, 1);
    ck_assert_int_eq(poll(&setting.stage, setting.follower), WEIR_OK);
    expect_current(&setting.stage, setting.follower);
    setting_free(&setting);
}
END_TEST

START_TEST(P4_revoking_takes_no_memory)
{
    struct setting setting;
    size_t calls = 0;

    setting_make(&setting);
    calls = setting.counting.calls;
    for (unsigned i = 0; i < 4; i++) {
        const char id[] = {(char)('a' + (int)i), '\0'};

        ck_assert_int_eq(publish_revoke(&setting.stage, id), WEIR_OK);
    }
    ck_assert_uint_eq(setting.counting.calls, calls);
    ck_assert_int_eq(poll(&setting.stage, setting.follower), WEIR_OK);
    expect_current(&setting.stage, setting.follower);
    setting_free(&setting);
}
END_TEST

START_TEST(P4_a_change_that_is_refused_has_published_nothing)
{
    struct setting setting;
    struct weir_compiled_token *absent = compile_recipe((struct recipe){"x", .version = 1});
    struct state after;

    setting_make(&setting);
    ck_assert_int_eq(publish_issue(&setting.stage, (struct recipe){"a", .version = 2}),
                     WEIR_ERROR_DUPLICATE);
    ck_assert_int_eq(
        publish_issue(&setting.stage, (struct recipe){"x", .version = 2, .credential = 3}),
        WEIR_ERROR_DUPLICATE);
    ck_assert_int_eq(
        publish_put(&setting.stage, (struct recipe){"a", .version = 2, .credential = 3}),
        WEIR_ERROR_DUPLICATE);
    ck_assert_int_eq(weir_publisher_replace(setting.stage.publisher, absent, NULL, NULL),
                     WEIR_ERROR_NOT_FOUND);
    ck_assert_int_eq(publish_revoke(&setting.stage, "x"), WEIR_ERROR_NOT_FOUND);
    ck_assert_int_eq(publish_revoke(&setting.stage, ""), WEIR_ERROR_NOT_FOUND);
    after = state_of(weir_publisher_engine(setting.stage.publisher));
    ck_assert(states_equal(&setting.before, &after));
    ck_assert_uint_eq(weir_publisher_sequence(setting.stage.publisher), 3);
    free(absent);
    setting_free(&setting);
}
END_TEST

TCase *memory_cases(void)
{
    TCase *cases = tcase_create("memory");

    tcase_add_loop_test(cases, P4_F9_without_memory_nothing_is_changed_and_nothing_lost, 0,
                        2 * (int)COUNT(doings));
    tcase_add_test(cases, P4_revoking_takes_no_memory);
    tcase_add_test(cases, P4_a_change_that_is_refused_has_published_nothing);
    return cases;
}
