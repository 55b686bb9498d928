/* Files with a valid header and damage behind it: every call may fail, none may harm. */
#include "authority/store_cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authority/power_vfs.h"
#include "authority/store_history.h"
#include "authority/store_stage.h"

#define PAGE_SIZE 4096u
#define MUTATIONS 600u

struct original {
    unsigned char *bytes;
    size_t size;
};

static struct original make_original(struct stage *stage)
{
    struct original original = {NULL, 0};
    FILE *file = NULL;

    stage_open(stage, true);
    for (uint64_t i = 0; i < 120; i++) {
        char name[32];

        (void)snprintf(name, sizeof name, "token-%03u", (unsigned)(i * 7 % 120));
        put_token(stage->store, name, i);
    }
    stage_close(stage);
    file = fopen(stage->store_path, "rb");
    ck_assert_ptr_nonnull(file);
    original.bytes = malloc(1 << 22);
    ck_assert_ptr_nonnull(original.bytes);
    original.size = fread(original.bytes, 1, 1 << 22, file);
    ck_assert_uint_gt(original.size, 20 * PAGE_SIZE);
    (void)fclose(file);
    return original;
}

/* Cells and their pointers lie at a page's beginning and end. */
static size_t random_place(struct random *random, size_t size)
{
    size_t page = random_below(random, size / PAGE_SIZE) * PAGE_SIZE;

    return page + (random_below(random, 2) == 0 ? random_below(random, 100)
                                                : random_below(random, PAGE_SIZE));
}

static void mutate(struct random *random, unsigned char *bytes, size_t size)
{
    size_t page = random_below(random, size / PAGE_SIZE) * PAGE_SIZE;
    size_t other = random_below(random, size / PAGE_SIZE) * PAGE_SIZE;

    switch (random_below(random, 4)) {
    case 0:
        memset(bytes + page, 0, PAGE_SIZE);
        return;
    case 1:
        memmove(bytes + page, bytes + other, PAGE_SIZE);
        return;
    default:
        for (size_t i = random_below(random, 8) + 1; i > 0; i--) {
            bytes[random_place(random, size)] = (unsigned char)random_number(random);
        }
    }
}

struct outcome {
    unsigned damaged;
    bool this_one;
};

static void note(struct outcome *outcome, enum weir_status status, const struct weir_error *error)
{
    switch (status) {
    case WEIR_OK:
        return;
    case WEIR_ERROR_DAMAGED:
    case WEIR_ERROR_VERSION:
        outcome->this_one = true;
        break;
    case WEIR_ERROR_NOT_FOUND: /* an index or a key was changed */
    case WEIR_ERROR_DUPLICATE:
    case WEIR_ERROR_LIMIT: /* a counter was */
        break;
    default:
        ck_abort_msg("status %d: %s", (int)status, error->message);
    }
    expect_error(error, status);
}

static void look(struct stage *stage, struct outcome *outcome)
{
    struct weir_error error = {0};
    struct weir_stored_token token;
    struct listing listing = {.most = SIZE_MAX};
    struct weir_instant late = {INT64_MAX, 0};
    struct weir_store *store = stage->store;
    enum weir_status status = weir_store_begin(store, false, &error);

    note(outcome, status, &error);
    if (status != WEIR_OK) {
        return;
    }
    note(outcome, weir_store_find(store, WEIR_TEXT("token-050"), &token, &error), &error);
    note(outcome, weir_store_all(store, list_token, &listing, &error), &error);
    note(outcome,
         weir_store_each(store, WEIR_TEXT("token"), WEIR_TEXT(""), true,
                         (struct weir_instant){INT64_MIN, 0}, list_token, &listing, &error),
         &error);
    note(outcome, weir_store_expired(store, late, list_token, &listing, &error), &error);
    note(outcome, weir_store_changes(store, 0, list_change, &listing, &error), &error);
    listing_free(&listing);
    weir_store_rollback(store);
}

static void change(struct stage *stage, struct outcome *outcome)
{
    struct weir_error error = {0};
    struct weir_store *store = stage->store;
    struct model_id id = id_named("new");
    struct sample sample;
    uint64_t number = 0;
    struct weir_logged_change removal = {
        .kind = WEIR_CHANGE_REVOKED, .id = WEIR_TEXT("token-007"), .issue_number = 2};
    enum weir_status status = weir_store_begin(store, true, &error);

    if (status == WEIR_OK) {
        status = weir_store_next_issue_number(store, &number, &error);
    }
    if (status == WEIR_OK) {
        sample_token(&sample, &id, number, 999);
        status = weir_store_issue(store, &sample.token, &number, &error);
    }
    if (status == WEIR_OK) {
        status = weir_store_remove(store, &removal, &error);
    }
    if (status == WEIR_OK) {
        status = weir_store_forget(store, 50, (struct weir_instant){INT64_MAX, 0}, 30, &error);
    }
    if (status == WEIR_OK) {
        status = weir_store_commit(store, &error);
    }
    weir_store_rollback(store);
    note(outcome, status, &error);
}

START_TEST(no_damage_harms_who_reads_it_and_most_is_noticed)
{
    struct stage stage;
    struct random random = {1};
    struct original original;
    struct outcome outcome = {0, false};
    unsigned char *mutant = NULL;

    power_vfs_install();
    power_watch(false);
    stage_make(&stage);
    original = make_original(&stage);
    mutant = malloc(original.size);
    ck_assert_ptr_nonnull(mutant);
    for (unsigned i = 0; i < MUTATIONS; i++) {
        struct weir_error error = {0};
        enum weir_status status = WEIR_OK;

        memcpy(mutant, original.bytes, original.size);
        mutate(&random, mutant, original.size);
        write_file(stage.store_path, mutant, original.size);
        outcome.this_one = false;
        status = weir_store_open(stage.store_path, false, NULL, &stage.store, &error);
        if (status == WEIR_OK) {
            look(&stage, &outcome);
            change(&stage, &outcome);
            stage_close(&stage);
        } else {
            stage.store = NULL;
            note(&outcome, status, &error);
        }
        outcome.damaged += outcome.this_one ? 1 : 0;
    }
    printf("store: damage was noticed in %u of %u files\n", outcome.damaged, MUTATIONS);
    (void)fflush(stdout);
    ck_assert_uint_gt(outcome.damaged, MUTATIONS / 3);
    free(mutant);
    free(original.bytes);
    stage_remove(&stage);
    power_vfs_remove();
}
END_TEST

TCase *store_damage_cases(void)
{
    TCase *cases = tcase_create("damage");

    tcase_add_test(cases, no_damage_harms_who_reads_it_and_most_is_noticed);
    return cases;
}
