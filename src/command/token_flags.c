#include "token_flags.h"

#include <stdlib.h>
#include <string.h>

#include <weir/token.h>
#include <weir/wire.h>

#include "command.h"
#include "report.h"

/* `=NAME` is that name, anything else a prefix. */
static struct weir_set read_set(const char *value)
{
    if (value == NULL) {
        return (struct weir_set){WEIR_SET_NOTHING, {"", 0}};
    }
    return value[0] == '=' ? (struct weir_set){WEIR_SET_EXACT, text_of(value + 1)}
                           : (struct weir_set){WEIR_SET_PREFIX, text_of(value)};
}

/* Takes what comes before the next comma. False: nothing is left. */
static bool next_item(struct weir_text *rest, struct weir_text *item)
{
    const char *comma = NULL;

    if (rest->bytes == NULL) {
        return false;
    }
    comma = memchr(rest->bytes, ',', rest->length);
    item->bytes = rest->bytes;
    item->length = comma != NULL ? (size_t)(comma - rest->bytes) : rest->length;
    rest->bytes = comma != NULL ? comma + 1 : NULL;
    rest->length -= comma != NULL ? item->length + 1 : item->length;
    return true;
}

static bool read_operations(const struct command *command, const char *value,
                            weir_operations *operations)
{
    struct weir_text rest = value != NULL ? text_of(value) : (struct weir_text){NULL, 0};
    struct weir_text item;

    while (next_item(&rest, &item)) {
        enum weir_operation operation;

        if (!weir_operation_parse(item, &operation)) {
            return report_usage(command, "--ops holds no operations: %s", quoted(value).text);
        }
        *operations |= WEIR_OPERATION_BIT(operation);
    }
    return true;
}

/* `GROUP=ACCESS`, ACCESS being r, w or both. */
static bool read_group(struct weir_text item, unsigned *bits)
{
    const char *sign = memchr(item.bytes, '=', item.length);
    size_t length = sign != NULL ? (size_t)(sign - item.bytes) : 0;
    unsigned group = 0;

    while (group <= WEIR_GROUP_STREAM &&
           (strlen(weir_group_name((enum weir_group)group)) != length ||
            memcmp(weir_group_name((enum weir_group)group), item.bytes, length) != 0)) {
        group++;
    }
    if (sign == NULL || group > WEIR_GROUP_STREAM || length + 1 == item.length) {
        return false;
    }
    for (size_t i = length + 1; i < item.length; i++) {
        if (item.bytes[i] != 'r' && item.bytes[i] != 'w') {
            return false;
        }
        *bits |= WEIR_GROUP_BIT(group, item.bytes[i] == 'r' ? WEIR_ACCESS_READ : WEIR_ACCESS_WRITE);
    }
    return true;
}

static bool read_groups(const struct command *command, const char *value, unsigned *bits)
{
    struct weir_text rest = value != NULL ? text_of(value) : (struct weir_text){NULL, 0};
    struct weir_text item;

    while (next_item(&rest, &item)) {
        if (!read_group(item, bits)) {
            return report_usage(command, "--op-groups is not like account=rw,basin=r,stream=w: %s",
                                quoted(value).text);
        }
    }
    return true;
}

/* Seconds in the unit; 0: there is no such unit. */
static int64_t unit_seconds(char unit)
{
    switch (unit) {
    case 's':
        return 1;
    case 'm':
        return 60;
    case 'h':
        return 3600;
    case 'd':
        return 86400;
    case 'w':
        return 604800;
    default:
        return 0;
    }
}

/* `30d`, `1h30m`: up to ten thousand years. */
static bool parse_duration(const char *text, int64_t *seconds)
{
    const int64_t most = WEIR_INSTANT_SECONDS_MAX;

    *seconds = 0;
    while (*text != '\0') {
        size_t digits = strspn(text, "0123456789");
        int64_t number = 0;
        int64_t unit = unit_seconds(text[digits]);

        if (digits == 0 || digits > 12 || unit == 0) {
            return false;
        }
        number = strtoll(text, NULL, 10);
        if (number > (most - *seconds) / unit) {
            return false;
        }
        *seconds += number * unit;
        text += digits + 1;
    }
    return *seconds > 0;
}

static bool read_expiry(const struct command *command, const struct options *options,
                        struct weir_token *token)
{
    const char *in = options->values[FLAG_EXPIRES_IN];
    const char *at = options->values[FLAG_EXPIRES_AT];
    int64_t seconds = 0;

    token->expires = in != NULL || at != NULL;
    if (in != NULL && at != NULL) {
        return report_usage(command, "--expires-in and --expires-at exclude each other");
    }
    if (at != NULL && !weir_instant_parse(text_of(at), &token->expires_at)) {
        return report_usage(command, "--expires-at is not an RFC 3339 instant: %s",
                            quoted(at).text);
    }
    if (in != NULL) {
        if (!parse_duration(in, &seconds)) {
            return report_usage(command,
                                "--expires-in is not a time like 90s, 30m, 12h, 30d, 4w: %s",
                                quoted(in).text);
        }
        token->expires_at = weir_instant_now();
        token->expires_at.seconds += seconds;
        token->expires_at.nanoseconds = 0;
    }
    return true;
}

static char *write_token(const struct weir_token *token, size_t *length)
{
    char *json = NULL;

    *length = weir_token_write(token, NULL, 0);
    json = malloc(*length);
    if (json == NULL) {
        (void)report("memory", "there is not enough");
        return NULL;
    }
    (void)weir_token_write(token, json, *length);
    return json;
}

char *token_flags_json(const struct command *command, const struct options *options, size_t *length)
{
    struct weir_scope scope = {
        .basins = read_set(options->values[FLAG_BASINS]),
        .streams = read_set(options->values[FLAG_STREAMS]),
        .access_tokens = read_set(options->values[FLAG_ACCESS_TOKENS]),
    };
    struct weir_token token = {
        .id = text_of(options->values[FLAG_ID]),
        .scopes = &scope,
        .scope_count = 1,
        .auto_prefix_streams = options->values[FLAG_AUTO_PREFIX] != NULL,
    };
    struct weir_error error;

    if (!read_operations(command, options->values[FLAG_OPS], &scope.ops) ||
        !read_groups(command, options->values[FLAG_OP_GROUPS], &scope.op_groups) ||
        !read_expiry(command, options, &token)) {
        return NULL;
    }
    if (weir_token_check(&token, &error) != WEIR_OK) {
        (void)report_error("flags", &error);
        return NULL;
    }
    return write_token(&token, length);
}
