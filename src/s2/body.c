#include <stdlib.h>
#include <string.h>

#include "s2/decompress.h"
#include "s2/request.h"
#include "wire/json.h"

/* The most values in such a body: of a configuration there are some dozens. */
#define VALUES_MAX 4096

struct s2_body {
    json_t *document;
    const char *field; /* of the name */
    bool is_stream;
};

static bool refuse(struct s2_refusal *refusal, const char *message)
{
    return s2_refuse(refusal, 400, "bad_json", message);
}

static bool refuse_memory(struct s2_refusal *refusal)
{
    return s2_refuse(refusal, 503, "unavailable", "There is no memory left.");
}

static bool read_document(struct weir_text bytes, json_t **document, struct s2_refusal *refusal)
{
    switch (weir_json_load(bytes, VALUES_MAX, document, NULL)) {
    case WEIR_OK:
        return true;
    case WEIR_ERROR_MEMORY:
        return refuse_memory(refusal);
    default:
        return refuse(refusal, "The body is not well-formed JSON, or has a key twice.");
    }
}

static bool read_name(const struct s2_body *body, struct weir_text *name,
                      struct s2_refusal *refusal)
{
    json_t *value = json_object_get(body->document, body->field);

    if (!json_is_object(body->document) || !json_is_string(value)) {
        return refuse(refusal, "The body is not an object with the name of what to create.");
    }
    *name = (struct weir_text){json_string_value(value), json_string_length(value)};
    if (!(body->is_stream ? weir_stream_valid(*name) : weir_basin_valid(*name))) {
        return refuse(refusal, body->is_stream ? "The body has a name that no stream can have."
                                               : "The body has a name that no basin can have.");
    }
    return true;
}

/* Reads a body of that encoding. */
static bool read_encoded(struct weir_text bytes, enum s2_encoding encoding, json_t **document,
                         struct s2_refusal *refusal)
{
    struct s2_budget budget = {.most = 2 * S2_BODY_MAX};
    struct s2_decoded decoded = {NULL, 0, 0};
    bool done = false;

    if (encoding == S2_ENCODING_IDENTITY) {
        return read_document(bytes, document, refusal);
    }
    if (encoding == S2_ENCODING_OTHER) {
        return s2_refuse(refusal, 415, "unsupported_media_type",
                         "The body has a content encoding that is not known here.");
    }
    switch (s2_decompress(bytes, encoding, S2_BODY_MAX, &budget, &decoded)) {
    case S2_DECOMPRESSED:
        done = read_document((struct weir_text){decoded.bytes, decoded.length}, document, refusal);
        s2_decoded_release(&decoded, &budget);
        return done;
    case S2_TOO_LARGE:
        return s2_refuse(refusal, 413, "too_large", "The body is too large once it is decoded.");
    case S2_MALFORMED:
        return refuse(refusal, "The body is not of its content encoding.");
    case S2_SHORT_OF_MEMORY:
        break;
    }
    return refuse_memory(refusal);
}

bool s2_body_read(enum s2_call call, struct weir_text bytes, enum s2_encoding encoding,
                  struct s2_body **body, struct weir_text *name, struct s2_refusal *refusal)
{
    const bool is_stream = call == S2_CREATE_STREAM;
    struct s2_body *made = malloc(sizeof *made);

    *body = NULL;
    if (made == NULL) {
        return refuse_memory(refusal);
    }
    *made = (struct s2_body){NULL, is_stream ? "stream" : "basin", is_stream};
    if (!read_encoded(bytes, encoding, &made->document, refusal) ||
        !read_name(made, name, refusal)) {
        s2_body_free(made);
        return false;
    }
    *body = made;
    return true;
}

/* The document with another name, which is in the same place of the text. */
static json_t *with_prefix(const struct s2_body *body, struct weir_text stream_prefix)
{
    json_t *value = json_object_get(body->document, body->field);
    const size_t length = stream_prefix.length + json_string_length(value);
    json_t *copy = json_copy(body->document);
    char *name = malloc(length + 1);
    bool done = false;

    if (copy != NULL && name != NULL) {
        if (stream_prefix.length > 0) {
            memcpy(name, stream_prefix.bytes, stream_prefix.length);
        }
        memcpy(name + stream_prefix.length, json_string_value(value), json_string_length(value));
        done = json_object_set_new(copy, body->field, json_stringn(name, length)) == 0;
    }
    free(name);
    if (!done) {
        json_decref(copy);
        return NULL;
    }
    return copy;
}

char *s2_body_write(const struct s2_body *body, struct weir_text stream_prefix, size_t *length)
{
    const struct weir_text none = {"", 0};
    json_t *document = with_prefix(body, body->is_stream ? stream_prefix : none);
    char *text = NULL;

    *length = 0;
    if (document != NULL) {
        text = weir_json_write(document, length);
        json_decref(document);
    }
    return text;
}

void s2_body_free(struct s2_body *body)
{
    if (body != NULL) {
        json_decref(body->document);
        free(body);
    }
}
