/*
 * A listing is narrowed to exactly what the scopes have in them and the client asked for, and who
 * may do something is told exactly, in the order of the ids.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/decision.h>
#include <weir/image.h>
#include <weir/listing.h>

#include "model/generate.h"
#include "model/images.h"
#include "model/naive.h"
#include "model/report.h"

#define NARROWINGS UINT64_C(300000)
#define WHO_QUESTIONS UINT64_C(8000)
#define PROBES 6

/* ---- Narrowing ---- */

struct narrowing {
    struct world *world;
    const struct weir_token *token;
    enum weir_operation operation;
    enum weir_set_role role; /* of the names that it lists */
    struct weir_text basin;
    struct weir_text prefix;
};

static uint64_t narrowed, with_names, with_many, prefixes_invalid;

static void report_texts(const char *label, const struct weir_text *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        report_text(label, texts[i]);
    }
}

_Noreturn static void disagree(const struct narrowing *asked, const struct naive_listing *expected,
                               const struct weir_listing *got, const char *what)
{
    report_world(asked->world, what);
    report_token(asked->token);
    fprintf(stderr, "  operation: %s\n  expected: %s%s\n", weir_operation_name(asked->operation),
            weir_reason_name(expected->reason), expected->prefix_invalid ? ", invalid prefix" : "");
    report_text("basin", asked->basin);
    report_text("prefix asked for", asked->prefix);
    report_texts("expected name", expected->exact, expected->exact_count);
    report_texts("expected prefix", expected->prefixes, expected->prefix_count);
    if (got != NULL) {
        report_texts("got name", got->exact, got->exact_count);
        report_texts("got prefix", got->prefixes, got->prefix_count);
    }
    ck_abort_msg("%s (see above)", what);
    abort();
}

static bool same_texts(const struct weir_text *left, size_t left_count,
                       const struct weir_text *right, size_t right_count)
{
    if (left_count != right_count) {
        return false;
    }
    for (size_t i = 0; i < left_count; i++) {
        if (!naive_same(left[i], right[i])) {
            return false;
        }
    }
    return true;
}

static bool in_listing(const struct naive_listing *listing, struct weir_text name)
{
    return naive_listed(listing->exact, listing->exact_count, listing->prefixes,
                        listing->prefix_count, name);
}

static bool valid_in_role(enum weir_set_role role, struct weir_text name)
{
    return role == WEIR_BASINS    ? naive_basin_valid(name)
           : role == WEIR_STREAMS ? naive_stream_valid(name)
                                  : naive_token_id_valid(name);
}

/* A set that a name worth trying is near to: of the scopes, or of what was found. */
static struct weir_set somewhere_near(const struct narrowing *asked,
                                      const struct naive_listing *expected)
{
    struct dice *dice = &asked->world->dice;

    if (expected->exact_count > 0 && dice_chance(dice, 30)) {
        return (struct weir_set){WEIR_SET_EXACT,
                                 expected->exact[dice_below(dice, expected->exact_count)]};
    }
    if (expected->prefix_count > 0 && dice_chance(dice, 50)) {
        return (struct weir_set){WEIR_SET_PREFIX,
                                 expected->prefixes[dice_below(dice, expected->prefix_count)]};
    }
    return *scope_set(&asked->token->scopes[dice_below(dice, asked->token->scope_count)],
                      asked->role);
}

static void try_names(const struct narrowing *asked, const struct naive_listing *expected,
                      const struct weir_listing *listing)
{
    for (int i = 0; i < PROBES; i++) {
        const struct weir_set near = somewhere_near(asked, expected);
        struct weir_text name = world_name(asked->world, asked->role, &near);
        const bool admitted = weir_listing_admits(listing, name);

        if (admitted != in_listing(expected, name) ||
            (valid_in_role(asked->role, name) &&
             admitted != naive_listable(asked->token, asked->operation, asked->basin,
                                        expected->requested, name))) {
            report_text("the name", name);
            disagree(asked, expected, listing,
                     admitted ? "a name is admitted that is not"
                              : "a name is not admitted that is");
        }
        text_fini(&name);
    }
}

static void compare_listing(const struct narrowing *asked, const struct naive_listing *expected,
                            enum weir_status status, enum weir_reason reason,
                            struct weir_listing *listing)
{
    if (reason != expected->reason) {
        disagree(asked, expected, listing, weir_reason_name(reason));
    }
    if (reason == WEIR_ALLOWED && expected->prefix_invalid) {
        prefixes_invalid++;
        if (status != WEIR_ERROR_NAME) {
            disagree(asked, expected, listing, "an invalid prefix is no error");
        }
        return;
    }
    if (status != WEIR_OK) {
        disagree(asked, expected, NULL, "an error that nothing calls for");
    }
    if (reason != WEIR_ALLOWED) {
        if (listing != NULL) {
            disagree(asked, expected, listing, "a denied listing has a set");
        }
        return;
    }
    if (!same_texts(listing->exact, listing->exact_count, expected->exact, expected->exact_count) ||
        !same_texts(listing->prefixes, listing->prefix_count, expected->prefixes,
                    expected->prefix_count)) {
        disagree(asked, expected, listing, "the listings differ");
    }
    with_names += listing->exact_count + listing->prefix_count > 0;
    with_many += listing->exact_count + listing->prefix_count > 2;
    try_names(asked, expected, listing);
}

