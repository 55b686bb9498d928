/*
 * layout_cases.c - images of keys that somebody chose so that their hashes meet.
 *
 * The compiler's hash key follows from all that an image holds, so nobody can choose keys like
 * that: these images are laid out from blocks and a content that the test makes up, which gives the
 * key. What then crowds a part, a bucket or a tag must be in order, found, and told apart.
 */
#include "library/image_cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/compile.h>
#include <weir/decision.h>

#include "image/image.h"
#include "image/layout.h"
#include "library/asking.h"
#include "library/bytes.h"
#include "library/samples.h"
#include "library/support.h"
#include "vocabulary/memory.h"

/* More tokens than a bucket and those that it spills into have slots, and than may be far from
 * their places before all are sorted anew. */
enum { CROWD = 100 };

/* The key of an image whose content is all zero but for the number of tokens and `chosen`. */
static uint64_t hash_key_of(uint64_t chosen, uint64_t count)
{
    const uint64_t parts[] = {chosen, 0, count};

    return XXH3_64bits(parts, sizeof parts);
}

struct crowd {
    struct weir_token tokens[CROWD];
    uint64_t hashes[CROWD]; /* of the ids, or of the digests */
    struct weir_scope scope;
    char ids[CROWD][32];
};

/* Makes the ids, or the digests, begin with the same `bits` of their hashes. All else is plain. */
static void crowd_make(struct crowd *crowd, enum weir_key_kind kind, unsigned bits)
{
    const uint64_t key = hash_key_of(0, CROWD);
    uint64_t tried = 0;

    crowd->scope = (struct weir_scope){.ops = WEIR_OPERATION_BIT(WEIR_ACCOUNT_METRICS)};
    for (size_t i = 0; i < CROWD;) {
        struct weir_token *token = &crowd->tokens[i];
        struct weir_text chosen;

        (void)snprintf(crowd->ids[i], sizeof crowd->ids[i], "chosen/%llu",
                       (unsigned long long)tried);
        *token = (struct weir_token){.id = text_of(crowd->ids[i]),
                                     .scopes = &crowd->scope,
                                     .scope_count = 1,
                                     .issue_number = i,
                                     .has_credential_digest = kind == WEIR_KEY_DIGEST};
        memcpy(token->credential_digest, &tried, sizeof tried);
        chosen = kind == WEIR_KEY_ID
                     ? token->id
                     : (struct weir_text){(const char *)token->credential_digest, WEIR_DIGEST_SIZE};
        crowd->hashes[i] = XXH3_64bits_withSeed(chosen.bytes, chosen.length, key);
        i += crowd->hashes[i] >> (64 - bits) == 0;
        tried++;
    }
}

/* How it ended. */
struct laid_out {
    enum weir_status status;
    uint64_t duplicate;
    struct weir_image *image;
};

/* Lays the tokens out, the last first, with their issue numbers as positions. */
static struct laid_out lay_out(const struct weir_token *tokens, size_t count, uint64_t chosen)
{
    const struct weir_allocator allocator = weir_allocator_or_default(NULL);
    struct weir_compiled_entry entries[CROWD];
    struct weir_content content = {.low = chosen, .count = count};
    struct weir_error error = {0};
    struct laid_out laid_out = {0};

    for (size_t i = 0; i < count; i++) {
        const struct weir_token *token = &tokens[count - 1 - i];
        struct weir_compiled_token *compiled = NULL;
        size_t size = 0;

        ck_assert_int_eq(weir_compile_token(token, NULL, &compiled, &size, NULL), WEIR_OK);
        entries[i] = (struct weir_compiled_entry){weir_block_of(compiled), token->issue_number};
        content.digests += token->has_credential_digest;
    }
    laid_out.status = weir_lay_out(entries, &content, 0, &allocator, &laid_out.image,
                                   &laid_out.duplicate, &error);
    if (laid_out.status != WEIR_OK) {
        expect_error(&error, laid_out.status);
    }
    for (size_t i = 0; i < count; i++) {
        free((void *)(uintptr_t)entries[i].block);
    }
    return laid_out;
}

/* Whose hash it is. */
struct crowd_order {
    uint64_t hash;
    size_t token;
};

static int compare_tokens(const void *left, const void *right)
{
    const struct crowd_order *a = left;
    const struct crowd_order *b = right;

    return (a->hash > b->hash) - (a->hash < b->hash);
}

