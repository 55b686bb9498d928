#include "report.h"

#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "command.h"

/* Room for a file name of any length that the system accepts, all of it escaped. */
#define FILE_NAME_ROOM WEIR_QUOTED_MAX(PATH_MAX)

struct line {
    char text[FILE_NAME_ROOM + WEIR_PLACE_SIZE + WEIR_MESSAGE_SIZE + 256];
    size_t length;
};

/* Leaves room for the end of the line; what does not fit is cut. */
static void add_list(struct line *line, const char *format, va_list arguments)
{
    size_t room = sizeof line->text - 1 - line->length;
    int length = vsnprintf(line->text + line->length, room, format, arguments);

    if (length > 0) {
        line->length += (size_t)length < room ? (size_t)length : room - 1;
    }
}

__attribute__((format(printf, 2, 3))) static void add(struct line *line, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add_list(line, format, arguments);
    va_end(arguments);
}

/* Whether a file name can stand in a message as it is, without being taken for anything else. */
static bool is_plain(const char *name)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "/._-+=@%,~";

    return *name != '\0' && name[strspn(name, plain)] == '\0';
}

static void add_file(struct line *line, const char *name)
{
    char quoted_name[FILE_NAME_ROOM];

    if (strcmp(name, STANDARD_INPUT) != 0 && strcmp(name, STANDARD_OUTPUT) != 0 &&
        !is_plain(name)) {
        (void)weir_quote(text_of(name), quoted_name, sizeof quoted_name);
        name = quoted_name;
    }
    add(line, "weir: %.*s", (int)(FILE_NAME_ROOM), name);
}

/* In one write, so that lines of several processes do not mix. Nobody could be told of a failure.
 */
static void write_line(struct line *line)
{
    size_t done = 0;

    line->text[line->length++] = '\n';
    while (done < line->length) {
        ssize_t written = write(STDERR_FILENO, line->text + done, line->length - done);

        if (written <= 0) {
            return;
        }
        done += (size_t)written;
    }
}

struct quoted quoted(const char *argument)
{
    struct quoted result;

    (void)weir_quote(text_of(argument), result.text, sizeof result.text);
    return result;
}

bool report_error(const char *file, const struct weir_error *error)
{
    struct line line = {.length = 0};

    add_file(&line, file);
    if (error->line != 0) {
        add(&line, ":%" PRIu64, error->line);
    }
    if (error->line != 0 && error->column != 0) {
        add(&line, ":%" PRIu64, error->column);
    }
    if (error->place[0] != '\0') {
        add(&line, ": %s", error->place);
    }
    add(&line, ": %s", error->message);
    write_line(&line);
    return false;
}

bool report_errno(const char *file, int number)
{
    return report(file, "%s", strerror(number));
}

bool report(const char *file, const char *format, ...)
{
    struct line line = {.length = 0};
    va_list arguments;

    add_file(&line, file);
    add(&line, ": ");
    va_start(arguments, format);
    add_list(&line, format, arguments);
    va_end(arguments);
    write_line(&line);
    return false;
}

static void add_command(struct line *line, const struct command *command)
{
    add(line, "weir%s%s", command != NULL ? " " : "", command != NULL ? command->name : "");
}

bool report_usage(const struct command *command, const char *format, ...)
{
    struct line line = {.length = 0};
    va_list arguments;

    add_command(&line, command);
    add(&line, ": ");
    va_start(arguments, format);
    add_list(&line, format, arguments);
    va_end(arguments);
    add(&line, "; try '");
    add_command(&line, command);
    add(&line, " --help'");
    write_line(&line);
    return false;
}

void report_summary(const struct command *command, const char *format, ...)
{
    struct line line = {.length = 0};
    va_list arguments;

    add_command(&line, command);
    add(&line, ": ");
    va_start(arguments, format);
    add_list(&line, format, arguments);
    va_end(arguments);
    write_line(&line);
}
