/* What a requestor may have of workers, places and memory, and that all get their turn. */
#include "serve/lane.h"

#include <check.h>
#include <stdlib.h>

#include "library/support.h"

#define LANES 6
#define JOBS 20
#define MANY 2000

/* Jobs that end when they may. */
struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t begun[LANES]; /* of each lane */
    size_t refused[LANES];
    size_t may_end[LANES]; /* so many of each lane */
};

struct gated_job {
    struct job job; /* first */
    struct gate *gate;
    size_t lane;
    struct lane *own; /* that is left once it has run, or NULL */
};

static struct lanes lanes;
static struct gate gate;
static struct gated_job jobs[LANES][JOBS];
static struct lane *entered[LANES];

static void set_up(size_t bytes, size_t waiting)
{
    gate = (struct gate){.may_end = {0}};
    (void)pthread_mutex_init(&gate.lock, NULL);
    (void)pthread_cond_init(&gate.changed, NULL);
    lanes_init(&lanes, bytes, waiting);
    for (size_t i = 0; i < LANES; i++) {
        entered[i] = lane_enter(&lanes, i + 1);
    }
}

static void tear_down(void)
{
    for (size_t i = 0; i < LANES; i++) {
        lane_leave(entered[i]);
    }
    ck_assert(TAILQ_EMPTY(&lanes.all));
    lanes_fini(&lanes);
    (void)pthread_cond_destroy(&gate.changed);
    (void)pthread_mutex_destroy(&gate.lock);
}

static void run_gated(struct job *job, bool refused)
{
    struct gated_job *gated = (struct gated_job *)job;
    struct gate *its = gated->gate;
    size_t order = 0;

    (void)pthread_mutex_lock(&its->lock);
    if (refused) {
        its->refused[gated->lane]++;
    } else {
        order = its->begun[gated->lane]++;
        (void)pthread_cond_broadcast(&its->changed);
        while (order >= its->may_end[gated->lane]) {
            (void)pthread_cond_wait(&its->changed, &its->lock);
        }
    }
    (void)pthread_mutex_unlock(&its->lock);
}

/* How many of so many jobs are taken. */
static size_t call(size_t lane, size_t count)
{
    size_t taken = 0;

    for (size_t i = 0; i < count; i++) {
        jobs[lane][i] = (struct gated_job){.job = {.run = run_gated}, .gate = &gate, .lane = lane};
        taken += lane_call(entered[lane], &jobs[lane][i].job);
    }
    return taken;
}

/* Waits until so many of a lane have begun. */
static void await(size_t lane, size_t begun)
{
    (void)pthread_mutex_lock(&gate.lock);
    while (gate.begun[lane] < begun) {
        (void)pthread_cond_wait(&gate.changed, &gate.lock);
    }
    (void)pthread_mutex_unlock(&gate.lock);
}

static void let_end(size_t lane, size_t count)
{
    (void)pthread_mutex_lock(&gate.lock);
    gate.may_end[lane] = count;
    (void)pthread_cond_broadcast(&gate.changed);
    (void)pthread_mutex_unlock(&gate.lock);
}

static size_t begun(size_t lane)
{
    size_t count = 0;

    (void)pthread_mutex_lock(&gate.lock);
    count = gate.begun[lane];
    (void)pthread_mutex_unlock(&gate.lock);
    return count;
}

static void stop(void)
{
    lanes_close(&lanes);
    lanes_stop(&lanes);
    ck_assert_uint_eq(lanes.waiting, 0);
}

START_TEST(whoever_comes_next_finds_a_worker)
{
    const size_t share[LANES] = {WORKERS / 2, WORKERS / 4, WORKERS / 8, 1, 0, 0};

    set_up(0, 1000);
    ck_assert(lanes_start(&lanes));
    for (size_t i = 0; i < LANES; i++) {
        ck_assert_uint_eq(call(i, JOBS), JOBS);
        await(i, share[i]);
    }
    for (size_t i = 0; i < LANES; i++) {
        ck_assert_uint_eq(begun(i), share[i]);
    }
    for (size_t i = 0; i < LANES; i++) {
        let_end(i, JOBS);
    }
    for (size_t i = 0; i < LANES; i++) {
        await(i, JOBS);
    }
    stop();
    tear_down();
}
END_TEST

