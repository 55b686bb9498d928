#include "vocabulary/sort.h"

#include <string.h>

/* A heap: no element comes before its parent; the greatest is the first. */
struct heap {
    char *elements;
    size_t count;
    size_t size;
    weir_comparison *compare;
    const void *context;
};

static char *at(const struct heap *heap, size_t index)
{
    return heap->elements + index * heap->size;
}

/* Lets the element at `index` sink to where it belongs. */
static void sink(const struct heap *heap, size_t index)
{
    char sinking[WEIR_SORT_SIZE_MAX];
    size_t child = 2 * index + 1;

    memcpy(sinking, at(heap, index), heap->size);
    while (child < heap->count) {
        if (child + 1 < heap->count &&
            heap->compare(at(heap, child), at(heap, child + 1), heap->context) < 0) {
            child++;
        }
        if (heap->compare(sinking, at(heap, child), heap->context) >= 0) {
            break;
        }
        memcpy(at(heap, index), at(heap, child), heap->size);
        index = child;
        child = 2 * index + 1;
    }
    memcpy(at(heap, index), sinking, heap->size);
}

void weir_sort(void *elements, size_t count, size_t size, weir_comparison *compare,
               const void *context)
{
    struct heap heap = {elements, count, size, compare, context};
    char last[WEIR_SORT_SIZE_MAX];

    for (size_t index = count / 2; index > 0; index--) {
        sink(&heap, index - 1);
    }
    while (heap.count > 1) {
        heap.count--;
        memcpy(last, at(&heap, heap.count), size);
        memcpy(at(&heap, heap.count), heap.elements, size);
        memcpy(heap.elements, last, size);
        sink(&heap, 0);
    }
}
