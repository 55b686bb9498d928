#include "model/generate.h"

#include <stdlib.h>
#include <string.h>

#include "model/generate_world.h"
#include "model/naive.h"

static const struct world_shape shapes[] = {
    {"ordinary", {10, 120}, {1, 3}, 30, 0, 20000, 20, 20, 5, 10, 30, {20, 10}},
    {"one scope", {40, 250}, {1, 1}, 30, 0, 20000, 25, 10, 5, 10, 50, {15, 10}},
    {"brokers", {2, 8}, {20, 120}, 80, 0, 20000, 25, 30, 3, 10, 0, {15, 10}},
    {"hundreds of scopes", {1, 3}, {200, 600}, 200, 0, 8000, 30, 50, 3, 10, 0, {15, 10}},
    {"fan-outs", {2, 8}, {30, 250}, 4, 0, 12000, 40, 100, 0, 10, 0, {5, 5}},
    {"look-alikes", {30, 100}, {1, 4}, 16, 0, 20000, 30, 0, 2, 20, 40, {80, 10}},
    {"coinciding scopes", {10, 60}, {1, 30}, 12, 12, 20000, 25, 10, 2, 20, 40, {10, 10}},
    {"wildcard basins", {2, 5}, {40, 300}, 60, 0, 12000, 55, 30, 2, 10, 0, {10, 10}},
    {"nested prefixes", {5, 20}, {5, 60}, 40, 0, 20000, 10, 0, 2, 75, 30, {10, 10}},
    {"long names", {5, 40}, {1, 20}, 24, 0, 12000, 25, 20, 60, 30, 60, {15, 15}},
    {"strange characters", {10, 60}, {1, 12}, 30, 0, 20000, 25, 30, 5, 10, 40, {20, 70}},
    {"a crowd", {1500, 4000}, {1, 1}, 200, 0, 8000, 25, 20, 3, 10, 30, {10, 10}},
    {"hardly any", {0, 2}, {1, 3}, 6, 0, 3000, 25, 20, 5, 10, 40, {10, 10}},
    {"ten thousand scopes", {1, 2}, {10000, 10000}, 2000, 0, 4000, 45, 50, 1, 20, 0, {10, 10}},
};

#define SHAPE_COUNT (sizeof shapes / sizeof shapes[0])

static const struct world_shape *shape_of_seed(uint64_t seed)
{
    size_t place = (size_t)(seed % WORLD_SHAPE_PERIOD);

    return &shapes[place == WORLD_SHAPE_PERIOD - 1 ? SHAPE_COUNT - 1 : place % (SHAPE_COUNT - 1)];
}

void *must_allocate(size_t size)
{
    void *memory = malloc(size == 0 ? 1 : size);

    if (memory == NULL) {
        abort();
    }
    return memory;
}

void *must_grow(void *memory, size_t count, size_t *room, size_t size)
{
    if (count < *room) {
        return memory;
    }
    *room = 2 * count + 16;
    memory = realloc(memory, *room * size);
    if (memory == NULL) {
        abort();
    }
    return memory;
}

void *world_allocate(struct world *world, size_t size)
{
    world->memory =
        must_grow(world->memory, world->memory_count, &world->memory_room, sizeof *world->memory);
    return world->memory[world->memory_count++] = must_allocate(size);
}

struct weir_text world_keep(struct world *world, struct weir_text text)
{
    char *bytes = world_allocate(world, text.length);

    if (text.length > 0) {
        memcpy(bytes, text.bytes, text.length);
    }
    return (struct weir_text){bytes, text.length};
}

/* ---- Pools ---- */

static void pool_add(struct world *world, struct pool *pool, const struct draft *draft)
{
    pool->texts[pool->count++] = world_keep(world, draft_text(draft));
}

struct weir_text world_any_text(struct world *world, enum weir_set_role role)
{
    const struct pool *pool = &world->pools[role];

    return pool->count == 0 ? (struct weir_text){NULL, 0}
                            : pool->texts[dice_below(&world->dice, pool->count)];
}

