/* recipes.h - tokens told in a line, and everything that may be asked about them. */
#ifndef WEIR_TESTS_LIVE_RECIPES_H
#define WEIR_TESTS_LIVE_RECIPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/engine.h>
#include <weir/token.h>

/* The instant at which everything is asked, unless another is given. */
#define NOW_SECONDS INT64_C(1795435200)
#define NOW ((struct weir_instant){NOW_SECONDS, 0})

/* A token that allows one thing: reading the stream whose name tells its version. Of an id of 8
 * bytes or more it is one that is answered quickly. */
struct recipe {
    const char *id;
    unsigned version;
    uint64_t issue_number;
    unsigned credential; /* what its digest is made of; 0: it has none */
    int64_t expires_at;  /* in seconds; 0: never */
};

/* That stream. Its name is as long as makes tokens with ids of 1 to 8 bytes take the same room in a
 * journal. */
struct version_stream {
    char name[24];
};

#define FIRST_VERSION_STREAM WEIR_TEXT("version/0001/")

struct version_stream stream_of(unsigned version);

/* The recipe as a declaration. Its texts point into it. */
struct declared {
    struct weir_token token;
    struct weir_scope scope;
    struct version_stream stream;
};

void declare(struct declared *declared, struct recipe recipe);
void digest_of(unsigned credential, uint8_t digest[WEIR_DIGEST_SIZE]);

/* Compiled; free it with free. */
struct weir_compiled_token *compile_recipe(struct recipe recipe);
struct weir_image *compile_recipes(const struct recipe *recipes, size_t count, uint64_t sequence);

/* An engine on the recipes' image, which is the caller's to close, or on nothing. */
struct weir_engine *engine_on(const struct weir_image *image,
                              const struct weir_engine_options *options);

/* The changes, each with an error that is as it should be. */
enum weir_status issue_token(struct weir_engine *engine, struct recipe recipe);
enum weir_status replace_token(struct weir_engine *engine, struct recipe recipe);
enum weir_status put_token(struct weir_engine *engine, struct recipe recipe);
enum weir_status revoke_token(struct weir_engine *engine, const char *id);
enum weir_status swap_image(struct weir_engine *engine, const struct weir_image *image);
enum weir_status reclaim(struct weir_engine *engine);

/*
 * May the token read the stream of that version? Asked in every way that there is: alone, among
 * others in a batch, of the token found, of the token resolved. Demands that all agree.
 */
enum weir_reason ask_at(const struct weir_engine *engine, const char *id, unsigned version,
                        struct weir_instant now);
enum weir_reason ask(const struct weir_engine *engine, const char *id, unsigned version);
enum weir_reason ask_by_credential(const struct weir_engine *engine, unsigned credential,
                                   unsigned version);

/* Likewise of one token that was resolved before. */
enum weir_reason ask_resolved_at(const struct weir_engine *engine, struct weir_resolved *resolved,
                                 unsigned version, struct weir_instant now);
enum weir_reason ask_resolved(const struct weir_engine *engine, struct weir_resolved *resolved,
                              unsigned version);
struct weir_resolved resolve(const struct weir_engine *engine, const char *id);
struct weir_resolved resolve_by_credential(const struct weir_engine *engine, unsigned credential);

/* Every answer about the ids "a" to "h", the credentials and the versions from 1 to 8. */
enum { STATE_SIZE = 8 };

struct state {
    enum weir_reason by_id[STATE_SIZE][STATE_SIZE];
    enum weir_reason by_credential[STATE_SIZE][STATE_SIZE];
    uint64_t issue_numbers[STATE_SIZE];
    uint64_t tokens;
    uint64_t own_tokens;
};

struct state state_of(const struct weir_engine *engine);
bool states_equal(const struct state *left, const struct state *right);

#endif
