#include "wire/generator.h"

#include <inttypes.h>
#include <string.h>

#include "wire/support.h"

static uint64_t below(uint64_t *random, uint64_t bound)
{
    return next_random(random) % bound;
}

/*
 * ---- Declarations ----
 */

/* Fills `name` with up to `most` bytes of characters that are awkward in JSON. */
static struct weir_text awkward_name(uint64_t *random, char *name, size_t least, size_t most)
{
    static const char *const characters[] = {
        "a", "/",  ".",  " ",        "\"",     "\\",     "\n",         "\x01",
        "{", "]",  ",",  "\x7f",     "\u00e9", "\u2028", "\U0001d11e", "\ufffd",
        "0", "\t", "\b", "\xc2\x80", "\u07ff", "\u0800", "\U0010ffff", "\ufeff",
    };
    size_t wanted = least + below(random, below(random, 8) == 0 ? most - least + 1 : 12);
    size_t length = 0;

    while (length < wanted) {
        const char *character = characters[below(random, sizeof characters / sizeof *characters)];

        if (length + strlen(character) > most) {
            break;
        }
        memcpy(name + length, character, strlen(character));
        length += strlen(character);
    }
    if (length <= 2 && memchr(name, '.', length) != NULL) {
        name[0] = 'x';
    }
    return (struct weir_text){name, length};
}

static struct weir_text basin_name(uint64_t *random, char *name, size_t least)
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    size_t length = least + below(random, WEIR_BASIN_MAX - least + 1);

    for (size_t i = 0; i < length; i++) {
        name[i] = i % 5 == 3 && i + 1 < length ? '-' : alphabet[below(random, 36)];
    }
    return (struct weir_text){name, length};
}

/* Sets of nothing have no name: that is how they are read back. */
static enum weir_set_kind any_kind(uint64_t *random)
{
    return (enum weir_set_kind)below(random, 3);
}

static struct weir_set any_set(uint64_t *random, char *name, size_t most)
{
    enum weir_set_kind kind = any_kind(random);

    return (struct weir_set){
        kind, kind == WEIR_SET_NOTHING
                  ? (struct weir_text){0}
                  : awkward_name(random, name, kind == WEIR_SET_EXACT ? 1 : 0, most)};
}

static struct weir_set any_basins(uint64_t *random, char *name)
{
    enum weir_set_kind kind = any_kind(random);

    return (struct weir_set){
        kind, kind == WEIR_SET_NOTHING
                  ? (struct weir_text){0}
                  : basin_name(random, name, kind == WEIR_SET_EXACT ? WEIR_BASIN_MIN : 0)};
}

static void generate_scope(uint64_t *random, struct weir_scope *scope,
                           char names[3][WEIR_STREAM_MAX])
{
    scope->basins = any_basins(random, names[0]);
    scope->streams = any_set(random, names[1], WEIR_STREAM_MAX);
    scope->access_tokens = any_set(random, names[2], WEIR_TOKEN_ID_MAX);
    scope->ops = below(random, 2) == 0 ? 0 : next_random(random) & WEIR_OPERATIONS_ALL;
    scope->op_groups = (unsigned)below(random, WEIR_GROUP_BITS_ALL + 1);
    if (weir_scope_operations(scope) == 0) {
        scope->ops = WEIR_OPERATION_BIT(1 + below(random, WEIR_OPERATION_COUNT));
    }
}

void generate_token(uint64_t *random, struct generated *generated)
{
    struct weir_token *token = &generated->token;

    *generated = (struct generated){0};
    token->id =
        awkward_name(random, generated->names[3 * GENERATED_SCOPES_MAX], 1, WEIR_TOKEN_ID_MAX);
    token->scopes = generated->scopes;
    token->scope_count = below(random, 2) == 0 ? 1 : 1 + below(random, GENERATED_SCOPES_MAX);
    for (size_t i = 0; i < token->scope_count; i++) {
        generate_scope(random, &generated->scopes[i], &generated->names[3 * i]);
    }
    token->auto_prefix_streams = token->scope_count == 1 &&
                                 generated->scopes[0].streams.kind == WEIR_SET_PREFIX &&
                                 below(random, 2) == 0;
    token->expires = below(random, 2) == 0;
    if (token->expires) {
        token->expires_at.seconds =
            WEIR_INSTANT_SECONDS_MIN +
            (int64_t)below(random, (uint64_t)(WEIR_INSTANT_SECONDS_MAX - WEIR_INSTANT_SECONDS_MIN));
        token->expires_at.nanoseconds =
            below(random, 2) == 0 ? 0 : (uint32_t)below(random, 1000000000);
    }
    token->has_credential_digest = below(random, 2) == 0;
    for (size_t i = 0; token->has_credential_digest && i < WEIR_DIGEST_SIZE; i++) {
        token->credential_digest[i] = (uint8_t)next_random(random);
    }
}

