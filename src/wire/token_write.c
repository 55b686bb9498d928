#include <weir/wire.h>

#include <string.h>

/* Where JSON is written: what there is no room for is only counted. */
struct writing {
    char *json;
    size_t size;
    size_t length;
};

static void write_bytes(struct writing *writing, const char *bytes, size_t length)
{
    if (length > 0 && writing->length < writing->size) {
        size_t room = writing->size - writing->length;

        memcpy(writing->json + writing->length, bytes, length < room ? length : room);
    }
    writing->length += length;
}

static void write_string(struct writing *writing, const char *string)
{
    write_bytes(writing, string, strlen(string));
}

static void write_boolean(struct writing *writing, bool value)
{
    write_string(writing, value ? "true" : "false");
}

static bool stands_as_it_is(unsigned char byte)
{
    return byte >= ' ' && byte != '"' && byte != '\\' && byte != 0x7f;
}

/* Writes a byte that is ASCII. */
static void write_escape(struct writing *writing, unsigned char byte)
{
    static const char digits[] = "0123456789abcdef";
    const char code[] = {'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]};
    const char plain[] = {'\\', (char)byte};

    if (byte == '"' || byte == '\\') {
        write_bytes(writing, plain, sizeof plain);
    } else {
        write_bytes(writing, code, sizeof code);
    }
}

static void write_text(struct writing *writing, struct weir_text text)
{
    size_t written = 0;

    write_string(writing, "\"");
    for (size_t i = 0; i < text.length; i++) {
        unsigned char byte = (unsigned char)text.bytes[i];

        if (!stands_as_it_is(byte)) {
            write_bytes(writing, text.bytes + written, i - written);
            write_escape(writing, byte);
            written = i + 1;
        }
    }
    if (written < text.length) {
        write_bytes(writing, text.bytes + written, text.length - written);
    }
    write_string(writing, "\"");
}

/* An exact set with an empty name is nothing, too, and is written so. */
static void write_set(struct writing *writing, const struct weir_set *set)
{
    if (set->kind == WEIR_SET_PREFIX) {
        write_string(writing, "{\"prefix\":");
    } else if (set->kind == WEIR_SET_EXACT && set->name.length > 0) {
        write_string(writing, "{\"exact\":");
    } else {
        write_string(writing, "null");
        return;
    }
    write_text(writing, set->name);
    write_string(writing, "}");
}

static void write_op_groups(struct writing *writing, unsigned op_groups)
{
    for (unsigned group = WEIR_GROUP_ACCOUNT; group <= WEIR_GROUP_STREAM; group++) {
        write_string(writing, group == WEIR_GROUP_ACCOUNT ? "{\"" : ",\"");
        write_string(writing, weir_group_name((enum weir_group)group));
        write_string(writing, "\":{\"read\":");
        write_boolean(writing, (op_groups & WEIR_GROUP_BIT(group, WEIR_ACCESS_READ)) != 0);
        write_string(writing, ",\"write\":");
        write_boolean(writing, (op_groups & WEIR_GROUP_BIT(group, WEIR_ACCESS_WRITE)) != 0);
        write_string(writing, "}");
    }
    write_string(writing, "}");
}

static void write_ops(struct writing *writing, weir_operations ops)
{
    const char *separator = "\"";

    write_string(writing, "[");
    for (unsigned operation = 1; operation <= WEIR_OPERATION_COUNT; operation++) {
        if ((ops & WEIR_OPERATION_BIT(operation)) != 0) {
            write_string(writing, separator);
            write_string(writing, weir_operation_name((enum weir_operation)operation));
            write_string(writing, "\"");
            separator = ",\"";
        }
    }
    write_string(writing, "]");
}

static void write_scope(struct writing *writing, const struct weir_scope *scope)
{
    write_string(writing, "{\"basins\":");
    write_set(writing, &scope->basins);
    write_string(writing, ",\"streams\":");
    write_set(writing, &scope->streams);
    write_string(writing, ",\"access_tokens\":");
    write_set(writing, &scope->access_tokens);
    write_string(writing, ",\"op_groups\":");
    write_op_groups(writing, scope->op_groups);
    write_string(writing, ",\"ops\":");
    write_ops(writing, scope->ops);
    write_string(writing, "}");
}

static void write_scopes(struct writing *writing, const struct weir_token *token)
{
    if (token->scope_count == 1) {
        write_string(writing, ",\"scope\":");
        write_scope(writing, &token->scopes[0]);
        return;
    }
    write_string(writing, ",\"scopes\":[");
    for (size_t i = 0; i < token->scope_count; i++) {
        write_string(writing, i == 0 ? "" : ",");
        write_scope(writing, &token->scopes[i]);
    }
    write_string(writing, "]");
}

static void write_expiry(struct writing *writing, const struct weir_token *token)
{
    char instant[WEIR_INSTANT_SIZE];

    write_string(writing, ",\"expires_at\":");
    if (token->expires) {
        size_t length = weir_instant_print(token->expires_at, instant);

        write_text(writing, (struct weir_text){instant, length});
    } else {
        write_string(writing, "null");
    }
}

static void write_digest(struct writing *writing, const uint8_t digest[WEIR_DIGEST_SIZE])
{
    static const char digits[] = "0123456789abcdef";

    write_string(writing, ",\"credential_digest\":\"");
    for (size_t i = 0; i < WEIR_DIGEST_SIZE; i++) {
        const char byte[] = {digits[digest[i] >> 4], digits[digest[i] & 15]};

        write_bytes(writing, byte, sizeof byte);
    }
    write_string(writing, "\"");
}

size_t weir_token_write(const struct weir_token *token, char *json, size_t size)
{
    struct writing writing = {.size = size};

    writing.json = json;
    write_string(&writing, "{\"id\":");
    write_text(&writing, token->id);
    write_expiry(&writing, token);
    write_string(&writing, ",\"auto_prefix_streams\":");
    write_boolean(&writing, token->auto_prefix_streams);
    write_scopes(&writing, token);
    if (token->has_credential_digest) {
        write_digest(&writing, token->credential_digest);
    }
    write_string(&writing, "}");
    return writing.length;
}
