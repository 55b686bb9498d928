#include <weir/instant.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "vocabulary/clock.h"

static struct weir_instant read_clock(clockid_t clock)
{
    struct timespec now = {0};

    (void)clock_gettime(clock, &now);
    return (struct weir_instant){now.tv_sec, (uint32_t)now.tv_nsec};
}

uint64_t weir_boot_clock(void)
{
    struct weir_instant boot = read_clock(CLOCK_BOOTTIME);

    return (uint64_t)boot.seconds * 1000000000u + boot.nanoseconds;
}

struct weir_clocks weir_clocks_now(void)
{
    return (struct weir_clocks){read_clock(CLOCK_REALTIME_COARSE), weir_boot_clock()};
}

struct weir_instant weir_instant_now(void)
{
    return read_clock(CLOCK_REALTIME);
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar. The year is taken to begin in March,
 * so that the day that leap years have more is its last. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    int64_t shifted_year = year - (month <= 2);
    int64_t shifted_month = month + (month <= 2 ? 9 : -3);
    int64_t day_of_year = (153 * shifted_month + 2) / 5 + day - 1;

    /* 400 years more keep the divisions exact for the year 0. */
    shifted_year += 400;
    return shifted_year * 365 + shifted_year / 4 - shifted_year / 100 + shifted_year / 400 +
           day_of_year - 719468 - 146097;
}

static int64_t days_in_month(int64_t year, int64_t month)
{
    int64_t next_year = year + (month == 12);
    int64_t next_month = month % 12 + 1;

    return days_of(next_year, next_month, 1) - days_of(year, month, 1);
}

/* Reads exactly `digits` ASCII digits off the front of the text. */
static bool take_number(struct weir_text *text, size_t digits, int64_t *number)
{
    if (text->length < digits) {
        return false;
    }
    *number = 0;
    for (size_t i = 0; i < digits; i++) {
        if (text->bytes[i] < '0' || text->bytes[i] > '9') {
            return false;
        }
        *number = *number * 10 + (text->bytes[i] - '0');
    }
    text->bytes += digits;
    text->length -= digits;
    return true;
}

/* Takes one byte off the front of the text if it is one of `choices`, and returns it, else 0. */
static char take_one_of(struct weir_text *text, const char *choices)
{
    char byte = '\0';

    if (text->length == 0 || text->bytes[0] == '\0' || strchr(choices, text->bytes[0]) == NULL) {
        return '\0';
    }
    byte = text->bytes[0];
    text->bytes++;
    text->length--;
    return byte;
}

static bool take_fraction(struct weir_text *text, uint32_t *nanoseconds)
{
    uint32_t unit = 100000000;
    size_t digits = 0;

    *nanoseconds = 0;
    if (take_one_of(text, ".") == '\0') {
        return true;
    }
    for (; text->length > 0 && text->bytes[0] >= '0' && text->bytes[0] <= '9'; digits++) {
        *nanoseconds += unit * (uint32_t)(text->bytes[0] - '0');
        unit /= 10;
        text->bytes++;
        text->length--;
    }
    return digits > 0;
}

/* Reads 'Z' or an offset, in seconds to be taken from the local time. */
static bool take_offset(struct weir_text *text, int64_t *offset)
{
    char sign = take_one_of(text, "Zz+-");
    int64_t hours = 0;
    int64_t minutes = 0;

    *offset = 0;
    if (sign == 'Z' || sign == 'z') {
        return true;
    }
    if (sign == '\0' || !take_number(text, 2, &hours) || take_one_of(text, ":") == '\0' ||
        !take_number(text, 2, &minutes) || hours > 23 || minutes > 59) {
        return false;
    }
    *offset = (hours * 3600 + minutes * 60) * (sign == '-' ? -1 : 1);
    return true;
}

bool weir_instant_parse(struct weir_text text, struct weir_instant *instant)
{
    int64_t year = 0;
    int64_t month = 0;
    int64_t day = 0;
    int64_t hour = 0;
    int64_t minute = 0;
    int64_t second = 0;
    int64_t offset = 0;
    uint32_t nanoseconds = 0;
    int64_t seconds = 0;

    if (!take_number(&text, 4, &year) || !take_one_of(&text, "-") ||
        !take_number(&text, 2, &month) || !take_one_of(&text, "-") ||
        !take_number(&text, 2, &day) || !take_one_of(&text, "Tt") ||
        !take_number(&text, 2, &hour) || !take_one_of(&text, ":") ||
        !take_number(&text, 2, &minute) || !take_one_of(&text, ":") ||
        !take_number(&text, 2, &second) || !take_fraction(&text, &nanoseconds) ||
        !take_offset(&text, &offset) || text.length != 0) {
        return false;
    }
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) || hour > 23 ||
        minute > 59 || second > 59) {
        return false;
    }
    seconds = days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset;
    if (seconds < WEIR_INSTANT_SECONDS_MIN || seconds > WEIR_INSTANT_SECONDS_MAX) {
        return false;
    }
    *instant = (struct weir_instant){seconds, nanoseconds};
    return true;
}

size_t weir_instant_print(struct weir_instant instant, char buffer[WEIR_INSTANT_SIZE])
{
    int64_t seconds = instant.seconds < WEIR_INSTANT_SECONDS_MIN   ? WEIR_INSTANT_SECONDS_MIN
                      : instant.seconds > WEIR_INSTANT_SECONDS_MAX ? WEIR_INSTANT_SECONDS_MAX
                                                                   : instant.seconds;
    struct tm parts = {0};
    time_t clock = (time_t)seconds;
    int length = 0;

    (void)gmtime_r(&clock, &parts);
    length = snprintf(buffer, WEIR_INSTANT_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d",
                      (parts.tm_year + 1900) % 10000, (parts.tm_mon + 1) % 100, parts.tm_mday % 100,
                      parts.tm_hour % 100, parts.tm_min % 100, parts.tm_sec % 100);
    if (instant.nanoseconds % 1000000000 != 0) {
        length += snprintf(buffer + length, WEIR_INSTANT_SIZE - (size_t)length, ".%09u",
                           (unsigned)(instant.nanoseconds % 1000000000));
        while (buffer[length - 1] == '0') {
            length--;
        }
    }
    buffer[length++] = 'Z';
    buffer[length] = '\0';
    return (size_t)length;
}
