#include "output.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "report.h"

/* The longest text that output_escaped writes whole in one piece. */
#define PIECE_MAX ((size_t)1024)

static void write_all(struct output *output, const char *bytes, size_t length)
{
    while (length > 0 && output->failure == 0) {
        ssize_t written = write(STDOUT_FILENO, bytes, length);

        if (written < 0 && errno != EINTR) {
            output->failure = errno;
        } else if (written > 0) {
            bytes += written;
            length -= (size_t)written;
        }
    }
}

bool output_flush(struct output *output)
{
    write_all(output, output->buffer, output->used);
    output->used = 0;
    return output->failure == 0;
}

void output_discard(struct output *output)
{
    output->used = 0;
}

void output_bytes(struct output *output, const char *bytes, size_t length)
{
    if (length > OUTPUT_SIZE - output->used) {
        (void)output_flush(output);
    }
    if (length > OUTPUT_SIZE) {
        write_all(output, bytes, length);
    } else if (length > 0) {
        memcpy(output->buffer + output->used, bytes, length);
        output->used += length;
    }
}

void output_string(struct output *output, const char *string)
{
    output_bytes(output, string, strlen(string));
}

void output_spaces(struct output *output, size_t count)
{
    for (; count > 0; count--) {
        output_bytes(output, " ", 1);
    }
}

void output_format(struct output *output, const char *format, ...)
{
    char text[2048];
    va_list arguments;
    int length = 0;

    va_start(arguments, format);
    length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length > 0) {
        output_bytes(output, text, strnlen(text, sizeof text));
    }
}

/* Whether the text stands in a JSON string as it is. */
static bool is_plain(struct weir_text text)
{
    unsigned escapes = 0;

    for (size_t i = 0; i < text.length; i++) {
        unsigned char byte = (unsigned char)text.bytes[i];

        escapes |= (unsigned)(byte - 0x20u > 0x5eu) | (byte == '"') | (byte == '\\');
    }
    return escapes == 0;
}

void output_escaped(struct output *output, struct weir_text text)
{
    char escaped[WEIR_QUOTED_MAX(PIECE_MAX)];

    if (is_plain(text)) {
        output_bytes(output, text.bytes, text.length);
        return;
    }
    /* The quotes stay out. */
    output_bytes(output, escaped + 1, weir_quote(text, escaped, sizeof escaped) - 2);
}

void output_quoted(struct output *output, struct weir_text text)
{
    output_bytes(output, "\"", 1);
    output_escaped(output, text);
    output_bytes(output, "\"", 1);
}

bool output_finish(struct output *output, bool report)
{
    (void)output_flush(output);
    if (close(STDOUT_FILENO) != 0 && output->failure == 0) {
        output->failure = errno;
    }
    if (output->failure != 0 && report) {
        (void)report_errno(STANDARD_OUTPUT, output->failure);
    }
    return output->failure == 0;
}
