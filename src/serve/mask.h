/* mask.h - keeping credentials out of what is written. */
#ifndef WEIR_SERVE_MASK_H
#define WEIR_SERVE_MASK_H

#include <stddef.h>

/* Puts `(a credential)` for each credential in the text, wherever it is. The length then. */
size_t mask_credentials(char *bytes, size_t length);

#endif
