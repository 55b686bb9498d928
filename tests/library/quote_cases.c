/* quote_cases.c - hostile text, made safe to show. */
#include "library/vocabulary_cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/name.h>

#include "library/support.h"

START_TEST(quoting_writes_what_a_json_reader_reads_back)
{
    static const struct {
        struct weir_text text;
        const char *quoted;
    } rows[] = {
        {{NULL, 0}, "\"\""},
        {{"", 0}, "\"\""},
        {{"users/1234/", 11}, "\"users/1234/\""},
        {{"say \"hi\"", 8}, "\"say \\\"hi\\\"\""},
        {{"back\\slash", 10}, "\"back\\\\slash\""},
        {{" ~", 2}, "\" ~\""},
        {{"\0", 1}, "\"\\u0000\""},
        {{"a\nb\rc\td", 7}, "\"a\\u000ab\\u000dc\\u0009d\""},
        {{"\x1b[31m", 5}, "\"\\u001b[31m\""},
        {{"\x1f\x7f", 2}, "\"\\u001f\\u007f\""},
        {{"caf\xc3\xa9", 5}, "\"caf\\u00e9\""},
        {{"\xc2\x80", 2}, "\"\\u0080\""},
        {{"\xe2\x82\xac", 3}, "\"\\u20ac\""},
        {{"\xe2\x80\xae", 3}, "\"\\u202e\""},
        {{"\xef\xbf\xbf", 3}, "\"\\uffff\""},
        {{"\xf0\x90\x80\x80", 4}, "\"\\ud800\\udc00\""},
        {{"\xf0\x9f\x98\x80!", 5}, "\"\\ud83d\\ude00!\""},
        {{"\xf4\x8f\xbf\xbf", 4}, "\"\\udbff\\udfff\""},
        {{"\xff", 1}, "\"\\ufffd\""},
        {{"a\xff\xfe"
          "b",
          4},
         "\"a\\ufffd\\ufffdb\""},
        {{"\xc0\x80", 2}, "\"\\ufffd\\ufffd\""},
        {{"\xe2\x82", 2}, "\"\\ufffd\\ufffd\""},
        {{"\xe2\x82x", 3}, "\"\\ufffd\\ufffdx\""},
        {{"\xed\xa0\x80", 3}, "\"\\ufffd\\ufffd\\ufffd\""},
        {{"\xf4\x90\x80\x80", 4}, "\"\\ufffd\\ufffd\\ufffd\\ufffd\""},
        {{"\x80\xc3\xa9", 3}, "\"\\ufffd\\u00e9\""},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        char quoted[64];
        size_t length = weir_quote(rows[i].text, quoted, sizeof quoted);

        ck_assert_str_eq(quoted, rows[i].quoted);
        ck_assert_uint_eq(length, strlen(quoted));
    }
}
END_TEST

/* A text quoted in full by another way, with the places where it may be cut. */
struct naive_quote {
    char whole[WEIR_QUOTED_MAX(64)];
    size_t length;
    size_t ends[65]; /* length of the quote up to the end of each character */
    size_t characters;
};

static unsigned long naive_code_point(const unsigned char *bytes, size_t length)
{
    unsigned long value = 0;

    switch (length) {
    case 1:
        return bytes[0];
    case 2:
        return (bytes[0] - 0xc0ul) * 64 + (bytes[1] - 0x80ul);
    case 3:
        return (bytes[0] - 0xe0ul) * 4096 + (bytes[1] - 0x80ul) * 64 + (bytes[2] - 0x80ul);
    default:
        value = (bytes[0] - 0xf0ul) * 262144 + (bytes[1] - 0x80ul) * 4096;
        return value + (bytes[2] - 0x80ul) * 64 + (bytes[3] - 0x80ul);
    }
}

static int naive_escape(char *out, size_t room, unsigned long code)
{
    if (code == '"' || code == '\\') {
        return snprintf(out, room, "\\%c", (int)code);
    }
    if (code >= 0x20 && code < 0x7f) {
        return snprintf(out, room, "%c", (int)code);
    }
    if (code >= 0x10000) {
        return snprintf(out, room, "\\u%04lx\\u%04lx", 0xd7c0 + code / 1024, 0xdc00 + code % 1024);
    }
    return snprintf(out, room, "\\u%04lx", code);
}

