/* hostile.h - images whose index of ids somebody has filled against us. */
#ifndef WEIR_TESTS_LIVE_HOSTILE_H
#define WEIR_TESTS_LIVE_HOSTILE_H

#include <stddef.h>

#include <weir/image.h>

enum {
    HOSTILE_IDS = 64,  /* all of one home and one tag */
    HOSTILE_SLOTS = 40 /* that a key of one home may have */
};

struct hostile {
    char ids[HOSTILE_IDS][16];
    struct weir_image *image;
    unsigned char *bytes;
};

/*
 * An image of the first `count` of the ids, each of which allows version 1 and has no credential:
 * so many in slots, until those are full, all others in the overflow. Whatever id of these is
 * looked for, also one of those that it lacks, every slot has its tag.
 */
void hostile_make(struct hostile *hostile, size_t count, size_t slots);

/* Likewise an image of two homes, the ids of each of which are all in their home bucket: none has
 * gone by any. Those that begin at home 0 are told by hostile_home. */
void hostile_make_of_two_homes(struct hostile *hostile, size_t count);
unsigned hostile_home(const char *id);
void hostile_free(struct hostile *hostile);

#endif
