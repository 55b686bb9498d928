#include "authority/store_stage.h"

#include <stdio.h>
#include <string.h>

void stage_make(struct stage *stage)
{
    ck_assert(watch_connections());
    scratch_make(&stage->scratch);
    (void)snprintf(stage->store_path, sizeof stage->store_path, "%s/store", stage->scratch.folder);
    stage->store = NULL;
}

void stage_remove(struct stage *stage)
{
    stage_close(stage);
    scratch_remove(&stage->scratch);
}

void stage_open(struct stage *stage, bool create)
{
    struct weir_error error = {0};

    if (weir_store_open(stage->store_path, create, NULL, &stage->store, &error) != WEIR_OK) {
        ck_abort_msg("%s", error.message);
    }
}

void stage_close(struct stage *stage)
{
    weir_store_close(stage->store);
    stage->store = NULL;
}

void expect_open(const struct stage *stage, bool create, enum weir_status expected)
{
    struct weir_store *store = NULL;
    struct weir_error error = {0};

    ck_assert_int_eq(weir_store_open(stage->store_path, create, NULL, &store, &error), expected);
    ck_assert_ptr_null(store);
    expect_error(&error, expected);
    ck_assert_int_eq(weir_store_open(stage->store_path, create, NULL, &store, NULL), expected);
}

struct model_id id_named(const char *name)
{
    struct model_id id = {strlen(name), {0}};

    memcpy(id.bytes, name, id.length);
    return id;
}

uint64_t put_token(struct weir_store *store, const char *name, uint64_t seed)
{
    struct model_id id = id_named(name);
    struct sample sample;
    uint64_t number = 0;
    uint64_t sequence = 0;

    if (weir_store_begin(store, true, NULL) != WEIR_OK ||
        weir_store_next_issue_number(store, &number, NULL) != WEIR_OK) {
        ck_abort_msg("no transaction");
    }
    sample_token(&sample, &id, number, seed);
    if (weir_store_issue(store, &sample.token, &sequence, NULL) != WEIR_OK ||
        weir_store_commit(store, NULL) != WEIR_OK) {
        ck_abort_msg("no token put");
    }
    return number;
}

void take_token(struct weir_store *store, const char *name, uint64_t number)
{
    struct weir_logged_change change = {
        .kind = WEIR_CHANGE_REVOKED, .id = text_of(name), .issue_number = number};

    if (weir_store_begin(store, true, NULL) != WEIR_OK ||
        weir_store_remove(store, &change, NULL) != WEIR_OK ||
        weir_store_commit(store, NULL) != WEIR_OK) {
        ck_abort_msg("no token removed");
    }
}

uint64_t count_tokens(struct weir_store *store)
{
    uint64_t tokens = 0;

    if (weir_store_begin(store, false, NULL) != WEIR_OK ||
        weir_store_count(store, &tokens, NULL) != WEIR_OK) {
        ck_abort_msg("no count");
    }
    weir_store_rollback(store);
    return tokens;
}