/* A prefix that a client may ask for: often one that begins like what is in scope. */
static struct weir_text draw_prefix(struct world *world, const struct weir_token *token,
                                    enum weir_set_role role)
{
    struct dice *dice = &world->dice;
    const struct weir_set *set =
        scope_set(&token->scopes[dice_below(dice, token->scope_count)], role);
    struct weir_set near = {WEIR_SET_EXACT, set->name};
    size_t roll = dice_below(dice, 100);

    if (roll < 35 || set->kind == WEIR_SET_NOTHING) {
        near.name.length = 0;
    } else if (roll < 65) {
        near.name.length = dice_below(dice, set->name.length + 1);
    } else if (roll < 80) {
        near.kind = WEIR_SET_PREFIX;
    }
    return world_name(world, role, &near);
}

/* Looks for a scope that permits the listing, but not for long. */
static const struct weir_scope *draw_scope_that_lists(struct dice *dice,
                                                      const struct weir_token *token,
                                                      enum weir_operation operation)
{
    const struct weir_scope *scope = NULL;

    for (int i = 0; i < 5 && (scope == NULL || !naive_permits(scope, operation)); i++) {
        scope = &token->scopes[dice_below(dice, token->scope_count)];
    }
    return scope;
}

static struct narrowing draw_narrowing(struct world *world)
{
    static const enum weir_operation listings[] = {WEIR_LIST_BASINS, WEIR_LIST_STREAMS,
                                                   WEIR_LIST_ACCESS_TOKENS};
    static const enum weir_set_role roles[] = {WEIR_BASINS, WEIR_STREAMS, WEIR_ACCESS_TOKENS};
    struct dice *dice = &world->dice;
    const size_t which = dice_below(dice, COUNT_OF(listings));
    struct narrowing asked = {.world = world, .operation = listings[which], .role = roles[which]};
    const struct weir_scope *scope = NULL;

    asked.token = &world->tokens[dice_below(dice, world->count)];
    scope = draw_scope_that_lists(dice, asked.token, asked.operation);
    asked.basin = world_name(world, WEIR_BASINS, &scope->basins);
    asked.prefix = draw_prefix(world, asked.token, asked.role);
    return asked;
}

/* The listing must need nothing of the token: it is looked at when the token is gone. */
static void narrow_alone(const struct narrowing *asked, const struct naive_listing *expected)
{
    struct weir_compiled_token *compiled = NULL;
    struct weir_listing *listing = NULL;
    enum weir_reason reason = WEIR_STALE;
    enum weir_status status = WEIR_OK;
    size_t size = 0;

    compiled = compile_alone(asked->world, asked->token, &size);
    status = weir_narrow(compiled, asked->operation, asked->basin, asked->prefix, asked->world->now,
                         NULL, &reason, &listing, NULL);
    memset(compiled, 0xff, size);
    free(compiled);
    compare_listing(asked, expected, status, reason, listing);
    if (status == WEIR_OK) {
        weir_listing_free(listing);
    }
}

static void narrow_once(struct world *world, const struct weir_image *image)
{
    struct narrowing asked = draw_narrowing(world);
    struct naive_listing expected;
    struct weir_listing *listing = NULL;
    enum weir_reason reason = WEIR_STALE;
    enum weir_status status = WEIR_OK;

    naive_narrow(asked.token, asked.operation, asked.basin, asked.prefix, world->now, &expected);
    status = weir_narrow(weir_image_find(image, asked.token->id), asked.operation, asked.basin,
                         asked.prefix, world->now, NULL, &reason, &listing, NULL);
    compare_listing(&asked, &expected, status, reason, listing);
    if (status == WEIR_OK) {
        weir_listing_free(listing);
    }
    if (asked.token->scope_count < 1000 && dice_chance(&world->dice, 5)) {
        narrow_alone(&asked, &expected);
    }
    naive_listing_fini(&expected);
    text_fini(&asked.basin);
    text_fini(&asked.prefix);
    narrowed++;
}

