#include "answer/gather.h"

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

static bool resize(struct weir_gathered *gathered, size_t capacity)
{
    const size_t each = sizeof(const struct weir_compiled_token *);
    const struct weir_compiled_token **tokens = weir_reallocate(
        &gathered->allocator, (void *)gathered->tokens, gathered->capacity * each, capacity * each);

    if (tokens == NULL) {
        return false;
    }
    gathered->tokens = tokens;
    gathered->capacity = capacity;
    return true;
}

bool weir_gather(struct weir_gathered *gathered, const struct weir_compiled_token *token)
{
    if (gathered->count == gathered->capacity &&
        !resize(gathered, gathered->capacity == 0 ? 16 : 2 * gathered->capacity)) {
        return false;
    }
    gathered->tokens[gathered->count++] = token;
    return true;
}

enum weir_status weir_gathered_finish(struct weir_gathered *gathered, bool complete,
                                      struct weir_tokens *tokens, struct weir_error *error)
{
    if (!complete || (gathered->count != 0 && !resize(gathered, gathered->count))) {
        weir_release(&gathered->allocator, (void *)gathered->tokens,
                     gathered->capacity * sizeof *gathered->tokens);
        return weir_fail_memory(error);
    }
    weir_sort((void *)gathered->tokens, gathered->count, sizeof *gathered->tokens, compare_ids,
              NULL);
    *tokens = (struct weir_tokens){gathered->tokens, gathered->count};
    return WEIR_OK;
}

static bool find_all(const struct weir_image *image, const struct weir_request *request,
                     struct weir_instant now, struct weir_gathered *gathered)
{
    for (const struct weir_compiled_token *token = weir_image_next(image, NULL); token != NULL;
         token = weir_image_next(image, token)) {
        if (weir_allowed(weir_check_token(token, request, now)) && !weir_gather(gathered, token)) {
            return false;
        }
    }
    return true;
}

enum weir_status weir_who(const struct weir_image *image, const struct weir_request *request,
                          struct weir_instant now, const struct weir_allocator *allocator,
                          struct weir_tokens *tokens, struct weir_error *error)
{
    struct weir_gathered gathered = {.allocator = weir_allocator_or_default(allocator)};
    bool complete = find_all(image, request, now, &gathered);

    return weir_gathered_finish(&gathered, complete, tokens, error);
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
