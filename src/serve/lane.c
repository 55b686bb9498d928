#include "serve/lane.h"

#include <errno.h>
#include <stdlib.h>

void lanes_init(struct lanes *lanes, size_t bytes_max, size_t waiting_max)
{
    *lanes = (struct lanes){.bytes_max = bytes_max, .waiting_max = waiting_max};
    (void)pthread_mutex_init(&lanes->lock, NULL);
    (void)pthread_cond_init(&lanes->changed, NULL);
    TAILQ_INIT(&lanes->all);
}

void lanes_fini(struct lanes *lanes)
{
    (void)pthread_cond_destroy(&lanes->changed);
    (void)pthread_mutex_destroy(&lanes->lock);
}

size_t lanes_bytes(struct lanes *lanes)
{
    size_t bytes = 0;

    (void)pthread_mutex_lock(&lanes->lock);
    bytes = lanes->bytes;
    (void)pthread_mutex_unlock(&lanes->lock);
    return bytes;
}

/*
 * ---- Lanes ----
 */

static struct lane *find(const struct lanes *lanes, uint64_t number)
{
    struct lane *lane = NULL;

    TAILQ_FOREACH(lane, &lanes->all, next)
    {
        if (lane->number == number) {
            break;
        }
    }
    return lane;
}

static void free_unused(struct lane *lane)
{
    if (lane->requests == 0 && lane->bytes == 0 && lane->running == 0) {
        TAILQ_REMOVE(&lane->lanes->all, lane, next);
        free(lane);
    }
}

struct lane *lane_enter(struct lanes *lanes, uint64_t number)
{
    struct lane *lane = NULL;

    (void)pthread_mutex_lock(&lanes->lock);
    lane = find(lanes, number);
    if (lane == NULL) {
        lane = calloc(1, sizeof *lane);
        if (lane != NULL) {
            lane->lanes = lanes;
            lane->number = number;
            STAILQ_INIT(&lane->jobs);
            TAILQ_INSERT_TAIL(&lanes->all, lane, next);
        }
    }
    if (lane != NULL) {
        lane->requests++;
    }
    (void)pthread_mutex_unlock(&lanes->lock);
    return lane;
}

void lane_leave(struct lane *lane)
{
    struct lanes *lanes = lane->lanes;

    (void)pthread_mutex_lock(&lanes->lock);
    lane->requests--;
    free_unused(lane);
    (void)pthread_mutex_unlock(&lanes->lock);
}

/*
 * ---- Memory ----
 */

bool lane_take(struct lane *lane, size_t size)
{
    struct lanes *lanes = NULL;
    size_t room = 0;
    bool taken = false;

    if (lane == NULL) {
        return true;
    }
    lanes = lane->lanes;
    (void)pthread_mutex_lock(&lanes->lock);
    room = lanes->bytes_max - lanes->bytes;
    taken = size <= room && lane->bytes + size <= room - size;
    if (taken) {
        lane->bytes += size;
        lanes->bytes += size;
    }
    (void)pthread_mutex_unlock(&lanes->lock);
    return taken;
}

void lane_give_back(struct lane *lane, size_t size)
{
    struct lanes *lanes = NULL;

    if (lane != NULL) {
        lanes = lane->lanes;
        (void)pthread_mutex_lock(&lanes->lock);
        lane->bytes -= size;
        lanes->bytes -= size;
        free_unused(lane);
        (void)pthread_mutex_unlock(&lanes->lock);
    }
}

/*
 * ---- Calls ----
 */

bool lane_call(struct lane *lane, struct job *job)
{
    struct lanes *lanes = lane->lanes;
    bool taken = false;

    (void)pthread_mutex_lock(&lanes->lock);
    taken = !lanes->closed && lane->waiting < lanes->waiting_max - lanes->waiting;
    if (taken) {
        STAILQ_INSERT_TAIL(&lane->jobs, job, next);
        lane->waiting++;
        lanes->waiting++;
        (void)pthread_cond_signal(&lanes->changed);
    }
    (void)pthread_mutex_unlock(&lanes->lock);
    return taken;
}

/* The one whose turn it is. NULL: nobody waits who may have a worker. */
static struct lane *find_next(const struct lanes *lanes)
{
    struct lane *lane = NULL;

    TAILQ_FOREACH(lane, &lanes->all, next)
    {
        if (lane->waiting > 0 && lane->running < lanes->idle) {
            break;
        }
    }
    return lane;
}

static struct job *take_job(struct lane *lane)
{
    struct job *job = STAILQ_FIRST(&lane->jobs);

    STAILQ_REMOVE_HEAD(&lane->jobs, next);
    lane->waiting--;
    lane->lanes->waiting--;
    return job;
}

/* Runs a job of this lane, whose next turn then comes after the others'. Locked, but for the run
 * itself. */
static void run_next(struct lane *lane, bool refused)
{
    struct lanes *lanes = lane->lanes;
    struct job *job = take_job(lane);

    TAILQ_REMOVE(&lanes->all, lane, next);
    TAILQ_INSERT_TAIL(&lanes->all, lane, next);
    lane->running++;
    if (find_next(lanes) != NULL) {
        (void)pthread_cond_signal(&lanes->changed); /* what ended may have let several begin */
    }
    (void)pthread_mutex_unlock(&lanes->lock);
    job->run(job, refused);
    (void)pthread_mutex_lock(&lanes->lock);
    lane->running--;
    free_unused(lane);
}

static void *work(void *context)
{
    struct lanes *lanes = context;

    (void)pthread_mutex_lock(&lanes->lock);
    while (!lanes->closed) {
        struct lane *lane = find_next(lanes);

        if (lane == NULL) {
            (void)pthread_cond_wait(&lanes->changed, &lanes->lock);
            continue;
        }
        lanes->idle--;
        run_next(lane, false);
        lanes->idle++;
    }
    (void)pthread_mutex_unlock(&lanes->lock);
    return NULL;
}

bool lanes_start(struct lanes *lanes)
{
    int error = 0;

    (void)pthread_mutex_lock(&lanes->lock);
    while (error == 0 && lanes->worker_count < WORKERS) {
        error = pthread_create(&lanes->workers[lanes->worker_count], NULL, work, lanes);
        lanes->worker_count += error == 0;
    }
    lanes->idle = lanes->worker_count;
    (void)pthread_mutex_unlock(&lanes->lock);
    if (error != 0) {
        lanes_close(lanes);
        lanes_stop(lanes);
        errno = error;
    }
    return error == 0;
}

static struct lane *find_waiting(const struct lanes *lanes)
{
    struct lane *lane = NULL;

    TAILQ_FOREACH(lane, &lanes->all, next)
    {
        if (lane->waiting > 0) {
            break;
        }
    }
    return lane;
}

void lanes_close(struct lanes *lanes)
{
    struct lane *lane = NULL;

    (void)pthread_mutex_lock(&lanes->lock);
    lanes->closed = true;
    (void)pthread_cond_broadcast(&lanes->changed);
    while ((lane = find_waiting(lanes)) != NULL) {
        run_next(lane, true);
    }
    (void)pthread_mutex_unlock(&lanes->lock);
}

void lanes_stop(struct lanes *lanes)
{
    for (; lanes->worker_count > 0; lanes->worker_count--) {
        (void)pthread_join(lanes->workers[lanes->worker_count - 1], NULL);
    }
}
