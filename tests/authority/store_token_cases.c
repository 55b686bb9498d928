/* Tokens in transactions. */
#include "authority/store_cases.h"

#include <stdlib.h>
#include <string.h>

#include "authority/store_stage.h"

static void begin(struct stage *stage)
{
    ck_assert_int_eq(weir_store_begin(stage->store, true, NULL), WEIR_OK);
}

static void commit(struct stage *stage)
{
    ck_assert_int_eq(weir_store_commit(stage->store, NULL), WEIR_OK);
}

static void make(struct stage *stage)
{
    stage_make(stage);
    stage_open(stage, true);
}

/* Within a transaction. */
static uint64_t draw(struct stage *stage)
{
    uint64_t number = 0;

    ck_assert_int_eq(weir_store_next_issue_number(stage->store, &number, NULL), WEIR_OK);
    return number;
}

static enum weir_status issue(struct stage *stage, const char *name, uint64_t seed)
{
    struct model_id id = id_named(name);
    struct sample sample;
    uint64_t sequence = 0;

    sample_token(&sample, &id, draw(stage), seed);
    return weir_store_issue(stage->store, &sample.token, &sequence, NULL);
}

static enum weir_status remove_named(struct stage *stage, const char *name, uint64_t number)
{
    struct weir_logged_change change = {
        .kind = WEIR_CHANGE_REVOKED, .id = text_of(name), .issue_number = number};

    return weir_store_remove(stage->store, &change, NULL);
}

START_TEST(an_issue_number_that_was_given_is_never_given_again)
{
    struct stage stage;

    make(&stage);
    ck_assert_uint_eq(put_token(stage.store, "a", 1), 1);
    ck_assert_uint_eq(put_token(stage.store, "b", 2), 2);
    take_token(stage.store, "b", 2);
    take_token(stage.store, "a", 1);
    stage_close(&stage);
    stage_open(&stage, false);
    ck_assert_uint_eq(put_token(stage.store, "a", 1), 3);
    begin(&stage);
    ck_assert_uint_eq(draw(&stage), 4);
    commit(&stage);
    begin(&stage);
    ck_assert_uint_eq(draw(&stage), 5);
    ck_assert_uint_eq(draw(&stage), 6);
    weir_store_rollback(stage.store);
    stage_remove(&stage);
}
END_TEST

START_TEST(a_token_whose_id_or_digest_another_has_is_refused_and_the_transaction_goes_on)
{
    struct stage stage;

    make(&stage);
    put_token(stage.store, "a", 1);
    begin(&stage);
    ck_assert_int_eq(issue(&stage, "a", 2), WEIR_ERROR_DUPLICATE);
    ck_assert_int_eq(issue(&stage, "b", 1), WEIR_ERROR_DUPLICATE);
    ck_assert_int_eq(issue(&stage, "b", 2), WEIR_OK);
    commit(&stage);
    ck_assert_uint_eq(count_tokens(stage.store), 2);
    stage_remove(&stage);
}
END_TEST

START_TEST(only_the_issue_that_is_meant_is_removed)
{
    struct stage stage;
    struct weir_stored_token token;

    make(&stage);
    put_token(stage.store, "a", 1);
    take_token(stage.store, "a", 1);
    put_token(stage.store, "a", 2);
    begin(&stage);
    ck_assert_int_eq(remove_named(&stage, "a", 1), WEIR_ERROR_NOT_FOUND);
    ck_assert_int_eq(remove_named(&stage, "b", 2), WEIR_ERROR_NOT_FOUND);
    ck_assert_int_eq(remove_named(&stage, "a", UINT64_MAX), WEIR_ERROR_NOT_FOUND);
    commit(&stage);
    begin(&stage);
    ck_assert_int_eq(weir_store_find(stage.store, WEIR_TEXT("a"), &token, NULL), WEIR_OK);
    ck_assert_uint_eq(token.issue_number, 2);
    ck_assert_int_eq(remove_named(&stage, "a", 2), WEIR_OK);
    ck_assert_int_eq(weir_store_find(stage.store, WEIR_TEXT("a"), &token, NULL),
                     WEIR_ERROR_NOT_FOUND);
    commit(&stage);
    stage_remove(&stage);
}
END_TEST