/*
 * ---- JSON ----
 */

struct printer {
    FILE *out;
    uint64_t *random;
    bool breaks;
};

static void blanks(const struct printer *printer)
{
    const char *choices = printer->breaks ? " \t\r\n" : " \t\r";

    while (below(printer->random, 4) == 0) {
        (void)fputc(choices[below(printer->random, strlen(choices))], printer->out);
    }
}

static void punctuation(const struct printer *printer, char byte)
{
    blanks(printer);
    (void)fputc(byte, printer->out);
    blanks(printer);
}

/* The code point of the character at `bytes`, which is valid UTF-8. */
static uint32_t code_point_at(const char *bytes, size_t *length)
{
    unsigned char first = (unsigned char)bytes[0];
    uint32_t value = first;

    *length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (*length > 1) {
        value &= 0xffu >> (*length + 1);
    }
    for (size_t i = 1; i < *length; i++) {
        value = value << 6 | ((unsigned char)bytes[i] & 0x3f);
    }
    return value;
}

static void print_escape(FILE *out, uint32_t unit, uint64_t *random)
{
    (void)fprintf(out, below(random, 2) == 0 ? "\\u%04" PRIx32 : "\\u%04" PRIX32, unit);
}

static void print_character(FILE *out, const char *bytes, size_t *length, uint64_t *random)
{
    static const char plain[] = "\"\\/\b\f\n\r\t";
    static const char letter[] = "\"\\/bfnrt";
    uint32_t code_point = code_point_at(bytes, length);
    const char *found = code_point > 0 && code_point < 0x80 ? strchr(plain, (int)code_point) : NULL;
    bool must = code_point < 0x20 || code_point == '"' || code_point == '\\';

    if (!must && below(random, 4) > 0) {
        (void)fwrite(bytes, 1, *length, out);
    } else if (found != NULL && below(random, 2) == 0) {
        (void)fprintf(out, "\\%c", letter[found - plain]);
    } else if (code_point > 0xffff) {
        print_escape(out, 0xd800 + ((code_point - 0x10000) >> 10), random);
        print_escape(out, 0xdc00 + ((code_point - 0x10000) & 0x3ff), random);
    } else {
        print_escape(out, code_point, random);
    }
}

void print_string(FILE *out, struct weir_text text, uint64_t *random)
{
    size_t length = 0;

    (void)fputc('"', out);
    for (size_t i = 0; i < text.length; i += length) {
        print_character(out, text.bytes + i, &length, random);
    }
    (void)fputc('"', out);
}

/* Prints some of the fields of `thing`: the one of that number, or nothing and false. */
typedef bool print_field(const struct printer *printer, const void *thing, unsigned number);

static void print_key(const struct printer *printer, const char *key)
{
    print_string(printer->out, text_of(key), printer->random);
    punctuation(printer, ':');
}

/* An object of up to `count` fields, in an order that starts anywhere. */
static void print_object(const struct printer *printer, const void *thing, unsigned count,
                         print_field *field)
{
    unsigned start = (unsigned)below(printer->random, count);
    bool any = false;

    punctuation(printer, '{');
    for (unsigned i = 0; i < count; i++) {
        struct printed one;
        struct printer inner = *printer;

        text_begin(&one);
        inner.out = one.stream;
        if (field(&inner, thing, (start + i) % count)) {
            (void)text_done(&one);
            if (any) {
                punctuation(printer, ',');
            }
            any = true;
            (void)fwrite(one.bytes, 1, one.length, printer->out);
        } else {
            (void)text_done(&one);
        }
        text_free(&one);
    }
    punctuation(printer, '}');
}

/* Prints a field that is absent: not at all, or as null. */
static bool print_absent(const struct printer *printer, const char *key)
{
    if (below(printer->random, 2) == 0) {
        return false;
    }
    print_key(printer, key);
    (void)fputs("null", printer->out);
    return true;
}

static bool print_set(const struct printer *printer, const char *key, const struct weir_set *set)
{
    if (set->kind == WEIR_SET_NOTHING && below(printer->random, 2) == 0) {
        return print_absent(printer, key);
    }
    print_key(printer, key);
    punctuation(printer, '{');
    print_key(printer, set->kind == WEIR_SET_PREFIX ? "prefix" : "exact");
    print_string(printer->out, set->name, printer->random);
    punctuation(printer, '}');
    return true;
}

static void print_boolean(const struct printer *printer, bool boolean)
{
    (void)fputs(boolean ? "true" : "false", printer->out);
}