START_TEST(who_has_fewest_calls_at_work_goes_first_and_then_by_turns)
{
    set_up(0, 1000);
    ck_assert(lanes_start(&lanes));
    for (size_t i = 0; i < 4; i++) {
        ck_assert_uint_eq(call(i, JOBS), JOBS);
        await(i, i < 2 ? WORKERS / 2 >> i : 1);
    }
    ck_assert_uint_eq(call(4, 2), 2);
    ck_assert_uint_eq(call(5, 2), 2);
    let_end(0, 1);
    await(4, 1);
    ck_assert_uint_eq(begun(0), WORKERS / 2);
    ck_assert_uint_eq(begun(5), 0);
    let_end(0, 2);
    await(5, 1);
    ck_assert_uint_eq(begun(4), 1);
    let_end(0, WORKERS / 2); /* two are idle: one is for whoever has less than two at work */
    await(0, WORKERS / 2 + 1);
    let_end(1, 1);
    await(1, WORKERS / 4 + 1);
    ck_assert_uint_eq(begun(0), WORKERS / 2 + 1);
    for (size_t i = 0; i < LANES; i++) {
        let_end(i, JOBS);
    }
    for (size_t i = 0; i < LANES; i++) {
        await(i, i < 4 ? JOBS : 2);
    }
    stop();
    tear_down();
}
END_TEST

static void await_idle(size_t workers)
{
    size_t idle = 0;

    do {
        (void)pthread_mutex_lock(&lanes.lock);
        idle = lanes.idle;
        (void)pthread_mutex_unlock(&lanes.lock);
    } while (idle != workers);
}

/* Of eight workers two each work for three. One ends: the worker goes to whose turn it is, and who
 * has less than others then may have another that was idle. */
START_TEST(what_ends_may_let_two_begin)
{
    ck_assert_uint_eq(WORKERS, 8);
    set_up(0, 1000);
    ck_assert(lanes_start(&lanes));
    for (size_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(call(i, JOBS), JOBS);
        await(i, 4 >> i);
    }
    let_end(0, 1);
    await(2, 2);
    let_end(0, 2);
    await_idle(2);
    let_end(2, 1);
    await(0, 5);
    await(2, 3);
    ck_assert_uint_eq(begun(1), 2);
    for (size_t i = 0; i < 3; i++) {
        let_end(i, JOBS);
    }
    for (size_t i = 0; i < 3; i++) {
        await(i, JOBS);
    }
    stop();
    tear_down();
}
END_TEST

START_TEST(whoever_comes_next_finds_a_place_to_wait)
{
    const size_t places[LANES] = {5, 3, 1, 1, 0, 0};

    set_up(0, 10);
    for (size_t i = 0; i < LANES; i++) {
        ck_assert_uint_eq(call(i, JOBS), places[i]);
    }
    lanes_close(&lanes);
    for (size_t i = 0; i < LANES; i++) {
        ck_assert_uint_eq(gate.refused[i], places[i]);
    }
    ck_assert_uint_eq(call(5, 1), 0);
    stop();
    tear_down();
}
END_TEST

START_TEST(the_end_refuses_those_that_wait_and_waits_for_the_others)
{
    set_up(0, 1000);
    ck_assert(lanes_start(&lanes));
    ck_assert_uint_eq(call(0, JOBS), JOBS);
    await(0, WORKERS / 2);
    lanes_close(&lanes);
    ck_assert_uint_eq(gate.refused[0], JOBS - WORKERS / 2);
    let_end(0, WORKERS / 2);
    lanes_stop(&lanes);
    ck_assert_uint_eq(gate.begun[0], WORKERS / 2);
    tear_down();
}
END_TEST

START_TEST(one_has_half_of_the_memory_and_two_have_a_third_each)
{
    size_t held[2] = {0, 0};

    set_up(60, 0);
    ck_assert(!lane_take(entered[0], 31));
    ck_assert(lane_take(entered[0], 30));
    ck_assert(!lane_take(entered[0], 1));
    ck_assert(lane_take(entered[1], 15));
    ck_assert(!lane_take(entered[1], 1));
    lane_give_back(entered[0], 30);
    lane_give_back(entered[1], 15);
    for (size_t i = 0; i < 60; i++) {
        held[i % 2] += lane_take(entered[i % 2], 1);
    }
    ck_assert_uint_eq(held[0], 20);
    ck_assert_uint_eq(held[1], 20);
    ck_assert_uint_eq(lanes_bytes(&lanes), 40);
    ck_assert(lane_take(NULL, 1000));
    lane_give_back(NULL, 1000);
    ck_assert(!lane_take(entered[2], SIZE_MAX));
    lane_give_back(entered[0], 20);
    lane_give_back(entered[1], 20);
    tear_down();
}
END_TEST

