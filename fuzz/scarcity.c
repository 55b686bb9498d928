#include "scarcity.h"

#include <stdalign.h>
#include <string.h>

#include "demand.h"

/* What stands before the memory that is handed out. */
struct piece {
    alignas(max_align_t) size_t size;
};

static bool fails(struct scarcity *scarcity)
{
    if (scarcity->left > 0) {
        scarcity->left -= scarcity->left != PLENTY;
        return false;
    }
    scarcity->lacked = true;
    if (scarcity->once) {
        scarcity->left = PLENTY;
    }
    return true;
}

static void *allocate(void *context, size_t size)
{
    struct scarcity *scarcity = context;
    struct piece *piece = fails(scarcity) ? NULL : malloc(sizeof *piece + size);

    demand(size > 0);
    if (piece == NULL) {
        return NULL;
    }
    piece->size = size;
    scarcity->blocks++;
    return piece + 1;
}

static void release(void *context, void *memory, size_t size)
{
    struct scarcity *scarcity = context;
    struct piece *piece = (struct piece *)memory - 1;

    demand(piece->size == size && scarcity->blocks > 0);
    scarcity->blocks--;
    free(piece);
}

static void *reallocate(void *context, void *memory, size_t old_size, size_t new_size)
{
    void *moved = allocate(context, new_size);

    if (moved != NULL) {
        memcpy(moved, memory, old_size < new_size ? old_size : new_size);
        release(context, memory, old_size);
    }
    return moved;
}

struct weir_allocator scarce_allocator(struct scarcity *scarcity)
{
    return (struct weir_allocator){allocate, reallocate, release, scarcity};
}
