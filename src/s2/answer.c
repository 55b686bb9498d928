#include "s2/answer.h"

#include <stdlib.h>
#include <string.h>

#include "s2/answer_strip.h"
#include "vocabulary/text.h"
#include "wire/json.h"
#include "wire/percent.h"

/* The most values in an answer about one stream. */
#define VALUES_MAX 4096

#define NOT_SHOWN "The server's message is not shown, since it may name what is not yours to see."

/* Where the text begins in another, from that place on; its end, if it does not. */
static size_t find(struct weir_text in, size_t from, struct weir_text text)
{
    const char *found = text.length > 0 && from < in.length
                            ? memmem(in.bytes + from, in.length - from, text.bytes, text.length)
                            : NULL;

    return found != NULL ? (size_t)(found - in.bytes) : in.length;
}

static bool holds(struct weir_text in, struct weir_text text)
{
    return find(in, 0, text) < in.length;
}

/* A text that is written piece by piece, into memory that is large enough. */
struct output {
    char *bytes;
    size_t length;
};

static void put(struct output *output, struct weir_text text)
{
    if (text.length > 0) {
        memcpy(output->bytes + output->length, text.bytes, text.length);
        output->length += text.length;
    }
}

static char *copy_of(struct weir_text text, size_t *length)
{
    char *copy = malloc(text.length + 1);
    struct output output = {copy, 0};

    if (copy != NULL) {
        put(&output, text);
        copy[text.length] = '\0';
        *length = text.length;
    }
    return copy;
}

/* Puts the client's name for each effective one. False: what is between them holds the prefix. */
static bool rename_all(struct weir_text message, struct weir_text prefix, struct weir_text stream,
                       struct weir_text effective, struct output *output)
{
    size_t at = 0;

    while (at < message.length) {
        size_t found = find(message, at, effective);
        struct weir_text between = {message.bytes + at, found - at};

        if (holds(between, prefix)) {
            return false;
        }
        put(output, between);
        if (found == message.length) {
            break;
        }
        put(output, stream);
        at = found + effective.length;
    }
    return true;
}

/* Whether the text holds the prefix as it is written in URIs, where that is another text. */
static bool holds_encoded(struct weir_text text, struct weir_text prefix, char *room)
{
    struct weir_text encoded = {room, weir_percent_encode(prefix, room)};

    return encoded.length > prefix.length && holds(text, encoded);
}

char *s2_message_strip(struct weir_text message, struct weir_text prefix, struct weir_text stream,
                       size_t *length)
{
    char *effective = malloc(WEIR_PERCENT_MAX(prefix.length) + stream.length + 1);
    char *made = malloc(message.length + 1);
    struct output name = {effective, 0};
    struct output output = {made, 0};
    bool known = false;

    if (effective != NULL && made != NULL) {
        put(&name, prefix);
        put(&name, stream);
        known = rename_all(message, prefix, stream, (struct weir_text){effective, name.length},
                           &output) &&
                !holds_encoded((struct weir_text){made, output.length}, prefix, effective);
        made[output.length] = '\0';
        *length = output.length;
        if (!known) {
            free(made);
            made = copy_of(WEIR_TEXT(NOT_SHOWN), length);
        }
    } else {
        free(made);
        made = NULL;
    }
    free(effective);
    return made;
}

static bool set_text(json_t *object, const char *key, const char *bytes, size_t length)
{
    return json_object_set_new(object, key, json_stringn(bytes, length)) == 0;
}

/* False: no memory. */
static bool strip_name(json_t *object, struct weir_text prefix)
{
    json_t *value = json_object_get(object, "name");
    struct weir_text name = {json_string_value(value), json_string_length(value)};

    if (!json_is_string(value) || !weir_text_begins_with(name, prefix)) {
        return true;
    }
    name = weir_text_from(name, prefix.length);
    return set_text(object, "name", name.bytes, name.length);
}

static bool strip_message(json_t *object, struct weir_text prefix, struct weir_text stream)
{
    json_t *value = json_object_get(object, "message");
    size_t length = 0;
    char *message = NULL;
    bool done = true;

    if (json_is_string(value)) {
        message = s2_message_strip(
            (struct weir_text){json_string_value(value), json_string_length(value)}, prefix, stream,
            &length);
        done = message != NULL && set_text(object, "message", message, length);
        free(message);
    }
    return done;
}

/* NULL: no memory. */
static char *write_stripped(json_t *document, struct weir_text prefix, struct weir_text stream,
                            size_t *length)
{
    *length = 0;
    return strip_name(document, prefix) && strip_message(document, prefix, stream)
               ? weir_json_write(document, length)
               : NULL;
}

static enum weir_status read_object(struct weir_text body, json_t **document)
{
    enum weir_status status = weir_json_load(body, VALUES_MAX, document, NULL);

    if (status == WEIR_OK && !json_is_object(*document)) {
        json_decref(*document);
        return WEIR_ERROR_SCHEMA;
    }
    return status;
}

char *s2_error_strip(struct weir_text body, struct weir_text prefix, struct weir_text stream,
                     size_t *length)
{
    json_t *document = NULL;
    char *text = NULL;

    switch (read_object(body, &document)) {
    case WEIR_OK:
        text = write_stripped(document, prefix, stream, length);
        json_decref(document);
        return text;
    case WEIR_ERROR_MEMORY:
        return NULL;
    default:
        return copy_of(WEIR_TEXT(S2_UNKNOWN_ERROR), length);
    }
}

char *s2_answer_strip(struct weir_text body, struct weir_text prefix, struct weir_text stream,
                      size_t *length, struct s2_refusal *refusal)
{
    json_t *document = NULL;
    char *text = NULL;
    enum weir_status status = WEIR_OK;

    *length = 0;
    if (body.length == 0) {
        text = copy_of(body, length);
        status = text != NULL ? WEIR_OK : WEIR_ERROR_MEMORY;
    } else {
        status = read_object(body, &document);
    }
    if (status == WEIR_OK && document != NULL) {
        text = write_stripped(document, prefix, stream, length);
        json_decref(document);
        status = text != NULL ? WEIR_OK : WEIR_ERROR_MEMORY;
    }
    if (status == WEIR_ERROR_MEMORY) {
        (void)s2_refuse(refusal, 503, "unavailable", "There is no memory left.");
    } else if (status != WEIR_OK) {
        (void)s2_refuse(refusal, 502, "bad_gateway", "The server's answer is not understood.");
    }
    return text;
}
