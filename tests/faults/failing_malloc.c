/* failing_malloc.c - the process's malloc, in front of glibc's. */
#include <errno.h>
#include <stdlib.h>

#include "faults/memory.h"

_Thread_local struct failing_malloc failing_malloc;

void make_with_memory(struct world *world, void (*make)(struct world *world))
{
    bool watches = failing_malloc.watches;
    size_t fails_at = world->counting.fails_at;

    failing_malloc.watches = false;
    world->counting.fails_at = 0;
    make(world);
    world->counting.fails_at = fails_at;
    failing_malloc.watches = watches;
}

#if defined(WEIR_FAILING_MALLOC)

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void __libc_free(void *memory);

/* Shared libraries are to find them, too. */
#define IN_FRONT __attribute__((visibility("default")))

bool malloc_can_fail(void)
{
    return true;
}

static bool call_fails(void)
{
    struct failing_malloc *failing = &failing_malloc;

    if (!failing->watches) {
        return false;
    }
    failing->calls++;
    if (failing->fails_at == 0 || failing->calls < failing->fails_at ||
        (failing->calls > failing->fails_at && !failing->fails_ever_after)) {
        return false;
    }
    errno = ENOMEM;
    return true;
}

static void *counted(void *memory)
{
    failing_malloc.blocks += failing_malloc.watches && memory != NULL;
    return memory;
}

IN_FRONT void *malloc(size_t size)
{
    return call_fails() ? NULL : counted(__libc_malloc(size));
}

IN_FRONT void *calloc(size_t count, size_t size)
{
    return call_fails() ? NULL : counted(__libc_calloc(count, size));
}

IN_FRONT void *realloc(void *memory, size_t size)
{
    if (call_fails()) {
        return NULL;
    }
    return memory == NULL ? counted(__libc_malloc(size)) : __libc_realloc(memory, size);
}

IN_FRONT void free(void *memory)
{
    failing_malloc.blocks -= failing_malloc.watches && memory != NULL;
    __libc_free(memory);
}

#else

bool malloc_can_fail(void)
{
    return false;
}

#endif
