#include "operations.h"

#include <weir/operation.h>

static const char *target_name(enum weir_target target)
{
    switch (target) {
    case WEIR_TARGET_BASIN:
        return "s2://BASIN";
    case WEIR_TARGET_STREAM:
        return "s2://BASIN/STREAM";
    case WEIR_TARGET_ACCESS_TOKEN:
        return "TOKEN";
    case WEIR_TARGET_NONE:
    default:
        return "-";
    }
}

static void write_row(struct output *output, enum weir_operation operation)
{
    for (unsigned group = WEIR_GROUP_ACCOUNT; group <= WEIR_GROUP_STREAM; group++) {
        for (unsigned access = WEIR_ACCESS_READ; access <= WEIR_ACCESS_WRITE; access++) {
            weir_operations set =
                weir_group_operations((enum weir_group)group, (enum weir_access)access);

            if ((set & WEIR_OPERATION_BIT(operation)) != 0) {
                output_format(output, "%2d  %-20s  %-7s  %-6s  %s\n", (int)operation,
                              weir_operation_name(operation),
                              weir_group_name((enum weir_group)group),
                              weir_access_name((enum weir_access)access),
                              target_name(weir_operation_target(operation)));
            }
        }
    }
}

void write_operation_table(struct output *output)
{
    output_format(output, "%2s  %-20s  %-7s  %-6s  %s\n", "no", "operation", "group", "access",
                  "TARGET");
    for (int number = 1; number <= WEIR_OPERATION_COUNT; number++) {
        write_row(output, (enum weir_operation)number);
    }
}
