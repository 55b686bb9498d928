#include "tokens.h"

#include <stdlib.h>
#include <string.h>

#include "engines.h"
#include "memory.h"

/* SplitMix64's finish. */
uint64_t tokens_mix(uint64_t number)
{
    number += UINT64_C(0x9e3779b97f4a7c15);
    number = (number ^ number >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    number = (number ^ number >> 27) * UINT64_C(0x94d049bb133111eb);
    return number ^ number >> 31;
}

void names_make(uint64_t number, struct names *names)
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz012345";
    uint64_t random = tokens_mix(number);
    size_t total = 0;

    names->id_length = (uint8_t)(12 + random % 29);
    names->basin_length = (uint8_t)(4 + (random >> 8) % 17);
    names->stream_length = (uint8_t)(4 + (random >> 16) % 21);
    total = (size_t)names->id_length + names->basin_length + names->stream_length;
    if (total > sizeof names->bytes) {
        names->stream_length = (uint8_t)(names->stream_length - (total - sizeof names->bytes));
        total = sizeof names->bytes;
    }
    /* The number itself keeps ids apart. */
    for (size_t i = 0; i < 8; i++) {
        names->bytes[i] = "0123456789abcdef"[number >> 4 * i & 15];
    }
    for (size_t i = 8; i < total; i++) {
        if (i % 8 == 0) {
            random = tokens_mix(random);
        }
        names->bytes[i] = alphabet[random >> i % 8 * 5 & 31];
    }
}

static int compare_names(const void *left, const void *right)
{
    const struct names *a = left;
    const struct names *b = right;
    size_t shorter = a->id_length < b->id_length ? a->id_length : b->id_length;
    int order = memcmp(a->bytes, b->bytes, shorter);

    return order != 0 ? order : (int)a->id_length - (int)b->id_length;
}

static void declarations_pack(struct declarations *declarations, const struct names *names)
{
    size_t size = 0;

    declarations->bytes = memory_touched((size_t)TOKEN_COUNT * sizeof *names);
    for (size_t i = 0; i < TOKEN_COUNT; i++) {
        memcpy(declarations->bytes + size, &names[i], names_stride(&names[i]));
        size += names_stride(&names[i]);
        declarations->strings +=
            (size_t)names[i].id_length + names[i].basin_length + names[i].stream_length;
    }
    declarations->size = size;
}

static void declarations_make(struct declarations *declarations, bool by_id)
{
    struct names *names = memory_touched((size_t)TOKEN_COUNT * sizeof *names);

    for (size_t i = 0; i < TOKEN_COUNT; i++) {
        names_make(i, &names[i]);
    }
    if (by_id) {
        qsort(names, TOKEN_COUNT, sizeof *names, compare_names);
    } else {
        for (size_t i = TOKEN_COUNT - 1; i > 0; i--) {
            size_t j = tokens_mix(i) % (i + 1);
            struct names swapped = names[i];

            names[i] = names[j];
            names[j] = swapped;
        }
    }
    declarations_pack(declarations, names);
    memory_release(names, (size_t)TOKEN_COUNT * sizeof *names);
}

const struct declarations *declarations_in_random_order(void)
{
    static struct declarations declarations;

    if (declarations.bytes == NULL) {
        declarations_make(&declarations, false);
    }
    return &declarations;
}

const struct declarations *declarations_by_id(void)
{
    static struct declarations declarations;

    if (declarations.bytes == NULL) {
        declarations_make(&declarations, true);
    }
    return &declarations;
}

/* Field by field: to clear a whole structure, compilers like an instruction that takes long to
 * start, and this is part of what compiling a token is said to cost. */
void names_declare(const struct names *names, struct names_token *declared)
{
    const char *bytes = names->bytes;
    struct weir_scope *scope = &declared->scope;
    struct weir_token *token = &declared->token;

    scope->basins =
        (struct weir_set){WEIR_SET_PREFIX, {bytes + names->id_length, names->basin_length}};
    scope->streams = (struct weir_set){
        WEIR_SET_PREFIX, {bytes + names->id_length + names->basin_length, names->stream_length}};
    scope->access_tokens = (struct weir_set){WEIR_SET_NOTHING, {NULL, 0}};
    scope->ops = WEIR_OPERATIONS_ALL;
    scope->op_groups = 0;
    token->id = (struct weir_text){bytes, names->id_length};
    token->scopes = scope;
    token->scope_count = 1;
    token->expires_at = (struct weir_instant){0, 0};
    token->expires = false;
    token->auto_prefix_streams = false;
    token->has_credential_digest = false;
    memset(token->credential_digest, 0, sizeof token->credential_digest);
    token->issue_number = 0;
}

struct weir_image *tokens_compile(const struct declarations *declarations,
                                  const struct weir_allocator *allocator)
{
    struct weir_compiler *compiler = NULL;
    struct weir_image *image = NULL;
    const char *at = declarations->bytes;

    engines_must(weir_compiler_new(allocator, &compiler, NULL), "compiling");
    for (uint64_t i = 0; i < TOKEN_COUNT; i++) {
        const struct names *names = (const struct names *)(const void *)at;
        struct names_token declared;

        names_declare(names, &declared);
        engines_must(weir_compiler_add(compiler, &declared.token, i, NULL), "compiling");
        at += names_stride(names);
    }
    engines_must(weir_compile(compiler, 0, &image, NULL, NULL), "compiling");
    weir_compiler_free(compiler);
    return image;
}

const struct weir_image *tokens_copy(const struct weir_image *image, enum memory_pages pages)
{
    struct weir_image *copy = NULL;
    size_t size = 0;
    const void *bytes = weir_image_bytes(image, &size);
    void *memory = memory_touched_in(pages, size);

    memcpy(memory, bytes, size);
    engines_must(weir_image_open_memory(memory, size, WEIR_IMAGE_SHARED, NULL, &copy, NULL),
                 "opening a copy");
    return copy;
}

const struct weir_image *tokens_image(void)
{
    static const struct weir_image *image;

    if (image == NULL) {
        struct weir_image *compiled = tokens_compile(declarations_in_random_order(), NULL);

        image = tokens_copy(compiled, MEMORY_LARGE_PAGES);
        weir_image_close(compiled);
    }
    return image;
}

const struct weir_image *tokens_image_of(uint64_t count, enum memory_pages pages)
{
    struct weir_compiler *compiler = NULL;
    struct weir_image *compiled = NULL;
    const struct weir_image *image = NULL;

    engines_must(weir_compiler_new(NULL, &compiler, NULL), "compiling");
    for (uint64_t i = 0; i < count; i++) {
        struct names names;
        struct names_token declared;

        names_make(i, &names);
        names_declare(&names, &declared);
        engines_must(weir_compiler_add(compiler, &declared.token, i, NULL), "compiling");
    }
    engines_must(weir_compile(compiler, 0, &compiled, NULL, NULL), "compiling");
    weir_compiler_free(compiler);
    image = tokens_copy(compiled, pages);
    weir_image_close(compiled);
    return image;
}
