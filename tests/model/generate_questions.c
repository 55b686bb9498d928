/* Questions that are close to the rules. */
#include <stdlib.h>
#include <string.h>

#include "model/generate_world.h"
#include "model/naive.h"

const struct weir_set *scope_set(const struct weir_scope *scope, enum weir_set_role role)
{
    return role == WEIR_BASINS    ? &scope->basins
           : role == WEIR_STREAMS ? &scope->streams
                                  : &scope->access_tokens;
}

/* Memory of exactly the text's length, and now and then no memory for no bytes. */
static struct weir_text copy_exactly(struct world *world, struct weir_text text)
{
    char *bytes = NULL;

    if (text.length > 0 || dice_chance(&world->dice, 50)) {
        bytes = must_allocate(text.length);
    }
    if (text.length > 0) {
        memcpy(bytes, text.bytes, text.length);
    }
    return (struct weir_text){bytes, text.length};
}

void text_fini(struct weir_text *text)
{
    free((void *)(uintptr_t)text->bytes);
    *text = (struct weir_text){NULL, 0};
}

/* Makes the prefix in the draft a member's name. */
static void lengthen(struct world *world, struct draft *draft)
{
    for (size_t pieces = dice_below(&world->dice, 4); pieces > 0; pieces--) {
        draft_add_piece(draft, &world->dice, world->form->strangeness);
    }
    draft_cut(draft, longest_name(draft->role));
    draft_complete(draft, &world->dice);
    if (dice_chance(&world->dice, 3)) {
        draft_fill(draft, &world->dice, longest_name(draft->role));
    }
}

struct weir_text world_name(struct world *world, enum weir_set_role role,
                            const struct weir_set *near)
{
    struct dice *dice = &world->dice;
    struct draft draft;

    if (near->kind == WEIR_SET_NOTHING || dice_chance(dice, 8)) {
        draft_set(&draft, role, world_any_text(world, role));
        draft_complete(&draft, dice);
    } else {
        draft_set(&draft, role, near->name);
        if (near->kind == WEIR_SET_PREFIX) {
            lengthen(world, &draft);
        }
    }
    if (dice_chance(dice, 12)) {
        draft_spoil(&draft, dice);
    }
    return copy_exactly(world, draft_text(&draft));
}

/* A name that a client of the token asks for: with auto-prefix, the part behind the prefix, often
 * one that makes the whole as long as it can be or a byte longer. */
static struct weir_text stream_of_client(struct world *world, const struct weir_token *token,
                                         const struct weir_set *near)
{
    const struct weir_set anything = {WEIR_SET_PREFIX, world_any_text(world, WEIR_STREAMS)};
    const size_t before = near->name.length;
    struct draft draft;

    if (!token->auto_prefix_streams) {
        return world_name(world, WEIR_STREAMS, near);
    }
    if (before < WEIR_STREAM_MAX && dice_chance(&world->dice, 20)) {
        draft_set(&draft, WEIR_STREAMS, (struct weir_text){NULL, 0});
        draft_fill(&draft, &world->dice,
                   WEIR_STREAM_MAX - 1 - before + dice_below(&world->dice, 3));
        return copy_exactly(world, draft_text(&draft));
    }
    return world_name(world, WEIR_STREAMS, &anything);
}

static enum weir_operation draw_operation(struct dice *dice, const struct weir_scope *scope)
{
    static const unsigned no_operations[] = {0, 25, 26, 31, 32, 63, 64, 65, 88, 1000, UINT32_MAX};
    unsigned operation = (unsigned)dice_between(dice, 1, 24);
    size_t roll = dice_below(dice, 100);

    if (roll < 3) {
        return (enum weir_operation)no_operations[dice_below(dice, 11)];
    }
    while (roll < 80 && !naive_permits(scope, operation)) {
        operation = operation % 24 + 1;
    }
    return (enum weir_operation)operation;
}

/* Mostly the scope at hand, so that all parts of a question fit together. */
static const struct weir_scope *same_or_other_scope(struct world *world,
                                                    const struct weir_token *token,
                                                    const struct weir_scope *scope)
{
    return dice_chance(&world->dice, 85)
               ? scope
               : &token->scopes[dice_below(&world->dice, token->scope_count)];
}

static bool wants(char target, enum weir_set_role role)
{
    return role == WEIR_BASINS    ? target == 'b' || target == 's'
           : role == WEIR_STREAMS ? target == 's'
                                  : target == 't';
}

/* What is no part of the target must not be looked at: sometimes there is something there. */
static bool draws(struct world *world, char target, enum weir_set_role role)
{
    return wants(target, role) || dice_chance(&world->dice, 10);
}

void world_request(struct world *world, const struct weir_token *token,
                   struct weir_request *request)
{
    const struct weir_scope *scope = &token->scopes[dice_below(&world->dice, token->scope_count)];
    char target = 0;

    *request = (struct weir_request){.operation = draw_operation(&world->dice, scope)};
    target = naive_target(request->operation);
    if (draws(world, target, WEIR_BASINS)) {
        request->basin =
            world_name(world, WEIR_BASINS, &same_or_other_scope(world, token, scope)->basins);
    }
    if (draws(world, target, WEIR_STREAMS)) {
        request->stream =
            stream_of_client(world, token, &same_or_other_scope(world, token, scope)->streams);
    }
    if (draws(world, target, WEIR_ACCESS_TOKENS)) {
        request->access_token = world_name(
            world, WEIR_ACCESS_TOKENS, &same_or_other_scope(world, token, scope)->access_tokens);
    }
}

void request_fini(struct weir_request *request)
{
    text_fini(&request->basin);
    text_fini(&request->stream);
    text_fini(&request->access_token);
}

void world_question(struct world *world, struct weir_question *question)
{
    static const struct weir_scope everything = {.op_groups = WEIR_GROUP_BITS_ALL};
    const struct weir_token nobody = {.scopes = &everything, .scope_count = 1};
    const struct weir_token *token = &nobody;
    struct draft draft;

    if (world->count > 0) {
        token = &world->tokens[dice_below(&world->dice, world->count)];
    }
    draft_set(&draft, WEIR_ACCESS_TOKENS, token->id);
    if (dice_chance(&world->dice, 3)) {
        draft_spoil(&draft, &world->dice);
    }
    question->token_id = copy_exactly(world, draft_text(&draft));
    world_request(world, token, &question->request);
}

void question_fini(struct weir_question *question)
{
    text_fini(&question->token_id);
    request_fini(&question->request);
}
