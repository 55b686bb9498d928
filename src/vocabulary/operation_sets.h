/* operation_sets.h - the sets of operations that a target or a trie is for, as constants. */
#ifndef WEIR_VOCABULARY_OPERATION_SETS_H
#define WEIR_VOCABULARY_OPERATION_SETS_H

#include <weir/operation.h>

#define WEIR_IF_TARGET(number, target, wanted)                                                     \
    (WEIR_TARGET_##target == WEIR_TARGET_##wanted ? UINT32_C(1) << (number) : 0)

#define WEIR_BASIN_ROW(number, constant, name, group, access, target)                              \
    | WEIR_IF_TARGET(number, target, BASIN)
#define WEIR_STREAM_ROW(number, constant, name, group, access, target)                             \
    | WEIR_IF_TARGET(number, target, STREAM)
#define WEIR_ACCESS_TOKEN_ROW(number, constant, name, group, access, target)                       \
    | WEIR_IF_TARGET(number, target, ACCESS_TOKEN)

/* Operations by what they are checked against. */
#define WEIR_BASIN_OPERATIONS (UINT32_C(0) WEIR_OPERATION_TABLE(WEIR_BASIN_ROW))
#define WEIR_STREAM_OPERATIONS (UINT32_C(0) WEIR_OPERATION_TABLE(WEIR_STREAM_ROW))
#define WEIR_ACCESS_TOKEN_OPERATIONS (UINT32_C(0) WEIR_OPERATION_TABLE(WEIR_ACCESS_TOKEN_ROW))

/* Operations that look at a set: to be checked against it, or to list what is in it. */
#define WEIR_USES_BASINS                                                                           \
    (WEIR_BASIN_OPERATIONS | WEIR_STREAM_OPERATIONS |                                              \
     (uint32_t)WEIR_OPERATION_BIT(WEIR_LIST_BASINS))
#define WEIR_USES_STREAMS (WEIR_STREAM_OPERATIONS | (uint32_t)WEIR_OPERATION_BIT(WEIR_LIST_STREAMS))
#define WEIR_USES_ACCESS_TOKENS                                                                    \
    (WEIR_ACCESS_TOKEN_OPERATIONS | (uint32_t)WEIR_OPERATION_BIT(WEIR_LIST_ACCESS_TOKENS))

/* The operation as a set in 32 bits; empty for a number that is no operation. */
static inline uint32_t weir_operation_bit(enum weir_operation operation)
{
    return (unsigned)operation < 32 ? (uint32_t)WEIR_OPERATIONS_ALL & UINT32_C(1) << operation : 0;
}

/* All operations of the groups, a sum of WEIR_GROUP_BITs. */
weir_operations weir_op_groups_operations(unsigned op_groups);

#endif