/* Draws a text that is new, or a relative of one in the pool. */
static void draw_text(struct world *world, enum weir_set_role role, struct draft *draft)
{
    const struct pool *pool = &world->pools[role];
    struct dice *dice = &world->dice;
    struct weir_text parent = world_any_text(world, role);
    size_t pieces = 1;

    if (pool->count > 0 && dice_chance(dice, world->form->nested)) {
        parent = pool->texts[pool->count - 1];
    } else if (dice_chance(dice, 30)) {
        parent.length = 0;
        pieces = dice_below(dice, 6);
    } else if (dice_chance(dice, 20)) {
        pieces = 3;
    }
    draft_set(draft, role, parent);
    if (dice_chance(dice, 30)) {
        draft_drop_character(draft);
    }
    while (pieces-- > 0) {
        draft_add_piece(draft, dice, world->form->strangeness);
    }
    draft_cut(draft, longest_name(role));
    if (dice_chance(dice, world->form->longest)) {
        draft_fill(draft, dice, longest_name(role) - dice_below(dice, 2));
    }
}

/* Adds texts that part at one byte: some of the bytes a character can begin with, or end with. */
static void fill_fan(struct world *world, enum weir_set_role role, struct pool *pool)
{
    static const size_t widths[] = {2, 3, 4, 5, 8, 9, 15, 16, 17, 32, 33, 64, 128, 1000};
    struct dice *dice = &world->dice;
    struct weir_text stem = world_any_text(world, role);
    size_t width = widths[dice_below(dice, sizeof widths / sizeof widths[0])];
    const bool last_bytes = role != WEIR_BASINS && dice_chance(dice, 25);
    const size_t bytes = last_bytes ? 64 : first_bytes(role);
    size_t number = dice_below(dice, bytes);
    struct draft draft;

    for (width = width < bytes ? width : bytes; width > 0; width--) {
        draft_set(&draft, role, stem);
        draft_cut(&draft, longest_name(role) - 8);
        number = (number + (bytes > 2 * width ? 1 + dice_below(dice, 2) : 1)) % bytes;
        if (last_bytes) {
            draft_add_last_byte(&draft, number);
        } else {
            draft_add_first_byte(&draft, dice, number);
        }
        if (dice_chance(dice, 40)) {
            draft_add_piece(&draft, dice, world->form->strangeness);
            draft_cut(&draft, longest_name(role));
        }
        if (naive_basin_prefix_valid(draft_text(&draft)) || role != WEIR_BASINS) {
            pool_add(world, pool, &draft);
        }
    }
}

static void fill_pool(struct world *world, enum weir_set_role role)
{
    const size_t room = world->form->texts + first_bytes(WEIR_STREAMS);
    struct pool *pool = &world->pools[role];
    struct draft draft;

    pool->texts = world_allocate(world, room * sizeof *pool->texts);
    while (pool->count < world->form->texts) {
        draw_text(world, role, &draft);
        pool_add(world, pool, &draft);
    }
    if (dice_chance(&world->dice, world->form->fan)) {
        fill_fan(world, role, pool);
    }
}

/* ---- Tokens ---- */

static struct weir_set draw_set(struct world *world, enum weir_set_role role)
{
    const unsigned wildcard = role == WEIR_BASINS ? world->form->wildcard : 12;
    size_t roll = dice_below(&world->dice, 100);
    struct weir_text text = world_any_text(world, role);
    struct draft draft;

    if (roll < 6) {
        return (struct weir_set){WEIR_SET_NOTHING, {NULL, 0}};
    }
    if (roll < 8) {
        return (struct weir_set){WEIR_SET_EXACT, {NULL, 0}};
    }
    if (roll < 8 + wildcard) {
        return (struct weir_set){WEIR_SET_PREFIX, {NULL, 0}};
    }
    if (dice_chance(&world->dice, 50)) {
        return (struct weir_set){WEIR_SET_PREFIX, text};
    }
    draft_set(&draft, role, text);
    draft_complete(&draft, &world->dice);
    return (struct weir_set){WEIR_SET_EXACT, world_keep(world, draft_text(&draft))};
}

static void draw_operations(struct dice *dice, struct weir_scope *scope)
{
    size_t roll = dice_below(dice, 100);

    if (roll < 45) {
        for (size_t count = dice_chance(dice, 60) ? 1 : 2 + dice_below(dice, 4); count > 0;
             count--) {
            scope->ops |= UINT64_C(1) << dice_between(dice, 1, 24);
        }
    }
    if (roll >= 40 && roll < 90) {
        scope->op_groups = (unsigned)dice_between(dice, 1, 63);
    }
    if (roll >= 90 && roll < 95) {
        scope->ops = WEIR_OPERATIONS_ALL;
    }
    if (roll >= 95) {
        scope->op_groups = WEIR_GROUP_BITS_ALL;
    }
}

