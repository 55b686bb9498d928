/*
 * instructions.h - what is timed, counted in instructions and mispredicted branches.
 *
 * Under `valgrind --tool=callgrind --instr-atstart=no --collect-atstart=no --branch-sim=yes`
 * whatever runs between instructions_begin and instructions_end is counted, and nothing else: what
 * a benchmark makes ready runs as fast as valgrind can. Elsewhere these do nothing, in a few
 * instructions, and belong outside of what the clock sees. They count what the calling thread does.
 *
 * What is counted is the same in each run of a program, however busy the machine is.
 */
#ifndef WEIR_BENCH_INSTRUCTIONS_H
#define WEIR_BENCH_INSTRUCTIONS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Counts from here on. */
void instructions_begin(void);

/* Counts no further: so many operations have been done since. */
void instructions_end(size_t operations);

/* Writes what has been counted into callgrind's next file, under `name`, and counts anew. Returns
 * the operations that it took; 0 if nothing was counted. */
size_t instructions_dump(const char *name);

#ifdef __cplusplus
}
#endif

#endif
