/* name_cases.c - which names are allowed: edges by hand, then everything against the rule as one
 * would say it aloud. */
#include "library/vocabulary_cases.h"

#include <stdlib.h>
#include <string.h>

#include <weir/name.h>

#include "library/support.h"

/* One letter for each kind of name that admits it. */
enum { BASIN = 1, BASIN_PREFIX = 2, STREAM = 4, STREAM_PREFIX = 8, ID = 16, ID_PREFIX = 32 };
enum { PREFIXES = BASIN_PREFIX | STREAM_PREFIX | ID_PREFIX };
enum { TEXTS = STREAM | STREAM_PREFIX | ID | ID_PREFIX, STREAMS = STREAM | STREAM_PREFIX };
enum { ALL = TEXTS | BASIN | BASIN_PREFIX };

static int kinds_that_admit(struct weir_text name)
{
    return (weir_basin_valid(name) ? BASIN : 0) |
           (weir_basin_prefix_valid(name) ? BASIN_PREFIX : 0) |
           (weir_stream_valid(name) ? STREAM : 0) |
           (weir_stream_prefix_valid(name) ? STREAM_PREFIX : 0) |
           (weir_token_id_valid(name) ? ID : 0) |
           (weir_token_id_prefix_valid(name) ? ID_PREFIX : 0);
}

START_TEST(names_at_the_edges_are_allowed_as_the_specification_says)
{
    static const struct {
        struct weir_text name;
        int kinds;
    } rows[] = {
        {{NULL, 0}, PREFIXES},
        {{"", 0}, PREFIXES},
        {{"a", 1}, TEXTS | BASIN_PREFIX},
        {{"abcdefg", 7}, TEXTS | BASIN_PREFIX},
        {{"abcdefgh", 8}, ALL},
        {{"01234567", 8}, ALL},
        {{"a------0", 8}, ALL},
        {{"abcdefgh-i", 10}, ALL},
        {{"-bcdefgh", 8}, TEXTS},
        {{"abcdefg-", 8}, TEXTS | BASIN_PREFIX},
        {{"abcdefghijklmno-", 16}, TEXTS | BASIN_PREFIX},
        {{"-", 1}, TEXTS},
        {{"a-", 2}, TEXTS | BASIN_PREFIX},
        {{"Abcdefgh", 8}, TEXTS},
        {{"abcdefgH", 8}, TEXTS},
        {{"abc_efgh", 8}, TEXTS},
        {{"abc.efgh", 8}, TEXTS},
        {{"abc/efgh", 8}, TEXTS},
        {{"abc:efgh", 8}, TEXTS},
        {{"abc`efgh", 8}, TEXTS},
        {{"abc{efgh", 8}, TEXTS},
        {{"abc efgh", 8}, TEXTS},
        {{"abcdefgh ", 9}, TEXTS},
        {{"abcdefg\xc3\xa9", 9}, TEXTS},
        {{".", 1}, STREAM_PREFIX | ID_PREFIX},
        {{"..", 2}, STREAM_PREFIX | ID_PREFIX},
        {{"...", 3}, TEXTS},
        {{"./", 2}, TEXTS},
        {{"/.", 2}, TEXTS},
        {{"../", 3}, TEXTS},
        {{". ", 2}, TEXTS},
        {{"a.", 2}, TEXTS},
        {{".a", 2}, TEXTS},
        {{"/", 1}, TEXTS},
        {{"users/1234/../5678", 18}, TEXTS},
        {{"\0", 1}, 0},
        {{"a\0", 2}, 0},
        {{"\0abcdefg", 8}, 0},
        {{"abcdefg\0", 8}, 0},
        {{"abcdefghi\0jklmnopq", 18}, 0},
        {{"\x01", 1}, TEXTS},
        {{"\x1f\n\r\t", 4}, TEXTS},
        {{"\x7f", 1}, TEXTS},
        {{"\xc2\x80", 2}, TEXTS},
        {{"\xe2\x82\xac", 3}, TEXTS},
        {{"\xef\xbb\xbf", 3}, TEXTS},
        {{"\xef\xbf\xbf", 3}, TEXTS},
        {{"\xf0\x90\x80\x80", 4}, TEXTS},
        {{"\xf4\x8f\xbf\xbf", 4}, TEXTS},
        {{"\xed\x9f\xbf", 3}, TEXTS},
        {{"\xee\x80\x80", 3}, TEXTS},
        {{"\x80", 1}, 0},
        {{"\xbf", 1}, 0},
        {{"\xc0\x80", 2}, 0},
        {{"\xc1\xbf", 2}, 0},
        {{"\xc3", 1}, 0},
        {{"\xc3(", 2}, 0},
        {{"\xe0\x80\x80", 3}, 0},
        {{"\xe0\x9f\xbf", 3}, 0},
        {{"\xe2\x82", 2}, 0},
        {{"\xe2(\xa1", 3}, 0},
        {{"\xed\xa0\x80", 3}, 0},
        {{"\xed\xbf\xbf", 3}, 0},
        {{"\xf0\x80\x80\x80", 4}, 0},
        {{"\xf0\x8f\xbf\xbf", 4}, 0},
        {{"\xf0\x90\x80", 3}, 0},
        {{"\xf4\x90\x80\x80", 4}, 0},
        {{"\xf5\x80\x80\x80", 4}, 0},
        {{"\xf8\x88\x80\x80\x80", 5}, 0},
        {{"\xfe", 1}, 0},
        {{"\xff", 1}, 0},
        {{"abcdefgh\xff", 9}, 0},
        {{"\xffijklmnopq", 10}, 0},
        {{"abcdefghijkl\xe2\x82", 14}, 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        ck_assert_msg(kinds_that_admit(rows[i].name) == rows[i].kinds, "case %zu: 0x%x", i,
                      (unsigned)kinds_that_admit(rows[i].name));
    }
}
END_TEST

START_TEST(names_are_allowed_up_to_their_greatest_length)
{
    static const struct {
        size_t length;
        int kinds;
    } rows[] = {
        {1, TEXTS | BASIN_PREFIX},
        {7, TEXTS | BASIN_PREFIX},
        {8, ALL},
        {48, ALL},
        {49, TEXTS},
        {96, TEXTS},
        {97, STREAMS},
        {512, STREAMS},
        {513, 0},
        {1024, 0},
        {100000, 0},
    };
    char *bytes = malloc(100000);

    ck_assert_ptr_nonnull(bytes);
    memset(bytes, 'x', 100000);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct weir_text name = {bytes, rows[i].length};

        ck_assert_msg(kinds_that_admit(name) == rows[i].kinds, "length %zu", rows[i].length);
    }
    free(bytes);
}
END_TEST

