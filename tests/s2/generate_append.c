#include "s2/generate_append.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>
#include <zstd.h>

/* ---- Batches ---- */

static struct reference_bytes word(const char *text)
{
    return reference_copy((struct weir_text){text, strlen(text)});
}

static struct reference_bytes random_bytes(struct dice *dice, bool text)
{
    static const char *const characters[] = {"a",
                                             "Z",
                                             "/",
                                             "+",
                                             "=",
                                             "\"",
                                             "\\",
                                             "\x01",
                                             "\n",
                                             "\x7f",
                                             "\xc3\xa9",
                                             "\xe2\x82\xac",
                                             "\xed\x9f\xbf",
                                             "\xee\x80\x80",
                                             "\xf0\x9f\x98\x80",
                                             "\xf4\x8f\xbf\xbf"};
    static const size_t lengths[] = {0, 1, 2, 3, 4, 7, 15, 16, 17, 40, 126, 127, 128, 130, 300};
    const size_t length =
        dice_chance(dice, 1) ? dice_between(dice, 16370, 16390) : lengths[dice_below(dice, 15)];
    struct reference_bytes bytes = {malloc(length + 8), 0};

    while (bytes.length < length) {
        const char *character = characters[dice_below(dice, dice_chance(dice, 60) ? 5 : 16)];

        if (text) {
            memcpy(bytes.bytes + bytes.length, character, strlen(character));
            bytes.length += strlen(character);
        } else {
            bytes.bytes[bytes.length++] = (char)dice_bits(dice);
        }
    }
    return bytes;
}

static struct reference_bytes random_name(struct dice *dice, bool text)
{
    static const char *const names[] = {"", "", "", "fence", "n", "trim"};

    return dice_chance(dice, 70) ? word(names[dice_below(dice, 6)]) : random_bytes(dice, text);
}

static struct reference_bytes random_value(struct dice *dice, bool text)
{
    static const char *const values[] = {"fence", "trim",  "fence", "trim", "Fence",
                                         "fenc",  "trims", "",      "value"};

    return dice_chance(dice, 80) ? word(values[dice_below(dice, 9)]) : random_bytes(dice, text);
}

static uint64_t random_number(struct dice *dice)
{
    return dice_bits(dice) >> dice_below(dice, 64);
}

struct reference_batch generate_batch(struct dice *dice, bool text)
{
    struct reference_batch batch = {0};
    const size_t count = dice_chance(dice, 5) ? 0 : dice_between(dice, 1, 3);

    for (size_t i = 0; i < count; i++) {
        struct reference_record *record = reference_add_record(&batch);
        const size_t headers = dice_chance(dice, 60) ? 1 : dice_below(dice, 4);

        record->has_timestamp = dice_chance(dice, 40);
        record->timestamp = record->has_timestamp ? random_number(dice) : 0;
        for (size_t j = 0; j < headers; j++) {
            struct reference_header *header = reference_add_header(record);

            header->name = random_name(dice, text);
            header->value = random_value(dice, text);
        }
        record->body = random_bytes(dice, text);
    }
    batch.has_match_seq_num = dice_chance(dice, 30);
    batch.match_seq_num = batch.has_match_seq_num ? random_number(dice) : 0;
    batch.has_fencing_token = dice_chance(dice, 30);
    if (batch.has_fencing_token) {
        batch.fencing_token = random_bytes(dice, true);
    }
    return batch;
}

/* ---- JSON ---- */

static void write_blanks(struct dice *dice, FILE *out)
{
    while (dice_chance(dice, 12)) {
        fputc(" \t\n\r"[dice_below(dice, 4)], out);
    }
}

static void write_mark(struct dice *dice, char mark, FILE *out)
{
    write_blanks(dice, out);
    fputc(mark, out);
    write_blanks(dice, out);
}

/* The length of the character there, whose code point is `*code_point`: the text is UTF-8. */
static size_t read_character(const char *text, uint32_t *code_point)
{
    const unsigned char first = (unsigned char)*text;
    const size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

    *code_point = length == 1 ? first : first & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        *code_point = *code_point << 6 | ((unsigned char)text[i] & 0x3f);
    }
    return length;
}