/* Memory goes to whoever asks, as the rule says and no other way. */
START_TEST(memory_is_given_as_the_rule_says)
{
    struct random random = {.state = 7};
    size_t held[LANES] = {0};
    size_t all = 0;

    set_up(1000, 0);
    for (size_t round = 0; round < 1000000; round++) {
        size_t lane = random_below(&random, LANES);
        size_t size = 1 + random_below(&random, 300);

        if (random_below(&random, 2) == 0 && held[lane] > 0) {
            size = 1 + random_below(&random, held[lane]);
            lane_give_back(entered[lane], size);
            held[lane] -= size;
            all -= size;
        } else {
            bool fits = all + size + held[lane] + size <= 1000;

            if (lane_take(entered[lane], size) != fits) {
                ck_abort_msg("%zu of %zu, %zu more", held[lane], all, size);
            }
            held[lane] += fits ? size : 0;
            all += fits ? size : 0;
        }
        if (lanes_bytes(&lanes) != all) {
            ck_abort_msg("%zu are held", all);
        }
    }
    for (size_t i = 0; i < LANES; i++) {
        lane_give_back(entered[i], held[i]);
    }
    tear_down();
}
END_TEST

START_TEST(a_lane_lasts_as_long_as_its_memory)
{
    struct lane *lane = NULL;
    struct lane *other = NULL;

    set_up(100, 0);
    lane = lane_enter(&lanes, 77);
    other = lane_enter(&lanes, 50);
    ck_assert_ptr_ne(other, lane);
    lane_leave(other);
    ck_assert_ptr_eq(lane_enter(&lanes, 77), lane);
    ck_assert(lane_take(lane, 10));
    lane_leave(lane);
    lane_leave(lane);
    ck_assert_ptr_eq(lane_enter(&lanes, 77), lane);
    lane_leave(lane);
    lane_give_back(lane, 10);
    ck_assert_uint_eq(lanes_bytes(&lanes), 0);
    tear_down();
}
END_TEST

/*
 * ---- All at once ----
 */

static void run_and_leave(struct job *job, bool refused)
{
    const struct gated_job *gated = (const struct gated_job *)job;
    struct lane *own = gated->own;

    lane_leave(own);
    run_gated(job, refused);
}

static void *call_many(void *context)
{
    struct gated_job *own = context;

    for (size_t i = 0; i < MANY; i++) {
        struct gated_job *job = &own[i];
        struct lane *lane = lane_enter(&lanes, 100 + job->lane);

        job->own = lane;
        if (lane_take(lane, 10)) {
            lane_give_back(lane, 10);
        }
        if (!lane_call(lane, &job->job)) {
            lane_leave(lane);
        }
    }
    return NULL;
}

START_TEST(many_threads_may_use_them)
{
    pthread_t threads[LANES];
    struct gated_job *own = malloc(LANES * MANY * sizeof *own);

    set_up(20, SIZE_MAX / 2);
    for (size_t i = 0; i < LANES; i++) {
        let_end(i, SIZE_MAX);
    }
    ck_assert(lanes_start(&lanes));
    for (size_t i = 0; i < LANES; i++) {
        for (size_t j = 0; j < MANY; j++) {
            own[i * MANY + j] = (struct gated_job){{.run = run_and_leave}, &gate, i, NULL};
        }
        ck_assert_int_eq(pthread_create(&threads[i], NULL, call_many, &own[i * MANY]), 0);
    }
    for (size_t i = 0; i < LANES; i++) {
        (void)pthread_join(threads[i], NULL);
        await(i, MANY);
    }
    stop();
    tear_down();
    free(own);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("lanes");

    tcase_add_test(tcase, whoever_comes_next_finds_a_worker);
    tcase_add_test(tcase, who_has_fewest_calls_at_work_goes_first_and_then_by_turns);
    tcase_add_test(tcase, what_ends_may_let_two_begin);
    tcase_add_test(tcase, whoever_comes_next_finds_a_place_to_wait);
    tcase_add_test(tcase, the_end_refuses_those_that_wait_and_waits_for_the_others);
    tcase_add_test(tcase, one_has_half_of_the_memory_and_two_have_a_third_each);
    tcase_add_test(tcase, memory_is_given_as_the_rule_says);
    tcase_add_test(tcase, a_lane_lasts_as_long_as_its_memory);
    tcase_add_test(tcase, many_threads_may_use_them);
    return run_cases("lanes", &tcase, 1);
}