/* Puts the crowd in the order of the hashes, so that it is laid out from the wrong end. */
static void crowd_sort(struct crowd *crowd)
{
    struct crowd_order orders[CROWD];
    struct weir_token tokens[CROWD];

    for (size_t i = 0; i < CROWD; i++) {
        orders[i] = (struct crowd_order){crowd->hashes[i], i};
    }
    qsort(orders, CROWD, sizeof orders[0], compare_tokens);
    for (size_t i = 0; i < CROWD; i++) {
        tokens[i] = crowd->tokens[orders[i].token];
        crowd->hashes[i] = orders[i].hash;
    }
    memcpy(crowd->tokens, tokens, sizeof tokens);
}

/* Demands that the image is a valid one in which each of the crowd is found, and nothing lost. */
static void expect_crowd(const struct crowd *crowd, struct weir_image *image)
{
    struct bytes bytes;

    ck_assert_uint_eq(weir_image_token_count(image), CROWD);
    for (size_t i = 0; i < CROWD; i++) {
        const struct weir_token *token = &crowd->tokens[i];
        const struct weir_compiled_token *found = weir_image_find(image, token->id);

        ck_assert_ptr_nonnull(found);
        ck_assert_uint_eq(weir_compiled_token_issue_number(found), token->issue_number);
        if (token->has_credential_digest) {
            ck_assert_ptr_eq(weir_image_find_by_digest(image, token->credential_digest), found);
        }
    }
    (void)ask_everything(image);
    bytes = bytes_of_image(image);
    ck_assert_int_eq(weir_image_validate(bytes.bytes, bytes.size, NULL, NULL), WEIR_OK);
    ck_assert_uint_gt(number_at(bytes.bytes + AT_ID_OVERFLOW_COUNT, 8) +
                          number_at(bytes.bytes + AT_DIGEST_OVERFLOW_COUNT, 8),
                      CROWD / 4);
    free(bytes.bytes);
}

START_TEST(ids_whose_hashes_all_begin_the_same_are_in_order_and_found)
{
    struct crowd crowd;
    struct laid_out laid_out;
    const struct weir_compiled_token *token = NULL;

    crowd_make(&crowd, WEIR_KEY_ID, (unsigned)_i);
    crowd_sort(&crowd);
    laid_out = lay_out(crowd.tokens, CROWD, 0);
    ck_assert_int_eq(laid_out.status, WEIR_OK);
    for (size_t i = 0; i < CROWD; i++) {
        token = weir_image_next(laid_out.image, token);
        ck_assert_ptr_nonnull(token);
        ck_assert_uint_eq(weir_compiled_token_issue_number(token), crowd.tokens[i].issue_number);
    }
    expect_crowd(&crowd, laid_out.image);
}
END_TEST

START_TEST(digests_whose_hashes_all_begin_the_same_are_found)
{
    struct crowd crowd;
    struct laid_out laid_out;

    crowd_make(&crowd, WEIR_KEY_DIGEST, (unsigned)_i);
    crowd_sort(&crowd);
    laid_out = lay_out(crowd.tokens, CROWD, 0);
    ck_assert_int_eq(laid_out.status, WEIR_OK);
    expect_crowd(&crowd, laid_out.image);
}
END_TEST

/* Three tokens, all alike in the key, among others whose hashes begin the same. They are given the
 * last first: the one in the middle is the first that finds its key taken. */
START_TEST(of_a_crowd_in_which_keys_come_again_the_first_that_does_is_told)
{
    static const size_t alike[] = {20, 50, 80};
    struct crowd crowd;
    struct laid_out laid_out;
    enum weir_key_kind kind = (enum weir_key_kind)_i;

    crowd_make(&crowd, kind, 12);
    crowd_sort(&crowd);
    for (size_t i = 1; i < COUNT(alike); i++) {
        struct weir_token *token = &crowd.tokens[alike[i]];

        if (kind == WEIR_KEY_ID) {
            token->id = crowd.tokens[alike[0]].id;
        } else {
            memcpy(token->credential_digest, crowd.tokens[alike[0]].credential_digest,
                   WEIR_DIGEST_SIZE);
        }
    }
    laid_out = lay_out(crowd.tokens, CROWD, 0);
    ck_assert_int_eq(laid_out.status, WEIR_ERROR_DUPLICATE);
    ck_assert_uint_eq(laid_out.duplicate, crowd.tokens[alike[1]].issue_number);
    ck_assert_ptr_null(laid_out.image);
}
END_TEST

/*
 * ---- Ids that differ in a byte only, and not in their tags ----
 */

enum { LAST_ASCII = 0x7f };

/* Writes the id that is all 'i' but for one byte. */
static struct weir_text id_with(char *bytes, size_t length, size_t place, unsigned byte)
{
    memset(bytes, 'i', length);
    bytes[place] = (char)byte;
    return (struct weir_text){bytes, length};
}

/* Two bytes that, at that place of an id, make no difference to its tag. */
struct twins {
    uint64_t chosen; /* where the hash key comes from */
    unsigned one;
    unsigned other;
};

