/*
 * test_memory.c - memory that runs out in any public call: an error that changes nothing and loses
 * nothing. With `--list` it prints the functions that it calls, which public_functions.py compares
 * with the headers.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faults/memory.h"

/* How memory fails: by the allocator or by malloc, once or for good. */
struct manner {
    bool by_malloc;
    bool for_good;
};

static void arm(struct world *world, struct manner manner, size_t fails_at)
{
    failing_malloc = (struct failing_malloc){0};
    if (manner.by_malloc) {
        failing_malloc.fails_at = fails_at;
        failing_malloc.fails_ever_after = manner.for_good;
        failing_malloc.watches = true;
    } else {
        world->counting.fails_at = fails_at == 0 ? 0 : world->counting.calls + fails_at;
        world->counting.fails_ever_after = manner.for_good;
    }
}

static void disarm(struct world *world)
{
    failing_malloc.watches = false;
    world->counting.fails_at = 0;
    world->counting.fails_ever_after = false;
}

void demand(bool holds)
{
    if (!holds) {
        failing_malloc.watches = false;
        ck_abort_msg("a call does not do what it says");
    }
}

/* Of libc's own that it keeps: the first call of some of its functions, in any world. */
static void warm_up(const struct call *call, struct manner manner)
{
    struct world world;

    world_make(&world, manner.by_malloc);
    ck_assert_int_eq(call->run(&world, NULL), WEIR_OK);
    world_remove(&world);
}

/* The world is as it was, and has not a byte more. */
static void expect_unchanged(const struct call *call, struct world *world, uint64_t state,
                             size_t bytes, size_t fails_at)
{
    if (call->peculiarity == GOES_ON) {
        return;
    }
    if (world->counting.bytes != bytes || failing_malloc.blocks != 0) {
        ck_abort_msg("%s, without allocation %zu, loses memory", call->function, fails_at);
    }
    if (world_state(world) != state) {
        ck_abort_msg("%s, without allocation %zu, changes something", call->function, fails_at);
    }
}

/* What libc takes for itself is the system's refusal, in its words. */
static bool is_want_of_memory(enum weir_status status, const struct weir_error *error,
                              struct manner manner)
{
    return status == WEIR_ERROR_MEMORY || (manner.by_malloc && status == WEIR_ERROR_IO &&
                                           strstr(error->message, strerror(ENOMEM)) != NULL);
}

/* Runs the call with that allocation failing. Returns whether one did. */
static bool run_without(const struct call *call, struct world *world, uint64_t state,
                        struct manner manner, size_t fails_at, enum weir_status *status)
{
    struct weir_error error = {0};
    size_t bytes = world->counting.bytes;
    size_t asked = world->counting.calls;

    arm(world, manner, fails_at);
    *status = call->run(world, &error);
    disarm(world);
    asked = manner.by_malloc ? failing_malloc.calls : world->counting.calls - asked;
    if (*status != WEIR_OK) {
        if (!is_want_of_memory(*status, &error, manner)) {
            ck_abort_msg("%s, without allocation %zu: %s: %s", call->function, fails_at,
                         weir_status_name(*status), error.message);
        }
        expect_error(&error, *status);
        expect_unchanged(call, world, state, bytes, fails_at);
    }
    return asked >= fails_at;
}

/* Allocation 1 fails, then 2, …, until the call asks for no more. It may do without some (where it
 * tidies up, for one). Returns how many failed. */
static size_t fail_each(const struct call *call, struct manner manner)
{
    struct world world;
    uint64_t state = 0;
    size_t fails_at = 0;
    bool was_asked = true;

    world_make(&world, manner.by_malloc);
    state = world_state(&world);
    while (was_asked) {
        enum weir_status status = WEIR_OK;

        was_asked = run_without(call, &world, state, manner, ++fails_at, &status);
        if (status == WEIR_OK && was_asked) {
            world_remove(&world);
            world_make(&world, manner.by_malloc);
            ck_assert_uint_eq(world_state(&world), state);
        }
    }
    world_remove(&world);
    return fails_at - 1;
}

START_TEST(a_call_without_one_of_its_allocations_has_changed_nothing)
{
    const struct call *call = &calls[_i / 2];
    size_t failed = fail_each(call, (struct manner){false, _i % 2 == 1});

    ck_assert_msg(failed > 0 || call->peculiarity == OF_OTHERS, "%s takes no memory",
                  call->function);
}
END_TEST

/* Likewise where the memory is malloc's, and what libc and jansson take for themselves. */
START_TEST(a_call_for_which_malloc_fails_has_changed_nothing)
{
    const struct call *call = &calls[_i / 2];
    const struct manner manner = {true, _i % 2 == 1};

    if (malloc_can_fail()) {
        warm_up(call, manner);
        ck_assert_msg(fail_each(call, manner) > 0, "%s takes no memory", call->function);
    }
}
END_TEST

static void ignore_name(const char *function)
{
    (void)function;
}

START_TEST(what_is_said_to_take_no_memory_takes_none)
{
    const struct manner manner = {_i == 1, true};
    struct world world;
    size_t taken = 0;

    if (manner.by_malloc && !malloc_can_fail()) {
        return;
    }
    if (manner.by_malloc) {
        world_make(&world, true);
        call_silent(&world, ignore_name);
        world_remove(&world);
    }
    world_make(&world, manner.by_malloc);
    taken = world.counting.calls;
    arm(&world, manner, 1);
    call_silent(&world, ignore_name);
    disarm(&world);
    ck_assert_uint_eq(world.counting.calls, taken);
    ck_assert_uint_eq(failing_malloc.calls, 0);
    world_remove(&world);
}
END_TEST

static void print_name(const char *function)
{
    (void)printf("calls %s\n", function);
}

START_TEST(all_that_is_called_is_listed)
{
    struct world world;

    for (size_t i = 0; i < call_count; i++) {
        print_name(calls[i].function);
    }
    world_make(&world, false);
    call_silent(&world, print_name);
    world_remove(&world);
}
END_TEST

int main(int argc, char **argv)
{
    TCase *cases = tcase_create("memory");
    const int manners = 2 * (int)call_count;

    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        tcase_add_test(cases, all_that_is_called_is_listed);
        return run_cases("faults_memory", &cases, 1);
    }
    tcase_add_loop_test(cases, a_call_without_one_of_its_allocations_has_changed_nothing, 0,
                        manners);
    tcase_add_loop_test(cases, a_call_for_which_malloc_fails_has_changed_nothing, 0, manners);
    tcase_add_loop_test(cases, what_is_said_to_take_no_memory_takes_none, 0, 2);
    return run_cases("faults_memory", &cases, 1);
}
