/* allocator.h - where Weir's memory comes from. */
#ifndef WEIR_ALLOCATOR_H
#define WEIR_ALLOCATOR_H

#include <stddef.h>

#include <weir/declarations.h>

WEIR_DECLARATIONS_BEGIN

/*
 * The functions through which an object gets and returns its memory. Wherever a function takes a
 * `const struct weir_allocator *`, NULL means malloc, realloc and free, where blocks of 32 MiB or
 * more ask for large pages (madvise, MADV_HUGEPAGE), which make checks among millions of tokens
 * cheaper: an allocator of the host's own does well to give such. The structure is copied, so it
 * need not outlive the call; what `context` points to must outlive the object.
 *
 * The functions are called by the thread that called Weir, never while a check is running.
 */
struct weir_allocator {
    /* `size` bytes (never 0) aligned for any type, or NULL: the call then fails, changing nothing.
     */
    void *(*allocate)(void *context, size_t size);
    /* As realloc; `memory` is never NULL. On NULL the old memory is untouched. */
    void *(*reallocate)(void *context, void *memory, size_t old_size, size_t new_size);
    /* `size` is what was asked for; `memory` is never NULL. */
    void (*release)(void *context, void *memory, size_t size);
    void *context;
};

WEIR_DECLARATIONS_END

#endif
