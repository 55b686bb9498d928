/* options.h - flags and operands of a subcommand. */
#ifndef WEIR_COMMAND_OPTIONS_H
#define WEIR_COMMAND_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/instant.h>

struct command;

enum flag {
    FLAG_TOKENS,
    FLAG_NOW,
    FLAG_OUTPUT,
    FLAG_OWNER,
    FLAG_LEASE,
    FLAG_RESUME,
    FLAG_UNTIL_EOF,
    FLAG_CHANGES,
    FLAG_JSON,
    FLAG_HEARTBEATS,
    FLAG_DOT,
    FLAG_STORE,
    FLAG_SOCKET,
    FLAG_CREDENTIAL,
    FLAG_ID,
    FLAG_BASINS,
    FLAG_STREAMS,
    FLAG_ACCESS_TOKENS,
    FLAG_OPS,
    FLAG_OP_GROUPS,
    FLAG_EXPIRES_IN,
    FLAG_EXPIRES_AT,
    FLAG_AUTO_PREFIX,
    FLAG_PREFIX,
    FLAG_START_AFTER,
    FLAG_LIMIT,
    FLAG_ALL,
    FLAG_YES,
    FLAG_PUBLISH,
    FLAG_LISTEN,
    FLAG_METRICS,
    FLAG_AUDIT,
    FLAG_LOG,
    FLAG_ALLOW_REMOTE,
    FLAG_CONNECTIONS,
    FLAG_PER_ADDRESS,
    FLAG_HELP,
    FLAG_COUNT
};

#define FLAG_BIT(flag) (UINT64_C(1) << (flag))

/* The most times that --listen may be given. */
#define LISTEN_MAX 16

struct options {
    const char *values[FLAG_COUNT]; /* NULL where the flag was not given */
    struct weir_instant now;        /* of --now */
    uint32_t owner;                 /* of --owner; 0, which is root, where it was not given */
    uint64_t lease;                 /* of --lease, in nanoseconds; 0 where it was not given */
    uint64_t changes;               /* of --count; 0 where it was not given */
    const char *listen[LISTEN_MAX]; /* of --listen, each time that it was given */
    size_t listen_count;
    uint32_t connections; /* of --connections; 0 where it was not given */
    uint32_t per_address; /* likewise of --connections-per-address */
    char **operands;
    size_t operand_count;
};

/*
 * Reads the arguments that follow the command's name; `argv` is rearranged, and `options` borrows
 * from it. Flags and operands may come in any order; `--` ends the flags. Returns false, with the
 * error reported, if they are not what the command takes. After --help nothing more is looked at.
 */
bool options_read(struct options *options, const struct command *command, int argc, char **argv);

/* The instant that --now gave, else what the clock says. */
struct weir_instant options_now(const struct options *options);

#endif
