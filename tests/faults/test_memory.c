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

/* Calls, and the world that they are made in. */
struct setting {
    const struct call *calls;
    const size_t *call_count;
    void (*make)(struct world *world, bool by_malloc);
    void (*remove)(struct world *world);
    uint64_t (*state)(struct world *world);
    void (*call_silent)(struct world *world, void (*note)(const char *function));
    bool keeps_memory; /* of malloc's, for later */
};

static const struct setting settings[] = {
    {calls, &call_count, world_make, world_remove, world_state, call_silent, false},
    {authority_calls, &authority_call_count, authority_world_make, authority_world_remove,
     authority_world_state, call_authority_silent, true},
};

/* A call of all settings, by its number. */
struct chosen {
    const struct setting *setting;
    const struct call *call;
};

static struct chosen choose(size_t number)
{
    const struct setting *setting = settings;

    while (number >= *setting->call_count) {
        number -= *setting->call_count;
        setting++;
    }
    return (struct chosen){setting, &setting->calls[number]};
}

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
static void warm_up(struct chosen chosen, struct manner manner)
{
    struct world world;

    chosen.setting->make(&world, manner.by_malloc);
    ck_assert_int_eq(chosen.call->run(&world, NULL), WEIR_OK);
    chosen.setting->remove(&world);
}