START_TEST(a_listing_is_narrowed_to_what_is_in_scope_and_asked_for)
{
    const uint64_t seed = model_seed();
    const uint64_t amount = model_amount(NARROWINGS);

    for (uint64_t i = 0; narrowed < amount; i++) {
        struct world *world = world_new(seed + i);
        struct weir_image *image = compile_world(world);

        for (size_t k = 0; k < world->questions / 20 && world->count > 0; k++) {
            narrow_once(world, image);
        }
        weir_image_close(image);
        world_free(world);
    }
    printf("seed %" PRIu64 ": %" PRIu64 " listings narrowed, %" PRIu64 " to some names, %" PRIu64
           " to more than two; %" PRIu64 " invalid prefixes\n",
           seed, narrowed, with_names, with_many, prefixes_invalid);
    ck_assert_uint_ge(with_names * 5, narrowed);
    ck_assert_uint_ge(with_many * 100, narrowed);
    ck_assert_uint_ge(prefixes_invalid * 200, narrowed);
}
END_TEST

/* Finds the token `id` in an image made of it alone; the caller closes the image. */
static const struct weir_compiled_token *
only_token(struct world *world, const struct weir_token *token, struct weir_image **image)
{
    *image = compile_tokens(world, token, 1, 0);
    return weir_image_find(*image, token->id);
}

START_TEST(only_listings_can_be_narrowed)
{
    const struct weir_scope scope = {.basins = {WEIR_SET_PREFIX, {NULL, 0}},
                                     .op_groups = WEIR_GROUP_BITS_ALL};
    const struct weir_token token = {.id = WEIR_TEXT("all"), .scopes = &scope, .scope_count = 1};
    struct world *world = world_new(model_seed());
    struct weir_image *image = NULL;
    const struct weir_compiled_token *compiled = only_token(world, &token, &image);

    for (unsigned operation = 0; operation < 1000; operation++) {
        const bool lists = operation == WEIR_LIST_BASINS || operation == WEIR_LIST_STREAMS ||
                           operation == WEIR_LIST_ACCESS_TOKENS;
        struct weir_listing *listing = NULL;
        enum weir_reason reason = WEIR_STALE;
        enum weir_status status =
            weir_narrow(compiled, (enum weir_operation)operation, WEIR_TEXT("basin-01"),
                        WEIR_TEXT(""), world->now, NULL, &reason, &listing, NULL);

        ck_assert_int_eq(status, lists ? WEIR_OK : WEIR_ERROR_ARGUMENT);
        if (status == WEIR_OK) {
            weir_listing_free(listing);
        }
    }
    weir_image_close(image);
    world_free(world);
}
END_TEST

/* ---- Who ---- */

static uint64_t asked_who, somebody, several;

static void report_who(const struct world *world, const struct weir_request *request,
                       const struct weir_token **expected, size_t expected_count,
                       const struct weir_tokens *got)
{
    report_world(world, "those who may do this differ");
    report_request(request);
    for (size_t i = 0; i < expected_count; i++) {
        report_text("expected", expected[i]->id);
    }
    for (size_t i = 0; i < got->count; i++) {
        report_text("got", weir_compiled_token_id(got->tokens[i]));
    }
}

static void ask_who(struct world *world, const struct weir_image *image)
{
    const struct weir_token **expected = must_allocate(world->count * sizeof *expected);
    const struct weir_token *token = &world->tokens[dice_below(&world->dice, world->count)];
    struct weir_tokens got = {NULL, 0};
    struct weir_error error;
    struct weir_request request;
    size_t count = 0;
    bool same = true;

    world_request(world, token, &request);
    count = naive_who(world->tokens, world->count, &request, world->now, expected);
    must_succeed(weir_who(image, &request, world->now, NULL, &got, &error), &error, world, "who");
    same = got.count == count;
    for (size_t i = 0; same && i < count; i++) {
        same = got.tokens[i] == weir_image_find(image, expected[i]->id) && got.tokens[i] != NULL;
    }
    if (!same) {
        report_who(world, &request, expected, count, &got);
        ck_abort_msg("those who may do this differ (see above)");
    }
    asked_who++;
    somebody += count > 0;
    several += count > 1;
    weir_tokens_free(&got, NULL);
    request_fini(&request);
    free(expected);
}

START_TEST(who_may_is_told_exactly_and_in_order)
{
    const uint64_t seed = model_seed();
    const uint64_t amount = model_amount(WHO_QUESTIONS);

    for (uint64_t i = 0; asked_who < amount; i++) {
        struct world *world = world_new(seed + i);
        struct weir_image *image = compile_world(world);

        for (size_t k = 0; k < 40 && world->count > 0; k++) {
            ask_who(world, image);
        }
        weir_image_close(image);
        world_free(world);
    }
    printf("seed %" PRIu64 ": %" PRIu64 " questions of who may, %" PRIu64
           " about what somebody may, %" PRIu64 " about what several may\n",
           seed, asked_who, somebody, several);
    ck_assert_uint_ge(several * 5, asked_who);
}
END_TEST

int main(void)
{
    const TTest *const cases[] = {
        a_listing_is_narrowed_to_what_is_in_scope_and_asked_for,
        only_listings_can_be_narrowed,
        who_may_is_told_exactly_and_in_order,
    };

    return run_cases("listings", cases, COUNT_OF(cases));
}
