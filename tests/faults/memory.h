/* memory.h - every public call without memory: a world to call in, the calls, and what fails. */
#ifndef WEIR_TESTS_FAULTS_MEMORY_H
#define WEIR_TESTS_FAULTS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/authority.h>
#include <weir/compile.h>
#include <weir/follow.h>
#include <weir/publish.h>
#include <weir/wire.h>

#include "library/samples.h"
#include "library/scratch.h"
#include "library/support.h"
#include "publish/stage.h"

/*
 * ---- What fails ----
 */

/* malloc, calloc and realloc of the whole process, libraries included: only where no sanitizer has
 * them already. They fail, and count, in the thread that says so and as long as it does. */
struct failing_malloc {
    bool watches;
    size_t calls;
    size_t fails_at; /* as in a counting_allocator */
    bool fails_ever_after;
    ptrdiff_t blocks; /* allocated and not freed while it watched */
};

extern _Thread_local struct failing_malloc failing_malloc;

/* Whether this program has a malloc of its own. */
bool malloc_can_fail(void);

/* As ck_assert, which takes memory itself. */
void demand(bool holds);

/*
 * ---- The world ----
 */

/* A token of so many scopes that compiling it takes memory that nobody keeps at hand. */
enum { LARGE_SCOPES = 3000 };

struct large_token {
    struct weir_token token;
    struct weir_scope scopes[LARGE_SCOPES];
    char names[LARGE_SCOPES][16];
};

/* One of each thing that a program may hold, with something in it. */
struct world {
    struct counting_allocator counting;
    const struct weir_allocator *allocator; /* the counting one's, or NULL: malloc */
    struct samples samples;
    struct scratch scratch; /* its path is the image's, saved */
    struct weir_image *image;
    struct weir_image *other;
    const struct weir_compiled_token *token; /* of the image */
    struct weir_compiler *compiler;
    struct large_token *large;
    struct weir_engine *engine;
    struct stage stage;
    struct weir_follower *follower; /* behind the publisher by a snapshot and a change */
    struct weir_question_buffer *buffer;
    struct weir_compiled_token *fresh;  /* a token that none has */
    struct weir_compiled_token *change; /* one for an id that has one */
    /* Of a world of an authority alone, beside what allocates and the stage's folder: */
    struct weir_authority *authority;
    struct weir_credential root; /* of its first token */
    struct weir_instant now;     /* what its clock says */
};

void world_make(struct world *world, bool by_malloc);
void world_remove(struct world *world);

/* Makes what a call needs beside the world: with memory, whatever is to fail. */
void make_with_memory(struct world *world, void (*make)(struct world *world));

/* Everything that can be asked of the world, as a number. */
uint64_t world_state(struct world *world);

/* Likewise a world of an authority, with a store and what is published of it. */
void authority_world_make(struct world *world, bool by_malloc);
void authority_world_remove(struct world *world);
uint64_t authority_world_state(struct world *world);
/* Another store, which the calls that open one make where they need it. */
void authority_world_make_other_store(struct world *world);

/*
 * ---- The calls ----
 */

enum peculiarity {
    NOTHING_PECULIAR,
    GOES_ON,  /* a call that fails may have gone a part of the way (F9, for one) */
    OF_OTHERS /* the only memory that it takes is libc's, jansson's or SQLite's */
};

struct call {
    const char *function;
    /* Calls it once, and demands that it has made nothing if it says so. What it made is given back
     * before the return, but for changes of the world. */
    enum weir_status (*run)(struct world *world, struct weir_error *error);
    enum peculiarity peculiarity;
};

extern const struct call calls[];
extern const size_t call_count;
extern const struct call authority_calls[]; /* for a world of an authority */
extern const size_t authority_call_count;

/* Calls all functions that take no memory, each after `note` was told its name. */
void call_silent(struct world *world, void (*note)(const char *function));
void call_authority_silent(struct world *world, void (*note)(const char *function));

#endif
