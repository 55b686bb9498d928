/* Random transactions, against the model; on a disk that does not sync, for speed. */
#include "authority/store_cases.h"

#include <stdio.h>

#include "authority/power_vfs.h"
#include "authority/store_history.h"
#include "authority/store_stage.h"

#define STEPS 200000

static void expect_same(struct history *history, struct stage *stage)
{
    const char *difference = store_difference(stage->store, &history->model);

    if (difference != NULL) {
        ck_abort_msg("after %u steps: %s", (unsigned)history->steps, difference);
    }
}

START_TEST(a_store_does_what_its_model_does)
{
    static struct history history;
    struct stage stage;

    power_vfs_install();
    power_watch(false);
    stage_make(&stage);
    stage_open(&stage, true);
    history = (struct history){.dice = {1}};
    while (history.steps < STEPS) {
        enum history_outcome outcome = history_go_on(&history, stage.store, 20);

        if (outcome != HISTORY_COMMITTED && outcome != HISTORY_ROLLED_BACK) {
            ck_abort_msg("after %u steps: %s", (unsigned)history.steps,
                         outcome == HISTORY_DIFFERS ? history.difference : "refused");
        }
        if (dice_chance(&history.dice, 1)) {
            expect_same(&history, &stage);
        }
        if (dice_chance(&history.dice, 1)) {
            stage_close(&stage);
            stage_open(&stage, false);
            expect_same(&history, &stage);
        }
    }
    expect_same(&history, &stage);
    /* All that can happen has happened often. */
    ck_assert_uint_gt(history.model.forgotten, STEPS / 10);
    ck_assert_uint_gt(history.model.issue_number, STEPS / 10);
    stage_remove(&stage);
    power_vfs_remove();
}
END_TEST

TCase *store_history_cases(void)
{
    TCase *cases = tcase_create("history");

    tcase_add_test(cases, a_store_does_what_its_model_does);
    return cases;
}
