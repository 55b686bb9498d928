#include <weir/difference.h>

#include <stdio.h>
#include <string.h>

#include "answer/comparison.h"
#include "answer/gather.h"
#include "vocabulary/failure.h"
#include "vocabulary/memory.h"
#include "vocabulary/operation_sets.h"
#include "vocabulary/sort.h"
#include "vocabulary/text.h"

/*
 * ---- One operation, in one direction ----
 */

static void emit(const struct comparison *comparison, enum weir_difference_change change,
                 struct weir_difference difference)
{
    const struct side *old_side = &comparison->sides[OLD];
    const struct side *new_side = &comparison->sides[NEW];

    difference.change = change;
    difference.operation = comparison->operation;
    difference.request.operation = comparison->operation;
    difference.old_token = old_side->token;
    difference.new_token = new_side->token;
    difference.token_id =
        weir_compiled_token_id(old_side->token != NULL ? old_side->token : new_side->token);
    comparison->visit(comparison->context, &difference);
}

static enum weir_difference_change more_or_less(const struct comparison *comparison,
                                                enum weir_difference_change more,
                                                enum weir_difference_change less)
{
    return comparison->to == NEW ? more : less;
}

/* What is said of streams in a set of basins. */
struct saying {
    const struct weir_region_set *basins;
    const struct stream_value *value;
};

static int compare_texts(const struct weir_text *left, size_t left_count,
                         const struct weir_text *right, size_t right_count)
{
    for (size_t i = 0; i < left_count && i < right_count; i++) {
        int order = weir_text_compare(left[i], right[i]);

        if (order != 0) {
            return order;
        }
    }
    return (left_count > right_count) - (left_count < right_count);
}

/* No two sayings have a basin in common: what their sets include tells them apart. */
static int compare_sayings(const void *left, const void *right, const void *context)
{
    const struct weir_listing *a = &((const struct saying *)left)->basins->names.included;
    const struct weir_listing *b = &((const struct saying *)right)->basins->names.included;
    int order = compare_texts(a->exact, a->exact_count, b->exact, b->exact_count);

    (void)context;
    return order != 0 ? order
                      : compare_texts(a->prefixes, a->prefix_count, b->prefixes, b->prefix_count);
}

static size_t count_sets(const struct weir_region_set *set)
{
    size_t count = 0;

    for (; set != NULL; set = set->within) {
        count++;
    }
    return count;
}

/* All that is to be said, in an order that does not depend on how it came about. NULL: no memory.
 */
static struct saying *gather_sayings(struct comparison *comparison, size_t *count)
{
    struct saying *sayings = NULL;
    size_t all = 0;

    *count = 0;
    for (const struct stream_value *value = comparison->first_value; value != NULL;
         value = value->later) {
        all += count_sets(value->value.sets);
    }
    sayings = weir_arena_allocate(&comparison->scratch, (all + 1) * sizeof *sayings);
    if (sayings == NULL) {
        return NULL;
    }
    for (const struct stream_value *value = comparison->first_value; value != NULL;
         value = value->later) {
        for (const struct weir_region_set *set = value->value.sets; set != NULL;
             set = set->within) {
            sayings[(*count)++] = (struct saying){set, value};
        }
    }
    weir_sort(sayings, *count, sizeof *sayings, compare_sayings, NULL);
    return sayings;
}

static bool compare_basins_and_streams(struct comparison *comparison,
                                       enum weir_difference_change change, bool both_needed)
{
    struct union_places *basins = &comparison->basins;
    const struct saying *sayings = NULL;
    size_t count = 0;

    if (!weir_make_pairs(comparison)) {
        return false;
    }
    for (size_t i = 0; i < basins->count; i++) {
        struct weir_place *place = &basins->places[i];

        if (!weir_stream_value(comparison, basins->grants[i].rest, both_needed, &place->rest) ||
            !weir_stream_value(comparison, basins->grants[i].exact, both_needed, &place->exact)) {
            return false;
        }
    }
    if (!weir_regions_gather(&comparison->scratch, basins->places, basins->count)) {
        return false;
    }
    sayings = gather_sayings(comparison, &count);
    for (size_t i = 0; sayings != NULL && i < count; i++) {
        const struct weir_region_set *set = sayings[i].basins;
        const struct weir_region_set *streams = sayings[i].value->streams;

        emit(comparison, change,
             (struct weir_difference){
                 .basins = &set->names,
                 .streams = &streams->names,
                 .request = {.basin = set->example, .stream = streams->example}});
    }
    return sayings != NULL;
}

