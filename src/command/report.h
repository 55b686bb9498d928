/* report.h - errors, one line each on standard error. */
#ifndef WEIR_COMMAND_REPORT_H
#define WEIR_COMMAND_REPORT_H

#include <stdbool.h>
#include <string.h>

#include <weir/error.h>
#include <weir/name.h>

struct command;

/* How messages call what has no file name. */
#define STANDARD_INPUT "<stdin>"
#define STANDARD_OUTPUT "<stdout>"

static inline struct weir_text text_of(const char *string)
{
    return (struct weir_text){string, strlen(string)};
}

/* An argument, quoted as JSON, for a message; a long one is cut. */
struct quoted {
    char text[160];
};
struct quoted quoted(const char *argument);

/* Each returns false, so that a function can fail with `return report_…(…)`. */

/* `weir: FILE:LINE:COLUMN: PLACE: message`, with those of the parts that there are. */
bool report_error(const char *file, const struct weir_error *error);

/* `weir: FILE: ` and what the system calls the error number. */
bool report_errno(const char *file, int number);

/* `weir: FILE: message` */
__attribute__((format(printf, 2, 3))) bool report(const char *file, const char *format, ...);

/* `weir COMMAND: message; try 'weir COMMAND --help'`; NULL stands for `weir` itself. */
__attribute__((format(printf, 2, 3))) bool report_usage(const struct command *command,
                                                        const char *format, ...);

/* A line that is no error: `weir COMMAND: message`. */
__attribute__((format(printf, 2, 3))) void report_summary(const struct command *command,
                                                          const char *format, ...);

#endif
