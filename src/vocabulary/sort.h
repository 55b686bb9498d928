/* sort.h - sorting in place. qsort takes memory of its own from malloc, which is not the caller's
 * allocator and may fail unseen. */
#ifndef WEIR_VOCABULARY_SORT_H
#define WEIR_VOCABULARY_SORT_H

#include <stddef.h>

/* The order of two elements, as for qsort. */
typedef int weir_comparison(const void *left, const void *right, const void *context);

/* Sorts `count` elements of `size` bytes, at most WEIR_SORT_SIZE_MAX. No memory, no recursion, n
 * log n comparisons whatever the input. Elements that compare equal end in any order. */
#define WEIR_SORT_SIZE_MAX 64
void weir_sort(void *elements, size_t count, size_t size, weir_comparison *compare,
               const void *context);

#endif
