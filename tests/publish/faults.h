/* faults.h - writes that fail. Needs the linker's --wrap=pwrite. */
#ifndef WEIR_TESTS_PUBLISH_FAULTS_H
#define WEIR_TESTS_PUBLISH_FAULTS_H

#include <stdbool.h>
#include <stddef.h>

/* How this process's pwrite fares; all zero: as ever. */
struct faults {
    size_t calls;    /* so far */
    size_t fails_at; /* this one, from 1, has no space; 0: none */
    bool ever_after; /* and none after it has */
    bool halfway;    /* the one that fails is preceded by one that writes half */
};

extern struct faults faults;

#endif
