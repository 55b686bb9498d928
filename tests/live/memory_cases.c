/* E8, E9: what an engine holds, and which memory it touches. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "library/scratch.h"
#include "library/support.h"
#include "live/guarantee_cases.h"
#include "live/recipes.h"

/*
 * ---- E8 ----
 */

/* Tokens, more or less of one size: with the header of a block it is less than this. */
#define BLOCK_MOST 512

START_TEST(E8_no_more_than_its_bound_waits_to_be_released)
{
    static const size_t bounds[] = {1, 1000, 20000};
    const size_t bound = bounds[_i];
    struct counting_allocator counting;
    struct weir_engine_options options = {.retired_max = bound};
    struct weir_engine *engine = NULL;
    size_t after_first = 0;
    size_t most_retired = 0;

    counting_allocator_start(&counting);
    options.allocator = &counting.allocator;
    engine = engine_on(NULL, &options);
    ck_assert_int_eq(issue_token(engine, (struct recipe){"a", .version = 1, .credential = 1}),
                     WEIR_OK);
    ck_assert_int_eq(reclaim(engine), WEIR_OK);
    after_first = counting.bytes;
    for (unsigned i = 0; i < 2000; i++) {
        size_t retired = 0;

        if (i % 3 == 2) {
            ck_assert_int_eq(revoke_token(engine, "a"), WEIR_OK);
        }
        ck_assert_int_eq(
            put_token(engine, (struct recipe){"a", .version = 1, .credential = 1 + i % 2}),
            WEIR_OK);
        retired = (size_t)weir_engine_usage(engine).retired_bytes;
        most_retired = retired > most_retired ? retired : most_retired;
        ck_assert_uint_le(retired, bound + BLOCK_MOST);
        ck_assert_uint_le(counting.bytes, after_first + bound + 2 * (size_t)BLOCK_MOST);
    }
    /* It does use the room that it has, if not all of it. */
    ck_assert_uint_ge(2 * (most_retired + BLOCK_MOST), bound);
    ck_assert_int_eq(reclaim(engine), WEIR_OK);
    ck_assert_uint_eq(weir_engine_usage(engine).retired_bytes, 0);
    ck_assert_uint_eq(counting.bytes, after_first);
    weir_engine_close(engine);
    counting_allocator_expect_balance(&counting);
}
END_TEST

START_TEST(E8_what_waits_is_told_and_released_on_request)
{
    struct weir_engine *engine = engine_on(NULL, NULL);
    uint64_t last = 0;

    ck_assert_int_eq(issue_token(engine, (struct recipe){"a", .version = 1}), WEIR_OK);
    for (unsigned i = 0; i < 100; i++) {
        ck_assert_int_eq(replace_token(engine, (struct recipe){"a", .version = 2}), WEIR_OK);
        ck_assert_uint_gt(weir_engine_usage(engine).retired_bytes, last);
        last = weir_engine_usage(engine).retired_bytes;
    }
    ck_assert_int_eq(reclaim(engine), WEIR_OK);
    ck_assert_uint_eq(weir_engine_usage(engine).retired_bytes, 0);
    ck_assert_int_eq(ask(engine, "a", 2), WEIR_ALLOWED);
    weir_engine_close(engine);
}
END_TEST

START_TEST(an_engine_tells_how_many_tokens_it_holds_and_how_many_are_its_own)
{
    const struct recipe recipes[] = {{"a", .version = 1}, {"b", .version = 1}};
    struct weir_image *image = compile_recipes(recipes, COUNT(recipes), 0);
    struct weir_engine *engine = engine_on(image, NULL);
    static const struct {
        const char *id;
        bool revokes;
        uint64_t tokens, own;
    } steps[] = {{"c", false, 3, 1}, {"a", false, 3, 2}, {"a", true, 2, 1}, {"b", true, 1, 1},
                 {"b", false, 2, 2}, {"c", true, 1, 1},  {"b", true, 0, 0}};

    for (size_t i = 0; i < COUNT(steps); i++) {
        ck_assert_int_eq(steps[i].revokes
                             ? revoke_token(engine, steps[i].id)
                             : put_token(engine, (struct recipe){steps[i].id, .version = 2}),
                         WEIR_OK);
        ck_assert_uint_eq(weir_engine_usage(engine).tokens, steps[i].tokens);
        ck_assert_uint_eq(weir_engine_usage(engine).own_tokens, steps[i].own);
    }
    weir_engine_close(engine);
    weir_image_close(image);
}
END_TEST

