/*
 * difference_cases.c - differences of tokens that no compiler makes, and the last steps before the
 * limit of them, which takes seconds to reach from the first.
 */
#include "library/image_cases.h"

#include <stdlib.h>
#include <string.h>

#include <weir/compile.h>
#include <weir/decision.h>
#include <weir/difference.h>

#include "answer/comparison.h"
#include "image/block.h"
#include "library/support.h"
#include "vocabulary/memory.h"

/* What was visited, and whether the example of each difference is one. */
struct visited {
    const struct weir_compiled_token *old_token;
    const struct weir_compiled_token *new_token;
    uint32_t gained; /* bits of the operations */
    uint32_t lost;
    unsigned others;
};

static const struct weir_instant now = {1795435200, 0};

static bool allows(const struct weir_compiled_token *token, const struct weir_request *request)
{
    return weir_check_token(token, request, now).reason == WEIR_ALLOWED;
}

static void visit(void *context, const struct weir_difference *difference)
{
    struct visited *visited = context;
    const uint32_t bit = (uint32_t)WEIR_OPERATION_BIT(difference->operation);

    if (difference->change != WEIR_GAINED && difference->change != WEIR_LOST) {
        visited->others++;
        return;
    }
    *(difference->change == WEIR_GAINED ? &visited->gained : &visited->lost) |= bit;
    ck_assert_int_eq(allows(visited->new_token, &difference->request),
                     difference->change == WEIR_GAINED);
    ck_assert_int_eq(allows(visited->old_token, &difference->request),
                     difference->change == WEIR_LOST);
}

static struct visited visit_all(const struct weir_compiled_token *old_token,
                                const struct weir_compiled_token *new_token)
{
    struct visited visited = {.old_token = old_token, .new_token = new_token};

    ck_assert_int_eq(weir_diff_tokens(old_token, new_token, now, NULL, visit, &visited, NULL),
                     WEIR_OK);
    return visited;
}

/* Two scopes, with every operation, and so tries. */
static struct weir_compiled_token *compile_two_scopes(size_t *size)
{
    const struct weir_scope scopes[] = {
        {.basins = {WEIR_SET_PREFIX, WEIR_TEXT("basin-")},
         .streams = {WEIR_SET_PREFIX, WEIR_TEXT("users/")},
         .access_tokens = {WEIR_SET_PREFIX, WEIR_TEXT("device/")},
         .ops = WEIR_OPERATIONS_ALL},
        {.basins = {WEIR_SET_EXACT, WEIR_TEXT("basin-one")},
         .streams = {WEIR_SET_EXACT, WEIR_TEXT("log")},
         .access_tokens = {WEIR_SET_EXACT, WEIR_TEXT("user")},
         .ops = WEIR_OPERATIONS_ALL},
    };
    const struct weir_token token = {.id = WEIR_TEXT("two"), .scopes = scopes, .scope_count = 2};
    struct weir_compiled_token *compiled = NULL;

    ck_assert_int_eq(weir_compile_token(&token, NULL, &compiled, size, NULL), WEIR_OK);
    return compiled;
}

/* A block whose tries grant an operation that it does not permit is a valid one. */
START_TEST(an_operation_that_a_token_does_not_permit_is_lost_whatever_its_tries_grant)
{
    size_t size = 0;
    struct weir_compiled_token *whole = compile_two_scopes(&size);
    struct weir_compiled_token *bent = malloc(size);

    ck_assert_ptr_nonnull(bent);
    for (unsigned operation = 1; operation <= WEIR_OPERATION_COUNT; operation++) {
        const uint32_t bit = (uint32_t)WEIR_OPERATION_BIT(operation);
        struct visited visited;

        memcpy(bent, whole, size);
        ((struct weir_block *)(void *)bent)->operations &= ~bit;
        visited = visit_all(whole, bent);
        ck_assert_uint_eq(visited.lost, bit);
        ck_assert_uint_eq(visited.gained | visited.others, 0);
        visited = visit_all(bent, whole);
        ck_assert_uint_eq(visited.gained, bit);
        ck_assert_uint_eq(visited.lost | visited.others, 0);
    }
    free(bent);
    free(whole);
}
END_TEST

/* Subtracts nothing from the token's set of access tokens, which has two members, after so many
 * steps. */
static bool subtract_after(const struct weir_compiled_token *token, size_t steps, bool *exceeded)
{
    const struct weir_arena arena = {.allocator = weir_allocator_or_default(NULL),
                                     .limit = WEIR_DIFFERENCE_MEMORY_MAX};
    struct comparison comparison = {
        .sides = {[OLD] = weir_side_of(token, now), [NEW] = weir_side_of(NULL, now)},
        .kept = arena,
        .scratch = arena,
        .passing = arena,
        .steps = steps,
        .operation = WEIR_ISSUE_ACCESS_TOKEN,
        .bit = (uint32_t)WEIR_OPERATION_BIT(WEIR_ISSUE_ACCESS_TOKEN),
        .to = OLD,
        .from = NEW,
    };
    const uint32_t roots[SIDES] = {[OLD] = comparison.sides[OLD].tries->access_tokens};
    const struct weir_region_set *more = NULL;
    bool complete = weir_subtract(&comparison, roots, &more);

    if (complete) {
        ck_assert_uint_eq(more->names.included.exact_count, 1);
        ck_assert_uint_eq(more->names.included.prefix_count, 1);
    }
    *exceeded = comparison.steps_exceeded;
    weir_arena_release(&comparison.passing);
    weir_arena_release(&comparison.scratch);
    return complete;
}

START_TEST(a_comparison_takes_as_many_steps_as_the_limit_and_not_one_more)
{
    size_t size = 0;
    struct weir_compiled_token *token = compile_two_scopes(&size);
    bool exceeded = false;

    ck_assert(subtract_after(token, 0, &exceeded) && !exceeded);
    ck_assert(subtract_after(token, WEIR_DIFFERENCE_STEPS_MAX - 2, &exceeded) && !exceeded);
    ck_assert(!subtract_after(token, WEIR_DIFFERENCE_STEPS_MAX - 1, &exceeded) && exceeded);
    ck_assert(!subtract_after(token, WEIR_DIFFERENCE_STEPS_MAX, &exceeded) && exceeded);
    free(token);
}
END_TEST

TCase *difference_cases(void)
{
    TCase *cases = tcase_create("difference");

    tcase_add_test(cases,
                   an_operation_that_a_token_does_not_permit_is_lost_whatever_its_tries_grant);
    tcase_add_test(cases, a_comparison_takes_as_many_steps_as_the_limit_and_not_one_more);
    return cases;
}