static void write_escape(struct dice *dice, uint32_t code_point, FILE *out)
{
    static const char plain[] = "\"\\/\b\f\n\r\t";
    static const char letters[] = "\"\\/bfnrt";
    const char *found =
        code_point != 0 && code_point < 0x80 ? strchr(plain, (int)code_point) : NULL;
    const char *format = dice_chance(dice, 50) ? "\\u%04" PRIx32 : "\\u%04" PRIX32;

    if (found != NULL && dice_chance(dice, 60)) {
        fprintf(out, "\\%c", letters[found - plain]);
    } else if (code_point > 0xffff) {
        fprintf(out, format, 0xd800 + ((code_point - 0x10000) >> 10));
        fprintf(out, format, 0xdc00 + ((code_point - 0x10000) & 0x3ff));
    } else {
        fprintf(out, format, code_point);
    }
}

static void write_string(struct dice *dice, struct reference_bytes text, FILE *out)
{
    const unsigned escaped = dice_chance(dice, 50) ? 0 : 30;

    fputc('"', out);
    for (size_t i = 0; i < text.length;) {
        uint32_t code_point = 0;
        const size_t length = read_character(text.bytes + i, &code_point);

        if (code_point < ' ' || code_point == '"' || code_point == '\\' ||
            dice_chance(dice, escaped)) {
            write_escape(dice, code_point, out);
        } else {
            fwrite(text.bytes + i, 1, length, out);
        }
        i += length;
    }
    fputc('"', out);
}

static void write_bytes(struct dice *dice, struct reference_bytes bytes, bool base64, FILE *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct reference_bytes text = {malloc(bytes.length * 2 + 8), 0};

    if (!base64) {
        free(text.bytes);
        write_string(dice, bytes, out);
        return;
    }
    for (size_t i = 0; i < bytes.length * 8; i += 6) {
        const unsigned left = (unsigned char)bytes.bytes[i / 8];
        const unsigned right = i / 8 + 1 < bytes.length ? (unsigned char)bytes.bytes[i / 8 + 1] : 0;

        text.bytes[text.length++] = digits[(left << 8 | right) >> (10 - i % 8) & 63];
    }
    while (text.length % 4 != 0) {
        text.bytes[text.length++] = '=';
    }
    write_string(dice, text, out);
    free(text.bytes);
}

static void write_key(struct dice *dice, const char *key, bool *first, FILE *out)
{
    const struct reference_bytes text = {(char *)(uintptr_t)key, strlen(key)};

    if (!*first) {
        write_mark(dice, ',', out);
    }
    *first = false;
    write_string(dice, text, out);
    write_mark(dice, ':', out);
}

/* A number, or what means that there is none. */
static void write_number(struct dice *dice, const char *key, bool has, uint64_t number, bool *first,
                         FILE *out)
{
    if (has || dice_chance(dice, 10)) {
        write_key(dice, key, first, out);
        if (has) {
            fprintf(out, "%" PRIu64, number);
        } else {
            fputs("null", out);
        }
    }
}

static void write_json_headers(struct dice *dice, const struct reference_record *record,
                               bool base64, FILE *out)
{
    write_mark(dice, '[', out);
    for (size_t i = 0; i < record->header_count; i++) {
        if (i > 0) {
            write_mark(dice, ',', out);
        }
        write_mark(dice, '[', out);
        write_bytes(dice, record->headers[i].name, base64, out);
        write_mark(dice, ',', out);
        write_bytes(dice, record->headers[i].value, base64, out);
        write_mark(dice, ']', out);
    }
    write_mark(dice, ']', out);
}

static void write_json_record(struct dice *dice, const struct reference_record *record, bool base64,
                              FILE *out)
{
    const size_t turn = dice_below(dice, 3);
    bool first = true;

    write_mark(dice, '{', out);
    for (size_t i = 0; i < 3; i++) {
        switch ((i + turn) % 3) {
        case 0:
            write_number(dice, "timestamp", record->has_timestamp, record->timestamp, &first, out);
            break;
        case 1:
            if (record->header_count > 0 || dice_chance(dice, 20)) {
                write_key(dice, "headers", &first, out);
                write_json_headers(dice, record, base64, out);
            }
            break;
        default:
            if (record->body.length > 0 || dice_chance(dice, 20)) {
                write_key(dice, "body", &first, out);
                write_bytes(dice, record->body, base64, out);
            }
        }
    }
    write_mark(dice, '}', out);
}

