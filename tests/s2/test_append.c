/*
 * test_append.c - the bodies of appends: what their records need is found however they are written,
 * and what is sent on is those records; what cannot be read is refused. WEIR_SEED repeats a run,
 * WEIR_MODEL_PERCENT scales it.
 */
#include "s2/append.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>
#include <zstd.h>

#include "library/support.h"
#include "model/report.h"
#include "s2/append_agreement.h"
#include "s2/generate_append.h"

#define APPEND WEIR_OPERATION_BIT(WEIR_APPEND)
#define FENCE WEIR_OPERATION_BIT(WEIR_FENCE)
#define TRIM WEIR_OPERATION_BIT(WEIR_TRIM)

/* As much as anybody wants. */
#define PLENTY ((size_t)1 << 30)

#define UNARY_CASES UINT64_C(40000)
#define SESSION_CASES UINT64_C(8000)

/* ---- Rows ---- */

/* A body, and what it needs, or 0: it is refused as malformed. */
struct row {
    struct weir_text body;
    weir_operations operations;
    bool base64;
};

/* An initializer also where it must be constant. */
#define TEXT(literal)                                                                              \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

#define ROW(body, operations)                                                                      \
    {                                                                                              \
        TEXT(body), (operations), false                                                            \
    }
#define ROW64(body, operations)                                                                    \
    {                                                                                              \
        TEXT(body), (operations), true                                                             \
    }

