/* buffer.h - memory that grows, and a budget for what all clients together may make it grow to. */
#ifndef WEIR_SERVE_BUFFER_H
#define WEIR_SERVE_BUFFER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/* Bytes that may be in use at one time. Any thread. */
struct budget {
    pthread_mutex_t lock;
    size_t limit;
    size_t used;
};

void budget_init(struct budget *budget, size_t limit);
void budget_fini(struct budget *budget);
size_t budget_used(struct budget *budget);

/* All zero, but for the budget (NULL: none), is an empty one. */
struct buffer {
    struct budget *budget;
    char *bytes;
    size_t length;
    size_t room;
};

/* Makes room for so many bytes more, exactly so many if it is `exact`. False, the buffer as it was:
 * there is no memory, or none is left in the budget. */
bool buffer_reserve(struct buffer *buffer, size_t more);
bool buffer_reserve_exactly(struct buffer *buffer, size_t more);

bool buffer_add(struct buffer *buffer, const void *bytes, size_t length);
__attribute__((format(printf, 2, 3))) bool buffer_format(struct buffer *buffer, const char *format,
                                                         ...);

/* Wipes what it holds and gives it back; it is empty then. */
void buffer_release(struct buffer *buffer);

#endif
