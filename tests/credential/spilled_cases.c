/* Digests whose hashes are all the same, which only the order of their bytes tells apart. */
#include <stdlib.h>
#include <string.h>

#include <weir/compile.h>

#include "credential/credential_cases.h"
#include "image/index.h"
#include "library/support.h"
#include "model/dice.h"

enum { TOKENS = 200, SLOT = 512, HASH = 7 };

/* The overflow of an index, and the blocks that it leads to. */
struct spilled {
    char blocks[(TOKENS + 1) * SLOT];
    uint8_t digests[TOKENS][WEIR_DIGEST_SIZE]; /* in order */
    struct weir_overflow overflow[TOKENS];
};

/* Digests that begin like one another, as far as luck has it. */
static void draw_digest(struct dice *dice, uint8_t *digest)
{
    size_t alike = dice_below(dice, WEIR_DIGEST_SIZE);

    memset(digest, 0x80, WEIR_DIGEST_SIZE);
    for (size_t i = alike; i < WEIR_DIGEST_SIZE; i++) {
        digest[i] = (uint8_t)dice_bits(dice);
    }
}

static int compare_digests(const void *left, const void *right)
{
    return memcmp(left, right, WEIR_DIGEST_SIZE);
}

static void place(struct spilled *spilled, size_t i)
{
    struct weir_scope scope = {.ops = WEIR_OPERATIONS_ALL};
    struct weir_token token = {.id = WEIR_TEXT("token"),
                               .scopes = &scope,
                               .scope_count = 1,
                               .has_credential_digest = true};
    struct weir_compiled_token *compiled = NULL;
    size_t size = 0;

    memcpy(token.credential_digest, spilled->digests[i], WEIR_DIGEST_SIZE);
    ck_assert_int_eq(weir_compile_token(&token, NULL, &compiled, &size, NULL), WEIR_OK);
    ck_assert_uint_le(size, SLOT);
    memcpy(spilled->blocks + (i + 1) * SLOT, compiled, size);
    spilled->overflow[i] = (struct weir_overflow){.hash = HASH, .offset = (uint32_t)(i + 1)};
    free(compiled);
}

static void make(struct spilled *spilled, struct dice *dice)
{
    for (size_t i = 0; i < TOKENS; i++) {
        draw_digest(dice, spilled->digests[i]);
    }
    qsort(spilled->digests, TOKENS, WEIR_DIGEST_SIZE, compare_digests);
    for (size_t i = 0; i < TOKENS; i++) {
        place(spilled, i);
    }
}

/* Which of them is found; TOKENS if none. */
static size_t find(const struct spilled *spilled, const uint8_t *digest)
{
    const struct weir_index index = {.overflow = spilled->overflow, .overflow_count = TOKENS};
    const struct weir_blocks blocks = {.section = spilled->blocks, .shift = 9};
    const struct weir_block *block = weir_index_find_spilled(
        &index, blocks, (struct weir_text){(const char *)digest, WEIR_DIGEST_SIZE}, HASH,
        WEIR_KEY_DIGEST);

    return block == NULL ? TOKENS : (size_t)((const char *)block - spilled->blocks) / SLOT - 1;
}

START_TEST(digests_of_one_hash_are_found_by_their_bytes)
{
    static struct spilled spilled;
    struct dice dice = {9};

    make(&spilled, &dice);
    for (size_t i = 0; i < TOKENS; i++) {
        if (find(&spilled, spilled.digests[i]) != i) {
            ck_abort_msg("digest %zu is not found", i);
        }
    }
    for (unsigned i = 0; i < 100000; i++) {
        uint8_t digest[WEIR_DIGEST_SIZE];
        bool there = false;

        draw_digest(&dice, digest);
        there = bsearch(digest, spilled.digests, TOKENS, WEIR_DIGEST_SIZE, compare_digests) != NULL;
        if ((find(&spilled, digest) != TOKENS) != there) {
            ck_abort_msg("a digest is %s, by mistake", there ? "not found" : "found");
        }
    }
}
END_TEST

TCase *spilled_cases(void)
{
    TCase *cases = tcase_create("spilled digests");

    tcase_add_test(cases, digests_of_one_hash_are_found_by_their_bytes);
    return cases;
}
