/* test_system_calls.c - whatever the system refuses: an error that changes nothing, loses nothing,
 * and is gone when the system's trouble is. */
#include <stdio.h>
#include <string.h>

#include "faults/refusals.h"

static enum weir_status publisher_revoke(struct world *world, struct weir_error *error)
{
    return weir_publisher_revoke(world->stage.publisher, text_of("b"), NULL, error);
}

static enum weir_status save(struct world *world, struct weir_error *error)
{
    return weir_image_save(world->image, world->scratch.path, error);
}

/* Of the calls that take no memory, those that ask the system for something. */
static const struct call other_calls[] = {
    {"weir_publisher_revoke", publisher_revoke, NOTHING_PECULIAR},
    {"weir_image_save", save, NOTHING_PECULIAR},
};

static const struct call *call_of(size_t number)
{
    return number < call_count ? &calls[number] : &other_calls[number - call_count];
}

/* Once the trouble is over: it is done, if it was not before, and whoever follows has all of it. */
static void expect_well(const struct call *call, struct world *world)
{
    struct weir_error error = {0};

    if (call != NULL && call->run(world, &error) != WEIR_OK) {
        ck_abort_msg("%s, after %s failed, tried again: %s", call->function, system_calls.failed,
                     error.message);
    }
    ck_assert_int_eq(poll(&world->stage, world->follower), WEIR_OK);
    expect_current(&world->stage, world->follower);
}

static bool is_the_systems(enum weir_status status, struct manner manner)
{
    (void)manner;
    return status == WEIR_ERROR_IO;
}

static const struct expectation expectation = {is_the_systems, world_state};

/* System call 1 fails, then 2, …, until there are no more; every fifth time it is tried again at
 * once, and in a world made anew. */
static void fail_each(const struct call *call, struct manner manner)
{
    struct world world;
    uint64_t state = 0;
    size_t fails_at = 1;

    world_make(&world, false);
    state = world_state(&world);
    do {
        enum weir_status status = run_refused(call, &world, state, fails_at, manner, &expectation);

        if (status == WEIR_OK || fails_at % 5 == 0) {
            expect_well(status == WEIR_OK ? NULL : call, &world);
            world_remove(&world);
            world_make(&world, false);
        }
    } while (system_calls.calls >= fails_at++);
    world_remove(&world);
}

START_TEST(a_call_to_which_the_system_refuses_something_has_changed_nothing)
{
    fail_each(call_of((size_t)_i / MANNERS), manners[(size_t)_i % MANNERS]);
}
END_TEST

START_TEST(reads_and_writes_that_take_a_part_or_are_interrupted_are_gone_on_with)
{
    const struct call *call = call_of((size_t)_i);
    struct world world;
    struct weir_error error = {0};

    world_make(&world, false);
    system_calls_fail(0, BY_PARTS, 0);
    ck_assert_msg(call->run(&world, &error) == WEIR_OK, "%s, by parts: %s", call->function,
                  error.message);
    system_calls_end();
    ck_assert_int_eq(poll(&world.stage, world.follower), WEIR_OK);
    expect_current(&world.stage, world.follower);
    world_remove(&world);
}
END_TEST

/* A creation over what was published before: it is the old one still, or the new one, whole. */
static bool create_without(size_t fails_at, enum failure how, int number)
{
    struct world world;
    struct weir_error error = {0};
    struct stage *stage = &world.stage;
    enum weir_status status = WEIR_OK;
    uint64_t sequence = 0;

    world_make(&world, false);
    sequence = weir_publisher_sequence(stage->publisher);
    stage_end(stage);
    system_calls_fail(fails_at, how, number);
    status = weir_publisher_create(stage->path, NULL, &stage->options, &stage->publisher, &error);
    system_calls_end();
    if (status != WEIR_OK) {
        ck_assert_int_eq(status, WEIR_ERROR_IO);
        expect_error(&error, status);
        stage_resume(stage);
        if (weir_publisher_sequence(stage->publisher) != 0) {
            ck_assert_uint_eq(weir_publisher_sequence(stage->publisher), sequence);
            ck_assert_int_eq(ask(weir_publisher_engine(stage->publisher), "a", 1), WEIR_ALLOWED);
        } else {
            ck_assert_uint_eq(weir_publisher_usage(stage->publisher).tokens, 0);
        }
    }
    ck_assert_int_eq(poll_later(world.follower, LEASE), WEIR_OK);
    expect_current(stage, world.follower);
    stage_create_anew(stage, NULL, 0, 0);
    ck_assert_int_eq(poll(stage, world.follower), WEIR_OK);
    expect_current(stage, world.follower);
    world_remove(&world);
    return system_calls.calls >= fails_at;
}

START_TEST(a_creation_that_fails_leaves_the_old_directory_or_the_new_one_whole)
{
    size_t fails_at = 1;

    while (create_without(fails_at, manners[_i].how, manners[_i].number)) {
        fails_at++;
    }
    ck_assert_uint_gt(fails_at, 30);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("system calls");
    const int count = (int)(call_count + COUNT(other_calls));

    tcase_add_loop_test(cases, a_call_to_which_the_system_refuses_something_has_changed_nothing, 0,
                        count * MANNERS);
    tcase_add_loop_test(
        cases, reads_and_writes_that_take_a_part_or_are_interrupted_are_gone_on_with, 0, count);
    tcase_add_loop_test(cases, a_creation_that_fails_leaves_the_old_directory_or_the_new_one_whole,
                        0, MANNERS);
    return run_cases("faults_system_calls", &cases, 1);
}