START_TEST(what_was_rolled_back_never_was)
{
    struct stage stage;
    struct model model = {.token_count = 0};
    struct model_id id = id_named("a");

    make(&stage);
    model_issue(&model, &id, put_token(stage.store, "a", 1), 1);
    model.issue_number = 1;
    begin(&stage);
    ck_assert_int_eq(issue(&stage, "b", 2), WEIR_OK);
    ck_assert_int_eq(remove_named(&stage, "a", 1), WEIR_OK);
    weir_store_rollback(stage.store);
    ck_assert_ptr_null(store_difference(stage.store, &model));
    /* Closing rolls back, too. */
    begin(&stage);
    ck_assert_int_eq(issue(&stage, "b", 2), WEIR_OK);
    stage_close(&stage);
    stage_open(&stage, false);
    ck_assert_ptr_null(store_difference(stage.store, &model));
    stage_remove(&stage);
}
END_TEST

START_TEST(what_was_handed_out_lives_until_the_next_call)
{
    struct stage stage;
    struct weir_stored_token token;
    struct sample sample;
    struct model_id id = id_named("a");
    uint64_t tokens = 0;

    make(&stage);
    put_token(stage.store, "a", 1);
    begin(&stage);
    ck_assert_int_eq(weir_store_find(stage.store, WEIR_TEXT("a"), &token, NULL), WEIR_OK);
    sample_token(&sample, &id, 1, 1);
    ck_assert_mem_eq(token.digest, sample.token.digest, WEIR_DIGEST_SIZE);
    ck_assert_uint_eq(token.declaration.length, sample.token.declaration.length);
    ck_assert_mem_eq(token.declaration.bytes, sample.token.declaration.bytes,
                     token.declaration.length);
    /* Nothing that was handed out stands in the way of the next calls. */
    ck_assert_int_eq(weir_store_find(stage.store, WEIR_TEXT("a"), &token, NULL), WEIR_OK);
    ck_assert_int_eq(weir_store_count(stage.store, &tokens, NULL), WEIR_OK);
    ck_assert_int_eq(weir_store_find(stage.store, WEIR_TEXT("a"), &token, NULL), WEIR_OK);
    commit(&stage);
    begin(&stage);
    ck_assert_int_eq(weir_store_find(stage.store, WEIR_TEXT("a"), &token, NULL), WEIR_OK);
    weir_store_rollback(stage.store);
    put_token(stage.store, "b", 2);
    stage_remove(&stage);
}
END_TEST

/* Every byte but NUL, alone and after another; what is as long as an id can be. */
START_TEST(ids_are_bytes_in_the_order_of_bytes)
{
    struct stage stage;
    struct listing listing = {.most = SIZE_MAX};
    struct model_id last = {0, {0}};
    uint64_t sequence = 0;
    struct sample sample;

    make(&stage);
    begin(&stage);
    for (unsigned byte = 1; byte < 256; byte++) {
        for (size_t length = 1; length <= WEIR_TOKEN_ID_MAX; length += WEIR_TOKEN_ID_MAX - 1) {
            struct model_id id = {length, {0}};

            memset(id.bytes, (int)byte, length);
            sample_token(&sample, &id, draw(&stage), byte * 1000 + length);
            sample.token.expires = false;
            ck_assert_int_eq(weir_store_issue(stage.store, &sample.token, &sequence, NULL),
                             WEIR_OK);
        }
    }
    for (unsigned byte = 1; byte < 256; byte++) {
        for (size_t length = 1; length <= WEIR_TOKEN_ID_MAX; length += WEIR_TOKEN_ID_MAX - 1) {
            struct model_id id = {length, {0}};

            memset(id.bytes, (int)byte, length);
            listing_clear(&listing);
            listing.most = 1;
            ck_assert_int_eq(weir_store_each(stage.store, WEIR_TEXT(""), text_of_id(&last), false,
                                             (struct weir_instant){0}, list_token, &listing, NULL),
                             WEIR_OK);
            ck_assert_uint_eq(listing.rows, 1);
            listing_clear(&listing);
            /* Of one byte there are two, of 96 that one. */
            ck_assert_int_eq(weir_store_each(stage.store, text_of_id(&id), WEIR_TEXT(""), true,
                                             (struct weir_instant){0}, list_token, &listing, NULL),
                             WEIR_OK);
            ck_assert_uint_eq(listing.rows, length == 1 ? 2 : 1);
            last = id;
        }
    }
    listing_clear(&listing);
    ck_assert_int_eq(weir_store_each(stage.store, WEIR_TEXT(""), text_of_id(&last), false,
                                     (struct weir_instant){0}, list_token, &listing, NULL),
                     WEIR_OK);
    ck_assert_uint_eq(listing.rows, 0);
    weir_store_rollback(stage.store);
    listing_free(&listing);
    stage_remove(&stage);
}
END_TEST

