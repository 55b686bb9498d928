#include "words.h"

#include <inttypes.h>
#include <string.h>

struct unit {
    int64_t seconds;
    const char *name;
};

static void write_count(struct output *output, int64_t count, const char *noun)
{
    output_format(output, "%" PRId64 " %s%s", count, noun, count == 1 ? "" : "s");
}

void write_duration(struct output *output, int64_t seconds)
{
    static const struct unit units[] = {
        {86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};
    const size_t last = sizeof units / sizeof units[0] - 1;
    size_t largest = 0;

    while (largest < last && seconds < units[largest].seconds) {
        largest++;
    }
    write_count(output, seconds / units[largest].seconds, units[largest].name);
    if (largest < last) {
        int64_t rest = seconds % units[largest].seconds / units[largest + 1].seconds;

        if (rest > 0) {
            output_string(output, " ");
            write_count(output, rest, units[largest + 1].name);
        }
    }
}

void write_instant(struct output *output, struct weir_instant instant)
{
    char text[WEIR_INSTANT_SIZE];

    output_bytes(output, text, weir_instant_print(instant, text));
}

double seconds_of(uint64_t nanoseconds)
{
    return (double)nanoseconds / 1e9;
}

static bool is_before(struct weir_instant left, struct weir_instant right)
{
    return left.seconds < right.seconds ||
           (left.seconds == right.seconds && left.nanoseconds < right.nanoseconds);
}

/* Whole seconds from one instant to a later one. */
static int64_t seconds_between(struct weir_instant from, struct weir_instant to)
{
    return to.seconds - from.seconds - (to.nanoseconds < from.nanoseconds);
}

void write_expiry(struct output *output, const struct weir_compiled_token *token,
                  struct weir_instant now)
{
    struct weir_instant expires_at;

    if (!weir_compiled_token_expires(token, &expires_at)) {
        output_string(output, "never");
        return;
    }
    write_instant(output, expires_at);
    if (is_before(now, expires_at)) {
        output_string(output, ", in ");
        write_duration(output, seconds_between(now, expires_at));
    } else {
        output_string(output, ", ");
        write_duration(output, seconds_between(expires_at, now));
        output_string(output, " ago");
    }
}

void write_operations(struct output *output, weir_operations operations, size_t limit)
{
    size_t written = 0;
    size_t left_out = 0;

    for (unsigned number = 1; number <= WEIR_OPERATION_COUNT; number++) {
        if ((operations & WEIR_OPERATION_BIT(number)) == 0) {
            continue;
        }
        if (written == limit) {
            left_out++;
            continue;
        }
        output_format(output, "%s%s", written > 0 ? ", " : "",
                      weir_operation_name((enum weir_operation)number));
        written++;
    }
    if (left_out > 0) {
        output_format(output, " and %zu more", left_out);
    }
    if (written == 0) {
        output_string(output, "none");
    }
}

void write_size(struct output *output, uint64_t bytes)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
    double amount = (double)bytes / 1024;
    size_t unit = 0;

    while (amount >= 1024 && unit + 1 < sizeof units / sizeof units[0]) {
        amount /= 1024;
        unit++;
    }
    output_format(output, "%.1f %s", amount, units[unit]);
}

void write_set(struct output *output, const struct weir_set *set)
{
    switch (set->kind) {
    case WEIR_SET_EXACT:
        output_string(output, "exact  ");
        output_quoted(output, set->name);
        output_string(output, set->name.length == 0 ? " (nothing)" : "");
        break;
    case WEIR_SET_PREFIX:
        output_string(output, "prefix ");
        output_quoted(output, set->name);
        output_string(output, set->name.length == 0 ? " (everything)" : "");
        break;
    case WEIR_SET_NOTHING:
    default:
        output_string(output, "nothing");
        break;
    }
}

static size_t common_bytes(struct weir_text left, struct weir_text right)
{
    size_t shorter = left.length < right.length ? left.length : right.length;
    size_t common = 0;

    while (common < shorter && left.bytes[common] == right.bytes[common]) {
        common++;
    }
    return common;
}

bool is_continuation(struct weir_text text, size_t place)
{
    return place < text.length && ((unsigned char)text.bytes[place] & 0xc0) == 0x80;
}

size_t common_length(struct weir_text left, struct weir_text right)
{
    size_t common = common_bytes(left, right);

    while (common > 0 && (is_continuation(left, common) || is_continuation(right, common))) {
        common--;
    }
    return common;
}

int compare_texts(struct weir_text left, struct weir_text right)
{
    size_t common = common_bytes(left, right);

    if (common < left.length && common < right.length) {
        return (unsigned char)left.bytes[common] < (unsigned char)right.bytes[common] ? -1 : 1;
    }
    return (left.length > right.length) - (left.length < right.length);
}
