#include "authority/power_course.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TRANSACTIONS 22
#define STEPS 5
/* After so many transactions the store is closed and opened. */
#define REOPENS 9

/* Small enough that the WAL is written back now and then. */
#define CHECKPOINTS "PRAGMA wal_autocheckpoint = 24"

static int note_wal(void *context, int count, char **values, char **names)
{
    (void)names;
    *(bool *)context = count == 1 && strcmp(values[0], "wal") == 0;
    return 0;
}

/* With another kind of log a commit is durable later than it returns. */
static bool has_wal(void)
{
    bool has = false;

    (void)sqlite3_exec(last_connection(), "PRAGMA journal_mode", note_wal, &has, NULL);
    return has;
}

static const char *open_store(struct course *course)
{
    bool create = !course->made;
    uint8_t identity[16];
    enum weir_status status =
        weir_store_open(course->stage.store_path, create, NULL, &course->stage.store, NULL);

    if (status != WEIR_OK) {
        course->stage.store = NULL;
        return status == WEIR_ERROR_IO ? "the store cannot be opened"
                                       : "the store is not what it was";
    }
    weir_store_identity(course->stage.store, identity);
    if (course->made && memcmp(identity, course->identity, sizeof identity) != 0) {
        return "another identity";
    }
    memcpy(course->identity, identity, sizeof identity);
    course->made = true;
    if (!has_wal()) {
        return "the store has no write-ahead log";
    }
    (void)sqlite3_exec(last_connection(), CHECKPOINTS, NULL, NULL, NULL);
    if (course->pragma != NULL) {
        (void)sqlite3_exec(last_connection(), course->pragma, NULL, NULL, NULL);
    }
    return NULL;
}

/* Opens it, if it can be opened now or, after what has failed, when that works again. */
static const char *open_after_failures(struct course *course)
{
    uint64_t failures = power_failures();
    const char *wrong = open_store(course);

    if (wrong != NULL && !power_is_off() && power_failures() > failures) {
        power_mend();
        wrong = open_store(course);
    }
    return power_is_off() ? NULL : wrong;
}

/* After a call that failed everything is as it was, and goes on. */
static const char *expect_as_before(struct course *course)
{
    power_mend();
    course->undecided = false;
    return store_difference(course->stage.store, &course->history.model);
}

/* The store is what was acknowledged; or that and the whole of the transaction that was cut off. */
static const char *difference(struct course *course)
{
    const char *wrong = store_difference(course->stage.store, &course->history.model);

    if (wrong != NULL && course->undecided) {
        wrong = store_difference(course->stage.store, &course->history.next);
        if (wrong == NULL) {
            course->history.model = course->history.next;
        }
    }
    course->undecided = course->undecided && wrong != NULL;
    return wrong;
}

/* Who used it has been killed: another one finds it, and then the power fails. */
static const char *find_and_cut(struct course *course)
{
    const char *wrong = NULL;

    stage_close(&course->stage);
    power_mend();
    wrong = open_store(course);
    if (wrong == NULL) {
        wrong = difference(course);
    }
    power_cut();
    return wrong;
}

static const char *go_on(struct course *course)
{
    uint64_t failures = power_failures();
    enum history_outcome outcome = history_go_on(&course->history, course->stage.store, STEPS);

    if (outcome == HISTORY_COMMITTED || outcome == HISTORY_ROLLED_BACK) {
        return NULL;
    }
    if (outcome == HISTORY_DIFFERS) {
        return course->history.difference;
    }
    if (power_failures() == failures && !power_is_off()) {
        return "refused, though nothing failed";
    }
    /* What failed once has been set right at once, unless the power was off before. */
    course->undecided =
        outcome == HISTORY_UNDECIDED && (power_is_off() || course->failure != POWER_FAILS_ONCE);
    if (course->failure == POWER_KILLS && course->cut_after_failure) {
        return find_and_cut(course);
    }
    if (course->cut_after_failure) {
        power_cut();
    }
    return power_is_off() ? NULL : expect_as_before(course);
}

static const char *go_through(struct course *course)
{
    const char *wrong = open_after_failures(course);

    for (unsigned i = 0; wrong == NULL && !power_is_off() && i < TRANSACTIONS; i++) {
        if (i % REOPENS == REOPENS - 1) {
            stage_close(&course->stage);
            wrong = open_after_failures(course);
        }
        if (wrong == NULL && !power_is_off()) {
            wrong = go_on(course);
        }
    }
    if (wrong == NULL && !power_is_off()) {
        wrong = store_difference(course->stage.store, &course->history.model);
    }
    course->calls = power_calls();
    stage_close(&course->stage);
    return wrong;
}

/*
 * ---- What has survived ----
 */

/* The store as it is found, goes on, and is found again; or the power fails once more meanwhile. */
static const char *find_and_go_on(struct course *course)
{
    const char *wrong = open_store(course);

    if (wrong == NULL && !power_is_off()) {
        wrong = difference(course);
    }
    for (unsigned i = 0; wrong == NULL && !power_is_off() && i < 3; i++) {
        wrong = go_on(course);
    }
    stage_close(&course->stage);
    if (wrong == NULL && !power_is_off()) {
        wrong = open_store(course);
    }
    if (wrong == NULL && !power_is_off()) {
        wrong = store_difference(course->stage.store, &course->history.model);
    }
    stage_close(&course->stage);
    return power_is_off() ? NULL : wrong;
}

static void remove_all(const struct course *course)
{
    static const char *const suffixes[] = {"", "-wal", "-journal", "-shm"};
    char path[420];

    for (size_t i = 0; i < COUNT(suffixes); i++) {
        (void)snprintf(path, sizeof path, "%s%s", course->stage.store_path, suffixes[i]);
        (void)unlink(path);
    }
}

/* One way to survive; of every three one is cut off once more, and survives that. */
static const char *look_at_survivor(struct course *course, const struct power_scene *scene,
                                    uint64_t seed, bool again)
{
    struct dice dice = {seed};
    struct power_scene *second = NULL;
    const char *wrong = NULL;

    power_survive(scene, seed);
    if (again) {
        power_cut_at(dice_between(&dice, 1, 60));
    }
    wrong = find_and_go_on(course);
    if (wrong != NULL || !power_is_off()) {
        return wrong;
    }
    second = power_scene_take();
    power_survive(second, seed);
    power_scene_free(second);
    return find_and_go_on(course);
}

/* Each way is looked at with the same knowledge. */
static const char *look_at_survivors(struct course *course)
{
    struct power_scene *scene = power_scene_take();
    struct course before = *course;
    const char *wrong = NULL;

    for (unsigned way = 0; wrong == NULL && way < course->ways; way++) {
        uint64_t seed = (course->seed * 1000003 + course->cut_at + course->fails_at) * 64 + way;

        *course = before;
        course->found = way + 1;
        wrong = look_at_survivor(course, scene, seed, way % 3 == 2);
    }
    power_scene_free(scene);
    return wrong;
}

const char *course_run(struct course *course)
{
    const char *wrong = NULL;

    power_begin(course->seed * 1000003 + course->cut_at + course->fails_at);
    power_cut_at(course->cut_at);
    power_fail_at(course->fails_at, course->failure);
    memset(&course->history, 0, sizeof course->history);
    course->history.dice = (struct dice){course->seed};
    course->made = false;
    course->undecided = false;
    course->found = 0;
    wrong = go_through(course);
    if (wrong == NULL && power_is_off()) {
        wrong = look_at_survivors(course);
    }
    power_begin(0);
    remove_all(course);
    return wrong;
}