START_TEST(lengths_are_counted_in_bytes_not_in_characters)
{
    char bytes[514];

    for (size_t i = 0; i < sizeof bytes; i += 2) {
        memcpy(bytes + i, "\xc3\xa9", 2);
    }
    ck_assert(weir_stream_valid((struct weir_text){bytes, 512}));
    ck_assert(!weir_stream_valid((struct weir_text){bytes, 514}));
    ck_assert(!weir_stream_prefix_valid((struct weir_text){bytes, 514}));
    ck_assert(weir_token_id_valid((struct weir_text){bytes, 96}));
    ck_assert(!weir_token_id_valid((struct weir_text){bytes, 98}));
    ck_assert(!weir_token_id_valid((struct weir_text){bytes, 95}));
}
END_TEST

/*
 * ---- The rule, said aloud ----
 */

static bool naive_text(struct weir_text text)
{
    size_t at = 0;

    while (at < text.length) {
        const unsigned char *bytes = (const unsigned char *)text.bytes + at;
        size_t length = bytes[0] == 0 ? 0 : naive_character(bytes, text.length - at);

        if (length == 0) {
            return false;
        }
        at += length;
    }
    return true;
}

static bool letter_or_digit(char byte)
{
    return strchr("abcdefghijklmnopqrstuvwxyz0123456789", byte) != NULL && byte != '\0';
}

static bool naive_basin_prefix(struct weir_text text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (!letter_or_digit(text.bytes[i]) && (text.bytes[i] != '-' || i == 0)) {
            return false;
        }
    }
    return text.length <= 48;
}

static bool is_dots(struct weir_text text)
{
    return (text.length == 1 && memcmp(text.bytes, ".", 1) == 0) ||
           (text.length == 2 && memcmp(text.bytes, "..", 2) == 0);
}

static int naive_kinds(struct weir_text text)
{
    bool basin_prefix = naive_basin_prefix(text);
    bool basin = basin_prefix && text.length >= 8 && letter_or_digit(text.bytes[text.length - 1]);
    bool utf8 = text.length <= 512 && naive_text(text);
    bool whole = utf8 && text.length >= 1 && !is_dots(text);
    bool short_enough = text.length <= 96;

    return (basin ? BASIN : 0) | (basin_prefix ? BASIN_PREFIX : 0) | (whole ? STREAM : 0) |
           (utf8 ? STREAM_PREFIX : 0) | (whole && short_enough ? ID : 0) |
           (utf8 && short_enough ? ID_PREFIX : 0);
}

