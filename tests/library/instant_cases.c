/* instant_cases.c - RFC 3339, against tables by hand and a calendar that counts days one by one. */
#include "library/vocabulary_cases.h"

#include <string.h>

#include <weir/instant.h>

#include "library/support.h"

static bool parses(const char *string, struct weir_instant *instant)
{
    return weir_instant_parse(text_of(string), instant);
}

START_TEST(instants_are_read_as_rfc_3339_means_them)
{
    static const struct {
        const char *text;
        int64_t seconds;
        uint32_t nanoseconds;
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0, 0},
        {"1970-01-01T00:00:01Z", 1, 0},
        {"1969-12-31T23:59:59Z", -1, 0},
        {"1969-12-31T23:59:59.25Z", -1, 250000000},
        {"2000-01-01T00:00:00Z", 946684800, 0},
        {"2000-02-29T12:34:56Z", 951827696, 0},
        {"2024-02-29T00:00:00Z", 1709164800, 0},
        {"2026-11-23T12:00:00Z", 1795435200, 0},
        {"2027-01-01T00:00:00Z", 1798761600, 0},
        {"2038-01-19T03:14:08Z", 2147483648, 0},
        {"2400-02-29T00:00:00Z", 13574563200, 0},
        {"2027-01-01t00:00:00z", 1798761600, 0},
        {"2027-01-01T00:00:00+00:00", 1798761600, 0},
        {"2027-01-01T00:00:00-00:00", 1798761600, 0},
        {"2027-01-01T01:00:00+01:00", 1798761600, 0},
        {"2026-12-31T19:00:00-05:00", 1798761600, 0},
        {"2027-01-01T05:45:00+05:45", 1798761600, 0},
        {"2027-01-01T23:59:00+23:59", 1798761600, 0},
        {"2026-12-31T00:01:00-23:59", 1798761600, 0},
        {"2027-01-01T00:00:00.1Z", 1798761600, 100000000},
        {"2027-01-01T00:00:00.000000001Z", 1798761600, 1},
        {"2027-01-01T00:00:00.999999999Z", 1798761600, 999999999},
        {"2027-01-01T00:00:00.9999999999Z", 1798761600, 999999999},
        {"2027-01-01T00:00:00.0000000009Z", 1798761600, 0},
        {"2027-01-01T00:00:00.00000000000000000000000000000000000001Z", 1798761600, 0},
        {"2027-01-01T00:00:00.120000000000000000000000+00:00", 1798761600, 120000000},
        {"0001-01-01T00:00:00Z", WEIR_INSTANT_SECONDS_MIN, 0},
        {"0001-01-01T23:59:00+23:59", WEIR_INSTANT_SECONDS_MIN, 0},
        {"0000-12-31T23:59:00-00:01", WEIR_INSTANT_SECONDS_MIN, 0},
        {"0000-12-31T00:01:00-23:59", WEIR_INSTANT_SECONDS_MIN, 0},
        {"9999-12-31T23:59:59Z", WEIR_INSTANT_SECONDS_MAX, 0},
        {"9999-12-31T23:59:59.999999999Z", WEIR_INSTANT_SECONDS_MAX, 999999999},
        {"9999-12-31T23:59:59+00:00", WEIR_INSTANT_SECONDS_MAX, 0},
        {"9999-12-31T00:00:59-23:59", WEIR_INSTANT_SECONDS_MAX, 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct weir_instant instant = {-7, 7};

        ck_assert_msg(parses(rows[i].text, &instant), "%s", rows[i].text);
        ck_assert_int_eq(instant.seconds, rows[i].seconds);
        ck_assert_uint_eq(instant.nanoseconds, rows[i].nanoseconds);
    }
}
END_TEST

