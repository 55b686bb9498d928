#include "model/rewrite.h"

#include <stdlib.h>
#include <string.h>

#include "model/naive.h"
#include "model/naive_difference.h"

static void begin(struct rewriting *rewriting, const struct weir_token *token)
{
    *rewriting = (struct rewriting){.token = *token, .room = token->scope_count + 16};
    rewriting->scopes = must_allocate(rewriting->room * sizeof *rewriting->scopes);
    memcpy(rewriting->scopes, token->scopes, token->scope_count * sizeof *rewriting->scopes);
    rewriting->token.scopes = rewriting->scopes;
}

void rewriting_fini(struct rewriting *rewriting)
{
    for (size_t i = 0; i < rewriting->text_count; i++) {
        text_fini(&rewriting->texts[i]);
    }
    free(rewriting->texts);
    free(rewriting->scopes);
}

static void add_scope(struct rewriting *rewriting, struct weir_scope scope)
{
    rewriting->scopes = must_grow(rewriting->scopes, rewriting->token.scope_count, &rewriting->room,
                                  sizeof *rewriting->scopes);
    rewriting->scopes[rewriting->token.scope_count++] = scope;
    rewriting->token.scopes = rewriting->scopes;
}

static void drop_scope(struct rewriting *rewriting, size_t place)
{
    rewriting->scopes[place] = rewriting->scopes[--rewriting->token.scope_count];
}

/* Keeps a text, which is then the rewriting's to free. */
static struct weir_text own(struct rewriting *rewriting, struct weir_text text)
{
    rewriting->texts = must_grow(rewriting->texts, rewriting->text_count, &rewriting->text_room,
                                 sizeof *rewriting->texts);
    rewriting->texts[rewriting->text_count++] = text;
    return text;
}

static struct weir_text own_joined(struct rewriting *rewriting, struct weir_text left,
                                   struct weir_text right)
{
    char *bytes = must_allocate(left.length + right.length);

    return own(rewriting, naive_join(left, right, bytes));
}

static struct weir_set *set_of(struct weir_scope *scope, enum weir_set_role role)
{
    return role == WEIR_BASINS    ? &scope->basins
           : role == WEIR_STREAMS ? &scope->streams
                                  : &scope->access_tokens;
}

static size_t longest(enum weir_set_role role)
{
    return role == WEIR_BASINS    ? WEIR_BASIN_MAX
           : role == WEIR_STREAMS ? WEIR_STREAM_MAX
                                  : WEIR_TOKEN_ID_MAX;
}

static struct weir_scope *any_scope(struct rewriting *rewriting, struct dice *dice)
{
    return &rewriting->scopes[dice_below(dice, rewriting->token.scope_count)];
}

/* ---- Another meaning ---- */

static struct weir_scope *scope_of_others(struct world *world)
{
    const struct weir_token *other = &world->tokens[dice_below(&world->dice, world->count)];

    return (struct weir_scope *)(uintptr_t)&other
        ->scopes[dice_below(&world->dice, other->scope_count)];
}

static void change_set(struct rewriting *rewriting, struct world *world)
{
    struct dice *dice = &world->dice;
    const enum weir_set_role role = (enum weir_set_role)dice_below(dice, 3);
    struct weir_set *set = set_of(any_scope(rewriting, dice), role);
    size_t roll = dice_below(dice, 100);

    if (roll < 40) {
        *set = *scope_set(scope_of_others(world), role);
    } else if (roll < 60) {
        set->kind = (enum weir_set_kind)dice_below(dice, 3);
    } else {
        set->name = own(rewriting, world_name(world, role, set));
    }
}

static void change_terms(struct rewriting *rewriting, struct world *world)
{
    struct weir_token *token = &rewriting->token;

    if (dice_chance(&world->dice, 40)) {
        token->auto_prefix_streams = !token->auto_prefix_streams;
    } else {
        token->expires = !token->expires;
        token->expires_at =
            (struct weir_instant){INT64_C(3000000000) + (int64_t)dice_below(&world->dice, 2), 5};
    }
}

static void change_something(struct rewriting *rewriting, struct world *world)
{
    struct dice *dice = &world->dice;
    size_t roll = dice_below(dice, 100);

    if (roll < 20 && rewriting->token.scope_count > 1) {
        drop_scope(rewriting, dice_below(dice, rewriting->token.scope_count));
    } else if (roll < 40 && !rewriting->token.auto_prefix_streams) {
        add_scope(rewriting, *scope_of_others(world));
    } else if (roll < 50) {
        any_scope(rewriting, dice)->ops ^= UINT64_C(1) << dice_between(dice, 1, 24);
    } else if (roll < 55) {
        any_scope(rewriting, dice)->op_groups ^= 1u << dice_below(dice, 6);
    } else if (roll < 70) {
        change_terms(rewriting, world);
    } else {
        change_set(rewriting, world);
    }
}

