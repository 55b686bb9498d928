#include "serve/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <weir/instant.h>
#include <weir/name.h>

#include "serve/mask.h"

#define MESSAGE_SIZE 2048
#define SOME_LINES 10

bool log_open(struct log *log, const char *path)
{
    *log = (struct log){.said = 0};
    (void)pthread_mutex_init(&log->lock, NULL);
    return record_open(&log->record, path);
}

void log_close(struct log *log)
{
    record_close(&log->record);
    (void)pthread_mutex_destroy(&log->lock);
}

static void write_line(struct log *log, enum log_level level, char *message)
{
    static const char *const levels[] = {"info", "warning", "error"};
    char quoted[WEIR_QUOTED_MAX(MESSAGE_SIZE)];
    char line[sizeof quoted + 128];
    char time[WEIR_INSTANT_SIZE];
    int length = 0;

    (void)weir_instant_print(weir_instant_now(), time);
    (void)weir_quote((struct weir_text){message, mask_credentials(message, strlen(message))},
                     quoted, sizeof quoted);
    length = snprintf(line, sizeof line, "{\"time\":\"%s\",\"level\":\"%s\",\"message\":%s}\n",
                      time, levels[level], quoted);
    (void)record_write(&log->record, line, (size_t)length); /* counted, and nobody to be told */
}

void log_write(struct log *log, enum log_level level, const char *format, ...)
{
    char message[MESSAGE_SIZE];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    write_line(log, level, message);
}

/* Whether another line may be written in this second, and how many were not before it. */
static bool may_say(struct log *log, uint64_t *unsaid)
{
    struct timespec now;
    bool may = false;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    (void)pthread_mutex_lock(&log->lock);
    if (log->second != (uint64_t)now.tv_sec) {
        log->second = (uint64_t)now.tv_sec;
        log->said = 0;
    }
    may = log->said < SOME_LINES;
    log->said += may;
    *unsaid = log->unsaid;
    log->unsaid = may ? 0 : log->unsaid + 1;
    (void)pthread_mutex_unlock(&log->lock);
    return may;
}

void log_write_some(struct log *log, enum log_level level, const char *format, ...)
{
    char message[MESSAGE_SIZE];
    va_list arguments;
    uint64_t unsaid = 0;

    if (!may_say(log, &unsaid)) {
        return;
    }
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (unsaid > 0) {
        log_write(log, level, "%" PRIu64 " messages such as the next were left out", unsaid);
    }
    write_line(log, level, message);
}

void log_error(struct log *log, const char *what, const struct weir_error *error)
{
    log_write_some(log, LOG_LEVEL_ERROR, "%s: %s%s%s", what, error->place,
                   error->place[0] != '\0' ? ": " : "", error->message);
}
