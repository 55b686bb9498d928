#include "options.h"

#include <pwd.h>
#include <string.h>

#include <weir/publish.h>

#include "command.h"
#include "report.h"

#define NANOSECONDS UINT64_C(1000000000)

struct flag_form {
    const char *name;
    char letter;       /* of the short form; NUL where there is none */
    const char *value; /* what the value is called; NULL for a flag that takes none */
};

static const struct flag_form forms[FLAG_COUNT] = {
    [FLAG_TOKENS] = {"--tokens", '\0', "FILE"},
    [FLAG_NOW] = {"--now", '\0', "T"},
    [FLAG_OUTPUT] = {"--output", 'o', "IMAGE"},
    [FLAG_OWNER] = {"--owner", '\0', "USER"},
    [FLAG_LEASE] = {"--lease", '\0', "SECONDS"},
    [FLAG_RESUME] = {"--resume", '\0', NULL},
    [FLAG_UNTIL_EOF] = {"--until-eof", '\0', NULL},
    [FLAG_CHANGES] = {"--count", '\0', "N"},
    [FLAG_JSON] = {"--json", '\0', NULL},
    [FLAG_HEARTBEATS] = {"--heartbeats", '\0', NULL},
    [FLAG_DOT] = {"--dot", '\0', NULL},
    [FLAG_STORE] = {"--store", '\0', "STORE"},
    [FLAG_SOCKET] = {"--socket", '\0', "PATH"},
    [FLAG_CREDENTIAL] = {"--credential-file", '\0', "FILE"},
    [FLAG_ID] = {"--id", '\0', "ID"},
    [FLAG_BASINS] = {"--basins", '\0', "SET"},
    [FLAG_STREAMS] = {"--streams", '\0', "SET"},
    [FLAG_ACCESS_TOKENS] = {"--access-tokens", '\0', "SET"},
    [FLAG_OPS] = {"--ops", '\0', "OP,..."},
    [FLAG_OP_GROUPS] = {"--op-groups", '\0', "GROUP=ACCESS,..."},
    [FLAG_EXPIRES_IN] = {"--expires-in", '\0', "TIME"},
    [FLAG_EXPIRES_AT] = {"--expires-at", '\0', "T"},
    [FLAG_AUTO_PREFIX] = {"--auto-prefix", '\0', NULL},
    [FLAG_PREFIX] = {"--prefix", '\0', "PREFIX"},
    [FLAG_START_AFTER] = {"--start-after", '\0', "ID"},
    [FLAG_LIMIT] = {"--limit", '\0', "N"},
    [FLAG_ALL] = {"--all", '\0', NULL},
    [FLAG_YES] = {"--yes", '\0', NULL},
    [FLAG_PUBLISH] = {"--publish", '\0', "DIR"},
    [FLAG_LISTEN] = {"--listen", '\0', "ADDRESS"},
    [FLAG_METRICS] = {"--metrics", '\0', "ADDRESS"},
    [FLAG_AUDIT] = {"--audit", '\0', "FILE"},
    [FLAG_LOG] = {"--log", '\0', "FILE"},
    [FLAG_ALLOW_REMOTE] = {"--allow-remote", '\0', NULL},
    [FLAG_CONNECTIONS] = {"--connections", '\0', "N"},
    [FLAG_PER_ADDRESS] = {"--connections-per-address", '\0', "N"},
    [FLAG_HELP] = {"--help", 'h', NULL},
};

/* The arguments not yet read. */
struct arguments {
    int count;
    char **next;
};

/*
 * Finds the flag that `argument` is, and the value attached to it (`--now=T`, `-oIMAGE`), if any.
 * FLAG_COUNT if the command has no such flag.
 */
static enum flag find_flag(const struct command *command, const char *argument,
                           const char **attached)
{
    size_t length = strcspn(argument, "=");

    *attached = argument[length] == '=' ? argument + length + 1 : NULL;
    for (enum flag flag = 0; flag < FLAG_COUNT; flag++) {
        const struct flag_form *form = &forms[flag];

        if (((command->flags | FLAG_BIT(FLAG_HELP)) & FLAG_BIT(flag)) == 0) {
            continue;
        }
        if (strlen(form->name) == length && memcmp(form->name, argument, length) == 0) {
            return flag;
        }
        if (form->letter != '\0' && argument[1] == form->letter) {
            *attached = argument[2] != '\0' ? argument + 2 : NULL;
            return flag;
        }
    }
    return FLAG_COUNT;
}

static bool add_listen(struct options *options, const struct command *command, const char *value)
{
    if (options->listen_count == LISTEN_MAX) {
        return report_usage(command, "--listen is given more than %d times", LISTEN_MAX);
    }
    options->listen[options->listen_count++] = value;
    return true;
}

static bool read_flag(struct options *options, const struct command *command, const char *argument,
                      struct arguments *rest)
{
    const char *value = NULL;
    enum flag flag = find_flag(command, argument, &value);

    if (flag == FLAG_COUNT) {
        return report_usage(command, "unknown flag %s (an id that begins with '-' goes after --)",
                            quoted(argument).text);
    }
    if (options->values[flag] != NULL && flag != FLAG_LISTEN) {
        return report_usage(command, "%s is given twice", forms[flag].name);
    }
    if (forms[flag].value == NULL) {
        if (value != NULL) {
            return report_usage(command, "%s takes no value", forms[flag].name);
        }
        value = "";
    } else if (value == NULL) {
        if (rest->count == 0) {
            return report_usage(command, "%s needs a value, %s", forms[flag].name,
                                forms[flag].value);
        }
        value = *rest->next++;
        rest->count--;
    }
    options->values[flag] = value;
    return flag != FLAG_LISTEN || add_listen(options, command, value);
}

