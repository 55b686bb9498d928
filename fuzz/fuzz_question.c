/*
 * What the command is asked: a request line, or arguments, TOKEN OP [TARGET] of which OP and TARGET
 * are read here, a line each. What is read says what was written, no more and no less.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <weir/wire.h>

#include "command/question.h"
#include "command/report.h"
#include "demand.h"
#include "scarce_json.h"
#include "scarcity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The command's reports, without the output. */
struct quoted quoted(const char *argument)
{
    struct quoted result;

    (void)weir_quote(text_of(argument), result.text, sizeof result.text);
    return result;
}

bool report_usage(const struct command *command, const char *format, ...)
{
    char line[1024];
    va_list arguments;

    (void)command;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    return false;
}

static bool same(struct weir_text left, struct weir_text right)
{
    return left.length == right.length &&
           (left.length == 0 || memcmp(left.bytes, right.bytes, left.length) == 0);
}

/* ---- Arguments ---- */

static void expect_location(const struct weir_request *request, const char *target)
{
    size_t length = strlen("s2://") + request->basin.length;

    demand(strncmp(target, "s2://", 5) == 0);
    demand(request->basin.bytes == target + 5);
    demand(memchr(request->basin.bytes, '/', request->basin.length) == NULL);
    if (weir_operation_target(request->operation) == WEIR_TARGET_STREAM) {
        demand(target[length] == '/' && request->stream.bytes == target + length + 1);
        length += 1 + request->stream.length;
    }
    demand(length == strlen(target));
}

static void expect_arguments(const struct weir_request *request, char **operands, size_t count)
{
    demand(same(text_of(operands[0]), text_of(weir_operation_name(request->operation))));
    demand((count == 1) == (weir_operation_target(request->operation) == WEIR_TARGET_NONE));
    if (weir_operation_target(request->operation) == WEIR_TARGET_ACCESS_TOKEN) {
        demand(same(request->access_token, text_of(operands[1])));
    } else if (count == 2) {
        expect_location(request, operands[1]);
    }
}

static void read_arguments(char *text)
{
    const struct command command = {0};
    struct weir_request request;
    char *target = strchr(text, '\n');
    char *operands[] = {text, target};

    if (target != NULL) {
        *target = '\0';
        operands[1] = target + 1;
    }
    if (request_read(&request, &command, operands, target == NULL ? 1 : 2)) {
        expect_arguments(&request, operands, target == NULL ? 1 : 2);
    }
}

/* ---- A line ---- */

struct line {
    char *bytes;
    size_t length;
    size_t room;
};

static void add(struct line *line, const char *text)
{
    size_t length = strlen(text);

    demand(length < line->room - line->length);
    memcpy(line->bytes + line->length, text, length + 1);
    line->length += length;
}

static void add_field(struct line *line, const char *key, struct weir_text value)
{
    add(line, line->length == 1 ? "\"" : ",\"");
    add(line, key);
    add(line, "\":");
    line->length += weir_quote(value, line->bytes + line->length, line->room - line->length);
}

static struct line line_of(const struct weir_question *question, size_t size)
{
    const struct weir_request *request = &question->request;
    enum weir_target target = weir_operation_target(request->operation);
    struct line line = {malloc(1024 + 6 * size), 0, 1024 + 6 * size};

    demand(line.bytes != NULL);
    add(&line, "{");
    add_field(&line, "token", question->token_id);
    add_field(&line, "op", text_of(weir_operation_name(request->operation)));
    if (target == WEIR_TARGET_BASIN || target == WEIR_TARGET_STREAM) {
        add_field(&line, "basin", request->basin);
    }
    if (target == WEIR_TARGET_STREAM) {
        add_field(&line, "stream", request->stream);
    }
    if (target == WEIR_TARGET_ACCESS_TOKEN) {
        add_field(&line, "access_token", request->access_token);
    }
    add(&line, "}");
    return line;
}

static void expect_same(const struct weir_question *left, const struct weir_question *right)
{
    demand(left->request.operation == right->request.operation);
    demand(same(left->token_id, right->token_id));
    demand(same(left->request.basin, right->request.basin));
    demand(same(left->request.stream, right->request.stream));
    demand(same(left->request.access_token, right->request.access_token));
}

/* What was read, written out and read again, is the same. */
static void expect_again(const struct weir_question *question, size_t size)
{
    struct weir_question_buffer *buffer = NULL;
    struct weir_question again;
    struct line line = line_of(question, size);

    demand(weir_question_buffer_new(NULL, &buffer, NULL) == WEIR_OK);
    demand(weir_question_parse((struct weir_text){line.bytes, line.length}, buffer, &again, NULL) ==
           WEIR_OK);
    expect_same(&again, question);
    weir_question_buffer_free(buffer);
    free(line.bytes);
}

/* Memory runs out, jansson's or that for the buffer: nothing is made up in its place. The line's
 * size says when. */
static void read_line_scarcely(struct weir_text line, enum weir_status expected,
                               const struct weir_question *question)
{
    struct scarcity scarcity = {.left = line.length % 3};
    const struct weir_allocator allocator = scarce_allocator(&scarcity);
    struct weir_question_buffer *buffer = NULL;
    struct weir_question again;
    enum weir_status status = weir_question_buffer_new(&allocator, &buffer, NULL);

    if (status == WEIR_OK) {
        scarce_json_begin(line.length / 3 % 13, line.length % 2 == 0,
                          expected == WEIR_OK ? line.bytes : NULL, line.length);
        status = weir_question_parse(line, buffer, &again, NULL);
        scarcity.lacked |= scarce_json_end();
        if (status == WEIR_OK) {
            demand(expected == WEIR_OK);
            expect_same(&again, question);
        }
        weir_question_buffer_free(buffer);
    }
    demand(status == expected || (scarcity.lacked && status == WEIR_ERROR_MEMORY));
    demand(scarcity.blocks == 0);
}

static void read_line(const uint8_t *data, size_t size)
{
    const struct weir_text line = {(const char *)data, size};
    struct weir_question_buffer *buffer = NULL;
    struct weir_question question;
    struct weir_error error;
    enum weir_status status = WEIR_OK;

    demand(weir_question_buffer_new(NULL, &buffer, NULL) == WEIR_OK);
    status = weir_question_parse(line, buffer, &question, &error);
    if (status == WEIR_OK) {
        expect_again(&question, size);
    }
    read_line_scarcely(line, status, &question);
    weir_question_buffer_free(buffer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = NULL;

    read_line(data, size);
    text = malloc(size + 1);
    demand(text != NULL);
    if (size > 0) {
        memcpy(text, data, size);
    }
    text[size] = '\0';
    read_arguments(text);
    free(text);
    return 0;
}
