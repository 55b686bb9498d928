/* vector.h - whether sixteen bytes are looked at at once. Every such place has a portable form
 * beside it, which WEIR_PORTABLE chooses. */
#ifndef WEIR_VOCABULARY_VECTOR_H
#define WEIR_VOCABULARY_VECTOR_H

#if defined(__SSE2__) && !defined(WEIR_PORTABLE)
#define WEIR_SSE2 1
#include <emmintrin.h>
#else
#define WEIR_SSE2 0
#endif

#endif
