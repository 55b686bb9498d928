#include "differential/places.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/images.h"
#include "model/report.h"

/* So many tokens at most reach the follower through the journal, the others with the snapshot. */
#define JOURNALED_MAX 200

void folder_make(char *path, size_t size)
{
    const char *parent = getenv("TMPDIR");

    (void)snprintf(path, size, "%s/weir-differential-XXXXXX",
                   parent != NULL && parent[0] == '/'     ? parent
                   : access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm"
                                                          : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(path));
}

void folder_remove(const char *path)
{
    DIR *entries = opendir(path);
    const struct dirent *entry = NULL;

    ck_assert_ptr_nonnull(entries);
    while ((entry = readdir(entries)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            ck_assert_int_eq(unlinkat(dirfd(entries), entry->d_name, 0), 0);
        }
    }
    (void)closedir(entries);
    ck_assert_int_eq(rmdir(path), 0);
}

struct weir_clocks places_clocks(const struct places *places)
{
    struct weir_clocks clocks = weir_clocks_now();

    clocks.wall = places->world->now;
    return clocks;
}

static void open_engines(struct places *places)
{
    const struct world *world = places->world;
    const struct weir_compiled_token *token = NULL;
    const struct weir_compiled_token **tokens =
        must_allocate((world->count + 1) * sizeof(struct weir_compiled_token *));
    struct weir_error error;
    size_t count = 0;

    while ((token = weir_image_next(places->image, token)) != NULL) {
        tokens[count++] = token;
    }
    must_succeed(weir_engine_open(places->image, NULL, &places->engines[ENGINE_OF_IMAGE], &error),
                 &error, world, "opening an engine on an image");
    must_succeed(
        weir_engine_open_tokens(tokens, count, NULL, &places->engines[ENGINE_OF_TOKENS], &error),
        &error, world, "opening an engine on tokens");
    free(tokens);
}

/* The last tokens are published one by one: nobody follows them by a snapshot. */
static void publish(struct places *places)
{
    const struct world *world = places->world;
    const struct weir_publisher_options options = {.lease = WEIR_LEASE_MAX};
    size_t journaled = world->count / 2 < JOURNALED_MAX ? world->count / 2 : JOURNALED_MAX;
    size_t first = world->count - journaled;
    struct weir_image *snapshot = compile_tokens(world, world->tokens, first, 0);
    struct weir_error error;

    must_succeed(
        weir_publisher_create(places->directory, snapshot, &options, &places->publisher, &error),
        &error, world, "publishing");
    weir_image_close(snapshot);
    for (size_t i = first; i < world->count; i++) {
        const struct weir_compiled_token *token =
            weir_image_find(places->image, world->tokens[i].id);

        must_succeed(weir_publisher_issue(places->publisher, token, NULL, &error), &error, world,
                     "publishing a token");
    }
    weir_publisher_heartbeat(places->publisher);
}

void places_open(struct places *places, const struct world *world)
{
    struct weir_error error;

    *places = (struct places){.world = world, .image = compile_world(world)};
    open_engines(places);
    folder_make(places->directory, sizeof places->directory);
    publish(places);
    must_succeed(weir_follower_open(places->directory, NULL, &places->follower, &error), &error,
                 world, "following");
    must_succeed(weir_follower_poll(places->follower, places_clocks(places).boot, 0, &error),
                 &error, world, "polling");
}

void places_close(struct places *places)
{
    weir_follower_close(places->follower);
    weir_publisher_close(places->publisher);
    folder_remove(places->directory);
    for (size_t i = 0; i < ENGINES; i++) {
        weir_engine_close(places->engines[i]);
    }
    weir_image_close(places->image);
}