/* Names may be up to 96 bytes long; what is asked for may be longer. */
START_TEST(a_prefix_or_start_longer_than_an_id_is_no_error)
{
    struct stage stage;
    struct listing listing = {.most = SIZE_MAX};
    struct model_id id = {WEIR_TOKEN_ID_MAX, {0}};
    struct sample sample;
    uint64_t sequence = 0;
    char more[200];

    make(&stage);
    memset(id.bytes, 'm', sizeof id.bytes);
    memset(more, 'm', sizeof more);
    begin(&stage);
    sample_token(&sample, &id, draw(&stage), 1);
    sample.token.expires = false;
    ck_assert_int_eq(weir_store_issue(stage.store, &sample.token, &sequence, NULL), WEIR_OK);
    ck_assert_int_eq(weir_store_each(stage.store, (struct weir_text){more, sizeof more},
                                     WEIR_TEXT(""), true, (struct weir_instant){0}, list_token,
                                     &listing, NULL),
                     WEIR_OK);
    ck_assert_int_eq(weir_store_each(stage.store, WEIR_TEXT(""),
                                     (struct weir_text){more, sizeof more}, true,
                                     (struct weir_instant){0}, list_token, &listing, NULL),
                     WEIR_OK);
    ck_assert_uint_eq(listing.rows, 0);
    more[50] = 'l';
    ck_assert_int_eq(weir_store_each(stage.store, WEIR_TEXT(""),
                                     (struct weir_text){more, sizeof more}, true,
                                     (struct weir_instant){0}, list_token, &listing, NULL),
                     WEIR_OK);
    ck_assert_uint_eq(listing.rows, 1);
    weir_store_rollback(stage.store);
    listing_free(&listing);
    stage_remove(&stage);
}
END_TEST

/* Larger than the cache. */
START_TEST(a_large_declaration_comes_back_whole)
{
    struct stage stage;
    struct model_id id = id_named("large");
    struct sample sample;
    struct weir_stored_token token;
    size_t size = 40000000;
    char *text = malloc(size);
    uint64_t sequence = 0;

    make(&stage);
    ck_assert_ptr_nonnull(text);
    for (size_t i = 0; i < size; i++) {
        text[i] = (char)('a' + i % 23);
    }
    begin(&stage);
    sample_token(&sample, &id, draw(&stage), 1);
    sample.token.declaration = (struct weir_text){text, size};
    ck_assert_int_eq(weir_store_issue(stage.store, &sample.token, &sequence, NULL), WEIR_OK);
    commit(&stage);
    put_token(stage.store, "small", 2);
    stage_close(&stage);
    stage_open(&stage, false);
    begin(&stage);
    ck_assert_int_eq(weir_store_find(stage.store, WEIR_TEXT("large"), &token, NULL), WEIR_OK);
    ck_assert_uint_eq(token.declaration.length, size);
    ck_assert(memcmp(token.declaration.bytes, text, size) == 0);
    weir_store_rollback(stage.store);
    free(text);
    stage_remove(&stage);
}
END_TEST

struct expired_ids {
    char text[64];
};