/*
 * ---- E9 ----
 */

enum { FILE_TOKENS = 20000, PAGE = 4096 };

/* A mapped image of many tokens, and a copy of what its bytes were. */
struct mapped {
    struct scratch scratch;
    struct weir_image *image;
    void *bytes;
    size_t size;
};

static void mapped_make(struct mapped *mapped)
{
    struct recipe *recipes = calloc(FILE_TOKENS, sizeof *recipes);
    char(*ids)[16] = calloc(FILE_TOKENS, sizeof *ids);
    struct weir_image *image = NULL;
    const void *bytes = NULL;

    for (unsigned i = 0; i < FILE_TOKENS; i++) {
        (void)snprintf(ids[i], sizeof ids[i], "token%u", i);
        recipes[i] = (struct recipe){ids[i], .version = 1, .issue_number = i, .credential = i};
    }
    image = compile_recipes(recipes, FILE_TOKENS, 0);
    scratch_make(&mapped->scratch);
    ck_assert_int_eq(weir_image_save(image, mapped->scratch.path, NULL), WEIR_OK);
    weir_image_close(image);
    ck_assert_int_eq(
        weir_image_open(mapped->scratch.path, WEIR_IMAGE_SHARED, NULL, &mapped->image, NULL),
        WEIR_OK);
    bytes = weir_image_bytes(mapped->image, &mapped->size);
    mapped->bytes = malloc(mapped->size);
    memcpy(mapped->bytes, bytes, mapped->size);
    free(ids);
    free(recipes);
}

static void expect_unchanged(const struct mapped *mapped)
{
    size_t size = 0;
    const void *bytes = weir_image_bytes(mapped->image, &size);

    ck_assert_uint_eq(size, mapped->size);
    ck_assert_int_eq(memcmp(bytes, mapped->bytes, size), 0);
    ck_assert(file_has(mapped->scratch.path, mapped->bytes, mapped->size));
}

static void mapped_free(struct mapped *mapped)
{
    weir_image_close(mapped->image);
    free(mapped->bytes);
    scratch_remove(&mapped->scratch);
}

/* Of the file's private, writable mappings: how many there are, and their bytes that have been
 * written to, by the kernel's account. */
struct private_copy {
    size_t mappings;
    size_t dirty;
};

static struct private_copy private_copy_of(const char *path)
{
    struct private_copy found = {0, 0};
    FILE *maps = fopen("/proc/self/smaps", "r");
    char line[1024];
    bool ours = false;

    ck_assert_ptr_nonnull(maps);
    while (fgets(line, sizeof line, maps) != NULL) {
        char rights[8];
        size_t kilobytes = 0;

        if (sscanf(line, "%*x-%*x %7s", rights) == 1) {
            ours = strstr(line, path) != NULL && strcmp(rights, "rw-p") == 0;
            found.mappings += ours;
        } else if (ours && sscanf(line, "Private_Dirty: %zu kB", &kilobytes) == 1) {
            found.dirty += kilobytes * 1024;
        }
    }
    (void)fclose(maps);
    return found;
}

START_TEST(E9_of_a_mapped_image_only_touched_pages_of_the_index_are_copied)
{
    struct mapped mapped;
    struct counting_allocator counting;
    struct weir_engine_options options = {0};
    struct weir_engine *engine = NULL;
    static const char *const ids[] = {"token5", "token777", "token19999", "token77"};

    if (sysconf(_SC_PAGESIZE) != PAGE) {
        return; /* the index is copied whole where its pages are not the machine's */
    }
    mapped_make(&mapped);
    counting_allocator_start(&counting);
    options.allocator = &counting.allocator;
    engine = engine_on(mapped.image, &options);
    ck_assert_uint_le(counting.bytes, 4 * (size_t)PAGE);
    ck_assert_uint_eq(private_copy_of(mapped.scratch.path).mappings, 1);
    for (unsigned i = 0; i < 1000; i++) {
        char id[16];

        (void)snprintf(id, sizeof id, "token%u", i * 17);
        ck_assert_int_eq(ask(engine, id, 1), WEIR_ALLOWED);
    }
    ck_assert_uint_eq(private_copy_of(mapped.scratch.path).dirty, 0);
    for (size_t i = 0; i < COUNT(ids); i++) {
        size_t dirty = 0;

        ck_assert_int_eq(i % 2 == 0 ? revoke_token(engine, ids[i])
                                    : replace_token(engine, (struct recipe){ids[i], .version = 2}),
                         WEIR_OK);
        dirty = private_copy_of(mapped.scratch.path).dirty;
        ck_assert_uint_gt(dirty, 0);
        ck_assert_uint_le(dirty, (i + 1) * PAGE);
    }
    ck_assert_int_eq(ask(engine, ids[0], 1), WEIR_UNKNOWN_TOKEN);
    ck_assert_int_eq(ask(engine, ids[1], 2), WEIR_ALLOWED);
    expect_unchanged(&mapped);
    ck_assert_int_eq(swap_image(engine, NULL), WEIR_OK);
    ck_assert_uint_eq(private_copy_of(mapped.scratch.path).mappings, 0);
    weir_engine_close(engine);
    mapped_free(&mapped);
    counting_allocator_expect_balance(&counting);
}
END_TEST

