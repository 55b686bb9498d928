#include "json_memory.h"

#include <jansson.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "command.h"

#define AREA_SIZE ((size_t)256 << 10)
#define ALIGNMENT alignof(max_align_t)

static struct {
    alignas(max_align_t) char bytes[AREA_SIZE];
    size_t used;
    size_t live; /* number of allocations in the area that are not freed */
} area;

/* jansson goes on with a string that it could not make room for, so there is nothing to return to.
 */
static void *allocate_or_end(size_t size)
{
    static const char message[] = "weir: out of memory\n";
    void *memory = malloc(size);

    if (memory == NULL) {
        (void)!write(STDERR_FILENO, message, sizeof message - 1);
        _exit(EXIT_TROUBLE);
    }
    return memory;
}

static void *allocate(size_t size)
{
    char *memory = area.bytes + area.used;
    size_t room = AREA_SIZE - area.used;

    if (size > room || room - size < ALIGNMENT) {
        return allocate_or_end(size);
    }
    area.used += (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
    area.live++;
    return memory;
}

static void release(void *memory)
{
    if ((uintptr_t)memory - (uintptr_t)area.bytes >= AREA_SIZE) {
        free(memory);
        return;
    }
    if (--area.live == 0) {
        area.used = 0;
    }
}

void json_memory_init(void)
{
#ifndef WEIR_SANITIZED /* a sanitizer sees more of each value if it is allocated singly */
    json_set_alloc_funcs(allocate, release);
#else
    (void)allocate;
    (void)release;
#endif
}
