/* place.h - where an authority for a test keeps and publishes its tokens. */
#ifndef WEIR_TESTS_AUTHORITY_PLACE_H
#define WEIR_TESTS_AUTHORITY_PLACE_H

#include <stdbool.h>

/* A folder, and the paths of a store and a directory in it, which do not exist yet. False, and
 * errno set: there is none. */
bool place_make(char folder[256], char store[320], char directory[320]);

/* Removes the folder and all in it. False: it is left behind. */
bool place_remove(const char *folder);

#endif