/* In an image of `count` tokens. */
static struct twins find_twins(size_t length, size_t place, uint64_t count)
{
    for (uint64_t chosen = 1;; chosen++) {
        const uint64_t key = hash_key_of(chosen, count);
        uint16_t tags[LAST_ASCII + 1];

        for (unsigned byte = '!'; byte < LAST_ASCII; byte++) {
            char bytes[WEIR_TOKEN_ID_MAX];

            tags[byte] = weir_hash_tag(weir_hash(id_with(bytes, length, place, byte), key));
            for (unsigned other = '!'; other < byte; other++) {
                if (tags[other] == tags[byte]) {
                    return (struct twins){chosen, byte, other};
                }
            }
        }
    }
}

static enum weir_reason ask_in_every_way(const struct weir_image *image, struct weir_text id)
{
    const struct weir_question question = {id,
                                           {.operation = WEIR_READ,
                                            .basin = WEIR_TEXT("any-basin"),
                                            .stream = WEIR_TEXT("any/stream")}};
    enum weir_reason reason = weir_check(image, id, &question.request, SAMPLE_NOW).reason;
    struct weir_decision decision = {0};

    weir_check_batch(image, &question, 1, SAMPLE_NOW, &decision);
    ck_assert_int_eq(decision.reason, reason);
    ck_assert_int_eq(weir_image_find(image, id) != NULL, reason != WEIR_UNKNOWN_TOKEN);
    return reason;
}

/* One scope that permits reading all streams, and one more, so that there are tries. */
static const struct weir_scope reading[] = {
    {.basins = {WEIR_SET_PREFIX, {"", 0}},
     .streams = {WEIR_SET_PREFIX, {"", 0}},
     .ops = WEIR_OPERATION_BIT(WEIR_READ)},
    {.access_tokens = {WEIR_SET_PREFIX, {"", 0}}, .ops = WEIR_OPERATIONS_ALL}};

/* Allowed the one, which has a token, unknown the other: of a token of one scope, or with tries. */
static void expect_told_apart(struct weir_text one, struct weir_text other, uint64_t chosen)
{
    const struct weir_token token = {
        .id = one, .scopes = reading, .scope_count = 1 + one.length % 2};
    struct weir_image *image = lay_out(&token, 1, chosen).image;

    ck_assert_int_eq(ask_in_every_way(image, one), WEIR_ALLOWED);
    ck_assert_int_eq(ask_in_every_way(image, other), WEIR_UNKNOWN_TOKEN);
    weir_image_close(image);
}

static void expect_twins_told_apart(size_t length, size_t place)
{
    const struct twins twins = find_twins(length, place, 1);
    char one[WEIR_TOKEN_ID_MAX];
    char other[WEIR_TOKEN_ID_MAX];

    expect_told_apart(id_with(one, length, place, twins.one),
                      id_with(other, length, place, twins.other), twins.chosen);
}

START_TEST(an_id_that_differs_in_one_byte_and_not_in_its_tag_is_another)
{
    for (size_t length = 3; length <= 66; length++) {
        for (size_t place = 0; place < length; place++) {
            expect_twins_told_apart(length, place);
        }
    }
    for (size_t place = 0; place < WEIR_TOKEN_ID_MAX; place++) {
        expect_twins_told_apart(WEIR_TOKEN_ID_MAX, place);
    }
}
END_TEST

/* Where the hash key comes from under which an id has the tag of one that goes on for a byte, which
 * is put behind it. */
static uint64_t find_longer_twin(char *bytes, size_t length)
{
    for (uint64_t chosen = 1;; chosen++) {
        const uint64_t key = hash_key_of(chosen, 1);
        uint16_t tag = weir_hash_tag(weir_hash((struct weir_text){bytes, length}, key));

        for (char byte = '!'; byte < LAST_ASCII; byte++) {
            bytes[length] = byte;
            if (weir_hash_tag(weir_hash((struct weir_text){bytes, length + 1}, key)) == tag) {
                return chosen;
            }
        }
    }
}

START_TEST(an_id_that_goes_on_for_a_byte_and_has_the_same_tag_is_another)
{
    for (size_t length = 1; length < 70; length++) {
        char bytes[WEIR_TOKEN_ID_MAX];
        const struct weir_text shorter = id_with(bytes, length, 0, 'i');
        const struct weir_text longer = {bytes, length + 1};
        uint64_t chosen = find_longer_twin(bytes, length);

        expect_told_apart(longer, shorter, chosen);
        expect_told_apart(shorter, longer, chosen);
    }
}
END_TEST

/*
 * ---- Tokens of one bucket ----
 */

