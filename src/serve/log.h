/* log.h - what the server says of itself: a JSON object a line. */
#ifndef WEIR_SERVE_LOG_H
#define WEIR_SERVE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include <weir/error.h>

#include "serve/record.h"

enum log_level { LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };

struct log {
    struct record record;
    pthread_mutex_t lock;
    uint64_t second; /* in which what follows was counted */
    unsigned said;   /* lines that clients gave occasion to */
    uint64_t unsaid; /* such lines left out since the last that was written */
};

bool log_open(struct log *log, const char *path);
void log_close(struct log *log);

/* Writes {"time":…,"level":…,"message":…}. Any thread. */
__attribute__((format(printf, 3, 4))) void log_write(struct log *log, enum log_level level,
                                                     const char *format, ...);

/* Likewise what clients can give occasion to as often as they like: ten lines a second at most, and
 * how many were left out. */
__attribute__((format(printf, 3, 4))) void log_write_some(struct log *log, enum log_level level,
                                                          const char *format, ...);

/* `what: place: message`. */
void log_error(struct log *log, const char *what, const struct weir_error *error);

#endif
