/* operation.h - the 24 operations, their groups, and sets of them. */
#ifndef WEIR_OPERATION_H
#define WEIR_OPERATION_H

#include <stdbool.h>
#include <stdint.h>

#include <weir/declarations.h>
#include <weir/name.h>

WEIR_DECLARATIONS_BEGIN

/*
 * The table. Everything else (numbers, names, groups, sets, printing) derives from it.
 *
 *   X(number, CONSTANT, name, group, access, target)
 *
 * The number is the one on the wire. The target is what the operation is checked against.
 */
#define WEIR_OPERATION_TABLE(X)                                                                    \
    X(1, LIST_BASINS, "list-basins", ACCOUNT, READ, NONE)                                          \
    X(2, CREATE_BASIN, "create-basin", ACCOUNT, WRITE, BASIN)                                      \
    X(3, DELETE_BASIN, "delete-basin", ACCOUNT, WRITE, BASIN)                                      \
    X(4, RECONFIGURE_BASIN, "reconfigure-basin", ACCOUNT, WRITE, BASIN)                            \
    X(5, GET_BASIN_CONFIG, "get-basin-config", ACCOUNT, READ, BASIN)                               \
    X(6, ISSUE_ACCESS_TOKEN, "issue-access-token", ACCOUNT, WRITE, ACCESS_TOKEN)                   \
    X(7, REVOKE_ACCESS_TOKEN, "revoke-access-token", ACCOUNT, WRITE, ACCESS_TOKEN)                 \
    X(8, LIST_ACCESS_TOKENS, "list-access-tokens", ACCOUNT, READ, NONE)                            \
    X(9, LIST_STREAMS, "list-streams", BASIN, READ, BASIN)                                         \
    X(10, CREATE_STREAM, "create-stream", BASIN, WRITE, STREAM)                                    \
    X(11, DELETE_STREAM, "delete-stream", BASIN, WRITE, STREAM)                                    \
    X(12, GET_STREAM_CONFIG, "get-stream-config", BASIN, READ, STREAM)                             \
    X(13, RECONFIGURE_STREAM, "reconfigure-stream", BASIN, WRITE, STREAM)                          \
    X(14, CHECK_TAIL, "check-tail", STREAM, READ, STREAM)                                          \
    X(15, APPEND, "append", STREAM, WRITE, STREAM)                                                 \
    X(16, READ, "read", STREAM, READ, STREAM)                                                      \
    X(17, TRIM, "trim", STREAM, WRITE, STREAM)                                                     \
    X(18, FENCE, "fence", STREAM, WRITE, STREAM)                                                   \
    X(19, ACCOUNT_METRICS, "account-metrics", ACCOUNT, READ, NONE)                                 \
    X(20, BASIN_METRICS, "basin-metrics", BASIN, READ, BASIN)                                      \
    X(21, STREAM_METRICS, "stream-metrics", STREAM, READ, STREAM)                                  \
    X(22, LIST_LOCATIONS, "list-locations", ACCOUNT, READ, NONE)                                   \
    X(23, GET_DEFAULT_LOCATION, "get-default-location", ACCOUNT, READ, NONE)                       \
    X(24, SET_DEFAULT_LOCATION, "set-default-location", ACCOUNT, WRITE, NONE)

/* WEIR_LIST_BASINS = 1 … WEIR_SET_DEFAULT_LOCATION = 24. */
enum weir_operation {
#define WEIR_OPERATION_ENUMERATOR(number, constant, name, group, access, target)                   \
    WEIR_##constant = (number),
    WEIR_OPERATION_TABLE(WEIR_OPERATION_ENUMERATOR)
#undef WEIR_OPERATION_ENUMERATOR
};

#define WEIR_OPERATION_COUNT 24

/* What an operation is checked against. WEIR_TARGET_STREAM is a stream in a basin: both names. */
enum weir_target {
    WEIR_TARGET_NONE = 0,
    WEIR_TARGET_BASIN = 1,
    WEIR_TARGET_STREAM = 2,
    WEIR_TARGET_ACCESS_TOKEN = 3
};

enum weir_group { WEIR_GROUP_ACCOUNT = 0, WEIR_GROUP_BASIN = 1, WEIR_GROUP_STREAM = 2 };
enum weir_access { WEIR_ACCESS_READ = 0, WEIR_ACCESS_WRITE = 1 };

/* A set of operations: bit n stands for operation number n. */
typedef uint64_t weir_operations;

#define WEIR_OPERATION_BIT(operation) (UINT64_C(1) << (operation))
#define WEIR_OPERATIONS_ALL UINT64_C(0x1fffffe)

/* The name as tokens and requests spell it; "unknown" for a number that is no operation. Static. */
const char *weir_operation_name(enum weir_operation operation);

/* The operation of that exact name; false, leaving `operation` alone, if there is none. */
bool weir_operation_parse(struct weir_text name, enum weir_operation *operation);

/* What the operation is checked against; WEIR_TARGET_NONE for a number that is no operation. */
enum weir_target weir_operation_target(enum weir_operation operation);

/* The operations of one group and access; empty for a group or access that does not exist. */
weir_operations weir_group_operations(enum weir_group group, enum weir_access access);

/* All operations with that target. */
weir_operations weir_target_operations(enum weir_target target);

/* "account", "basin", "stream"; "read", "write". Static; "unknown" for any other number. */
const char *weir_group_name(enum weir_group group);
const char *weir_access_name(enum weir_access access);

WEIR_DECLARATIONS_END

#endif