static void write_json_records(struct dice *dice, const struct reference_batch *batch, bool base64,
                               bool *first, FILE *out)
{
    write_key(dice, "records", first, out);
    write_mark(dice, '[', out);
    for (size_t i = 0; i < batch->record_count; i++) {
        if (i > 0) {
            write_mark(dice, ',', out);
        }
        write_json_record(dice, &batch->records[i], base64, out);
    }
    write_mark(dice, ']', out);
}

struct reference_bytes generate_json(struct dice *dice, const struct reference_batch *batch,
                                     bool base64)
{
    struct reference_bytes json = {NULL, 0};
    FILE *out = open_memstream(&json.bytes, &json.length);
    const size_t turn = dice_below(dice, 3);
    bool first = true;

    write_mark(dice, '{', out);
    for (size_t i = 0; i < 3; i++) {
        switch ((i + turn) % 3) {
        case 0:
            write_json_records(dice, batch, base64, &first, out);
            break;
        case 1:
            write_number(dice, "match_seq_num", batch->has_match_seq_num, batch->match_seq_num,
                         &first, out);
            break;
        default:
            if (batch->has_fencing_token) {
                write_key(dice, "fencing_token", &first, out);
                write_string(dice, batch->fencing_token, out);
            } else {
                write_number(dice, "fencing_token", false, 0, &first, out);
            }
        }
    }
    write_mark(dice, '}', out);
    fclose(out);
    return json;
}

/* ---- Protobuf ---- */

static void write_varint(struct dice *dice, uint64_t number, FILE *out)
{
    size_t length = 1;

    for (; number >= 128; number /= 128) {
        fputc((int)(number % 128 | 128), out);
        length++;
    }
    if (length < 10 && dice_chance(dice, 2)) {
        fputc((int)(number | 128), out);
        for (length++; length < 10 && dice_chance(dice, 50); length++) {
            fputc(128, out);
        }
        number = 0;
    }
    fputc((int)number, out);
}

static void write_key_of(struct dice *dice, uint64_t field, unsigned wire, FILE *out)
{
    write_varint(dice, field * 8 + wire, out);
}

static void write_field(struct dice *dice, unsigned field, struct weir_text bytes, FILE *out)
{
    write_key_of(dice, field, 2, out);
    write_varint(dice, bytes.length, out);
    fwrite(bytes.bytes, 1, bytes.length, out);
}

/* A field that nobody knows, perhaps a group of such. */
static void write_unknown(struct dice *dice, FILE *out)
{
    const uint64_t field = dice_chance(dice, 90) ? dice_between(dice, 4, 40) : 536870911;
    const unsigned wire = (unsigned)dice_below(dice, 5);

    write_key_of(dice, field, wire < 4 ? wire : 5, out);
    switch (wire) {
    case 0:
        write_varint(dice, random_number(dice), out);
        break;
    case 1:
        fwrite("12345678", 1, 8, out);
        break;
    case 2:
        write_varint(dice, 4, out);
        fwrite("\x0a\x02\x12\x00", 1, 4, out);
        break;
    case 3:
        while (dice_chance(dice, 40)) {
            write_unknown(dice, out);
        }
        write_key_of(dice, field, 4, out);
        break;
    default:
        fwrite("1234", 1, 4, out);
    }
}

/* What makes no difference, since it is unknown, or something comes behind it. */
static void write_noise(struct dice *dice, unsigned number_field, const unsigned *bytes_fields,
                        FILE *out)
{
    while (dice_chance(dice, 10)) {
        switch (dice_below(dice, 3)) {
        case 0:
            write_unknown(dice, out);
            break;
        case 1:
            if (number_field != 0) {
                write_key_of(dice, number_field, 0, out);
                write_varint(dice, random_number(dice), out);
            }
            break;
        default:
            if (*bytes_fields != 0) {
                write_field(dice, bytes_fields[dice_below(dice, bytes_fields[1] != 0 ? 2 : 1)],
                            WEIR_TEXT("fence"), out);
            }
        }
    }
}

/* Ends a message that was written to `*bytes`, as a field of `out`. */
static void end_message(struct dice *dice, FILE *message, struct reference_bytes *bytes,
                        unsigned field, FILE *out)
{
    fclose(message);
    write_field(dice, field, (struct weir_text){bytes->bytes, bytes->length}, out);
    free(bytes->bytes);
}