static bool compare_basins(struct comparison *comparison, enum weir_difference_change change)
{
    struct union_places *basins = &comparison->basins;
    struct weir_region_value value = {NULL};

    for (size_t i = 0; i < basins->count; i++) {
        struct weir_place *place = &basins->places[i];
        const struct union_place *grants = &basins->grants[i];

        place->rest = (grants->rest[comparison->to].operations & comparison->bit) != 0 &&
                              (grants->rest[comparison->from].operations & comparison->bit) == 0
                          ? &value
                          : NULL;
        place->exact = (grants->exact[comparison->to].operations & comparison->bit) != 0 &&
                               (grants->exact[comparison->from].operations & comparison->bit) == 0
                           ? &value
                           : NULL;
    }
    if (!weir_regions_gather(&comparison->scratch, basins->places, basins->count)) {
        return false;
    }
    for (const struct weir_region_set *set = value.sets; set != NULL; set = set->within) {
        emit(comparison, change,
             (struct weir_difference){.basins = &set->names, .request = {.basin = set->example}});
    }
    return true;
}

static bool compare_access_tokens(struct comparison *comparison, enum weir_difference_change change)
{
    uint32_t roots[SIDES] = {0, 0};
    const struct weir_region_set *more = NULL;

    for (unsigned side = OLD; side < SIDES; side++) {
        const struct side *at = &comparison->sides[side];

        if (weir_side_permits(at, comparison->bit)) {
            roots[side] = at->tries != NULL ? at->tries->access_tokens : INLINE_SET;
        }
    }
    if (!weir_subtract(comparison, roots, &more)) {
        return false;
    }
    for (; more != NULL; more = more->within) {
        emit(comparison, change,
             (struct weir_difference){.access_tokens = &more->names,
                                      .request = {.access_token = more->example}});
    }
    return true;
}

/* What `to` may do and `from` may not. */
static bool compare_permitted(struct comparison *comparison)
{
    const enum weir_difference_change change = more_or_less(comparison, WEIR_GAINED, WEIR_LOST);

    if (!weir_side_permits(&comparison->sides[comparison->to], comparison->bit)) {
        return true;
    }
    switch (weir_operation_target(comparison->operation)) {
    case WEIR_TARGET_BASIN:
        return compare_basins(comparison, change);
    case WEIR_TARGET_STREAM:
        return compare_basins_and_streams(comparison, change, false);
    case WEIR_TARGET_ACCESS_TOKEN:
        return compare_access_tokens(comparison, change);
    default:
        if (!weir_side_permits(&comparison->sides[comparison->from], comparison->bit)) {
            emit(comparison, change, (struct weir_difference){.operation = comparison->operation});
        }
        return true;
    }
}

/* What `to` lists and `from` does not, where both may list. */
static bool compare_listed(struct comparison *comparison)
{
    const enum weir_difference_change change =
        more_or_less(comparison, WEIR_LISTS_MORE, WEIR_LISTS_LESS);

    if (!weir_side_permits(&comparison->sides[OLD], comparison->bit) ||
        !weir_side_permits(&comparison->sides[NEW], comparison->bit)) {
        return true;
    }
    switch (comparison->operation) {
    case WEIR_LIST_BASINS:
        return compare_basins(comparison, change);
    case WEIR_LIST_STREAMS:
        return compare_basins_and_streams(comparison, change, true);
    case WEIR_LIST_ACCESS_TOKENS:
        return compare_access_tokens(comparison, change);
    default:
        return true;
    }
}

static bool compare_both_ways(struct comparison *comparison,
                              bool compare(struct comparison *comparison))
{
    for (unsigned to = SIDES; to-- > 0;) {
        comparison->to = to;
        comparison->from = SIDES - 1 - to;
        weir_arena_reset(&comparison->scratch);
        if (!compare(comparison)) {
            return false;
        }
    }
    return true;
}

static bool compare_operations(struct comparison *comparison)
{
    for (unsigned number = 1; number <= WEIR_OPERATION_COUNT; number++) {
        comparison->operation = (enum weir_operation)number;
        comparison->bit = weir_operation_bit(comparison->operation);
        if (!compare_both_ways(comparison, compare_permitted) ||
            !compare_both_ways(comparison, compare_listed)) {
            return false;
        }
    }
    return true;
}

/*
 * ---- Tokens ----
 */

static bool expiries_equal(const struct weir_block *left, const struct weir_block *right)
{
    return left->expires == right->expires && left->expires_low == right->expires_low;
}

/* An empty prefix and none put nothing before a name. */
static bool prefixes_equal(const struct side *left, const struct side *right)
{
    return weir_text_equal(weir_compiled_token_stream_prefix(left->token),
                           weir_compiled_token_stream_prefix(right->token));
}

