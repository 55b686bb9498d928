/* ask.h - asks an image everything that can be asked of one. */
#ifndef WEIR_FUZZ_ASK_H
#define WEIR_FUZZ_ASK_H

#include <weir/image.h>

/* Asks about every token, in names taken from `hints` (size bytes of anything) and from the tokens
 * themselves. Aborts where answers contradict each other; else a sanitizer is the judge. */
void ask_everything(const struct weir_image *image, const char *hints, size_t size);

#endif