static void write_protobuf_header(struct dice *dice, const struct reference_header *header,
                                  FILE *out)
{
    static const unsigned fields[] = {1, 2};
    struct reference_bytes bytes = {NULL, 0};
    FILE *message = open_memstream(&bytes.bytes, &bytes.length);
    const struct weir_text name = {header->name.bytes, header->name.length};
    const struct weir_text value = {header->value.bytes, header->value.length};
    const bool noisy = dice_chance(dice, 50);

    if (noisy) {
        write_noise(dice, 0, fields, message);
    }
    if (noisy || value.length > 0) {
        write_field(dice, 2, value, message);
    }
    if (noisy || name.length > 0) {
        write_field(dice, 1, name, message);
    }
    end_message(dice, message, &bytes, 2, out);
}

static void write_protobuf_record(struct dice *dice, const struct reference_record *record,
                                  FILE *out)
{
    static const unsigned fields[] = {3, 0};
    struct reference_bytes bytes = {NULL, 0};
    FILE *message = open_memstream(&bytes.bytes, &bytes.length);
    const bool noisy = dice_chance(dice, 50);

    for (size_t i = 0; i < record->header_count; i++) {
        if (noisy) {
            write_noise(dice, record->has_timestamp ? 1 : 0, fields, message);
        }
        write_protobuf_header(dice, &record->headers[i], message);
    }
    if (record->has_timestamp) {
        write_key_of(dice, 1, 0, message);
        write_varint(dice, record->timestamp, message);
    }
    if (noisy || record->body.length > 0) {
        write_field(dice, 3, (struct weir_text){record->body.bytes, record->body.length}, message);
    }
    end_message(dice, message, &bytes, 1, out);
}

struct reference_bytes generate_protobuf(struct dice *dice, const struct reference_batch *batch)
{
    const unsigned fields[] = {batch->has_fencing_token ? 3 : 0, 0};
    const unsigned number_field = batch->has_match_seq_num ? 2 : 0;
    struct reference_bytes bytes = {NULL, 0};
    FILE *out = open_memstream(&bytes.bytes, &bytes.length);

    for (size_t i = 0; i < batch->record_count; i++) {
        write_noise(dice, number_field, fields, out);
        write_protobuf_record(dice, &batch->records[i], out);
    }
    if (batch->has_match_seq_num) {
        write_key_of(dice, 2, 0, out);
        write_varint(dice, batch->match_seq_num, out);
    }
    if (batch->has_fencing_token) {
        write_field(dice, 3,
                    (struct weir_text){batch->fencing_token.bytes, batch->fencing_token.length},
                    out);
    }
    fclose(out);
    return bytes;
}

/* ---- Compressed ---- */

static struct reference_bytes compressed_gzip(struct dice *dice, struct weir_text plain)
{
    z_stream stream = {0};
    struct reference_bytes out = {malloc(plain.length + plain.length / 8 + 100), 0};

    if (deflateInit2(&stream, (int)dice_below(dice, 7), Z_DEFLATED, 15 + 16, 8,
                     dice_chance(dice, 20) ? Z_FIXED : Z_DEFAULT_STRATEGY) != Z_OK) {
        abort();
    }
    stream.next_in = (Bytef *)plain.bytes;
    stream.avail_in = (uInt)plain.length;
    stream.next_out = (Bytef *)out.bytes;
    stream.avail_out = (uInt)(plain.length + plain.length / 8 + 100);
    if (deflate(&stream, Z_FINISH) != Z_STREAM_END) {
        abort();
    }
    out.length = stream.total_out;
    (void)deflateEnd(&stream);
    return out;
}

/* One frame or two, with or without their lengths, perhaps one to be passed over before them. */
static struct reference_bytes compressed_zstd(struct dice *dice, struct weir_text plain)
{
    const size_t room = ZSTD_compressBound(plain.length) * 2 + 100;
    const size_t cut = dice_chance(dice, 80) ? plain.length : dice_below(dice, plain.length + 1);
    const struct weir_text parts[] = {{plain.bytes, cut}, {plain.bytes + cut, plain.length - cut}};
    struct reference_bytes out = {malloc(room), 0};
    ZSTD_CCtx *context = ZSTD_createCCtx();

