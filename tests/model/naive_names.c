/* The naive rules for names and declarations. */
#include <string.h>

#include "model/naive.h"

bool naive_begins(struct weir_text text, struct weir_text beginning)
{
    return beginning.length == 0 || (text.length >= beginning.length &&
                                     memcmp(text.bytes, beginning.bytes, beginning.length) == 0);
}

bool naive_same(struct weir_text left, struct weir_text right)
{
    return left.length == right.length && naive_begins(left, right);
}

int naive_order(struct weir_text left, struct weir_text right)
{
    for (size_t i = 0; i < left.length && i < right.length; i++) {
        if (left.bytes[i] != right.bytes[i]) {
            return (unsigned char)left.bytes[i] < (unsigned char)right.bytes[i] ? -1 : 1;
        }
    }
    return left.length < right.length ? -1 : left.length > right.length;
}

struct weir_text naive_join(struct weir_text left, struct weir_text right, char *buffer)
{
    if (left.length > 0) {
        memcpy(buffer, left.bytes, left.length);
    }
    if (right.length > 0) {
        memcpy(buffer + left.length, right.bytes, right.length);
    }
    return (struct weir_text){buffer, left.length + right.length};
}

struct weir_text naive_stream_prefix(const struct weir_token *token)
{
    return token->auto_prefix_streams ? token->scopes[0].streams.name : (struct weir_text){NULL, 0};
}

/* The well-formed byte sequences, as the Unicode standard tabulates them, less the NUL: the range
 * of the first byte and of the second; all later ones are 80 to BF. */
static size_t character_length(const unsigned char *bytes, size_t left)
{
    static const struct {
        unsigned char first, last, second_first, second_last;
        size_t length;
    } forms[] = {
        {0x01, 0x7f, 0x00, 0x00, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };

    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (bytes[0] < forms[i].first || bytes[0] > forms[i].last) {
            continue;
        }
        for (size_t k = 1; k < forms[i].length; k++) {
            unsigned char least = k == 1 ? forms[i].second_first : 0x80;
            unsigned char most = k == 1 ? forms[i].second_last : 0xbf;

            if (k >= left || bytes[k] < least || bytes[k] > most) {
                return 0;
            }
        }
        return forms[i].length;
    }
    return 0;
}

static bool is_text(struct weir_text text, size_t least, size_t most)
{
    size_t at = 0;

    if (text.length < least || text.length > most) {
        return false;
    }
    while (at < text.length) {
        size_t length = character_length((const unsigned char *)text.bytes + at, text.length - at);

        if (length == 0) {
            return false;
        }
        at += length;
    }
    return true;
}

static bool is_dots(struct weir_text name)
{
    return naive_same(name, WEIR_TEXT(".")) || naive_same(name, WEIR_TEXT(".."));
}

bool naive_basin_prefix_valid(struct weir_text prefix)
{
    for (size_t i = 0; i < prefix.length && prefix.length <= 48; i++) {
        if (prefix.bytes[i] == '\0' ||
            strchr("abcdefghijklmnopqrstuvwxyz0123456789-", prefix.bytes[i]) == NULL) {
            return false;
        }
    }
    return prefix.length <= 48 && !naive_begins(prefix, WEIR_TEXT("-"));
}

bool naive_basin_valid(struct weir_text name)
{
    return naive_basin_prefix_valid(name) && name.length >= 8 && name.bytes[name.length - 1] != '-';
}

bool naive_stream_valid(struct weir_text name)
{
    return is_text(name, 1, 512) && !is_dots(name);
}

bool naive_stream_prefix_valid(struct weir_text prefix)
{
    return is_text(prefix, 0, 512);
}

bool naive_token_id_valid(struct weir_text id)
{
    return is_text(id, 1, 96) && !is_dots(id);
}

bool naive_token_id_prefix_valid(struct weir_text prefix)
{
    return is_text(prefix, 0, 96);
}

static bool set_valid(const struct weir_set *set, bool name_valid(struct weir_text),
                      bool prefix_valid(struct weir_text))
{
    return set->kind == WEIR_SET_NOTHING ||
           (set->kind == WEIR_SET_EXACT && (set->name.length == 0 || name_valid(set->name))) ||
           (set->kind == WEIR_SET_PREFIX && prefix_valid(set->name));
}

static bool scope_valid(const struct weir_scope *scope)
{
    bool permits_any = scope->ops != 0 || scope->op_groups != 0;
    bool numbers_exist = (scope->ops & 1) == 0 && scope->ops >> 25 == 0 && scope->op_groups < 64;

    return permits_any && numbers_exist &&
           set_valid(&scope->basins, naive_basin_valid, naive_basin_prefix_valid) &&
           set_valid(&scope->streams, naive_stream_valid, naive_stream_prefix_valid) &&
           set_valid(&scope->access_tokens, naive_token_id_valid, naive_token_id_prefix_valid);
}

bool naive_token_valid(const struct weir_token *token)
{
    bool valid = naive_token_id_valid(token->id) && token->scope_count >= 1 &&
                 token->scope_count <= WEIR_SCOPES_MAX;

    for (size_t i = 0; valid && i < token->scope_count; i++) {
        valid = scope_valid(&token->scopes[i]);
    }
    if (valid && token->auto_prefix_streams) {
        valid = token->scope_count == 1 && token->scopes[0].streams.kind == WEIR_SET_PREFIX;
    }
    if (valid && token->expires) {
        valid = token->expires_at.seconds >= -INT64_C(62135596800) &&
                token->expires_at.seconds <= INT64_C(253402300799) &&
                token->expires_at.nanoseconds < 1000000000;
    }
    return valid;
}
