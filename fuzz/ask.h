/* ask.h - asks an image, or an engine, everything that can be asked of one. */
#ifndef WEIR_FUZZ_ASK_H
#define WEIR_FUZZ_ASK_H

#include <weir/engine.h>
#include <weir/image.h>

/* Asks about every token, in names taken from `hints` (size bytes of anything) and from the tokens
 * themselves. Aborts where answers contradict each other; else a sanitizer is the judge. */
void ask_everything(const struct weir_image *image, const char *hints, size_t size);

/* Likewise of an engine, whose changes are the caller's, and of the image that it compacts. */
void ask_engine(const struct weir_engine *engine, const char *hints, size_t size);

#endif