    (void)ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, dice_chance(dice, 50));
    (void)ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, dice_chance(dice, 50));
    if (dice_chance(dice, 5)) {
        memcpy(out.bytes, "\x50\x2a\x4d\x18\x03\0\0\0abc", 11);
        out.length = 11;
    }
    for (size_t i = 0; i < (cut == plain.length ? 1 : 2); i++) {
        out.length += ZSTD_compress2(context, out.bytes + out.length, room - out.length,
                                     parts[i].bytes, parts[i].length);
    }
    (void)ZSTD_freeCCtx(context);
    return out;
}

struct reference_bytes generate_compressed(struct dice *dice, struct weir_text plain,
                                           enum reference_compression compression)
{
    switch (compression) {
    case REFERENCE_GZIP:
        return compressed_gzip(dice, plain);
    case REFERENCE_ZSTD:
        return compressed_zstd(dice, plain);
    default:
        return reference_copy(plain);
    }
}

void generate_frame(struct dice *dice, struct weir_text plain,
                    enum reference_compression compression, FILE *out)
{
    struct reference_bytes content = generate_compressed(dice, plain, compression);
    const size_t length = content.length + 1;

    fputc((int)(length >> 16), out);
    fputc((int)(length >> 8 & 255), out);
    fputc((int)(length & 255), out);
    fputc((int)compression << 5, out);
    fwrite(content.bytes, 1, content.length, out);
    free(content.bytes);
}

/* ---- Spoilt ---- */

static void insert(struct reference_bytes *bytes, size_t at, const char *what, size_t length)
{
    bytes->bytes = realloc(bytes->bytes, bytes->length + length + 1);
    memmove(bytes->bytes + at + length, bytes->bytes + at, bytes->length - at);
    memcpy(bytes->bytes + at, what, length);
    bytes->length += length;
}

static void erase(struct reference_bytes *bytes, size_t at, size_t length)
{
    memmove(bytes->bytes + at, bytes->bytes + at + length, bytes->length - at - length);
    bytes->length -= length;
}

/* A constant initializer. */
#define TEXT(literal)                                                                              \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

static void insert_something(struct dice *dice, struct reference_bytes *bytes, size_t at)
{
    static const struct weir_text things[] = {TEXT("\""),
                                              TEXT("\\"),
                                              TEXT(","),
                                              TEXT("[]"),
                                              TEXT("null"),
                                              TEXT("\\u0000"),
                                              TEXT("\\ud800"),
                                              TEXT("\\udc00"),
                                              TEXT("="),
                                              TEXT("0"),
                                              TEXT("-"),
                                              TEXT("1e2"),
                                              TEXT(".0"),
                                              TEXT("\xc0\x80"),
                                              TEXT("\xed\xa0\x80"),
                                              TEXT("\0"),
                                              TEXT("\x0a\x00"),
                                              TEXT("\x12\x00"),
                                              TEXT("\x80\x00"),
                                              TEXT("\x0b\x0c"),
                                              TEXT("\xff\xff\xff\xff\x0f"),
                                              TEXT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
                                              TEXT("\x12\x02\x0a\x00"),
                                              TEXT("{\"records\":[]}"),
                                              TEXT(",\"body\":\"\""),
                                              TEXT("\xef\xbb\xbf")};
    const struct weir_text thing = things[dice_below(dice, sizeof things / sizeof things[0])];

    insert(bytes, at, thing.bytes, thing.length);
}

void generate_spoilt(struct dice *dice, struct reference_bytes *bytes)
{
    do {
        const size_t at = dice_below(dice, bytes->length + 1);
        const size_t left = bytes->length - at;
        const size_t length = left < 9 ? dice_below(dice, left + 1) : dice_below(dice, 9);

        switch (dice_below(dice, 6)) {
        case 0:
            insert_something(dice, bytes, at);
            break;
        case 1:
            erase(bytes, at, length);
            break;
        case 2:
            bytes->length = dice_chance(dice, 30) ? at : bytes->length;
            break;
        case 3: {
            char again[8];

            memcpy(again, bytes->bytes + at, length < 8 ? length : 8);
            insert(bytes, at, again, length < 8 ? length : 8);
            break;
        }
        default:
            if (left > 0) {
                const uint64_t other =
                    dice_chance(dice, 50) ? (uint64_t)1 << dice_below(dice, 8) : dice_bits(dice);

                bytes->bytes[at] = (char)((unsigned char)bytes->bytes[at] ^ other);
            }
        }
    } while (dice_chance(dice, 30));
}
