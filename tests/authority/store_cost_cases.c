/* What a call costs, counted in SQLite's steps and pages, among few tokens and among many. */
#include "authority/store_cases.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "authority/power_vfs.h"
#include "authority/store_stage.h"

#define FEW 1000u
#define MANY 100000u
#define TIMES 200u
#define PAGE 500u

struct cost {
    uint64_t steps; /* of SQLite's machine */
    uint64_t pages; /* looked at, and written */
};

/* What the connection has done since it was asked last. */
static struct cost take_cost(void)
{
    static const int kinds[] = {SQLITE_DBSTATUS_CACHE_HIT, SQLITE_DBSTATUS_CACHE_MISS,
                                SQLITE_DBSTATUS_CACHE_WRITE};
    struct cost cost = {0, 0};
    sqlite3_stmt *statement = NULL;

    while ((statement = sqlite3_next_stmt(last_connection(), statement)) != NULL) {
        cost.steps += (uint64_t)sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_VM_STEP, 1);
    }
    for (size_t i = 0; i < COUNT(kinds); i++) {
        int count = 0;
        int most = 0;

        ck_assert_int_eq(sqlite3_db_status(last_connection(), kinds[i], &count, &most, 1),
                         SQLITE_OK);
        cost.pages += (uint64_t)count;
    }
    return cost;
}

/* Spread over all that there are. */
static struct model_id id_of(uint64_t number)
{
    struct model_id id = {0, {0}};

    id.length = (size_t)snprintf(id.bytes, sizeof id.bytes, "%05u-tenant-%06u",
                                 (unsigned)(number * 7919 % 100000), (unsigned)number);
    return id;
}

static void issue(struct stage *stage, uint64_t number)
{
    struct model_id id = id_of(number);
    struct sample sample;
    uint64_t drawn = 0;
    uint64_t sequence = 0;

    if (weir_store_next_issue_number(stage->store, &drawn, NULL) != WEIR_OK) {
        ck_abort_msg("no number");
    }
    sample_token(&sample, &id, drawn, number);
    sample.token.declaration.length = 200;
    sample.token.expires_at.seconds = (int64_t)(number * 7919 % 1000000) + 10;
    if (weir_store_issue(stage->store, &sample.token, &sequence, NULL) != WEIR_OK) {
        ck_abort_msg("not issued");
    }
}

static void begin(struct stage *stage, bool writes)
{
    if (weir_store_begin(stage->store, writes, NULL) != WEIR_OK) {
        ck_abort_msg("not begun");
    }
}

static void commit(struct stage *stage)
{
    if (weir_store_commit(stage->store, NULL) != WEIR_OK) {
        ck_abort_msg("not committed");
    }
}

/* So that there are `count`. */
static void fill(struct stage *stage, uint64_t from, uint64_t count)
{
    for (uint64_t i = from; i < count;) {
        begin(stage, true);
        do {
            issue(stage, i++);
        } while (i < count && i % 1000 != 0);
        commit(stage);
    }
    (void)take_cost();
}

/* In transactions of their own, and removed again. */
static struct cost cost_of_changes(struct stage *stage)
{
    for (uint64_t i = 0; i < TIMES; i++) {
        struct weir_stored_token token;
        struct model_id id = id_of(900000 + i);
        struct weir_logged_change change = {.kind = WEIR_CHANGE_REVOKED, .id = text_of_id(&id)};

        begin(stage, true);
        issue(stage, 900000 + i);
        commit(stage);
        begin(stage, true);
        if (weir_store_find(stage->store, change.id, &token, NULL) != WEIR_OK) {
            ck_abort_msg("not found");
        }
        change.issue_number = token.issue_number;
        if (weir_store_remove(stage->store, &change, NULL) != WEIR_OK) {
            ck_abort_msg("not removed");
        }
        commit(stage);
    }
    return take_cost();
}

static struct cost cost_of_pages(struct stage *stage, struct weir_text prefix, uint64_t rows)
{
    struct listing listing = {.most = SIZE_MAX};

    for (uint64_t i = 0; i < TIMES / 10; i++) {
        listing_clear(&listing);
        listing.most = rows;
        begin(stage, false);
        if (weir_store_each(stage->store, prefix, WEIR_TEXT("1"), false, (struct weir_instant){0},
                            list_token, &listing, NULL) != WEIR_OK) {
            ck_abort_msg("not listed");
        }
        weir_store_rollback(stage->store);
    }
    listing_free(&listing);
    return take_cost();
}

static bool visit_nothing(void *context, const struct weir_stored_token *token)
{
    (void)context;
    (void)token;
    return false;
}

static struct cost cost_of_nothing_expired(struct stage *stage)
{
    for (uint64_t i = 0; i < TIMES; i++) {
        begin(stage, false);
        if (weir_store_expired(stage->store, (struct weir_instant){5, 0}, visit_nothing, NULL,
                               NULL) != WEIR_OK) {
            ck_abort_msg("not visited");
        }
        weir_store_rollback(stage->store);
    }
    return take_cost();
}

struct costs {
    struct cost changes;
    struct cost page;
    struct cost prefix;
    struct cost expired;
};

static struct costs costs_of(struct stage *stage)
{
    struct costs costs;

    (void)cost_of_changes(stage); /* warm */
    costs.changes = cost_of_changes(stage);
    costs.page = cost_of_pages(stage, WEIR_TEXT(""), PAGE);
    costs.prefix = cost_of_pages(stage, WEIR_TEXT("10"), 5);
    costs.expired = cost_of_nothing_expired(stage);
    return costs;
}

static void expect_like(const char *what, struct cost few, struct cost many)
{
    printf("store: %s: %u steps and %u pages among %u tokens, %u and %u among %u\n", what,
           (unsigned)few.steps, (unsigned)few.pages, FEW, (unsigned)many.steps,
           (unsigned)many.pages, MANY);
    (void)fflush(stdout);
    /* The trees are a page deeper, each. */
    ck_assert_uint_le(many.steps, few.steps + few.steps / 20);
    ck_assert_uint_le(many.pages, few.pages * 22 / 10);
}

START_TEST(what_a_call_costs_does_not_grow_with_the_tokens)
{
    struct stage stage;
    struct costs few;
    struct costs many;
    struct stat facts;
    char log[420];

    power_vfs_install();
    power_watch(false);
    stage_make(&stage);
    stage_open(&stage, true);
    fill(&stage, 0, FEW);
    few = costs_of(&stage);
    fill(&stage, FEW, MANY);
    many = costs_of(&stage);
    expect_like("200 issues and removals", few.changes, many.changes);
    expect_like("20 pages of 500", few.page, many.page);
    expect_like("20 pages of a prefix", few.prefix, many.prefix);
    expect_like("200 times nothing expired", few.expired, many.expired);
    /* What has been written back is written over. */
    (void)snprintf(log, sizeof log, "%s-wal", stage.store_path);
    ck_assert_int_eq(stat(log, &facts), 0);
    ck_assert_int_lt(facts.st_size, 32 << 20);
    stage_remove(&stage);
    power_vfs_remove();
}
END_TEST

TCase *store_cost_cases(void)
{
    TCase *cases = tcase_create("costs");

    tcase_add_test(cases, what_a_call_costs_does_not_grow_with_the_tokens);
    return cases;
}