static void compare_terms(struct comparison *comparison)
{
    const struct side *old_side = &comparison->sides[OLD];
    const struct side *new_side = &comparison->sides[NEW];

    comparison->operation = (enum weir_operation)0;
    if (old_side->block == NULL || new_side->block == NULL) {
        return;
    }
    if (!expiries_equal(old_side->block, new_side->block)) {
        emit(comparison, WEIR_EXPIRES_ELSE, (struct weir_difference){.change = WEIR_EXPIRES_ELSE});
    }
    if (!prefixes_equal(old_side, new_side)) {
        emit(comparison, WEIR_AUTO_PREFIX_ELSE,
             (struct weir_difference){.change = WEIR_AUTO_PREFIX_ELSE});
    }
}

/* Whether the two are the same but for their issue numbers, which mean nothing here. */
static bool blocks_equal(const struct weir_block *left, const struct weir_block *right)
{
    const size_t skipped = offsetof(struct weir_block, expires);
    size_t size = weir_block_size(left);

    return weir_block_size(right) == size &&
           memcmp((const char *)left + skipped, (const char *)right + skipped, size - skipped) == 0;
}

static bool number_alike(struct comparison *comparison)
{
    const struct weir_tries *old_tries = comparison->sides[OLD].tries;
    const struct weir_tries *new_tries = comparison->sides[NEW].tries;

    return old_tries == NULL || new_tries == NULL ||
           weir_alike_number(&comparison->kept, old_tries, new_tries, &comparison->alike);
}

static enum weir_status fail(const struct comparison *comparison, struct weir_error *error)
{
    const struct side *side = &comparison->sides[comparison->sides[OLD].token == NULL ? NEW : OLD];

    if (comparison->steps_exceeded) {
        return weir_fail(
            error, WEIR_ERROR_LIMIT, "the differences of token %s take more than %zu steps to find",
            weir_quoted_id(weir_compiled_token_id(side->token)).text, WEIR_DIFFERENCE_STEPS_MAX);
    }
    if (!comparison->kept.exceeded && !comparison->scratch.exceeded &&
        !comparison->passing.exceeded) {
        return weir_fail_memory(error);
    }
    return weir_fail(error, WEIR_ERROR_LIMIT,
                     "the differences of token %s take more than their part of %zu MiB to find",
                     weir_quoted_id(weir_compiled_token_id(side->token)).text,
                     WEIR_DIFFERENCE_MEMORY_MAX >> 20);
}

enum weir_status weir_diff_tokens(const struct weir_compiled_token *old_token,
                                  const struct weir_compiled_token *new_token,
                                  struct weir_instant now, const struct weir_allocator *allocator,
                                  weir_difference_visitor *visit, void *context,
                                  struct weir_error *error)
{
    struct weir_allocator memory = weir_allocator_or_default(allocator);
    struct comparison comparison = {
        .sides = {[OLD] = weir_side_of(old_token, now), [NEW] = weir_side_of(new_token, now)},
        .kept = {.allocator = memory, .limit = WEIR_DIFFERENCE_MEMORY_MAX / 4},
        .scratch = {.allocator = memory, .limit = WEIR_DIFFERENCE_MEMORY_MAX / 2},
        .passing = {.allocator = memory, .limit = WEIR_DIFFERENCE_MEMORY_MAX / 4},
        .visit = visit,
        .context = context,
    };
    const struct weir_block *old_block = comparison.sides[OLD].block;
    const struct weir_block *new_block = comparison.sides[NEW].block;
    enum weir_status status = WEIR_OK;

    if ((old_block == NULL && new_block == NULL) ||
        (old_block != NULL && new_block != NULL && blocks_equal(old_block, new_block))) {
        return WEIR_OK;
    }
    compare_terms(&comparison);
    if (!number_alike(&comparison) || !weir_join_basins(&comparison) ||
        !compare_operations(&comparison)) {
        status = fail(&comparison, error);
    }
    weir_arena_release(&comparison.passing);
    weir_arena_release(&comparison.scratch);
    weir_arena_release(&comparison.kept);
    return status;
}

/*
 * ---- Images ----
 */

/* Gathers the tokens that the other image has not, or has otherwise. */
static bool gather_image(const struct weir_image *image, const struct weir_image *other,
                         struct weir_gathered *gathered)
{
    for (const struct weir_compiled_token *token = weir_image_next(image, NULL); token != NULL;
         token = weir_image_next(image, token)) {
        const struct weir_compiled_token *same =
            weir_image_find(other, weir_compiled_token_id(token));

        if ((same == NULL || !blocks_equal(weir_block_of(token), weir_block_of(same))) &&
            !weir_gather(gathered, token)) {
            return false;
        }
    }
    return true;
}

