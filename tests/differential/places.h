/* places.h - a world's tokens in every place that answers questions. */
#ifndef WEIR_TESTS_DIFFERENTIAL_PLACES_H
#define WEIR_TESTS_DIFFERENTIAL_PLACES_H

#include <weir/engine.h>
#include <weir/follow.h>
#include <weir/publish.h>

#include "model/generate.h"

/* An engine has its tokens from an image, or has them itself. */
enum place_engine { ENGINE_OF_IMAGE, ENGINE_OF_TOKENS, ENGINES };

struct places {
    const struct world *world;
    struct weir_image *image;
    struct weir_engine *engines[ENGINES];
    char directory[256];
    struct weir_publisher *publisher;
    struct weir_follower *follower; /* half of the tokens came to it through the journal */
};

void places_open(struct places *places, const struct world *world);
void places_close(struct places *places);

/* The clocks at which the follower is asked: its world's wall clock, and the machine's boot time.
 */
struct weir_clocks places_clocks(const struct places *places);

/* A folder of its own for this process to write in, removed by folder_remove. */
void folder_make(char *path, size_t size);
void folder_remove(const char *path);

#endif
