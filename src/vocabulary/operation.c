#include <weir/operation.h>

#include <weir/token.h>

#include "vocabulary/operation_sets.h"
#include "vocabulary/text.h"

struct operation_row {
    struct weir_text name;
    enum weir_target target;
};

/* Indexed by number; row 0 stands for whatever is no operation. */
static const struct operation_row rows[WEIR_OPERATION_COUNT + 1] = {
    [0] = {{"unknown", 7}, WEIR_TARGET_NONE},
#define ROW(number, constant, name, group, access, target)                                         \
    [number] = {{name, sizeof(name) - 1}, WEIR_TARGET_##target},
    WEIR_OPERATION_TABLE(ROW)
#undef ROW
};

#define BIT_OF_ROW(number, constant, name, group, access, target) | WEIR_OPERATION_BIT(number)
_Static_assert((0 WEIR_OPERATION_TABLE(BIT_OF_ROW)) == WEIR_OPERATIONS_ALL,
               "the table numbers the operations from 1 without a gap");
#undef BIT_OF_ROW

/* The operations that this bit of an `op_groups` grants: a constant where the bit is one. */
static inline weir_operations operations_of_bit(unsigned bit)
{
#define IF_GRANTED(number, constant, name, group, access, target)                                  \
    | (2 * WEIR_GROUP_##group + WEIR_ACCESS_##access == bit ? WEIR_OPERATION_BIT(number) : 0)
    return 0 WEIR_OPERATION_TABLE(IF_GRANTED);
#undef IF_GRANTED
}

_Static_assert(WEIR_GROUP_BIT(WEIR_GROUP_STREAM, WEIR_ACCESS_WRITE) == 1u << 5,
               "the bits are numbered as operations_of_bit says");

static const struct operation_row *row_of(enum weir_operation operation)
{
    return &rows[(unsigned)operation <= WEIR_OPERATION_COUNT ? (unsigned)operation : 0];
}

const char *weir_operation_name(enum weir_operation operation)
{
    return row_of(operation)->name.bytes;
}

bool weir_operation_parse(struct weir_text name, enum weir_operation *operation)
{
    for (unsigned number = 1; number <= WEIR_OPERATION_COUNT; number++) {
        if (weir_text_equal(name, rows[number].name)) {
            *operation = (enum weir_operation)number;
            return true;
        }
    }
    return false;
}

enum weir_target weir_operation_target(enum weir_operation operation)
{
    return row_of(operation)->target;
}

weir_operations weir_op_groups_operations(unsigned op_groups)
{
    weir_operations operations = 0;

    for (unsigned bit = 0; WEIR_GROUP_BITS_ALL >> bit != 0; bit++) {
        operations |= (op_groups >> bit & 1) != 0 ? operations_of_bit(bit) : 0;
    }
    return operations;
}

weir_operations weir_group_operations(enum weir_group group, enum weir_access access)
{
    if ((unsigned)group > WEIR_GROUP_STREAM || (unsigned)access > WEIR_ACCESS_WRITE) {
        return 0;
    }
    return weir_op_groups_operations(WEIR_GROUP_BIT(group, access));
}

weir_operations weir_target_operations(enum weir_target target)
{
    weir_operations operations = 0;

    for (unsigned number = 1; number <= WEIR_OPERATION_COUNT; number++) {
        if (rows[number].target == target) {
            operations |= WEIR_OPERATION_BIT(number);
        }
    }
    return operations;
}

const char *weir_group_name(enum weir_group group)
{
    static const char *const names[] = {"account", "basin", "stream"};

    return (unsigned)group < 3 ? names[group] : "unknown";
}

const char *weir_access_name(enum weir_access access)
{
    static const char *const names[] = {"read", "write"};

    return (unsigned)access < 2 ? names[access] : "unknown";
}