static void naive_quote(struct naive_quote *quote, struct weir_text text)
{
    const unsigned char *bytes = (const unsigned char *)text.bytes;

    quote->whole[0] = '"';
    quote->length = 1;
    quote->ends[0] = 1;
    quote->characters = 0;
    for (size_t at = 0; at < text.length;) {
        size_t length = naive_character(bytes + at, text.length - at);
        unsigned long code = length == 0 ? 0xfffd : naive_code_point(bytes + at, length);

        quote->length += (size_t)naive_escape(quote->whole + quote->length,
                                              sizeof quote->whole - quote->length, code);
        quote->ends[++quote->characters] = quote->length;
        at += length > 0 ? length : 1;
    }
    quote->whole[quote->length++] = '"';
    quote->whole[quote->length] = '\0';
}

/* The quote in a buffer of `size` bytes: whole if it fits, else as many characters as leave room
 * for the dots. */
static void expect_quote_cut(const struct naive_quote *quote, struct weir_text text, size_t size)
{
    char *buffer = malloc(size);
    size_t length = 0;
    size_t kept = quote->characters;

    ck_assert_ptr_nonnull(buffer);
    length = weir_quote(text, buffer, size);
    ck_assert_uint_lt(length, size);
    ck_assert_uint_eq(length, strlen(buffer));
    if (quote->length < size) {
        ck_assert_str_eq(buffer, quote->whole);
    } else {
        while (quote->ends[kept] + strlen("...\"") >= size) {
            kept--;
        }
        ck_assert_uint_eq(length, quote->ends[kept] + strlen("...\""));
        ck_assert_mem_eq(buffer, quote->whole, quote->ends[kept]);
        ck_assert_str_eq(buffer + quote->ends[kept], "...\"");
    }
    free(buffer);
}

START_TEST(a_quote_is_cut_at_a_character_in_a_buffer_of_any_size)
{
    static const struct weir_text texts[] = {
        {"", 0},
        {"plain text, nothing special about it", 36},
        {"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80", 12},
        {"a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"\\\n", 13},
        {"\"\"\"\"\\\\\\\\", 8},
        {"\xff\xff\xff\xff", 4},
        {"...", 3},
        {"ab\0cd", 5},
    };

    for (size_t i = 0; i < COUNT(texts); i++) {
        struct naive_quote quote;

        naive_quote(&quote, texts[i]);
        for (size_t size = 6; size <= quote.length + 8; size++) {
            expect_quote_cut(&quote, texts[i], size);
        }
    }
}
END_TEST

START_TEST(random_bytes_are_quoted_as_by_another_way_in_printable_ascii)
{
    struct random random = {4};

    for (unsigned round = 0; round < 10000; round++) {
        char bytes[64];
        struct weir_text text = {bytes, random_below(&random, sizeof bytes + 1)};
        struct naive_quote quote;

        for (size_t i = 0; i < text.length;) {
            size_t taken = random_below(&random, 3) == 0
                               ? 0
                               : random_character(&random, bytes + i, text.length - i);

            if (taken == 0) {
                bytes[i] = (char)random_number(&random);
                taken = 1;
            }
            i += taken;
        }
        naive_quote(&quote, text);
        for (size_t i = 0; i < quote.length; i++) {
            if (quote.whole[i] < ' ' || quote.whole[i] > '~') {
                ck_abort_msg("byte %d in a quote", quote.whole[i]);
            }
        }
        expect_quote_cut(&quote, text, WEIR_QUOTED_MAX(text.length));
        expect_quote_cut(&quote, text, 6 + random_below(&random, quote.length + 1));
    }
}
END_TEST

TCase *quote_cases(void)
{
    TCase *cases = tcase_create("quoting");

    tcase_add_test(cases, quoting_writes_what_a_json_reader_reads_back);
    tcase_add_test(cases, a_quote_is_cut_at_a_character_in_a_buffer_of_any_size);
    tcase_add_test(cases, random_bytes_are_quoted_as_by_another_way_in_printable_ascii);
    return cases;
}