static bool read_now(struct options *options, const struct command *command)
{
    const char *now = options->values[FLAG_NOW];

    if (now != NULL && !weir_instant_parse(text_of(now), &options->now)) {
        return report_usage(command, "--now is not an RFC 3339 instant: %s", quoted(now).text);
    }
    return true;
}

/* Reads decimal digits, all of which `text` has to be. */
static bool read_number(const char *text, uint64_t largest, uint64_t *number)
{
    *number = 0;
    for (const char *digit = text; *digit != '\0'; digit++) {
        uint64_t value = (uint64_t)(unsigned char)*digit - '0';

        if (value > 9 || *number > (largest - value) / 10) {
            return false;
        }
        *number = *number * 10 + value;
    }
    return *text != '\0';
}

static bool read_owner(struct options *options, const struct command *command)
{
    const char *owner = options->values[FLAG_OWNER];
    const struct passwd *user = NULL;
    uint64_t number = 0;

    if (owner == NULL) {
        return true;
    }
    if (read_number(owner, UINT32_MAX - 1, &number)) {
        options->owner = (uint32_t)number;
        return true;
    }
    user = getpwnam(owner);
    if (user == NULL) {
        return report_usage(command, "--owner is no user: %s", quoted(owner).text);
    }
    options->owner = user->pw_uid;
    return true;
}

/* Seconds, with up to nine digits behind a point. */
static bool parse_seconds(const char *text, uint64_t *nanoseconds)
{
    const uint64_t most = WEIR_LEASE_MAX / NANOSECONDS;
    size_t digits = strspn(text, "0123456789");
    uint64_t unit = NANOSECONDS / 10;
    char whole[8] = {0};
    uint64_t seconds = 0;

    if (digits >= sizeof whole) {
        return false;
    }
    memcpy(whole, text, digits);
    text += digits;
    if (!read_number(whole, most, &seconds) || (*text == '.' && text[1] == '\0')) {
        return false;
    }
    *nanoseconds = seconds * NANOSECONDS;
    text += *text == '.';
    for (; *text >= '0' && *text <= '9' && unit > 0; text++, unit /= 10) {
        *nanoseconds += (uint64_t)(*text - '0') * unit;
    }
    return *text == '\0' && *nanoseconds >= WEIR_LEASE_MIN && *nanoseconds <= WEIR_LEASE_MAX;
}

static bool read_lease(struct options *options, const struct command *command)
{
    const char *lease = options->values[FLAG_LEASE];

    return lease == NULL || parse_seconds(lease, &options->lease) ||
           report_usage(command, "--lease is not a number of seconds, 0.01 to 86400: %s",
                        quoted(lease).text);
}

static bool read_changes(struct options *options, const struct command *command)
{
    const char *changes = options->values[FLAG_CHANGES];

    return changes == NULL ||
           (read_number(changes, UINT64_MAX, &options->changes) && options->changes > 0) ||
           report_usage(command, "--count is not a number of changes, 1 or more: %s",
                        quoted(changes).text);
}

/* A limit of connections. */
static bool read_limit(const struct options *options, const struct command *command, enum flag flag,
                       uint32_t *limit)
{
    const char *value = options->values[flag];
    uint64_t number = 0;

    if (value == NULL) {
        return true;
    }
    if (!read_number(value, 1000000, &number) || number == 0) {
        return report_usage(command, "%s is not a number of connections, 1 to 1000000: %s",
                            forms[flag].name, quoted(value).text);
    }
    *limit = (uint32_t)number;
    return true;
}

static bool check_complete(const struct options *options, const struct command *command)
{
    for (enum flag flag = 0; flag < FLAG_COUNT; flag++) {
        if ((command->required & FLAG_BIT(flag)) != 0 && options->values[flag] == NULL) {
            return report_usage(command, "%s %s is missing", forms[flag].name, forms[flag].value);
        }
    }
    if (options->operand_count < command->operands_required) {
        return report_usage(command, "%s is missing", command->operands[options->operand_count]);
    }
    return true;
}

static bool add_operand(struct options *options, const struct command *command, char *argument)
{
    if (options->operand_count == OPERANDS_MAX ||
        command->operands[options->operand_count] == NULL) {
        return report_usage(command, "one argument too many: %s", quoted(argument).text);
    }
    options->operands[options->operand_count++] = argument;
    return true;
}

bool options_read(struct options *options, const struct command *command, int argc, char **argv)
{
    struct arguments rest = {argc, argv};
    bool flags_ended = false;

    *options = (struct options){.operands = argv};
    while (rest.count > 0) {
        char *argument = *rest.next++;
        bool understood = true;

        rest.count--;
        if (flags_ended || argument[0] != '-' || argument[1] == '\0') {
            understood = add_operand(options, command, argument);
        } else if (strcmp(argument, "--") == 0) {
            flags_ended = true;
        } else {
            understood = read_flag(options, command, argument, &rest);
        }
        if (!understood) {
            return false;
        }
        if (options->values[FLAG_HELP] != NULL) {
            return true;
        }
    }
    return check_complete(options, command) && read_now(options, command) &&
           read_owner(options, command) && read_lease(options, command) &&
           read_changes(options, command) &&
           read_limit(options, command, FLAG_CONNECTIONS, &options->connections) &&
           read_limit(options, command, FLAG_PER_ADDRESS, &options->per_address);
}

struct weir_instant options_now(const struct options *options)
{
    return options->values[FLAG_NOW] != NULL ? options->now : weir_instant_now();
}
