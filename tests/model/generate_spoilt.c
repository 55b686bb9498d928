/* Declarations that are one thing away from those that may be compiled. */
#include <string.h>

#include "model/generate_world.h"

static struct weir_text spoilt(struct world *world, enum weir_set_role role, struct weir_text text)
{
    struct draft draft;

    draft_set(&draft, role, text);
    draft_spoil(&draft, &world->dice);
    return world_keep(world, draft_text(&draft));
}

static void spoil_set(struct world *world, enum weir_set_role role, struct weir_set *set)
{
    static const enum weir_set_kind kinds[] = {WEIR_SET_NOTHING, WEIR_SET_EXACT, WEIR_SET_PREFIX,
                                               (enum weir_set_kind)3, (enum weir_set_kind)77};

    if (dice_chance(&world->dice, 70)) {
        set->name = spoilt(world, role, set->name);
    }
    if (dice_chance(&world->dice, 40)) {
        set->kind = kinds[dice_below(&world->dice, sizeof kinds / sizeof kinds[0])];
    }
}

static void spoil_operations(struct dice *dice, struct weir_scope *scope)
{
    static const unsigned bits[] = {0, 1, 24, 25, 32, 63};

    scope->ops = dice_chance(dice, 40) ? 0 : UINT64_C(1) << bits[dice_below(dice, 6)];
    scope->op_groups = dice_chance(dice, 40) ? 0 : 1u << dice_below(dice, 8);
}

static void spoil_expiry(struct dice *dice, struct weir_token *token)
{
    static const int64_t seconds[] = {WEIR_INSTANT_SECONDS_MIN - 1,
                                      WEIR_INSTANT_SECONDS_MIN,
                                      WEIR_INSTANT_SECONDS_MAX,
                                      WEIR_INSTANT_SECONDS_MAX + 1,
                                      INT64_MIN,
                                      INT64_MAX};
    static const uint32_t nanoseconds[] = {0, 999999999, 1000000000, UINT32_MAX};

    token->expires = dice_chance(dice, 80);
    token->expires_at.seconds = seconds[dice_below(dice, 6)];
    token->expires_at.nanoseconds = nanoseconds[dice_below(dice, 4)];
}

/* Enough for the place of a fault to matter. */
#define SPOILT_SCOPES_MAX 40

struct weir_token world_spoilt_token(struct world *world)
{
    struct weir_token token = world->tokens[dice_below(&world->dice, world->count)];
    struct weir_scope *scopes = world_allocate(world, SPOILT_SCOPES_MAX * sizeof *scopes);
    struct weir_scope *scope = NULL;

    if (token.scope_count > SPOILT_SCOPES_MAX) {
        token.scope_count = SPOILT_SCOPES_MAX;
    }
    memcpy(scopes, token.scopes, token.scope_count * sizeof *scopes);
    token.scopes = scopes;
    scope = &scopes[dice_below(&world->dice, token.scope_count)];
    switch (dice_below(&world->dice, 10)) {
    case 0:
    case 1:
        token.id = spoilt(world, WEIR_ACCESS_TOKENS, token.id);
        break;
    case 2:
        token.auto_prefix_streams = !token.auto_prefix_streams;
        break;
    case 3:
        spoil_expiry(&world->dice, &token);
        break;
    case 4:
        spoil_operations(&world->dice, scope);
        break;
    case 5:
        token.scope_count = dice_below(&world->dice, 2);
        break;
    case 6:
        spoil_set(world, WEIR_BASINS, &scope->basins);
        break;
    case 7:
        spoil_set(world, WEIR_ACCESS_TOKENS, &scope->access_tokens);
        break;
    default:
        spoil_set(world, WEIR_STREAMS, &scope->streams);
        break;
    }
    return token;
}
