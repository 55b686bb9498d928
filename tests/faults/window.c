#include "faults/window.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "library/support.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define FORBID(start, size) ASAN_POISON_MEMORY_REGION(start, size)
#define PERMIT(start, size) ASAN_UNPOISON_MEMORY_REGION(start, size)
#else
#define FORBID(start, size) ((void)(start), (void)(size))
#define PERMIT(start, size) ((void)(start), (void)(size))
#endif

/* The file's pages, with the rights given, between two guard pages. */
static unsigned char *map_guarded(int file, size_t inner, int rights, size_t page)
{
    unsigned char *mapping =
        mmap(NULL, inner + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    ck_assert(mapping != MAP_FAILED);
    ck_assert(mmap(mapping + page, inner, rights, MAP_SHARED | MAP_FIXED, file, 0) != MAP_FAILED);
    return mapping;
}

struct window window_open(const void *bytes, size_t size, bool at_end)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t inner = (size + page - 1) / page * page + (size == 0 ? page : 0);
    size_t before = at_end ? inner - size : 0;
    int file = memfd_create("window", MFD_CLOEXEC);
    struct window window = {.size = size, .mapping_size = inner + 2 * page};

    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(ftruncate(file, (off_t)inner), 0);
    window.mappings[0] = map_guarded(file, inner, PROT_READ | PROT_WRITE, page);
    window.mappings[1] = map_guarded(file, inner, PROT_READ, page);
    window.bytes = (unsigned char *)window.mappings[0] + page + before;
    window.shown = (unsigned char *)window.mappings[1] + page + before;
    (void)close(file);
    if (size > 0) {
        memcpy(window.bytes, bytes, size);
    }
    FORBID(window.shown - before, before);
    FORBID(window.shown + size, inner - before - size);
    return window;
}

void window_close(struct window *window)
{
    for (unsigned i = 0; i < COUNT(window->mappings); i++) {
        PERMIT(window->mappings[i], window->mapping_size);
        ck_assert_int_eq(munmap(window->mappings[i], window->mapping_size), 0);
    }
}
