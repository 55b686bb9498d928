/* macros.c - what the headers define for use in C, used. */
#include <weir/decision.h>
#include <weir/token.h>

extern const struct weir_scope weir_test_scope;
extern bool weir_test_allowed(struct weir_decision decision);

const struct weir_scope weir_test_scope = {
    .basins = {WEIR_SET_PREFIX, {"b", 1}},
    .ops = WEIR_OPERATION_BIT(WEIR_READ) & WEIR_OPERATIONS_ALL,
    .op_groups = WEIR_GROUP_BIT(WEIR_GROUP_STREAM, WEIR_ACCESS_READ) & WEIR_GROUP_BITS_ALL,
};

bool weir_test_allowed(struct weir_decision decision)
{
    struct weir_text text = WEIR_TEXT("text");

    return weir_allowed(decision) && text.length < WEIR_QUOTED_MAX(4);
}