static bool note_id(void *context, const struct weir_stored_token *token)
{
    struct expired_ids *ids = context;

    (void)strncat(ids->text, token->id.bytes, token->id.length);
    return true;
}

static void expect_expired(struct stage *stage, struct weir_instant now, const char *expected)
{
    struct expired_ids ids = {{0}};

    ck_assert_int_eq(weir_store_expired(stage->store, now, note_id, &ids, NULL), WEIR_OK);
    ck_assert_str_eq(ids.text, expected);
}

START_TEST(tokens_expire_to_the_nanosecond_the_earliest_first)
{
    static const struct {
        const char *id;
        struct weir_instant at;
    } tokens[] = {{"d", {5, 1}},         {"a", {WEIR_INSTANT_SECONDS_MIN, 0}},
                  {"c", {5, 0}},         {"f", {WEIR_INSTANT_SECONDS_MAX, 999999999}},
                  {"b", {4, 999999999}}, {"e", {6, 0}}};
    struct stage stage;
    struct sample sample;
    uint64_t sequence = 0;

    make(&stage);
    begin(&stage);
    for (size_t i = 0; i < COUNT(tokens); i++) {
        struct model_id id = id_named(tokens[i].id);

        sample_token(&sample, &id, draw(&stage), i);
        sample.token.expires = true;
        sample.token.expires_at = tokens[i].at;
        ck_assert_int_eq(weir_store_issue(stage.store, &sample.token, &sequence, NULL), WEIR_OK);
    }
    expect_expired(&stage, (struct weir_instant){WEIR_INSTANT_SECONDS_MIN - 1, 999999999}, "");
    expect_expired(&stage, (struct weir_instant){4, 999999998}, "a");
    expect_expired(&stage, (struct weir_instant){4, 999999999}, "ab");
    expect_expired(&stage, (struct weir_instant){5, 0}, "abc");
    expect_expired(&stage, (struct weir_instant){5, 1}, "abcd");
    expect_expired(&stage, (struct weir_instant){INT64_MAX, 999999999}, "abcdef");
    weir_store_rollback(stage.store);
    stage_remove(&stage);
}
END_TEST

static bool refuse_all(void *context, const struct weir_stored_token *token)
{
    (void)token;
    ++*(unsigned *)context;
    return false;
}

START_TEST(a_visitor_ends_the_visit)
{
    struct stage stage;
    unsigned visits = 0;

    make(&stage);
    put_token(stage.store, "a", 1);
    put_token(stage.store, "b", 2);
    ck_assert_int_eq(weir_store_begin(stage.store, false, NULL), WEIR_OK);
    ck_assert_int_eq(weir_store_all(stage.store, refuse_all, &visits, NULL), WEIR_OK);
    ck_assert_uint_eq(visits, 1);
    ck_assert_int_eq(weir_store_each(stage.store, WEIR_TEXT(""), WEIR_TEXT(""), true,
                                     (struct weir_instant){INT64_MIN, 0}, refuse_all, &visits,
                                     NULL),
                     WEIR_OK);
    ck_assert_uint_eq(visits, 2);
    weir_store_rollback(stage.store);
    stage_remove(&stage);
}
END_TEST

TCase *store_token_cases(void)
{
    TCase *cases = tcase_create("tokens");

    tcase_add_test(cases, an_issue_number_that_was_given_is_never_given_again);
    tcase_add_test(cases,
                   a_token_whose_id_or_digest_another_has_is_refused_and_the_transaction_goes_on);
    tcase_add_test(cases, only_the_issue_that_is_meant_is_removed);
    tcase_add_test(cases, what_was_rolled_back_never_was);
    tcase_add_test(cases, what_was_handed_out_lives_until_the_next_call);
    tcase_add_test(cases, ids_are_bytes_in_the_order_of_bytes);
    tcase_add_test(cases, a_prefix_or_start_longer_than_an_id_is_no_error);
    tcase_add_test(cases, a_large_declaration_comes_back_whole);
    tcase_add_test(cases, tokens_expire_to_the_nanosecond_the_earliest_first);
    tcase_add_test(cases, a_visitor_ends_the_visit);
    return cases;
}