static struct weir_scope draw_scope(struct world *world)
{
    struct weir_scope scope = {0};

    if (world->common_count > 0) {
        return world->common[dice_below(&world->dice, world->common_count)];
    }
    scope.basins = draw_set(world, WEIR_BASINS);
    scope.streams = draw_set(world, WEIR_STREAMS);
    scope.access_tokens = draw_set(world, WEIR_ACCESS_TOKENS);
    draw_operations(&world->dice, &scope);
    return scope;
}

static const struct weir_token *token_of_id(const struct world *world, struct weir_text id)
{
    for (size_t i = 0; i < world->count; i++) {
        if (naive_same(world->tokens[i].id, id)) {
            return &world->tokens[i];
        }
    }
    return NULL;
}

static struct weir_text draw_id(struct world *world)
{
    struct draft draft;

    draw_text(world, WEIR_ACCESS_TOKENS, &draft);
    draft_complete(&draft, &world->dice);
    while (token_of_id(world, draft_text(&draft)) != NULL) {
        draft_cut(&draft, dice_below(&world->dice, WEIR_TOKEN_ID_MAX - 4));
        draft_add_first_byte(&draft, &world->dice,
                             dice_below(&world->dice, first_bytes(WEIR_ACCESS_TOKENS)));
        draft_complete(&draft, &world->dice);
    }
    return world_keep(world, draft_text(&draft));
}

/* A token's expiry cannot lie where an instant can. */
static struct weir_instant within_bounds(struct weir_instant instant)
{
    if (instant.seconds < WEIR_INSTANT_SECONDS_MIN) {
        return (struct weir_instant){WEIR_INSTANT_SECONDS_MIN, 0};
    }
    if (instant.seconds > WEIR_INSTANT_SECONDS_MAX) {
        return (struct weir_instant){WEIR_INSTANT_SECONDS_MAX, 999999999};
    }
    return instant;
}

static struct weir_instant draw_expiry(struct world *world)
{
    static const uint32_t ends[] = {0, 1, 999999998, 999999999};
    struct dice *dice = &world->dice;
    struct weir_instant expiry = within_bounds(world->now);
    size_t roll = dice_below(dice, 20);

    if (roll < 3 && expiry.nanoseconds < 999999999) {
        expiry.nanoseconds++;
    } else if (roll < 5 && expiry.nanoseconds > 0) {
        expiry.nanoseconds--;
    } else if (roll < 8) {
        expiry.seconds += 1 - 2 * (int64_t)dice_below(dice, 2);
    } else if (roll < 10) {
        expiry.seconds = WEIR_INSTANT_SECONDS_MIN + (int64_t)dice_below(dice, 2);
        expiry.nanoseconds = ends[dice_below(dice, 4)];
    } else if (roll < 14) {
        expiry.seconds = WEIR_INSTANT_SECONDS_MAX - (int64_t)dice_below(dice, 2);
        expiry.nanoseconds = ends[dice_below(dice, 4)];
    } else if (roll < 18) {
        expiry.seconds = INT64_C(2000000000) + (int64_t)dice_below(dice, 1000000000);
        expiry.nanoseconds = (uint32_t)dice_below(dice, 1000000000);
    }
    return expiry;
}

static bool can_expire_at(struct weir_instant instant)
{
    return instant.seconds >= WEIR_INSTANT_SECONDS_MIN &&
           instant.seconds <= WEIR_INSTANT_SECONDS_MAX;
}

static bool digest_taken(const struct world *world, const uint8_t *digest)
{
    for (size_t i = 0; i < world->count; i++) {
        if (world->tokens[i].has_credential_digest &&
            memcmp(world->tokens[i].credential_digest, digest, WEIR_DIGEST_SIZE) == 0) {
            return true;
        }
    }
    return false;
}

/* A digest of its own, often one bit away from that of another token. */
static void draw_digest(struct world *world, struct weir_token *token)
{
    const struct weir_token *other =
        world->count == 0 ? NULL : &world->tokens[dice_below(&world->dice, world->count)];

    token->has_credential_digest = true;
    if (other != NULL && other->has_credential_digest && dice_chance(&world->dice, 50)) {
        memcpy(token->credential_digest, other->credential_digest, WEIR_DIGEST_SIZE);
    }
    while (digest_taken(world, token->credential_digest)) {
        token->credential_digest[dice_below(&world->dice, WEIR_DIGEST_SIZE)] ^=
            (uint8_t)(1u << dice_below(&world->dice, 8));
    }
    if (dice_chance(&world->dice, 60)) {
        do {
            for (size_t i = 0; i < WEIR_DIGEST_SIZE; i++) {
                token->credential_digest[i] = (uint8_t)dice_bits(&world->dice);
            }
        } while (digest_taken(world, token->credential_digest));
    }
}

