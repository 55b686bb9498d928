/* window.h - memory that is seen twice: the test writes through one view, what it tests reads the
 * other, which is read-only, of exact size, and between pages that cannot be touched. */
#ifndef WEIR_TESTS_FAULTS_WINDOW_H
#define WEIR_TESTS_FAULTS_WINDOW_H

#include <stdbool.h>
#include <stddef.h>

struct window {
    unsigned char *bytes;       /* to write */
    const unsigned char *shown; /* the same, to be read only */
    size_t size;
    void *mappings[2];
    size_t mapping_size;
};

/* `size` bytes as they are at `bytes`. Where the size is no multiple of a page's, the last byte
 * lies against the guard page (`at_end`), or the first; an address sanitizer guards both sides. */
struct window window_open(const void *bytes, size_t size, bool at_end);
void window_close(struct window *window);

#endif
