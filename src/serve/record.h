/* record.h - a file of lines that is only ever appended to, and can be opened anew. */
#ifndef WEIR_SERVE_RECORD_H
#define WEIR_SERVE_RECORD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct record {
    const char *path; /* NULL: nothing is written; "-": standard error */
    pthread_mutex_t lock;
    int descriptor;
    bool torn;         /* what was last written is part of a line, and stays */
    uint64_t failures; /* lines that could not be written */
};

/* False on an error, for which errno is set. `path` outlives the record. */
bool record_open(struct record *record, const char *path);
void record_close(struct record *record);

/* Opens the file of that path anew, which may be another by now. False, going on with the old one,
 * on an error, for which errno is set. */
bool record_reopen(struct record *record);

/* Appends the line, which ends with a newline. False on an error, for which errno is set: nothing
 * of it is there then; if part of it is and cannot be taken back, the next line begins a line all
 * the same. Any thread. */
bool record_write(struct record *record, const char *line, size_t length);

/* How many lines could not be written. Any thread. */
uint64_t record_failures(struct record *record);

#endif
