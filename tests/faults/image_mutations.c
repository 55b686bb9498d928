/* image_mutations.c - an image, whatever was changed in it, is refused or safe to ask anything. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/compile.h>
#include <weir/engine.h>

#include "faults/mutations.h"
#include "faults/window.h"
#include "library/asking.h"
#include "library/bytes.h"
#include "library/samples.h"
#include "live/hostile.h"
#include "live/recipes.h"

/*
 * ---- The images: between them they have every structure of the format ----
 */

/* Ten of an id's slots and what is beyond them in the overflow. */
static struct bytes bytes_of_overflow(void)
{
    struct hostile hostile;
    struct bytes bytes = {NULL, 0};

    hostile_make(&hostile, 12, 8);
    bytes = bytes_of_image(hostile.image);
    free(hostile.bytes);
    return bytes;
}

/* A chain of nodes as deep as a name is long, a node with as many edges as bytes that a name may
 * have, and digests. */
static struct bytes bytes_of_depth(void)
{
    enum { DEEP = 100, WIDE = 90 };
    static char deep[DEEP];
    static char wide[WIDE][2];
    struct weir_scope scopes[DEEP + WIDE];
    struct weir_token tokens[2] = {{.id = WEIR_TEXT("deep")}, {.id = WEIR_TEXT("twin")}};

    memset(scopes, 0, sizeof scopes);
    for (size_t i = 0; i < DEEP; i++) {
        deep[i] = (char)('a' + i % 26);
        scopes[i] = (struct weir_scope){
            .basins = {WEIR_SET_PREFIX, WEIR_TEXT("acme-")},
            .streams = {i % 2 == 0 ? WEIR_SET_PREFIX : WEIR_SET_EXACT, {deep, i + 1}},
            .ops = WEIR_OPERATION_BIT(WEIR_READ)};
    }
    for (size_t i = 0; i < WIDE; i++) {
        wide[i][0] = (char)('!' + i);
        wide[i][1] = '/';
        scopes[DEEP + i] = (struct weir_scope){.access_tokens = {WEIR_SET_PREFIX, {wide[i], 2}},
                                               .ops = WEIR_OPERATION_BIT(WEIR_REVOKE_ACCESS_TOKEN)};
    }
    for (unsigned i = 0; i < COUNT(tokens); i++) {
        tokens[i].scopes = scopes;
        tokens[i].scope_count = i == 0 ? COUNT(scopes) : 1;
        tokens[i].issue_number = i + 1;
        tokens[i].has_credential_digest = true;
        digest_of(i + 1, tokens[i].credential_digest);
    }
    return bytes_of_image(compile_tokens(tokens, COUNT(tokens), NULL));
}

static struct bytes bytes_of_nothing(void)
{
    return bytes_of_image(compile_tokens(NULL, 0, NULL));
}

static struct bytes (*const makers[])(void) = {bytes_of_samples, bytes_of_overflow, bytes_of_depth,
                                               bytes_of_nothing};

/*
 * ---- What is done with each ----
 */

/* An engine on it takes changes and compacts; whatever it holds may be laid out again. */
static void live_on(const struct weir_image *image)
{
    const struct weir_compiled_token *first = weir_image_next(image, NULL);
    struct weir_engine *engine = engine_on(image, NULL);
    struct weir_image *compacted = NULL;

    if (first != NULL) {
        ck_assert_int_eq(weir_engine_put(engine, first, NULL), WEIR_OK);
        (void)state_of(engine);
        ck_assert_int_eq(weir_engine_revoke(engine, weir_compiled_token_id(first), NULL), WEIR_OK);
    }
    (void)put_token(engine, (struct recipe){"a", .version = 1, .credential = 3});
    if (weir_engine_compact(engine, NOW, 1, NULL, &compacted, NULL) == WEIR_OK) {
        size_t size = 0;
        const void *bytes = weir_image_bytes(compacted, &size);

        ck_assert_int_eq(weir_image_validate(bytes, size, NULL, NULL), WEIR_OK);
        weir_image_close(compacted);
    }
    weir_engine_close(engine);
}