static bool print_ops(const struct printer *printer, weir_operations ops)
{
    const char *comma = "";

    if (ops == 0 && below(printer->random, 2) == 0) {
        return print_absent(printer, "ops");
    }
    print_key(printer, "ops");
    punctuation(printer, '[');
    for (unsigned number = WEIR_OPERATION_COUNT; number >= 1; number--) {
        unsigned times = (ops & WEIR_OPERATION_BIT(number)) == 0 ? 0
                         : below(printer->random, 8) == 0        ? 2
                                                                 : 1;

        for (; times > 0; times--) {
            (void)fputs(comma, printer->out);
            print_string(printer->out, text_of(weir_operation_name((enum weir_operation)number)),
                         printer->random);
            comma = ",";
        }
    }
    punctuation(printer, ']');
    return true;
}

struct group_fields {
    unsigned bits; /* of a group: 1 for read, 2 for write */
};

static bool print_access(const struct printer *printer, const void *thing, unsigned number)
{
    const struct group_fields *group = thing;
    bool granted = (group->bits >> number & 1) != 0;

    if (!granted && below(printer->random, 2) == 0) {
        return print_absent(printer, weir_access_name((enum weir_access)number));
    }
    print_key(printer, weir_access_name((enum weir_access)number));
    print_boolean(printer, granted);
    return true;
}

static bool print_group(const struct printer *printer, const void *thing, unsigned number)
{
    const unsigned *op_groups = thing;
    struct group_fields group = {*op_groups >> (2 * number) & 3};

    if (group.bits == 0 && below(printer->random, 2) == 0) {
        return print_absent(printer, weir_group_name((enum weir_group)number));
    }
    print_key(printer, weir_group_name((enum weir_group)number));
    print_object(printer, &group, 2, print_access);
    return true;
}

static bool print_op_groups(const struct printer *printer, const unsigned *op_groups)
{
    if (*op_groups == 0 && below(printer->random, 2) == 0) {
        return print_absent(printer, "op_groups");
    }
    print_key(printer, "op_groups");
    print_object(printer, op_groups, 3, print_group);
    return true;
}

static bool print_scope_field(const struct printer *printer, const void *thing, unsigned number)
{
    const struct weir_scope *scope = thing;

    switch (number) {
    case 0:
        return print_set(printer, "basins", &scope->basins);
    case 1:
        return print_set(printer, "streams", &scope->streams);
    case 2:
        return print_set(printer, "access_tokens", &scope->access_tokens);
    case 3:
        return print_op_groups(printer, &scope->op_groups);
    default:
        return print_ops(printer, scope->ops);
    }
}

static bool print_scopes(const struct printer *printer, const struct weir_token *token)
{
    if (token->scope_count == 1 && below(printer->random, 4) > 0) {
        print_key(printer, "scope");
        print_object(printer, token->scopes, 5, print_scope_field);
        return true;
    }
    print_key(printer, "scopes");
    for (size_t i = 0; i < token->scope_count; i++) {
        punctuation(printer, i == 0 ? '[' : ',');
        print_object(printer, &token->scopes[i], 5, print_scope_field);
    }
    punctuation(printer, ']');
    return true;
}

static bool print_expiry(const struct printer *printer, const struct weir_token *token)
{
    char buffer[WEIR_INSTANT_SIZE];

    if (!token->expires) {
        return print_absent(printer, "expires_at");
    }
    print_key(printer, "expires_at");
    (void)weir_instant_print(token->expires_at, buffer);
    print_string(printer->out, text_of(buffer), printer->random);
    return true;
}

static bool print_digest(const struct printer *printer, const struct weir_token *token)
{
    const char *format = below(printer->random, 2) == 0 ? "%02x" : "%02X";
    char digits[2 * WEIR_DIGEST_SIZE + 1];

    if (!token->has_credential_digest) {
        return print_absent(printer, "credential_digest");
    }
    for (size_t i = 0; i < WEIR_DIGEST_SIZE; i++) {
        (void)snprintf(digits + 2 * i, 3, format, token->credential_digest[i]);
    }
    print_key(printer, "credential_digest");
    print_string(printer->out, text_of(digits), printer->random);
    return true;
}

static bool print_auto_prefix(const struct printer *printer, const struct weir_token *token)
{
    if (!token->auto_prefix_streams && below(printer->random, 2) == 0) {
        return print_absent(printer, "auto_prefix_streams");
    }
    print_key(printer, "auto_prefix_streams");
    print_boolean(printer, token->auto_prefix_streams);
    return true;
}

static bool print_token_field(const struct printer *printer, const void *thing, unsigned number)
{
    const struct weir_token *token = thing;

    switch (number) {
    case 0:
        print_key(printer, "id");
        print_string(printer->out, token->id, printer->random);
        return true;
    case 1:
        return print_expiry(printer, token);
    case 2:
        return print_auto_prefix(printer, token);
    case 3:
        return print_scopes(printer, token);
    default:
        return print_digest(printer, token);
    }
}

void print_token(FILE *out, const struct weir_token *token, bool breaks, uint64_t *random)
{
    struct printer printer = {out, random, breaks};

    print_object(&printer, token, 5, print_token_field);
}
