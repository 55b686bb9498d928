#include <weir/decision.h>

#include "image/image.h"
#include "match/decide.h"
#include "vocabulary/failure.h"
#include "vocabulary/memory.h"
#include "vocabulary/sort.h"

static int compare_ids(const void *left, const void *right, const void *context)
{
    const struct weir_compiled_token *const *left_token = left;
    const struct weir_compiled_token *const *right_token = right;

    (void)context;
    return weir_text_compare(weir_compiled_token_id(*left_token),
                             weir_compiled_token_id(*right_token));
}

/* An array of tokens that grows. */
struct found {
    const struct weir_compiled_token **tokens;
    size_t count;
    size_t capacity;
};

static bool resize(struct found *found, size_t capacity, const struct weir_allocator *allocator)
{
    const size_t each = sizeof(const struct weir_compiled_token *);
    const struct weir_compiled_token **tokens =
        weir_reallocate(allocator, found->tokens, found->capacity * each, capacity * each);

    if (tokens == NULL) {
        return false;
    }
    found->tokens = tokens;
    found->capacity = capacity;
    return true;
}

static bool add(struct found *found, const struct weir_compiled_token *token,
                const struct weir_allocator *allocator)
{
    if (found->count == found->capacity &&
        !resize(found, found->capacity == 0 ? 16 : 2 * found->capacity, allocator)) {
        return false;
    }
    found->tokens[found->count++] = token;
    return true;
}

static bool find_all(const struct weir_image *image, const struct weir_request *request,
                     struct weir_instant now, const struct weir_allocator *allocator,
                     struct found *found)
{
    for (const struct weir_compiled_token *token = weir_image_next(image, NULL); token != NULL;
         token = weir_image_next(image, token)) {
        if (weir_allowed(weir_check_token(token, request, now)) && !add(found, token, allocator)) {
            return false;
        }
    }
    return found->count == 0 || resize(found, found->count, allocator);
}

enum weir_status weir_who(const struct weir_image *image, const struct weir_request *request,
                          struct weir_instant now, const struct weir_allocator *allocator,
                          struct weir_tokens *tokens, struct weir_error *error)
{
    struct weir_allocator memory = weir_allocator_or_default(allocator);
    struct found found = {0};

    if (!find_all(image, request, now, &memory, &found)) {
        weir_release(&memory, (void *)found.tokens, found.capacity * sizeof *found.tokens);
        return weir_fail_memory(error);
    }
    weir_sort((void *)found.tokens, found.count, sizeof *found.tokens, compare_ids, NULL);
    *tokens = (struct weir_tokens){found.tokens, found.count};
    return WEIR_OK;
}

void weir_tokens_free(struct weir_tokens *tokens, const struct weir_allocator *allocator)
{
    struct weir_allocator memory = weir_allocator_or_default(allocator);

    if (tokens == NULL) {
        return;
    }
    weir_release(&memory, (void *)tokens->tokens, tokens->count * sizeof *tokens->tokens);
    *tokens = (struct weir_tokens){NULL, 0};
}