START_TEST(what_is_not_an_instant_is_refused_and_changes_nothing)
{
    static const char *const bad[] = {
        "",
        "Z",
        "2027",
        "2027-01-01",
        "2027-01-01T",
        "2027-01-01T00:00Z",
        "2027-01-01T00:00:00",
        " 2027-01-01T00:00:00Z",
        "2027-01-01T00:00:00Z ",
        "2027-01-01T00:00:00ZZ",
        "2027-01-01 00:00:00Z",
        "2027-01-01_00:00:00Z",
        "20270101T000000Z",
        "2027-1-01T00:00:00Z",
        "2027-01-1T00:00:00Z",
        "2027-01-01T0:00:00Z",
        "2027-01-01T00:0:00Z",
        "2027-01-01T00:00:0Z",
        "027-01-01T00:00:00Z",
        "02027-01-01T00:00:00Z",
        "+2027-01-01T00:00:00Z",
        "-2027-01-01T00:00:00Z",
        "2027/01/01T00:00:00Z",
        "2027-01-01T00.00.00Z",
        /* dates that are not */
        "2027-00-01T00:00:00Z",
        "2027-13-01T00:00:00Z",
        "2027-01-00T00:00:00Z",
        "2027-01-32T00:00:00Z",
        "2027-02-29T00:00:00Z",
        "2024-02-30T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2000-02-30T00:00:00Z",
        "2027-04-31T00:00:00Z",
        "2027-06-31T00:00:00Z",
        "2027-09-31T00:00:00Z",
        "2027-11-31T00:00:00Z",
        "2027-12-32T00:00:00Z",
        "2027-99-99T00:00:00Z",
        /* times that are not */
        "2027-01-01T24:00:00Z",
        "2027-01-01T99:00:00Z",
        "2027-01-01T00:60:00Z",
        "2027-01-01T00:00:60Z",
        "2016-12-31T23:59:60Z",
        "2027-01-01T00:00:61Z",
        "2027-01-01T-1:00:00Z",
        "2027-01-01T00:00:+1Z",
        /* fractions that are not */
        "2027-01-01T00:00:00.Z",
        "2027-01-01T00:00:00,5Z",
        "2027-01-01T00:00:00.5",
        "2027-01-01T00:00:00.-5Z",
        "2027-01-01T00:00:00.5.5Z",
        "2027-01-01T00:00:00.1a",
        "2027-01-01T00:00.5Z",
        "2027-01-01T00:00:00. 5Z",
        "2027-01-01T00:00:00.+00:00",
        /* offsets that are not */
        "2027-01-01T00:00:00+24:00",
        "2027-01-01T00:00:00-24:00",
        "2027-01-01T00:00:00+00:60",
        "2027-01-01T00:00:00+0000",
        "2027-01-01T00:00:00+00",
        "2027-01-01T00:00:00+00:0",
        "2027-01-01T00:00:00+00:000",
        "2027-01-01T00:00:00+",
        "2027-01-01T00:00:00-",
        "2027-01-01T00:00:00+00:00Z",
        "2027-01-01T00:00:00Z+00:00",
        "2027-01-01T00:00:00UTC",
        "2027-01-01T00:00:00z+01:00",
        "2027-01-01T00:00:00\xe2\x88\x92",
        /* years outside 0001 to 9999, in UTC */
        "0000-12-31T23:59:59Z",
        "0000-01-01T00:00:00Z",
        "0000-02-29T00:00:00Z",
        "0001-01-01T00:00:00+00:01",
        "0001-01-01T23:58:59+23:59",
        "0000-12-31T00:00:59-23:59",
        "9999-12-31T23:59:59-00:01",
        "9999-12-31T00:01:00-23:59",
        "9999-12-31T23:59:60Z",
        "10000-01-01T00:00:00Z",
        /* digits that are not ASCII: Arabic-Indic, full-width, superscript */
        "\xd9\xa2\xd9\xa0\xd9\xa2\xd9\xa7-01-01T00:00:00Z",
        "202\xef\xbc\x97-01-01T00:00:00Z",
        "2027-0\xc2\xb9-01T00:00:00Z",
    };

    for (size_t i = 0; i < COUNT(bad); i++) {
        struct weir_instant instant = {-7, 7};

        ck_assert_msg(!parses(bad[i], &instant), "%s", bad[i]);
        ck_assert_int_eq(instant.seconds, -7);
        ck_assert_uint_eq(instant.nanoseconds, 7);
    }
}
END_TEST

START_TEST(nul_bytes_are_no_part_of_an_instant)
{
    static const char good[] = "2027-01-01T00:00:00.5Z";
    struct weir_instant instant = {0};

    ck_assert(!weir_instant_parse((struct weir_text){NULL, 0}, &instant));
    ck_assert(!weir_instant_parse((struct weir_text){good, sizeof good}, &instant));
    for (size_t i = 0; i < sizeof good - 1; i++) {
        char bytes[sizeof good];

        memcpy(bytes, good, sizeof good);
        bytes[i] = '\0';
        ck_assert(!weir_instant_parse((struct weir_text){bytes, sizeof good - 1}, &instant));
    }
}
END_TEST

START_TEST(an_instant_cut_short_anywhere_is_refused)
{
    static const char good[] = "2027-01-01T00:00:00.25+01:30";
    struct weir_instant instant = {0};

    for (size_t length = 0; length < sizeof good - 1; length++) {
        ck_assert(!weir_instant_parse((struct weir_text){good, length}, &instant));
    }
    ck_assert(weir_instant_parse((struct weir_text){good, sizeof good - 1}, &instant));
}
END_TEST