/* Of two tokens, one of which may read, one lies before the other: each answers for itself. */
START_TEST(tokens_of_one_bucket_and_one_tag_are_both_found)
{
    static const struct weir_scope trimming = {.ops = WEIR_OPERATION_BIT(WEIR_TRIM)};

    for (size_t length = WEIR_WORD; length <= WEIR_SOUGHT_MAX; length += WEIR_WORD) {
        const struct twins twins = find_twins(length, 0, 2);
        char one[WEIR_SOUGHT_MAX];
        char other[WEIR_SOUGHT_MAX];
        const struct weir_token tokens[] = {
            {.id = id_with(one, length, 0, twins.one), .scopes = reading, .scope_count = 1},
            {.id = id_with(other, length, 0, twins.other), .scopes = &trimming, .scope_count = 1}};
        struct weir_image *image = lay_out(tokens, COUNT(tokens), twins.chosen).image;

        ck_assert_uint_eq(image->view.id.bucket_count, 1);
        ck_assert_uint_eq(image->view.id.buckets[0].tag[0], image->view.id.buckets[0].tag[1]);
        ck_assert_int_eq(ask_in_every_way(image, tokens[0].id), WEIR_ALLOWED);
        ck_assert_int_eq(ask_in_every_way(image, tokens[1].id), WEIR_OP_NOT_PERMITTED);
        weir_image_close(image);
    }
}
END_TEST

/* Writes the first id from that number on whose hash begins with that bit, and ends with sixteen
 * zeros if it is to. Returns the number after its own. */
static uint64_t find_id(char id[32], uint64_t number, uint64_t first_bit, bool ends_with_zeros)
{
    for (;; number++) {
        uint64_t hash = 0;

        (void)snprintf(id, 32, "chosen/%llu", (unsigned long long)number);
        hash = weir_hash(text_of(id), hash_key_of(0, WEIR_SLOTS));
        if (hash >> 63 == first_bit && (!ends_with_zeros || (uint16_t)hash == 0)) {
            return number + 1;
        }
    }
}

/* As many tokens as a bucket has slots have two homes. One is full and nothing has gone by it, the
 * other is empty: of one no slot is free, of the other all are. */
START_TEST(an_id_whose_hash_ends_in_zeros_is_found_in_a_full_bucket_and_unknown_in_an_empty_one)
{
    struct weir_token tokens[WEIR_SLOTS];
    char ids[WEIR_SLOTS][32];
    char nobody[32];
    struct weir_image *image = NULL;
    uint64_t tried = 0;

    for (size_t i = 0; i < WEIR_SLOTS; i++) {
        tried = find_id(ids[i], tried, 0, i == WEIR_SLOTS / 2);
        tokens[i] = (struct weir_token){.id = text_of(ids[i]), .scopes = reading, .scope_count = 1};
    }
    (void)find_id(nobody, 0, 1, true);
    image = lay_out(tokens, WEIR_SLOTS, 0).image;
    ck_assert_uint_eq(image->view.id.bucket_count, 2);
    ck_assert_uint_eq(image->view.id.buckets[0].spilled, 0);
    for (size_t i = 0; i < WEIR_SLOTS; i++) {
        ck_assert_uint_ne(image->view.id.buckets[0].tag[i], 0);
        ck_assert_int_eq(ask_in_every_way(image, tokens[i].id), WEIR_ALLOWED);
    }
    ck_assert_int_eq(ask_in_every_way(image, text_of(nobody)), WEIR_UNKNOWN_TOKEN);
    weir_image_close(image);
}
END_TEST

TCase *layout_cases(void)
{
    TCase *cases = tcase_create("layout");

    /* Bits of a hash: as many as choose a bucket, and as many as choose where a key is sorted to.
     */
    tcase_add_loop_test(cases, ids_whose_hashes_all_begin_the_same_are_in_order_and_found, 4, 14);
    tcase_add_loop_test(cases, digests_whose_hashes_all_begin_the_same_are_found, 4, 14);
    tcase_add_loop_test(cases, of_a_crowd_in_which_keys_come_again_the_first_that_does_is_told,
                        WEIR_KEY_ID, WEIR_KEY_DIGEST + 1);
    tcase_add_test(cases, an_id_that_differs_in_one_byte_and_not_in_its_tag_is_another);
    tcase_add_test(cases, an_id_that_goes_on_for_a_byte_and_has_the_same_tag_is_another);
    tcase_add_test(cases, tokens_of_one_bucket_and_one_tag_are_both_found);
    tcase_add_test(
        cases,
        an_id_whose_hash_ends_in_zeros_is_found_in_a_full_bucket_and_unknown_in_an_empty_one);
    return cases;
}