static const struct row json_rows[] = {
    ROW("{\"records\":[]}", APPEND),
    ROW("{\"records\":[{}]}", APPEND),
    ROW(" {\t\"records\"\r:\n[ { } , { } ] } ", APPEND),
    ROW("{\"records\":[{\"body\":\"fence\"}]}", APPEND),
    ROW("{\"records\":[{\"headers\":[[\"\",\"fence\"]]}]}", FENCE),
    ROW("{\"records\":[{\"headers\":[[\"\",\"trim\"]],\"body\":\"12345678\"}]}", TRIM),
    ROW("{\"records\":[{\"headers\":[[\"\",\"fence\"]]},{\"headers\":[[\"\",\"trim\"]]}]}",
        FENCE | TRIM),
    ROW("{\"records\":[{\"headers\":[[\"\",\"fence\"]]},{\"headers\":[[\"\",\"trim\"]]},{}]}",
        APPEND | FENCE | TRIM),
    ROW("{\"records\":[{\"headers\":[[\"\",\"fence\"],[\"\",\"fence\"]]}]}", APPEND),
    ROW("{\"records\":[{\"headers\":[[\"\\u0000\",\"fence\"]]}]}", APPEND),
    ROW("{\"records\":[{\"headers\":[[\" \",\"fence\"]]}]}", APPEND),
    ROW("{\"records\":[{\"headers\":[[\"\",\"FENCE\"]]}]}", APPEND),
    ROW("{\"records\":[{\"headers\":[[\"\",\"fence\\u0000\"]]}]}", APPEND),
    ROW("{\"records\":[{\"headers\":[[\"\",\"fenc\"]]}]}", APPEND),
    ROW("{\"records\":[{\"headers\":[[\"\",\"\\u0066\\u0065nc\\u0065\"]]}]}", FENCE),
    ROW("{\"records\":[{\"h\\u0065aders\":[[\"\",\"tri\\u006D\"]]}]}", TRIM),
    ROW("{\"\\u0072\\u0065\\u0063\\u006f\\u0072\\u0064\\u0073\":[{}]}", APPEND),
    ROW("{\"match_seq_num\":18446744073709551615,\"records\":[{\"timestamp\":0}]}", APPEND),
    ROW("{\"match_seq_num\":null,\"fencing_token\":null,\"records\":[{\"timestamp\":null}]}",
        APPEND),
    ROW("{\"fencing_token\":\"\",\"records\":[]}", APPEND),
    ROW("{\"records\":[{\"body\":\"\\ud83d\\ude00 \xf0\x9f\x98\x80 \\/\"}]}", APPEND),
    ROW64("{\"records\":[{\"headers\":[[\"\",\"ZmVuY2U=\"]]}]}", FENCE),
    ROW64("{\"records\":[{\"headers\":[[\"\",\"dHJpbQ==\"]],\"body\":\"AAAAAAAAAAA=\"}]}", TRIM),
    ROW64("{\"records\":[{\"headers\":[[\"\",\"\\u005amVuY2U=\"]],\"body\":\"\\/\\/\\/\\/\"}]}",
          FENCE),
    ROW64("{\"records\":[{\"headers\":[[\"\",\"fence\"]]}]}", 0),
    ROW64("{\"records\":[{\"body\":\"ZmVuY2U\"}]}", 0),
    ROW64("{\"records\":[{\"body\":\"ZmVuY2V=\"}]}", 0),
    ROW64("{\"records\":[{\"body\":\"Zm9=vYmE=\"}]}", 0),
    ROW64("{\"records\":[{\"body\":\"Zm9v\\nYmE=\"}]}", 0),
    ROW64("{\"records\":[{\"body\":\"Zm9_YmE=\"}]}", 0),
    ROW64("{\"records\":[{\"body\":\"Zm9-YmE=\"}]}", 0),
    ROW64("{\"records\":[{\"body\":\"====\"}]}", 0),
    ROW64("{\"records\":[{\"body\":\"A===\"}]}", 0),
    ROW64("{\"records\":[],\"fencing_token\":\"not base64\"}", APPEND),
    ROW("", 0),
    ROW("null", 0),
    ROW("[[{}]]", 0),
    ROW("{}", 0),
    ROW("{\"records\":null}", 0),
    ROW("{\"records\":[null]}", 0),
    ROW("{\"records\":[[]]}", 0),
    ROW("{\"records\":[{\"headers\":null}]}", 0),
    ROW("{\"records\":[{\"body\":null}]}", 0),
    ROW("{\"records\":[{\"headers\":[[\"\"]]}]}", 0),
    ROW("{\"records\":[{\"headers\":[[\"\",\"fence\",\"\"]]}]}", 0),
    ROW("{\"records\":[{\"headers\":[{\"name\":\"\",\"value\":\"fence\"}]}]}", 0),
    ROW("{\"records\":[{\"headers\":[],\"headers\":[[\"\",\"fence\"]]}]}", 0),
    ROW("{\"records\":[{\"body\":\"\",\"b\\u006fdy\":\"\"}]}", 0),
    ROW("{\"records\":[],\"records\":[{}]}", 0),
    ROW("{\"records\":[{\"seq_num\":1}]}", 0),
    ROW("{\"records\":[],\"Records\":[]}", 0),
    ROW("{\"records\":[{\"timestamp\":-0}]}", 0),
    ROW("{\"records\":[{\"timestamp\":1.0}]}", 0),
    ROW("{\"records\":[{\"timestamp\":1e3}]}", 0),
    ROW("{\"records\":[{\"timestamp\":01}]}", 0),
    ROW("{\"records\":[{\"timestamp\":\"1\"}]}", 0),
    ROW("{\"records\":[{\"timestamp\":18446744073709551616}]}", 0),
    ROW("{\"records\":[{\"body\":\"\\ud83d\"}]}", 0),
    ROW("{\"records\":[{\"body\":\"\\ude00\"}]}", 0),
    ROW("{\"records\":[{\"body\":\"\\ude00\\ud83d\"}]}", 0),
    ROW("{\"records\":[{\"body\":\"\\ud83d\\ue000\"}]}", 0),
    ROW("{\"records\":[{\"body\":\"\\u00\"}]}", 0),
    ROW("{\"records\":[{\"body\":\"\\x41\"}]}", 0),
    ROW("{\"records\":[{\"body\":\"\n\"}]}", 0),
    ROW("{\"records\":[{\"body\":\"\xff\"}]}", 0),
    ROW("{\"records\":[{\"body\":\"\xc0\x80\"}]}", 0),
    ROW("{\"records\":[{\"body\":\"\xed\xa0\x80\"}]}", 0),
    ROW("{\"records\":[{\"body\":'x'}]}", 0),
    ROW("{\"records\":[{},]}", 0),
    ROW("{\"records\":[,{}]}", 0),
    ROW("{\"records\":[{}],}", 0),
    ROW("{,\"records\":[{}]}", 0),
    ROW("{\"records\":[{}]}x", 0),
    ROW("{\"records\":[{}]}\0", 0),
    ROW("{\"records\":[{}]", 0),
    ROW("{\"records\" [{}]}", 0),
    ROW("\xef\xbb\xbf{\"records\":[{}]}", 0),
    ROW("{\"records\":[{\"body\":\"", 0),
    ROW("{\"records\":[{\"body\":\"\\", 0),
    ROW("{/**/\"records\":[{}]}", 0),
    ROW("{\"records\":[{\"body\":nul", 0),
    ROW("{\"records\":[{\"timestamp\":null\0}]}", 0),
    ROW("{\"records\":[{\"timestamp\":1\0}]}", 0),
};