static void expect_naive(const char *bytes, size_t length)
{
    struct weir_text text = {bytes, length};
    int expected = naive_kinds(text);
    int got = kinds_that_admit(text);

    if (got != expected) {
        char quoted[4096];

        (void)weir_quote(text, quoted, sizeof quoted);
        ck_abort_msg("%s (%zu bytes): 0x%x instead of 0x%x", quoted, length, (unsigned)got,
                     (unsigned)expected);
    }
}

static void fill_like_basin(struct random *random, char *bytes, size_t length)
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789----";

    for (size_t i = 0; i < length; i++) {
        bytes[i] = alphabet[random_below(random, sizeof alphabet - 1)];
    }
}

static void fill_with_ascii(struct random *random, char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        bytes[i] = (char)(1 + random_below(random, 127));
    }
}

static void fill_with_characters(struct random *random, char *bytes, size_t length)
{
    for (size_t i = 0; i < length;) {
        i += random_character(random, bytes + i, length - i);
    }
}

typedef void filler(struct random *random, char *bytes, size_t length);

/* Puts disturbing bytes in each place, one at a time; in long names only one of them. `bytes` is
 * exactly `length` long, so that reading past either end is noticed. */
static void break_each_place(char *bytes, size_t length)
{
    static const char disturbing[] = {'\0', '-', '.', 'A', '\x80', '\xc3', '\xf0', '\xff'};

    for (size_t place = 0; place < length; place++) {
        char kept = bytes[place];

        for (size_t i = place % 2; i<sizeof disturbing; i += length> 64 ? 2 : 1) {
            bytes[place] = disturbing[i];
            expect_naive(bytes, length);
        }
        bytes[place] = kept;
    }
}

static void compare_with_naive_rule(filler *fill, uint64_t seed)
{
    struct random random = {seed};

    for (size_t length = 0; length <= 520; length++) {
        char *bytes = malloc(length > 0 ? length : 1);

        ck_assert_ptr_nonnull(bytes);
        fill(&random, bytes, length);
        expect_naive(bytes, length);
        /* Beyond a few words only the last length differs in kind. */
        if (length <= 136 || length >= 505 || length % 32 == 0) {
            break_each_place(bytes, length);
        }
        free(bytes);
    }
}

START_TEST(names_like_basins_are_allowed_by_the_naive_rule)
{
    compare_with_naive_rule(fill_like_basin, 1);
}
END_TEST

START_TEST(ascii_names_are_allowed_by_the_naive_rule)
{
    compare_with_naive_rule(fill_with_ascii, 2);
}
END_TEST

START_TEST(names_of_long_characters_are_allowed_by_the_naive_rule)
{
    compare_with_naive_rule(fill_with_characters, 3);
}
END_TEST

START_TEST(every_pair_of_bytes_is_allowed_by_the_naive_rule)
{
    char bytes[10] = "abcdefghij";

    for (unsigned pair = 0; pair < 0x10000; pair++) {
        bytes[4] = (char)(pair >> 8);
        bytes[5] = (char)(pair & 0xff);
        expect_naive(bytes, sizeof bytes);
        expect_naive(bytes + 4, 2);
    }
}
END_TEST

/* All sequences that begin with a byte from 0xe0 up, with second to fourth bytes at every edge. */
START_TEST(every_edge_of_long_characters_is_allowed_by_the_naive_rule)
{
    static const unsigned char edges[] = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90,
                                          0x9f, 0xa0, 0xbf, 0xc0, 0xff};
    char bytes[4];

    for (unsigned first = 0xc0; first < 0x100; first++) {
        for (size_t i = 0; i < COUNT(edges) * COUNT(edges) * COUNT(edges); i++) {
            bytes[0] = (char)first;
            bytes[1] = (char)edges[i % COUNT(edges)];
            bytes[2] = (char)edges[i / COUNT(edges) % COUNT(edges)];
            bytes[3] = (char)edges[i / COUNT(edges) / COUNT(edges)];
            for (size_t length = 1; length <= 4; length++) {
                expect_naive(bytes, length);
            }
        }
    }
}
END_TEST

TCase *name_cases(void)
{
    TCase *cases = tcase_create("names");

    tcase_add_test(cases, names_at_the_edges_are_allowed_as_the_specification_says);
    tcase_add_test(cases, names_are_allowed_up_to_their_greatest_length);
    tcase_add_test(cases, lengths_are_counted_in_bytes_not_in_characters);
    tcase_add_test(cases, names_like_basins_are_allowed_by_the_naive_rule);
    tcase_add_test(cases, ascii_names_are_allowed_by_the_naive_rule);
    tcase_add_test(cases, names_of_long_characters_are_allowed_by_the_naive_rule);
    tcase_add_test(cases, every_pair_of_bytes_is_allowed_by_the_naive_rule);
    tcase_add_test(cases, every_edge_of_long_characters_is_allowed_by_the_naive_rule);
    return cases;
}