START_TEST(instants_are_printed_with_as_many_digits_as_they_have)
{
    static const struct {
        struct weir_instant instant;
        const char *text;
    } rows[] = {
        {{0, 0}, "1970-01-01T00:00:00Z"},
        {{-1, 0}, "1969-12-31T23:59:59Z"},
        {{-1, 1}, "1969-12-31T23:59:59.000000001Z"},
        {{1798761600, 0}, "2027-01-01T00:00:00Z"},
        {{1798761600, 500000000}, "2027-01-01T00:00:00.5Z"},
        {{1798761600, 120000}, "2027-01-01T00:00:00.00012Z"},
        {{1798761600, 999999999}, "2027-01-01T00:00:00.999999999Z"},
        {{951827696, 10}, "2000-02-29T12:34:56.00000001Z"},
        {{WEIR_INSTANT_SECONDS_MIN, 0}, "0001-01-01T00:00:00Z"},
        {{WEIR_INSTANT_SECONDS_MAX, 999999999}, "9999-12-31T23:59:59.999999999Z"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        char buffer[WEIR_INSTANT_SIZE];

        ck_assert_uint_eq(weir_instant_print(rows[i].instant, buffer), strlen(rows[i].text));
        ck_assert_str_eq(buffer, rows[i].text);
    }
}
END_TEST

START_TEST(an_instant_outside_the_years_is_printed_as_the_nearer_end)
{
    static const struct weir_instant outside[] = {
        {INT64_MIN, 0},
        {WEIR_INSTANT_SECONDS_MIN - 1, 999999999},
        {INT64_MAX, 0},
        {WEIR_INSTANT_SECONDS_MAX + 1, 0},
    };

    for (size_t i = 0; i < COUNT(outside); i++) {
        char buffer[WEIR_INSTANT_SIZE];
        const char *end = outside[i].seconds < 0 ? "0001-01-01T00:00:00" : "9999-12-31T23:59:59";

        (void)weir_instant_print(outside[i], buffer);
        ck_assert_mem_eq(buffer, end, strlen(end));
    }
}
END_TEST

/*
 * ---- A calendar that counts ----
 */

struct day {
    int year;
    int month;
    int day;
    int64_t number; /* of days since 1970-01-01 */
};

static int naive_month_length(int year, int month)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return lengths[month - 1] + (month == 2 && leap ? 1 : 0);
}

static void next_day(struct day *day)
{
    day->number++;
    day->day++;
    if (day->day > naive_month_length(day->year, day->month)) {
        day->day = 1;
        day->month++;
    }
    if (day->month > 12) {
        day->month = 1;
        day->year++;
    }
}

static void put_digits(char *out, int value, int digits)
{
    for (int i = digits - 1; i >= 0; i--) {
        out[i] = (char)('0' + value % 10);
        value /= 10;
    }
}

/* Writes YYYY-MM-DD over the first ten bytes. */
static void put_date(char *text, int year, int month, int day)
{
    put_digits(text, year, 4);
    put_digits(text + 5, month, 2);
    put_digits(text + 8, day, 2);
}

/* How many seconds the parser makes of the text more than there are; 1 if it refuses it. */
static int64_t error_of_reading(struct weir_text text, int64_t seconds)
{
    struct weir_instant instant = {0};

    return weir_instant_parse(text, &instant) ? instant.seconds - seconds : 1;
}

START_TEST(every_day_of_ten_thousand_years_is_read_as_counted)
{
    struct day day = {1, 1, 1, WEIR_INSTANT_SECONDS_MIN / 86400};
    char bytes[] = "0000-00-00T00:00:00Z";
    struct weir_text text = {bytes, sizeof bytes - 1};

    for (; day.year <= 9999; next_day(&day)) {
        put_date(bytes, day.year, day.month, day.day);
        if (error_of_reading(text, day.number * 86400) != 0) {
            ck_abort_msg("%s is not read as it should", bytes);
        }
        if (day.day == naive_month_length(day.year, day.month)) {
            struct weir_instant instant = {0};

            put_date(bytes, day.year, day.month, day.day + 1);
            ck_assert_msg(!weir_instant_parse(text, &instant), "%s", bytes);
        }
    }
    ck_assert_int_eq(day.number * 86400 - 1, WEIR_INSTANT_SECONDS_MAX);
}
END_TEST