static const struct row protobuf_rows[] = {
    ROW("", APPEND),
    ROW("\x0a\x00", APPEND),
    /* A record; a header in it, of the value `fence`. */
    ROW("\x0a\x09\x12\x07\x12\x05"
        "fence",
        FENCE),
    ROW("\x0a\x08\x12\x06\x12\x04trim", TRIM),
    ROW("\x0a\x0b\x12\x09\x0a\x00\x12\x05"
        "fence",
        FENCE),
    ROW("\x0a\x0c\x12\x0a\x0a\x01n\x12\x05"
        "fence",
        APPEND),
    /* The last of several names and values counts. */
    ROW("\x0a\x0e\x12\x0c\x0a\x01n\x12\x05"
        "fence\x0a\x00",
        FENCE),
    ROW("\x0a\x0e\x12\x0c\x0a\x00\x12\x05"
        "fence\x0a\x01n",
        APPEND),
    ROW("\x0a\x0f\x12\x0d\x12\x05"
        "fence\x12\x04trim",
        TRIM),
    ROW("\x0a\x0b\x12\x09\x12\x05"
        "fence\x12\x00",
        APPEND),
    /* Two headers are never merged. */
    ROW("\x0a\x0b\x12\x00\x12\x07\x12\x05"
        "fence",
        APPEND),
    /* Longer forms of numbers than are needed. */
    ROW("\x8a\x00\x8c\x80\x00\x92\x80\x00\x87\x00\x12\x05"
        "fence",
        FENCE),
    /* Unknown fields of all kinds, in a header. */
    ROW("\x0a\x20\x12\x1e\x18\x01\x22\x01x\x21"
        "12345678\x25"
        "1234\x1b\x20\x05\x1c\x12\x05"
        "fence",
        FENCE),
    /* In a group there is no header. */
    ROW("\x0a\x0d\x23\x12\x07\x12\x05"
        "fence\x24\x12\x00",
        APPEND),
    /* All is there, in another order. */
    ROW("\x1a\x00\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x0a\x0e\x1a\x01x\x08\x05\x12\x07\x12"
        "\x05"
        "fence",
        FENCE),
    /* Known fields of another type; keys that are none; what ends too early or too late. */
    ROW("\x08\x00", 0),
    ROW("\x0b\x0c", 0),
    ROW("\x12\x00", 0),
    ROW("\x18\x00", 0),
    ROW("\x0a\x02\x0a\x00", 0),
    ROW("\x0a\x02\x10\x00", 0),
    ROW("\x0a\x04\x12\x02\x08\x00", 0),
    ROW("\x0a\x09\x12\x07\x15"
        "1234\x12\x00",
        0),
    ROW("\x02\x00", 0),
    ROW("\x26\x00", 0),
    ROW("\x27\x00", 0),
    ROW("\x24", 0),
    ROW("\x23", 0),
    ROW("\x23\x2c", 0),
    ROW("\x0a\x02\x23\x24\x24", 0),
    ROW("\x0a", 0),
    ROW("\x0a\x01", 0),
    ROW("\x0a\x01\x12\x00", 0),
    ROW("\x0a\x03\x12\x02\x0a\x01n", 0),
    ROW("\x20\x80", 0),
    ROW("\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 0),
    ROW("\x20\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 0),
    ROW("\xa0\x80\x80\x80\x10\x00", 0),
    ROW("\x22\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 0),
    ROW("\x25"
        "123",
        0),
    ROW("\x1a\x01\xff", 0),
    ROW("\x1a\x01\xff\x1a\x00", 0),
    ROW("\x1a\x03\xed\xa0\x80", 0),
};

static void check_row(const struct row *row, enum s2_content content)
{
    struct s2_budget budget = {.most = PLENTY};
    struct s2_refusal refusal = {0};
    struct s2_batch batch;
    bool read = false;
    const struct sending sending = {content, S2_ENCODING_IDENTITY, row->base64};
    const char *disagreement = unary_disagreement(row->body, sending, PLENTY, &read);

    ck_assert_msg(disagreement == NULL, "%s: %.*s", disagreement, (int)row->body.length,
                  row->body.bytes);
    read = s2_append_read(row->body, content, S2_ENCODING_IDENTITY, row->base64, &budget, &batch,
                          &refusal);
    ck_assert_msg(read == (row->operations != 0), "%.*s", (int)row->body.length, row->body.bytes);
    if (read) {
        ck_assert_msg(batch.operations == row->operations, "%.*s", (int)row->body.length,
                      row->body.bytes);
        s2_batch_free(&batch, &budget);
    } else {
        ck_assert_str_eq(refusal.code, content == S2_CONTENT_JSON ? "bad_json" : "bad_proto");
    }
}

START_TEST(what_is_read_from_json_is_what_it_says)
{
    for (size_t i = 0; i < COUNT(json_rows); i++) {
        check_row(&json_rows[i], S2_CONTENT_JSON);
    }
}
END_TEST

static bool all_characters(const unsigned char *bytes, size_t length)
{
    while (length > 0) {
        const size_t character = naive_character(bytes, length);

        if (character == 0) {
            return false;
        }
        bytes += character;
        length -= character;
    }
    return true;
}

static bool body_is_read(const unsigned char *bytes, size_t length)
{
    struct s2_budget budget = {.most = PLENTY};
    struct s2_refusal refusal = {0};
    struct s2_batch batch;
    char json[64];
    const int size = snprintf(json, sizeof json, "{\"records\":[{\"body\":\"%.*s\"}]}", (int)length,
                              (const char *)bytes);
    const bool read = s2_append_read((struct weir_text){json, (size_t)size}, S2_CONTENT_JSON,
                                     S2_ENCODING_IDENTITY, false, &budget, &batch, &refusal);

    s2_batch_free(&batch, &budget);
    return read;
}

START_TEST(text_is_what_unicode_says_it_is)
{
    static const unsigned char ends[] = {0x7f, 0x80, 0xbf, 0xc0};
    unsigned char bytes[4];

    for (unsigned i = 0; i < 128 * 256 * 16; i++) {
        bytes[0] = (unsigned char)(0x80 | i >> 12);
        bytes[1] = (unsigned char)(i >> 4);
        bytes[2] = ends[i >> 2 & 3];
        bytes[3] = ends[i & 3];
        if (bytes[1] < ' ' || bytes[1] == '"' || bytes[1] == '\\') {
            continue;
        }
        for (size_t length = 1; length <= 4; length++) {
            if (body_is_read(bytes, length) != all_characters(bytes, length)) {
                ck_abort_msg("%02x %02x %02x %02x, of them %zu", bytes[0], bytes[1], bytes[2],
                             bytes[3], length);
            }
        }
    }
}
END_TEST

START_TEST(what_is_read_from_protobuf_is_what_it_says)
{
    for (size_t i = 0; i < COUNT(protobuf_rows); i++) {
        check_row(&protobuf_rows[i], S2_CONTENT_PROTOBUF);
    }
}
END_TEST

/* Groups within groups, so many, with a field in the innermost if `filled`. */
static struct weir_text nest_groups(char *bytes, size_t depth, bool filled)
{
    memset(bytes, 0x23, depth);
    if (filled) {
        memcpy(bytes + depth, "\x28\x01", 2);
    }
    memset(bytes + depth + (filled ? 2 : 0), 0x24, depth);
    return (struct weir_text){bytes, 2 * depth + (filled ? 2 : 0)};
}

START_TEST(groups_lie_as_deep_as_for_the_server)
{
    const struct sending sending = {S2_CONTENT_PROTOBUF, S2_ENCODING_IDENTITY, false};

    for (size_t depth = 1; depth < 110; depth++) {
        for (int filled = 0; filled < 2; filled++) {
            char bytes[256];
            bool read = false;

            ck_assert_ptr_null(
                unary_disagreement(nest_groups(bytes, depth, filled != 0), sending, PLENTY, &read));
            ck_assert_int_eq(read, depth + (size_t)filled <= 100);
        }
    }
}
END_TEST

/* ---- Kinds and sizes ---- */

static unsigned refused_status(struct weir_text body, enum s2_content content,
                               enum s2_encoding encoding, size_t most)
{
    struct s2_budget budget = {.most = most};
    struct s2_batch batch;
    struct s2_refusal refusal = {0};

    if (s2_append_read(body, content, encoding, false, &budget, &batch, &refusal)) {
        ck_assert_uint_le(budget.held, most);
        s2_batch_free(&batch, &budget);
    }
    ck_assert_uint_eq(budget.held, 0);
    return refusal.status;
}

START_TEST(only_json_and_protobuf_are_read_plain_or_by_gzip_or_zstd)
{
    const struct weir_text json = WEIR_TEXT("{\"records\":[{}]}");
    const struct weir_text none = {NULL, 0};

    ck_assert_uint_eq(refused_status(json, S2_CONTENT_JSON, S2_ENCODING_IDENTITY, PLENTY), 0);
    ck_assert_uint_eq(refused_status(json, S2_CONTENT_NONE, S2_ENCODING_IDENTITY, PLENTY), 415);
    ck_assert_uint_eq(refused_status(json, S2_CONTENT_OTHER, S2_ENCODING_IDENTITY, PLENTY), 415);
    ck_assert_uint_eq(refused_status(json, S2_CONTENT_SESSION, S2_ENCODING_IDENTITY, PLENTY), 415);
    ck_assert_uint_eq(refused_status(json, S2_CONTENT_JSON, S2_ENCODING_OTHER, PLENTY), 415);
    ck_assert_uint_eq(refused_status(json, S2_CONTENT_JSON, S2_ENCODING_GZIP, PLENTY), 400);
    ck_assert_uint_eq(refused_status(json, S2_CONTENT_JSON, S2_ENCODING_ZSTD, PLENTY), 400);
    ck_assert_uint_eq(refused_status(none, S2_CONTENT_JSON, S2_ENCODING_IDENTITY, PLENTY), 400);
    ck_assert_uint_eq(refused_status(none, S2_CONTENT_JSON, S2_ENCODING_GZIP, PLENTY), 400);
    ck_assert_uint_eq(refused_status(none, S2_CONTENT_JSON, S2_ENCODING_ZSTD, PLENTY), 400);
    ck_assert_uint_eq(refused_status(none, S2_CONTENT_PROTOBUF, S2_ENCODING_IDENTITY, PLENTY), 0);
}
END_TEST

/* A protobuf batch of exactly so many bytes: one record with a body of NUL bytes. */
static struct reference_bytes batch_of(size_t size)
{
    struct reference_bytes bytes = {calloc(1, size), size};
    const size_t lengths[] = {size - 5, size - 10};

    ck_assert_uint_gt(size, (1 << 21) + 10);
    for (size_t i = 0; i < 2; i++) {
        bytes.bytes[5 * i] = i == 0 ? 0x0a : 0x1a;
        for (size_t j = 0; j < 4; j++) {
            bytes.bytes[5 * i + 1 + j] =
                (char)((lengths[i] >> (7 * j) & 0x7f) | (j < 3 ? 0x80 : 0));
        }
    }
    return bytes;
}

START_TEST(bodies_are_as_large_as_may_be_and_no_larger)
{
    struct dice dice = {1};

    for (size_t over = 0; over < 2; over++) {
        struct reference_bytes plain = batch_of(S2_BODY_ENCODED_MAX + over);
        struct reference_bytes large = batch_of(S2_BODY_DECODED_MAX + over);
        const struct weir_text text = {plain.bytes, plain.length};
        const struct weir_text large_text = {large.bytes, large.length};
        struct reference_bytes gzip = generate_compressed(&dice, large_text, REFERENCE_GZIP);
        struct reference_bytes zstd = generate_compressed(&dice, large_text, REFERENCE_ZSTD);

        ck_assert_uint_eq(refused_status(text, S2_CONTENT_PROTOBUF, S2_ENCODING_IDENTITY, PLENTY),
                          over ? 413 : 0);
        ck_assert_uint_eq(refused_status((struct weir_text){zstd.bytes, zstd.length},
                                         S2_CONTENT_PROTOBUF, S2_ENCODING_ZSTD, PLENTY),
                          over ? 413 : 0);
        if (gzip.length <= S2_BODY_ENCODED_MAX) {
            ck_assert_uint_eq(refused_status((struct weir_text){gzip.bytes, gzip.length},
                                             S2_CONTENT_PROTOBUF, S2_ENCODING_GZIP, PLENTY),
                              over ? 413 : 0);
        }
        free(plain.bytes);
        free(large.bytes);
        free(gzip.bytes);
        free(zstd.bytes);
    }
}
END_TEST

START_TEST(nothing_follows_a_gzip_member)
{
    static const struct weir_text json = TEXT("{\"records\":[{}]}");
    struct dice dice = {5};
    struct reference_bytes one = generate_compressed(&dice, json, REFERENCE_GZIP);
    char twice[256];

    ck_assert_uint_le(2 * one.length, sizeof twice);
    memcpy(twice, one.bytes, one.length);
    memcpy(twice + one.length, one.bytes, one.length);
    for (size_t length = 1; length <= 2 * one.length; length++) {
        const struct weir_text text = {twice, length};
        const struct sending sending = {S2_CONTENT_JSON, S2_ENCODING_GZIP, false};
        bool read = false;

        ck_assert_ptr_null(unary_disagreement(text, sending, PLENTY, &read));
        ck_assert_int_eq(read, length == one.length);
    }
    free(one.bytes);
}
END_TEST

/* 64 MiB of one byte, compressed by either. */
static struct reference_bytes bomb(bool zstd)
{
    const size_t size = (size_t)64 << 20;
    char *plain = calloc(1, size);
    struct reference_bytes out = {malloc(1 << 20), 1 << 20};
    z_stream stream = {.next_in = (Bytef *)plain, .avail_in = (uInt)size};

    if (zstd) {
        out.length = ZSTD_compress(out.bytes, out.length, plain, size, 1);
    } else {
        ck_assert_int_eq(deflateInit2(&stream, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
        stream.next_out = (Bytef *)out.bytes;
        stream.avail_out = (uInt)out.length;
        ck_assert_int_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
        out.length = stream.total_out;
        (void)deflateEnd(&stream);
    }
    free(plain);
    return out;
}

START_TEST(bombs_take_no_more_than_the_largest_body)
{
    const size_t most = 2 * S2_BODY_DECODED_MAX + 4096;
    struct reference_bytes gzip = bomb(false);
    struct reference_bytes zstd = bomb(true);
    const struct weir_text zstd_text = {zstd.bytes, zstd.length};
    const struct weir_text gzip_text = {gzip.bytes, gzip.length};

    ck_assert_uint_eq(refused_status(gzip_text, S2_CONTENT_JSON, S2_ENCODING_GZIP, most), 413);
    ck_assert_uint_eq(refused_status(zstd_text, S2_CONTENT_JSON, S2_ENCODING_ZSTD, most), 413);
    /* One that claims to be small, and one that claims to be larger than it could be. */
    memcpy(gzip.bytes + gzip.length - 4, "\x10\0\0\0", 4);
    ck_assert_uint_eq(refused_status(gzip_text, S2_CONTENT_JSON, S2_ENCODING_GZIP, most), 400);
    memcpy(gzip.bytes + 40, "\xff\xff\x7f\0", 4);
    ck_assert_uint_eq(
        refused_status((struct weir_text){gzip.bytes, 44}, S2_CONTENT_JSON, S2_ENCODING_GZIP, 4096),
        400);
    /* One that doesn't say how large it is: the descriptor's bits 6, 7 and 5, and a window. */
    ck_assert_uint_eq(zstd.bytes[4] & 0xc0, 0x80);
    zstd.bytes[4] = 0;
    zstd.bytes[5] = 0x68;
    memmove(zstd.bytes + 6, zstd.bytes + 10, zstd.length - 10);
    ck_assert_uint_eq(refused_status((struct weir_text){zstd.bytes, zstd.length - 4},
                                     S2_CONTENT_JSON, S2_ENCODING_ZSTD, most),
                      413);
    free(gzip.bytes);
    free(zstd.bytes);
}
END_TEST

START_TEST(a_share_is_bounded_by_itself_and_by_the_whole)
{
    struct s2_budget whole = {.most = 100};
    struct s2_budget large = {.most = 1000, .whole = &whole};
    struct s2_budget small = {.most = 30, .whole = &whole};
    void *memory = s2_budget_take(&large, 80);
    void *more = NULL;

    ck_assert_ptr_nonnull(memory);
    ck_assert_ptr_null(s2_budget_take(&small, 21));
    more = s2_budget_take(&small, 20);
    ck_assert_ptr_nonnull(more);
    ck_assert_ptr_null(s2_budget_resize(&large, memory, 80, 81));
    ck_assert(whole.held == 100 && large.held == 80 && small.held == 20);
    memory = s2_budget_resize(&large, memory, 80, 40);
    ck_assert_ptr_null(s2_budget_resize(&small, more, 20, 31));
    more = s2_budget_resize(&small, more, 20, 30);
    ck_assert(whole.held == 70 && large.held == 40 && small.held == 30);
    s2_budget_give(&large, memory, 40);
    s2_budget_give(&small, more, 30);
    ck_assert(whole.held == 0 && large.held == 0 && small.held == 0);
}
END_TEST

/* ---- Sessions ---- */

static size_t same_piece(void *context)
{
    return *(size_t *)context;
}

static void check_session(struct weir_text bytes, size_t piece, size_t frames)
{
    size_t read = 0;
    const char *disagreement = session_disagreement(bytes, same_piece, &piece, PLENTY, &read);

    ck_assert_msg(disagreement == NULL, "%s", disagreement);
    ck_assert_uint_eq(read, frames);
}

/* How many whole frames there are. */
static size_t whole_frames(struct weir_text bytes)
{
    const unsigned char *at = (const unsigned char *)bytes.bytes;
    size_t count = 0;
    size_t end = 0;

    while (end + 3 <= bytes.length) {
        end += 3 + ((size_t)at[end] << 16 | (size_t)at[end + 1] << 8 | at[end + 2]);
        count += end <= bytes.length;
    }
    return count;
}

START_TEST(frames_may_come_in_any_pieces)
{
    struct dice dice = {2};
    struct reference_bytes bytes = {NULL, 0};
    FILE *out = open_memstream(&bytes.bytes, &bytes.length);
    const struct weir_text batch = WEIR_TEXT("\x0a\x09\x12\x07\x12\x05"
                                             "fence");

    for (int i = 0; i < 6; i++) {
        generate_frame(&dice, batch, (enum reference_compression)(i % 3), out);
    }
    generate_frame(&dice, (struct weir_text){"", 0}, REFERENCE_PLAIN, out);
    fclose(out);
    for (size_t piece = 1; piece <= bytes.length; piece++) {
        check_session((struct weir_text){bytes.bytes, bytes.length}, piece, 7);
        check_session((struct weir_text){bytes.bytes, piece}, 1000,
                      whole_frames((struct weir_text){bytes.bytes, piece}));
    }
    free(bytes.bytes);
}
END_TEST

START_TEST(frames_that_no_client_may_send_are_refused)
{
    static const struct weir_text refused[] = {
        TEXT("\0\0\0"),
        TEXT("\0\0\x01\x80"),
        TEXT("\0\0\x03\x80\x01\x90"),
        TEXT("\0\0\x01\x60"),
        TEXT("\0\0\x01\x10"),
        TEXT("\0\0\x01\x01"),
        TEXT("\x20\0\x01"),
        TEXT("\xff\xff\xff\0"),
        TEXT("\0\0\x02\0\x0a"),
        TEXT("\0\0\x03\x20\0\0"),
        TEXT("\0\0\x01\x20"),
        TEXT("\0\0\x01\x40"),
        TEXT("\0\0\x03\x40\x1f\x8b"),
    };

    for (size_t i = 0; i < COUNT(refused); i++) {
        struct s2_budget budget = {.most = PLENTY};
        struct s2_session *session = s2_session_open(&budget);
        struct s2_refusal refusal = {0};
        weir_operations operations = 0;
        struct weir_text frame;
        size_t taken = 0;

        check_session(refused[i], 1, 0);
        check_session(refused[i], 100, 0);
        ck_assert_int_eq(
            s2_session_read(session, refused[i], &taken, &operations, &frame, &refusal),
            S2_SESSION_REFUSED);
        ck_assert_uint_eq(refusal.status, refused[i].bytes[0] != 0 ? 413 : 400);
        s2_session_close(session);
    }
}
END_TEST

START_TEST(frames_are_as_large_as_may_be_and_no_larger)
{
    struct dice dice = {3};

    for (size_t over = 0; over < 2; over++) {
        for (int compression = REFERENCE_PLAIN; compression <= REFERENCE_GZIP; compression++) {
            /* The largest content is a byte smaller than the largest frame. */
            struct reference_bytes content = {calloc(1, S2_FRAME_MAX + 1), S2_FRAME_MAX - 1 + over};
            struct reference_bytes bytes = {NULL, 0};
            FILE *out = open_memstream(&bytes.bytes, &bytes.length);

            /* A record, its length 2 MiB and some less; in it a body, or an unknown field. */
            memcpy(content.bytes, "\x0a\xfb\xff\x7f\x1a\xf7\xff\x7f", 8);
            if (over != 0) {
                memcpy(content.bytes, "\x0a\xfc\xff\x7f\x1a\xf8\xff\x7f", 8);
            }
            generate_frame(&dice, (struct weir_text){content.bytes, content.length},
                           (enum reference_compression)compression, out);
            fclose(out);
            check_session((struct weir_text){bytes.bytes, bytes.length}, 65536, 1 - over);
            check_session((struct weir_text){bytes.bytes, bytes.length}, bytes.length, 1 - over);
            free(content.bytes);
            free(bytes.bytes);
        }
    }
}
END_TEST

START_TEST(a_session_holds_two_frames_at_most)
{
    struct dice dice = {4};
    const size_t most = 2 * S2_FRAME_MAX + 4096;

    for (int compression = REFERENCE_PLAIN; compression <= REFERENCE_GZIP; compression++) {
        struct reference_bytes content = {malloc(S2_FRAME_MAX), S2_FRAME_MAX - 4096};
        struct reference_bytes bytes = {NULL, 0};
        FILE *out = open_memstream(&bytes.bytes, &bytes.length);
        size_t piece = 50000;
        size_t frames = 0;

        for (size_t i = 0; i < content.length; i++) {
            content.bytes[i] = (char)dice_bits(&dice);
        }
        memcpy(content.bytes, "\x0a\xfc\xdf\x7f\x1a\xf8\xdf\x7f", 8);
        generate_frame(&dice, (struct weir_text){content.bytes, content.length},
                       (enum reference_compression)compression, out);
        generate_frame(&dice, (struct weir_text){content.bytes, content.length},
                       (enum reference_compression)compression, out);
        fclose(out);
        ck_assert_ptr_null(session_disagreement((struct weir_text){bytes.bytes, bytes.length},
                                                same_piece, &piece, most, &frames));
        ck_assert_uint_eq(frames, 2);
        free(content.bytes);
        free(bytes.bytes);
    }
}
END_TEST

START_TEST(who_announces_much_and_sends_little_holds_little)
{
    struct s2_budget budget = {.most = PLENTY};
    struct s2_session *session = s2_session_open(&budget);
    struct s2_refusal refusal = {0};
    weir_operations operations = 0;
    struct weir_text frame;
    size_t taken = 0;

    ck_assert_uint_eq(budget.held, 0);
    ck_assert_int_eq(s2_session_read(session, WEIR_TEXT("\x20\0\0\0abcdef"), &taken, &operations,
                                     &frame, &refusal),
                     S2_SESSION_MORE);
    ck_assert_uint_eq(taken, 10);
    ck_assert_uint_le(budget.held, 4096);
    ck_assert(!s2_session_between_frames(session));
    ck_assert_int_eq(s2_session_read(session, (struct weir_text){NULL, 0}, &taken, &operations,
                                     &frame, &refusal),
                     S2_SESSION_MORE);
    s2_session_close(session);
    ck_assert_uint_eq(budget.held, 0);
    s2_session_close(NULL);
}
END_TEST

/* ---- The model ---- */

static uint64_t read_count, refused_count, frame_count;

static void report(const char *disagreement, uint64_t number, struct weir_text body)
{
    if (disagreement != NULL) {
        fprintf(stderr, "case %" PRIu64 " of WEIR_SEED=%" PRIu64 ":\n", number, model_seed());
        for (size_t i = 0; i < body.length; i++) {
            fprintf(stderr, "%02x", (unsigned char)body.bytes[i]);
        }
        fputc('\n', stderr);
        ck_abort_msg("%s", disagreement);
    }
}

static void check_unary(struct dice *dice, struct weir_text body, struct sending sending,
                        uint64_t number, bool whole)
{
    const bool scarce = dice_chance(dice, 5);
    const size_t most = scarce ? dice_below(dice, body.length * 4 + 200) : PLENTY;
    bool read = false;

    report(unary_disagreement(body, sending, most, &read), number, body);
    ck_assert(!whole || read || scarce);
    read_count += read;
    refused_count += !read;
}

/* What was written of a batch is read as that batch, and spoilt as whatever it is then. */
static void check_written(struct dice *dice, struct reference_bytes plain, struct sending sending,
                          const struct reference_batch *batch, uint64_t number)
{
    static const enum s2_encoding encodings[] = {S2_ENCODING_IDENTITY, S2_ENCODING_ZSTD,
                                                 S2_ENCODING_GZIP};
    const enum reference_compression compression =
        dice_chance(dice, 75) ? REFERENCE_PLAIN : (enum reference_compression)dice_below(dice, 3);
    const bool spoilt = dice_chance(dice, 60);
    struct reference_batch read;
    struct reference_bytes body;

    if (!spoilt) {
        const struct weir_text text = {plain.bytes, plain.length};

        ck_assert(sending.content == S2_CONTENT_JSON ? reference_json(text, sending.base64, &read)
                                                     : reference_protobuf(text, &read));
        ck_assert(reference_same(batch, &read));
        reference_free(&read);
    } else {
        generate_spoilt(dice, &plain);
    }
    sending.encoding = encodings[compression];
    body = generate_compressed(dice, (struct weir_text){plain.bytes, plain.length}, compression);
    check_unary(dice, (struct weir_text){body.bytes, body.length}, sending, number, !spoilt);
    if (compression != REFERENCE_PLAIN && dice_chance(dice, 30)) {
        generate_spoilt(dice, &body);
        check_unary(dice, (struct weir_text){body.bytes, body.length}, sending, number, false);
    }
    free(body.bytes);
    free(plain.bytes);
}

START_TEST(unary_bodies_are_read_as_the_reference_reads_them)
{
    const uint64_t amount = model_amount(UNARY_CASES);

    read_count = refused_count = 0;
    for (uint64_t number = 0; number < amount; number++) {
        struct dice dice = {model_seed() * UINT64_C(0x9e3779b97f4a7c15) + number};
        struct sending sending = {S2_CONTENT_PROTOBUF, S2_ENCODING_IDENTITY, false};
        struct reference_batch batch;

        if (dice_chance(&dice, 60)) {
            sending.content = S2_CONTENT_JSON;
            sending.base64 = dice_chance(&dice, 40);
        }
        batch = generate_batch(&dice, sending.content == S2_CONTENT_JSON && !sending.base64);
        check_written(&dice,
                      sending.content == S2_CONTENT_JSON
                          ? generate_json(&dice, &batch, sending.base64)
                          : generate_protobuf(&dice, &batch),
                      sending, &batch, number);
        reference_free(&batch);
    }
    printf("%" PRIu64 " bodies read, %" PRIu64 " refused\n", read_count, refused_count);
    ck_assert_uint_gt(read_count, amount / 4);
    ck_assert_uint_gt(refused_count, amount / 4);
}
END_TEST

static size_t random_piece(void *context)
{
    struct dice *dice = context;

    return dice_chance(dice, 50) ? dice_between(dice, 1, 9) : dice_between(dice, 1, 2000);
}

static struct reference_bytes random_session(struct dice *dice)
{
    struct reference_bytes bytes = {NULL, 0};
    FILE *out = open_memstream(&bytes.bytes, &bytes.length);

    for (size_t left = dice_below(dice, 5); left > 0; left--) {
        struct reference_batch batch = generate_batch(dice, false);
        struct reference_bytes plain = generate_protobuf(dice, &batch);

        if (dice_chance(dice, 10)) {
            generate_spoilt(dice, &plain);
        }
        generate_frame(dice, (struct weir_text){plain.bytes, plain.length},
                       (enum reference_compression)dice_below(dice, 3), out);
        free(plain.bytes);
        reference_free(&batch);
    }
    fclose(out);
    if (dice_chance(dice, 30)) {
        generate_spoilt(dice, &bytes);
    }
    return bytes;
}

START_TEST(sessions_are_read_as_the_reference_reads_them)
{
    const uint64_t amount = model_amount(SESSION_CASES);

    frame_count = 0;
    for (uint64_t number = 0; number < amount; number++) {
        struct dice dice = {~model_seed() * UINT64_C(0x9e3779b97f4a7c15) + number};
        struct reference_bytes bytes = random_session(&dice);
        const size_t most = dice_chance(&dice, 5) ? dice_below(&dice, 4000) : PLENTY;
        size_t frames = 0;

        report(session_disagreement((struct weir_text){bytes.bytes, bytes.length}, random_piece,
                                    &dice, most, &frames),
               number, (struct weir_text){bytes.bytes, bytes.length});
        frame_count += frames;
        free(bytes.bytes);
    }
    printf("%" PRIu64 " frames read\n", frame_count);
    ck_assert_uint_gt(frame_count, amount);
}
END_TEST

int main(void)
{
    TCase *const cases[] = {tcase_create("unary"), tcase_create("session"), tcase_create("model")};

    tcase_add_test(cases[0], what_is_read_from_json_is_what_it_says);
    tcase_add_test(cases[0], text_is_what_unicode_says_it_is);
    tcase_add_test(cases[0], what_is_read_from_protobuf_is_what_it_says);
    tcase_add_test(cases[0], groups_lie_as_deep_as_for_the_server);
    tcase_add_test(cases[0], only_json_and_protobuf_are_read_plain_or_by_gzip_or_zstd);
    tcase_add_test(cases[0], bodies_are_as_large_as_may_be_and_no_larger);
    tcase_add_test(cases[0], nothing_follows_a_gzip_member);
    tcase_add_test(cases[0], bombs_take_no_more_than_the_largest_body);
    tcase_add_test(cases[0], a_share_is_bounded_by_itself_and_by_the_whole);
    tcase_add_test(cases[1], frames_may_come_in_any_pieces);
    tcase_add_test(cases[1], frames_that_no_client_may_send_are_refused);
    tcase_add_test(cases[1], frames_are_as_large_as_may_be_and_no_larger);
    tcase_add_test(cases[1], a_session_holds_two_frames_at_most);
    tcase_add_test(cases[1], who_announces_much_and_sends_little_holds_little);
    tcase_add_test(cases[2], unary_bodies_are_read_as_the_reference_reads_them);
    tcase_add_test(cases[2], sessions_are_read_as_the_reference_reads_them);
    return run_cases("append", cases, COUNT(cases));
}
