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

/* Whether ThreadSanitizer watches, which takes a vector read beside an atomic store for a race. */
#if defined(__SANITIZE_THREAD__)
#define WEIR_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WEIR_TSAN 1
#endif
#endif
#ifndef WEIR_TSAN
#define WEIR_TSAN 0
#endif

#endif