/* The world is as it was, and has not a byte more. */
static void expect_unchanged(struct chosen chosen, struct world *world, uint64_t state,
                             size_t bytes, size_t fails_at)
{
    const struct call *call = chosen.call;
    bool keeps = chosen.setting->keeps_memory;

    if (call->peculiarity == GOES_ON) {
        return;
    }
    if (world->counting.bytes != bytes || (failing_malloc.blocks != 0 && !keeps)) {
        ck_abort_msg("%s, without allocation %zu, loses memory", call->function, fails_at);
    }
    if (chosen.setting->state(world) != state) {
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

/* A change that is durable was not published while memory was wanting: it is now. */
static void expect_caught_up(struct world *world)
{
    struct weir_authority_standing standing;

    ck_assert_int_eq(weir_authority_maintain(world->authority, NULL), WEIR_OK);
    standing = weir_authority_status(world->authority);
    ck_assert_uint_eq(standing.published, standing.sequence);
}

/* Runs the call with that allocation failing. Returns whether one did. */
static bool run_without(struct chosen chosen, struct world *world, uint64_t state,
                        struct manner manner, size_t fails_at, enum weir_status *status)
{
    const struct call *call = chosen.call;
    struct weir_error error = {0};
    size_t bytes = world->counting.bytes;
    size_t asked = world->counting.calls;

    arm(world, manner, fails_at);
    *status = call->run(world, &error);
    disarm(world);
    asked = manner.by_malloc ? failing_malloc.calls : world->counting.calls - asked;
    if (*status == WEIR_ERROR_UNPUBLISHED && manner.for_good) {
        expect_caught_up(world);
        *status = WEIR_OK;
    }
    if (*status != WEIR_OK) {
        if (!is_want_of_memory(*status, &error, manner)) {
            ck_abort_msg("%s, without allocation %zu: %s: %s", call->function, fails_at,
                         weir_status_name(*status), error.message);
        }
        expect_error(&error, *status);
        expect_unchanged(chosen, world, state, bytes, fails_at);
    }
    return asked >= fails_at;
}

/* Allocation 1 fails, then 2, …, until the call asks for no more. It may do without some (where it
 * tidies up, for one). Returns how many failed. */
static size_t fail_each(struct chosen chosen, struct manner manner)
{
    const struct setting *setting = chosen.setting;
    struct world world;
    uint64_t state = 0;
    size_t fails_at = 0;
    bool was_asked = true;

    setting->make(&world, manner.by_malloc);
    state = setting->state(&world);
    while (was_asked) {
        enum weir_status status = WEIR_OK;

        was_asked = run_without(chosen, &world, state, manner, ++fails_at, &status);
        if (status == WEIR_OK && was_asked) {
            (void)setting->state(&world); /* whole, whatever it is */
            setting->remove(&world);
            setting->make(&world, manner.by_malloc);
            ck_assert_uint_eq(setting->state(&world), state);
        }
    }
    setting->remove(&world);
    return fails_at - 1;
}

START_TEST(a_call_without_one_of_its_allocations_has_changed_nothing)
{
    const struct chosen chosen = choose((size_t)_i / 2);
    size_t failed = fail_each(chosen, (struct manner){false, _i % 2 == 1});

    ck_assert_msg(failed > 0 || chosen.call->peculiarity == OF_OTHERS, "%s takes no memory",
                  chosen.call->function);
}
END_TEST

/* Likewise where the memory is malloc's, and what libc, jansson and SQLite take for themselves. */
START_TEST(a_call_for_which_malloc_fails_has_changed_nothing)
{
    const struct chosen chosen = choose((size_t)_i / 2);
    const struct manner manner = {true, _i % 2 == 1};

    if (malloc_can_fail()) {
        warm_up(chosen, manner);
        ck_assert_msg(fail_each(chosen, manner) > 0, "%s takes no memory", chosen.call->function);
    }
}
END_TEST

static void ignore_name(const char *function)
{
    (void)function;
}

START_TEST(what_is_said_to_take_no_memory_takes_none)
{
    const struct setting *setting = &settings[_i / 2];
    const struct manner manner = {_i % 2 == 1, true};
    struct world world;
    size_t taken = 0;

    if (manner.by_malloc && !malloc_can_fail()) {
        return;
    }
    if (manner.by_malloc) {
        setting->make(&world, true);
        setting->call_silent(&world, ignore_name);
        setting->remove(&world);
    }
    setting->make(&world, manner.by_malloc);
    taken = world.counting.calls;
    arm(&world, manner, 1);
    setting->call_silent(&world, ignore_name);
    disarm(&world);
    ck_assert_uint_eq(world.counting.calls, taken);
    if (!setting->keeps_memory) { /* SQLite may take some, and must do without */
        ck_assert_uint_eq(failing_malloc.calls, 0);
    }
    setting->remove(&world);
}
END_TEST

static void print_name(const char *function)
{
    (void)printf("calls %s\n", function);
}

START_TEST(all_that_is_called_is_listed)
{
    for (size_t i = 0; i < COUNT(settings); i++) {
        const struct setting *setting = &settings[i];
        struct world world;

        for (size_t j = 0; j < *setting->call_count; j++) {
            print_name(setting->calls[j].function);
        }
        setting->make(&world, false);
        setting->call_silent(&world, print_name);
        setting->remove(&world);
    }
}
END_TEST

/* The cases of one setting; `first` calls are of others before it. */
static TCase *cases_of(const char *name, size_t setting, size_t first)
{
    TCase *cases = tcase_create(name);
    const int begin = 2 * (int)first;
    const int end = begin + 2 * (int)*settings[setting].call_count;

    tcase_add_loop_test(cases, a_call_without_one_of_its_allocations_has_changed_nothing, begin,
                        end);
    tcase_add_loop_test(cases, a_call_for_which_malloc_fails_has_changed_nothing, begin, end);
    tcase_add_loop_test(cases, what_is_said_to_take_no_memory_takes_none, 2 * (int)setting,
                        2 * (int)setting + 2);
    return cases;
}

int main(int argc, char **argv)
{
    TCase *cases[] = {NULL, NULL};

    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        cases[0] = tcase_create("list");
        tcase_add_test(cases[0], all_that_is_called_is_listed);
        return run_cases("faults_memory", cases, 1);
    }
    cases[0] = cases_of("memory", 0, 0);
    cases[1] = cases_of("authority", 1, call_count);
    return run_cases("faults_memory", cases, COUNT(cases));
}
