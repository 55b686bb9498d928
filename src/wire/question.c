#include <weir/wire.h>

#include <string.h>

#include "vocabulary/failure.h"
#include "vocabulary/memory.h"
#include "wire/json.h"
#include "wire/room.h"

struct weir_question_buffer {
    struct weir_allocator allocator;
    struct weir_room texts;
};

enum weir_status weir_question_buffer_new(const struct weir_allocator *allocator,
                                          struct weir_question_buffer **buffer,
                                          struct weir_error *error)
{
    struct weir_allocator own = weir_allocator_or_default(allocator);
    struct weir_question_buffer *made = weir_allocate(&own, sizeof *made);

    if (made == NULL) {
        return weir_fail_memory(error);
    }
    *made = (struct weir_question_buffer){.allocator = own};
    *buffer = made;
    return WEIR_OK;
}

void weir_question_buffer_free(struct weir_question_buffer *buffer)
{
    if (buffer != NULL) {
        struct weir_allocator own = buffer->allocator;

        weir_room_release(&buffer->texts, &own);
        weir_release(&own, buffer, sizeof *buffer);
    }
}

/* What a request says: texts of jansson's, without bytes where the field is absent. */
struct request_fields {
    struct weir_text token;
    struct weir_text op;
    struct weir_text basin;
    struct weir_text stream;
    struct weir_text access_token;
};

/* Puts the place into the message, too: a request is a line that is often reported without it. */
static void name_place(struct weir_error *error)
{
    if (error != NULL && error->place[0] != '\0') {
        struct weir_error inner = *error;

        (void)weir_fail(error, inner.status, "the field \"%s\": %s", inner.place, inner.message);
        weir_error_within(error, "%s", inner.place);
    }
}

static enum weir_status read_fields(json_t *value, struct request_fields *fields,
                                    struct weir_error *error)
{
#define TEXT_FIELD(name)                                                                           \
    {                                                                                              \
        {#name, sizeof(#name) - 1}, false, offsetof(struct request_fields, name),                  \
            weir_json_read_text                                                                    \
    }
    static const struct weir_json_field known[] = {
        TEXT_FIELD(token),  TEXT_FIELD(op),           TEXT_FIELD(basin),
        TEXT_FIELD(stream), TEXT_FIELD(access_token),
    };
#undef TEXT_FIELD
    enum weir_status status =
        weir_json_read_object(value, known, sizeof known / sizeof known[0], fields, error);

    if (status != WEIR_OK) {
        weir_json_finish_place(error);
        name_place(error);
        return status;
    }
    if (fields->token.bytes == NULL) {
        return weir_json_fail_missing("token", error);
    }
    return fields->op.bytes != NULL ? WEIR_OK : weir_json_fail_missing("op", error);
}

static enum weir_status parse_operation(struct weir_text name, enum weir_operation *operation,
                                        struct weir_error *error)
{
    char quoted[128];

    if (weir_operation_parse(name, operation)) {
        return WEIR_OK;
    }
    (void)weir_quote(name, quoted, sizeof quoted);
    (void)weir_fail(error, WEIR_ERROR_OPERATION, "unknown operation %s in the field \"op\"",
                    quoted);
    weir_error_within(error, "op");
    return WEIR_ERROR_OPERATION;
}

/* A field of the target must be there if and only if the operation needs it. */
static enum weir_status check_field(const char *name, struct weir_text text, bool needed,
                                    enum weir_operation operation, struct weir_error *error)
{
    if (needed == (text.bytes != NULL)) {
        return WEIR_OK;
    }
    if (needed) {
        return weir_fail(error, WEIR_ERROR_SCHEMA, "the field \"%s\" is missing: %s needs it", name,
                         weir_operation_name(operation));
    }
    (void)weir_fail(error, WEIR_ERROR_SCHEMA, "the field \"%s\" is not one of %s", name,
                    weir_operation_name(operation));
    weir_error_within(error, "%s", name);
    return WEIR_ERROR_SCHEMA;
}

static enum weir_status check_target(const struct request_fields *fields,
                                     enum weir_operation operation, struct weir_error *error)
{
    enum weir_target target = weir_operation_target(operation);
    bool on_stream = target == WEIR_TARGET_STREAM;
    bool in_basin = on_stream || target == WEIR_TARGET_BASIN;
    enum weir_status status = check_field("basin", fields->basin, in_basin, operation, error);

    if (status == WEIR_OK) {
        status = check_field("stream", fields->stream, on_stream, operation, error);
    }
    if (status == WEIR_OK) {
        status = check_field("access_token", fields->access_token,
                             target == WEIR_TARGET_ACCESS_TOKEN, operation, error);
    }
    return status;
}

/* Copies the text to `*end`, which it moves behind it. An absent one stays absent. */
static struct weir_text settle(struct weir_text text, char **end)
{
    struct weir_text settled = {*end, text.length};

    if (text.bytes == NULL) {
        return text;
    }
    memcpy(*end, text.bytes, text.length);
    *end += text.length;
    return settled;
}

static enum weir_status fill_question(const struct request_fields *fields,
                                      enum weir_operation operation,
                                      struct weir_question_buffer *buffer,
                                      struct weir_question *question, struct weir_error *error)
{
    size_t size = fields->token.length + fields->basin.length + fields->stream.length +
                  fields->access_token.length;
    char *end = NULL;

    /* Even texts without bytes refer to the buffer, so it is never without memory. */
    if (!weir_room_make(&buffer->texts, &buffer->allocator, size + 1)) {
        return weir_fail_memory(error);
    }
    end = buffer->texts.memory;
    *question = (struct weir_question){
        .token_id = settle(fields->token, &end),
        .request = {.operation = operation},
    };
    question->request.basin = settle(fields->basin, &end);
    question->request.stream = settle(fields->stream, &end);
    question->request.access_token = settle(fields->access_token, &end);
    return WEIR_OK;
}

enum weir_status weir_question_parse(struct weir_text json, struct weir_question_buffer *buffer,
                                     struct weir_question *question, struct weir_error *error)
{
    struct request_fields fields = {0};
    enum weir_operation operation = WEIR_LIST_BASINS;
    json_t *value = NULL;
    enum weir_status status = WEIR_OK;

    if (json.length > WEIR_REQUEST_JSON_MAX) {
        return weir_fail(error, WEIR_ERROR_LIMIT, "a request of more than %zu bytes of JSON",
                         WEIR_REQUEST_JSON_MAX);
    }
    status = weir_json_load(json, WEIR_REQUEST_JSON_VALUES_MAX, &value, error);
    if (status != WEIR_OK) {
        return status;
    }
    status = read_fields(value, &fields, error);
    if (status == WEIR_OK) {
        status = parse_operation(fields.op, &operation, error);
    }
    if (status == WEIR_OK) {
        status = check_target(&fields, operation, error);
    }
    if (status == WEIR_OK) {
        status = fill_question(&fields, operation, buffer, question, error);
    }
    json_decref(value);
    return status;
}