static void draw_token(struct world *world, struct weir_token *token)
{
    static const uint64_t issue_numbers[] = {0, 1, UINT32_MAX, UINT64_MAX};
    struct dice *dice = &world->dice;
    const size_t count = dice_between(dice, world->form->scopes.least, world->form->scopes.most);
    struct weir_scope *scopes = world_allocate(world, count * sizeof *scopes);

    *token = (struct weir_token){.scopes = scopes, .scope_count = count};
    token->id = draw_id(world);
    for (size_t i = 0; i < count; i++) {
        scopes[i] = draw_scope(world);
    }
    if (count == 1 && scopes[0].streams.kind == WEIR_SET_PREFIX) {
        token->auto_prefix_streams = dice_chance(dice, world->form->auto_prefix);
    }
    token->expires_at = draw_expiry(world);
    token->expires = dice_chance(dice, 30) && can_expire_at(token->expires_at);
    if (dice_chance(dice, 40)) {
        draw_digest(world, token);
    }
    token->issue_number =
        dice_chance(dice, 50) ? issue_numbers[dice_below(dice, 4)] : dice_bits(dice);
}

/* ---- Worlds ---- */

static struct weir_instant draw_now(struct dice *dice)
{
    static const struct weir_instant ends[] = {
        {WEIR_INSTANT_SECONDS_MIN, 0},
        {WEIR_INSTANT_SECONDS_MIN, 1},
        {WEIR_INSTANT_SECONDS_MIN - 1, 999999999},
        {INT64_MIN, 0},
        {WEIR_INSTANT_SECONDS_MAX, 0},
        {WEIR_INSTANT_SECONDS_MAX, 999999999},
        {WEIR_INSTANT_SECONDS_MAX + 1, 0},
        {INT64_MAX, 999999999},
        {0, 0},
        {-1, 999999999},
    };
    static const uint32_t nanoseconds[] = {0, 1, 500000000, 999999999};

    if (dice_chance(dice, 12)) {
        return ends[dice_below(dice, sizeof ends / sizeof ends[0])];
    }
    return (struct weir_instant){INT64_C(1795435200) + (int64_t)dice_below(dice, 100000),
                                 nanoseconds[dice_below(dice, 4)]};
}

static void draw_common_scopes(struct world *world)
{
    const size_t count = world->form->common_scopes;
    struct weir_scope *scopes = world_allocate(world, count * sizeof *scopes);

    for (size_t i = 0; i < count; i++) {
        scopes[i] = draw_scope(world);
    }
    world->common = scopes;
    world->common_count = count;
}

struct world *world_new(uint64_t seed)
{
    struct world *world = must_allocate(sizeof *world);
    const struct world_shape *form = shape_of_seed(seed);
    size_t count = 0;

    *world = (struct world){.seed = seed, .dice = {seed}, .form = form};
    world->shape = form->name;
    world->questions = form->questions;
    world->now = draw_now(&world->dice);
    fill_pool(world, WEIR_BASINS);
    fill_pool(world, WEIR_STREAMS);
    fill_pool(world, WEIR_ACCESS_TOKENS);
    draw_common_scopes(world);
    count = dice_between(&world->dice, form->tokens.least, form->tokens.most);
    world->tokens = world_allocate(world, count * sizeof *world->tokens);
    while (world->count < count) {
        struct weir_token token;

        draw_token(world, &token);
        world->tokens[world->count++] = token;
    }
    return world;
}

void world_free(struct world *world)
{
    for (size_t i = 0; i < world->memory_count; i++) {
        free(world->memory[i]);
    }
    free(world->memory);
    free(world);
}

void shuffle(struct dice *dice, void *things, size_t count, size_t size)
{
    char *bytes = things;
    char held[256];

    for (size_t left = count; left > 1 && size <= sizeof held; left--) {
        char *last = bytes + (left - 1) * size;
        char *other = bytes + dice_below(dice, left) * size;

        memcpy(held, last, size);
        memmove(last, other, size);
        memcpy(other, held, size);
    }
}