START_TEST(E9_no_change_writes_to_the_image)
{
    struct mapped mapped;
    struct weir_engine *engine = NULL;
    char id[16];

    mapped_make(&mapped);
    engine = engine_on(mapped.image, NULL);
    for (unsigned i = 0; i < FILE_TOKENS; i += 3) {
        (void)snprintf(id, sizeof id, "token%u", i);
        ck_assert_int_eq(revoke_token(engine, id), WEIR_OK);
        (void)snprintf(id, sizeof id, "token%u", i + 1);
        ck_assert_int_eq(put_token(engine, (struct recipe){id, .version = 2}), WEIR_OK);
    }
    ck_assert_int_eq(swap_image(engine, mapped.image), WEIR_OK);
    ck_assert_int_eq(ask(engine, "token0", 1), WEIR_ALLOWED);
    ck_assert_int_eq(ask(engine, "token1", 1), WEIR_ALLOWED);
    expect_unchanged(&mapped);
    weir_engine_close(engine);
    expect_unchanged(&mapped);
    mapped_free(&mapped);
}
END_TEST

/* Read-only memory at an odd address: whatever wrote to it would be killed. */
START_TEST(E9_an_image_in_memory_that_cannot_be_written_to_may_be_changed_as_well)
{
    const struct recipe recipes[] = {{"a", .version = 1, .credential = 1}, {"b", .version = 1}};
    struct weir_image *image = compile_recipes(recipes, COUNT(recipes), 0);
    size_t size = 0;
    const void *bytes = weir_image_bytes(image, &size);
    char *memory = mmap(NULL, size + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct weir_image *fixed = NULL;
    struct weir_engine *engine = NULL;

    ck_assert(memory != MAP_FAILED);
    memcpy(memory + 1, bytes, size);
    weir_image_close(image);
    ck_assert_int_eq(mprotect(memory, size + 1, PROT_READ), 0);
    ck_assert_int_eq(
        weir_image_open_memory(memory + 1, size, WEIR_IMAGE_SHARED, NULL, &fixed, NULL), WEIR_OK);
    engine = engine_on(fixed, NULL);
    ck_assert_int_eq(replace_token(engine, (struct recipe){"a", .version = 2, .credential = 1}),
                     WEIR_OK);
    ck_assert_int_eq(revoke_token(engine, "b"), WEIR_OK);
    ck_assert_int_eq(issue_token(engine, (struct recipe){"c", .version = 3}), WEIR_OK);
    ck_assert_int_eq(ask_by_credential(engine, 1, 2), WEIR_ALLOWED);
    ck_assert_int_eq(ask(engine, "b", 1), WEIR_UNKNOWN_TOKEN);
    ck_assert_int_eq(ask(engine, "c", 3), WEIR_ALLOWED);
    weir_engine_close(engine);
    weir_image_close(fixed);
    ck_assert_int_eq(munmap(memory, size + 1), 0);
}
END_TEST

TCase *memory_cases(void)
{
    TCase *cases = tcase_create("memory");

    tcase_add_loop_test(cases, E8_no_more_than_its_bound_waits_to_be_released, 0, 3);
    tcase_add_test(cases, E8_what_waits_is_told_and_released_on_request);
    tcase_add_test(cases, an_engine_tells_how_many_tokens_it_holds_and_how_many_are_its_own);
    tcase_add_test(cases, E9_of_a_mapped_image_only_touched_pages_of_the_index_are_copied);
    tcase_add_test(cases, E9_no_change_writes_to_the_image);
    tcase_add_test(cases, E9_an_image_in_memory_that_cannot_be_written_to_may_be_changed_as_well);
    return cases;
}