/* The window's bytes: unmended, they are refused if they differ from what they were; mended, they
 * are refused or asked. One in `rare` is opened in every mode, and lives in an engine. */
static void refuse_or_ask(const struct window *window, bool mends, bool rare,
                          struct outcome *outcome)
{
    struct weir_image *image = NULL;
    struct weir_error error = {0};
    enum weir_status status = WEIR_OK;

    if (mends) {
        mend_checksum(window->bytes, window->size);
    }
    if (rare) {
        (void)status_of_opening(window->shown, window->size);
    }
    status = weir_image_open_memory(window->shown, window->size, WEIR_IMAGE_SHARED, NULL, &image,
                                    &error);
    if (status != WEIR_OK) {
        expect_error(&error, status);
        outcome->refused++;
        return;
    }
    if (!mends) {
        ck_abort_msg("an image was changed, and opened with the checksum it had");
    }
    (void)ask_everything(image);
    if (rare) {
        live_on(image);
    }
    weir_image_close(image);
    outcome->asked++;
}

/* Each byte alone, so many of them; the checksum of that image is put right, or not. */
START_TEST(an_image_with_one_byte_changed_is_refused_or_safe_to_ask)
{
    struct bytes bytes = makers[_i]();
    struct window window = window_open(bytes.bytes, bytes.size, _i % 2 == 0);
    struct outcome outcome = {0, 0};
    struct random random = {(uint64_t)_i};

    for (size_t at = random_below(&random, extent.stride); at < bytes.size; at += extent.stride) {
        for (unsigned which = 0; which < BYTE_VALUES; which++) {
            unsigned char value = byte_value(bytes.bytes[at], which);

            if (value == bytes.bytes[at]) {
                continue;
            }
            window.bytes[at] = value;
            refuse_or_ask(&window, false, false, &outcome);
            refuse_or_ask(&window, true, random_below(&random, 16) == 0, &outcome);
            memcpy(window.bytes + AT_CHECKSUM, bytes.bytes + AT_CHECKSUM, 8);
            window.bytes[at] = bytes.bytes[at];
        }
    }
    tell("images, one byte", outcome);
    ck_assert_uint_gt(outcome.refused, 100);
    window_close(&window);
    free(bytes.bytes);
}
END_TEST

START_TEST(an_image_with_several_bytes_changed_is_refused_or_safe_to_ask)
{
    struct bytes bytes = makers[_i]();
    struct window window = window_open(bytes.bytes, bytes.size, _i % 2 == 1);
    struct outcome outcome = {0, 0};
    struct random random = {0x100 + (uint64_t)_i};

    for (size_t round = 0; round < extent.image_rounds / COUNT(makers); round++) {
        change_several(window.bytes, window.size, &random);
        if (memcmp(window.bytes, bytes.bytes, bytes.size) != 0) {
            refuse_or_ask(&window, round % 2 == 0, round % 32 == 0, &outcome);
            memcpy(window.bytes, bytes.bytes, bytes.size);
        }
    }
    tell("images, several bytes", outcome);
    ck_assert_uint_gt(outcome.refused, 100);
    window_close(&window);
    free(bytes.bytes);
}
END_TEST

/* A file that was cut, or has something behind it. */
START_TEST(an_image_of_another_size_is_refused)
{
    struct bytes bytes = makers[_i]();

    for (size_t size = 0; size < bytes.size; size += extent.stride) {
        struct window window = window_open(bytes.bytes, size, true);
        struct outcome outcome = {0, 0};

        refuse_or_ask(&window, false, true, &outcome);
        ck_assert_uint_eq(outcome.refused, 1);
        window_close(&window);
    }
    free(bytes.bytes);
}
END_TEST

TCase *image_mutations(void)
{
    TCase *cases = tcase_create("images");
    const int count = (int)COUNT(makers);

    tcase_add_loop_test(cases, an_image_with_one_byte_changed_is_refused_or_safe_to_ask, 0, count);
    tcase_add_loop_test(cases, an_image_with_several_bytes_changed_is_refused_or_safe_to_ask, 0,
                        count);
    tcase_add_loop_test(cases, an_image_of_another_size_is_refused, 0, count);
    return cases;
}
