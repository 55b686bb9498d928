// macros.cc - what the headers define for use in C++, used.
#include <weir/decision.h>
#include <weir/token.h>

bool weir_test_allowed_in_cxx(weir_decision decision);

bool weir_test_allowed_in_cxx(weir_decision decision)
{
    weir_text text = WEIR_TEXT("text");
    weir_scope scope = {};

    scope.ops = WEIR_OPERATION_BIT(WEIR_READ) & WEIR_OPERATIONS_ALL;
    scope.op_groups = WEIR_GROUP_BIT(WEIR_GROUP_STREAM, WEIR_ACCESS_READ) & WEIR_GROUP_BITS_ALL;
    scope.streams.kind = WEIR_SET_PREFIX;
    scope.streams.name = text;
    return weir_allowed(decision) && scope.streams.name.length < WEIR_QUOTED_MAX(4);
}