static enum weir_status sorted_tokens(const struct weir_image *image,
                                      const struct weir_image *other,
                                      const struct weir_allocator *allocator,
                                      struct weir_tokens *tokens, struct weir_error *error)
{
    struct weir_gathered gathered = {.allocator = weir_allocator_or_default(allocator)};
    bool complete = gather_image(image, other, &gathered);

    return weir_gathered_finish(&gathered, complete, tokens, error);
}

/* Negative if the next token is the old image's alone, positive if the new one's, 0 if both's. */
static int next_of(const struct weir_tokens tokens[SIDES], const size_t next[SIDES])
{
    if (next[OLD] == tokens[OLD].count || next[NEW] == tokens[NEW].count) {
        return next[OLD] == tokens[OLD].count ? 1 : -1;
    }
    return weir_text_compare(weir_compiled_token_id(tokens[OLD].tokens[next[OLD]]),
                             weir_compiled_token_id(tokens[NEW].tokens[next[NEW]]));
}

/* Tokens that could not be compared, since their differences exceed a limit. */
struct refused {
    size_t count;
    struct weir_error first;
};

static enum weir_status fail_refused(const struct refused *refused, struct weir_error *error)
{
    enum weir_status status = weir_fail_as(error, WEIR_ERROR_LIMIT, &refused->first);

    if (error != NULL && refused->count > 1) {
        size_t length = strlen(error->message);

        (void)snprintf(error->message + length, sizeof error->message - length,
                       "; %zu tokens more were not compared", refused->count - 1);
    }
    return status;
}

/* Compares the tokens of two images, which are in byte order of their ids. What one token takes
 * leaves the others' differences to be told. */
static enum weir_status diff_sorted(const struct weir_tokens tokens[SIDES], struct weir_instant now,
                                    const struct weir_allocator *allocator,
                                    weir_difference_visitor *visit, void *context,
                                    struct weir_error *error)
{
    size_t next[SIDES] = {0, 0};
    struct refused refused = {0};

    while (next[OLD] < tokens[OLD].count || next[NEW] < tokens[NEW].count) {
        int order = next_of(tokens, next);
        struct weir_error failure;
        enum weir_status status =
            weir_diff_tokens(order <= 0 ? tokens[OLD].tokens[next[OLD]++] : NULL,
                             order >= 0 ? tokens[NEW].tokens[next[NEW]++] : NULL, now, allocator,
                             visit, context, &failure);

        if (status != WEIR_OK && status != WEIR_ERROR_LIMIT) {
            return weir_fail_as(error, status, &failure);
        }
        if (status == WEIR_ERROR_LIMIT && refused.count++ == 0) {
            refused.first = failure;
        }
    }
    return refused.count > 0 ? fail_refused(&refused, error) : WEIR_OK;
}

enum weir_status weir_diff(const struct weir_image *old_image, const struct weir_image *new_image,
                           struct weir_instant now, const struct weir_allocator *allocator,
                           weir_difference_visitor *visit, void *context, struct weir_error *error)
{
    struct weir_tokens tokens[SIDES] = {{NULL, 0}, {NULL, 0}};
    enum weir_status status = sorted_tokens(old_image, new_image, allocator, &tokens[OLD], error);

    if (status == WEIR_OK) {
        status = sorted_tokens(new_image, old_image, allocator, &tokens[NEW], error);
    }
    if (status == WEIR_OK) {
        status = diff_sorted(tokens, now, allocator, visit, context, error);
    }
    weir_tokens_free(&tokens[OLD], allocator);
    weir_tokens_free(&tokens[NEW], allocator);
    return status;
}

bool weir_name_set_has(const struct weir_name_set *set, struct weir_text name)
{
    return weir_listing_admits(&set->included, name) && !weir_listing_admits(&set->except, name);
}

const char *weir_difference_change_name(enum weir_difference_change change)
{
    static const char *const names[] = {
        [WEIR_GAINED] = "gained",         [WEIR_LOST] = "lost",
        [WEIR_LISTS_MORE] = "lists_more", [WEIR_LISTS_LESS] = "lists_less",
        [WEIR_EXPIRES_ELSE] = "expires",  [WEIR_AUTO_PREFIX_ELSE] = "auto_prefix",
    };

    return (unsigned)change - 1 < WEIR_AUTO_PREFIX_ELSE ? names[change] : "unknown";
}