START_TEST(every_day_is_printed_as_counted)
{
    struct day day = {1, 1, 1, WEIR_INSTANT_SECONDS_MIN / 86400};
    char expected[] = "0000-00-00T00:00:00Z";

    for (; day.year <= 9999; next_day(&day)) {
        char buffer[WEIR_INSTANT_SIZE];

        /* Whole leap cycles would repeat: all days of some, one in seven of the others. */
        if (day.year % 400 > 4 && day.number % 7 != 0) {
            continue;
        }
        put_date(expected, day.year, day.month, day.day);
        (void)weir_instant_print((struct weir_instant){day.number * 86400, 0}, buffer);
        if (strcmp(buffer, expected) != 0) {
            ck_abort_msg("%s is printed as %s", expected, buffer);
        }
    }
}
END_TEST

static struct weir_instant random_instant(struct random *random)
{
    static const uint32_t units[] = {1, 1, 1, 10, 1000, 1000000, 100000000, 1000000000};
    uint64_t span = (uint64_t)(WEIR_INSTANT_SECONDS_MAX - WEIR_INSTANT_SECONDS_MIN) + 1;
    uint32_t unit = units[random_below(random, COUNT(units))];

    return (struct weir_instant){
        .seconds = WEIR_INSTANT_SECONDS_MIN + (int64_t)(random_number(random) % span),
        .nanoseconds = (uint32_t)(random_number(random) % 1000000000) / unit * unit,
    };
}

START_TEST(two_million_random_instants_are_read_back_as_printed)
{
    struct random random = {5};

    for (unsigned round = 0; round < 2000000; round++) {
        struct weir_instant instant = random_instant(&random);
        struct weir_instant back = {0};
        char buffer[WEIR_INSTANT_SIZE];
        size_t length = weir_instant_print(instant, buffer);

        if (!weir_instant_parse((struct weir_text){buffer, length}, &back) ||
            back.seconds != instant.seconds || back.nanoseconds != instant.nanoseconds) {
            ck_abort_msg("%s", buffer);
        }
    }
}
END_TEST

START_TEST(an_offset_is_taken_from_the_local_time)
{
    struct random random = {6};

    for (unsigned round = 0; round < 100000; round++) {
        struct weir_instant local = random_instant(&random);
        int minutes = (int)random_below(&random, 24 * 60);
        int sign = random_below(&random, 2) == 0 ? 1 : -1;
        int64_t expected = local.seconds - sign * minutes * 60;
        bool inside = expected >= WEIR_INSTANT_SECONDS_MIN && expected <= WEIR_INSTANT_SECONDS_MAX;
        struct weir_instant instant = {0};
        char text[WEIR_INSTANT_SIZE + 6];
        size_t length = weir_instant_print(local, text) - 1;

        text[length] = sign > 0 ? '+' : '-';
        put_digits(text + length + 1, minutes / 60, 2);
        text[length + 3] = ':';
        put_digits(text + length + 4, minutes % 60, 2);
        ck_assert_int_eq(weir_instant_parse((struct weir_text){text, length + 6}, &instant),
                         inside);
        if (inside) {
            ck_assert_int_eq(instant.seconds, expected);
            ck_assert_uint_eq(instant.nanoseconds, local.nanoseconds);
        }
    }
}
END_TEST

START_TEST(the_clock_tells_an_instant_of_this_age)
{
    struct weir_instant before = weir_instant_now();
    struct weir_instant after = weir_instant_now();

    ck_assert_int_gt(before.seconds, 1700000000);
    ck_assert_int_le(after.seconds, WEIR_INSTANT_SECONDS_MAX);
    ck_assert_uint_lt(before.nanoseconds, 1000000000);
    ck_assert_int_lt(after.seconds - before.seconds, 3600);
}
END_TEST

TCase *instant_cases(void)
{
    TCase *cases = tcase_create("instants");

    tcase_add_test(cases, instants_are_read_as_rfc_3339_means_them);
    tcase_add_test(cases, what_is_not_an_instant_is_refused_and_changes_nothing);
    tcase_add_test(cases, nul_bytes_are_no_part_of_an_instant);
    tcase_add_test(cases, an_instant_cut_short_anywhere_is_refused);
    tcase_add_test(cases, instants_are_printed_with_as_many_digits_as_they_have);
    tcase_add_test(cases, an_instant_outside_the_years_is_printed_as_the_nearer_end);
    tcase_add_test(cases, every_day_of_ten_thousand_years_is_read_as_counted);
    tcase_add_test(cases, every_day_is_printed_as_counted);
    tcase_add_test(cases, two_million_random_instants_are_read_back_as_printed);
    tcase_add_test(cases, an_offset_is_taken_from_the_local_time);
    tcase_add_test(cases, the_clock_tells_an_instant_of_this_age);
    return cases;
}