void token_change(struct rewriting *rewriting, struct world *world, const struct weir_token *token)
{
    size_t changes = 1 + dice_below(&world->dice, 3);

    begin(rewriting, token);
    while (changes-- > 0) {
        const struct weir_token before = rewriting->token;
        const size_t size = before.scope_count * sizeof *rewriting->scopes;
        struct weir_scope *scopes = must_allocate(size);

        memcpy(scopes, rewriting->scopes, size);
        change_something(rewriting, world);
        if (!naive_token_valid(&rewriting->token)) {
            memcpy(rewriting->scopes, scopes, size);
            rewriting->token = before;
            rewriting->token.scopes = rewriting->scopes;
        }
        free(scopes);
    }
}

/* ---- The same meaning ---- */

static weir_operations all_operations(const struct weir_scope *scope)
{
    weir_operations operations = 0;

    for (unsigned number = 1; number <= WEIR_OPERATION_COUNT; number++) {
        if (naive_permits(scope, number)) {
            operations |= UINT64_C(1) << number;
        }
    }
    return operations;
}

/* Two scopes that permit a part each. */
static void split_operations(struct rewriting *rewriting, struct dice *dice)
{
    struct weir_scope *scope = any_scope(rewriting, dice);
    const weir_operations all = all_operations(scope);
    const weir_operations part = all & dice_bits(dice);
    struct weir_scope other = *scope;

    if (part != 0 && part != all) {
        other.op_groups = 0;
        other.ops = part;
        scope->op_groups = 0;
        scope->ops = all & ~part;
        add_scope(rewriting, other);
    }
}

/* Something that another scope says already: a name or prefix within one of its
 * prefixes. */
static void add_narrower(struct rewriting *rewriting, struct dice *dice)
{
    const enum weir_set_role role = (enum weir_set_role)dice_below(dice, 3);
    struct weir_scope scope = *any_scope(rewriting, dice);
    struct weir_set *set = set_of(&scope, role);

    if (set->kind != WEIR_SET_PREFIX || set->name.length + 9 > longest(role)) {
        return;
    }
    set->name = own_joined(rewriting, set->name, WEIR_TEXT("abcdefgh0"));
    set->kind = dice_chance(dice, 50) ? WEIR_SET_PREFIX : WEIR_SET_EXACT;
    add_scope(rewriting, scope);
}

/* A prefix as all that may follow it by a character, and the name itself. What
 * follows in parts of a character is no prefix that may be declared; so all
 * characters are, if they are few. */
static bool split_prefix(struct rewriting *rewriting, struct dice *dice)
{
    const enum weir_set_role role = (enum weir_set_role)dice_below(dice, 3);
    struct weir_scope *scope = any_scope(rewriting, dice);
    struct weir_scope piece = *scope;
    struct weir_set *set = set_of(&piece, role);
    const struct weir_text prefix = set->name;
    const bool few = role == WEIR_BASINS || prefix.length + 1 == longest(role);

    if (set->kind != WEIR_SET_PREFIX || !few) {
        return false;
    }
    scope->ops = all_operations(scope);
    scope->op_groups = 0;
    set_of(scope, role)->kind = WEIR_SET_NOTHING;
    for (unsigned byte = 1; byte < 128 && prefix.length < longest(role); byte++) {
        const char character = (char)byte;

        set->name = own_joined(rewriting, prefix, (struct weir_text){&character, 1});
        if (naive_begins_some(role, longest(role), set->name)) {
            set->kind = dice_chance(dice, 30) && naive_valid(role, set->name) &&
                                set->name.length == longest(role)
                            ? WEIR_SET_EXACT
                            : WEIR_SET_PREFIX;
            add_scope(rewriting, piece);
        }
    }
    if (naive_valid(role, prefix)) {
        *set = (struct weir_set){WEIR_SET_EXACT, prefix};
        add_scope(rewriting, piece);
    }
    return true;
}

bool token_rewrite(struct rewriting *rewriting, struct world *world, const struct weir_token *token)
{
    struct dice *dice = &world->dice;
    bool split = false;

    begin(rewriting, token);
    if (naive_stream_prefix(token).length == 0 && token->auto_prefix_streams) {
        rewriting->token.auto_prefix_streams = false;
    }
    if (!rewriting->token.auto_prefix_streams) {
        split = split_prefix(rewriting, dice);
        split_operations(rewriting, dice);
        add_narrower(rewriting, dice);
        add_scope(rewriting, *any_scope(rewriting, dice));
        add_narrower(rewriting, dice);
        shuffle(dice, rewriting->scopes, rewriting->token.scope_count, sizeof *rewriting->scopes);
    }
    rewriting->token.issue_number ^= 1;
    return split;
}
