/*
 * Whether a token may do something on everything under a prefix is answered as the naive evaluator
 * answers for each name that could make a difference; and where rules cover a prefix together,
 * every one of them counts.
 *
 * If some name under a prefix is not granted, so is one of these: a beginning of a rule's name, or
 * one with a byte added that no rule's name goes on with, completed in any way. All those are asked
 * about.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/generate.h"
#include "model/naive.h"
#include "model/naive_difference.h"
#include "model/report.h"
#include "model/subject.h"

#define QUESTIONS UINT64_C(200000)
#define COVERS UINT64_C(600)
#define QUESTIONS_A_TOKEN 40
#define SCOPES_MAX 300

static uint64_t by_reason[WEIR_REASON_COUNT];
static uint64_t together;

/* ---- The naive answer ---- */

static enum weir_set_role role_of(enum weir_operation operation)
{
    const char target = naive_target(operation);

    return target == 's' ? WEIR_STREAMS : target == 't' ? WEIR_ACCESS_TOKENS : WEIR_BASINS;
}

static struct weir_text *last_name(struct weir_request *request)
{
    const enum weir_set_role role = role_of(request->operation);

    return role == WEIR_STREAMS         ? &request->stream
           : role == WEIR_ACCESS_TOKENS ? &request->access_token
                                        : &request->basin;
}

struct asking {
    const struct weir_token *token;
    struct weir_request request;
    struct weir_instant now;
    bool any; /* a name was granted */
    char bytes[2 * WEIR_STREAM_MAX];
};

/* Whether the name is none, or granted. */
static bool granted(struct asking *asking, size_t length)
{
    enum weir_reason reason = WEIR_STALE;

    *last_name(&asking->request) = (struct weir_text){asking->bytes, length};
    reason = naive_decide_token(asking->token, &asking->request, asking->now).reason;
    asking->any |= reason == WEIR_ALLOWED;
    return reason == WEIR_ALLOWED || reason == WEIR_INVALID_NAME;
}

/* Whether all names are, among those that begin so and differ in the next byte. */
static bool granted_around(struct asking *asking, struct weir_text beginning)
{
    static const char *const tails[] = {
        "",   "a",   "\x80", "\x80\x80", "\xa0\x80", "\x80\x80\x80", "\x90\x80\x80",
        "aa", "aaa", "aaaa", "aaaaa",    "aaaaaa",   "aaaaaaa"};

    if (beginning.length > 0) {
        memcpy(asking->bytes, beginning.bytes, beginning.length);
    }
    if (!granted(asking, beginning.length)) {
        return false;
    }
    for (unsigned byte = 0; byte < 256; byte++) {
        asking->bytes[beginning.length] = (char)byte;
        for (size_t i = 0; i < COUNT(tails); i++) {
            memcpy(asking->bytes + beginning.length + 1, tails[i], strlen(tails[i]));
            if (!granted(asking, beginning.length + 1 + strlen(tails[i]))) {
                return false;
            }
        }
    }
    return true;
}

static bool counts(const struct weir_scope *scope, const struct weir_request *request)
{
    return naive_permits(scope, request->operation) &&
           (naive_target(request->operation) != 's' ||
            naive_matches(&scope->basins, request->basin));
}

static bool all_granted(const struct weir_token *token, const struct weir_request *request,
                        struct weir_text prefix, struct weir_instant now)
{
    const enum weir_set_role role = role_of(request->operation);
    struct asking asking = {.token = token, .request = *request, .now = now};

    for (size_t i = 0; i < token->scope_count; i++) {
        const struct weir_set *set = scope_set(&token->scopes[i], role);

        if (counts(&token->scopes[i], request) && set->kind == WEIR_SET_PREFIX &&
            naive_begins(prefix, set->name)) {
            return true;
        }
    }
    if (!granted_around(&asking, prefix)) {
        return false;
    }
    if (naive_stream_prefix(token).length > 0) {
        return true; /* its rule covers all that its client can name */
    }
    for (size_t i = 0; i < token->scope_count; i++) {
        const struct weir_set *set = scope_set(&token->scopes[i], role);

        for (size_t length = prefix.length + 1;
             counts(&token->scopes[i], request) && naive_begins(set->name, prefix) &&
             length <= set->name.length;
             length++) {
            if (!granted_around(&asking, (struct weir_text){set->name.bytes, length})) {
                return false;
            }
        }
    }
    together += asking.any ? 1 : 0;
    return asking.any;
}

static bool prefix_valid(const struct weir_token *token, const struct weir_request *request,
                         struct weir_text prefix)
{
    char buffer[NAIVE_EFFECTIVE_MAX];

    switch (naive_target(request->operation)) {
    case 's':
        return naive_basin_valid(request->basin) && naive_stream_prefix_valid(prefix) &&
               naive_stream_prefix_valid(naive_join(naive_stream_prefix(token), prefix, buffer));
    case 't':
        return naive_token_id_prefix_valid(prefix);
    default:
        return naive_basin_prefix_valid(prefix);
    }
}

static enum weir_reason naive_under(const struct weir_token *token,
                                    const struct weir_request *request, struct weir_instant now)
{
    const char target = naive_target(request->operation);
    struct weir_request nameless = *request;
    const struct weir_text prefix = *last_name(&nameless);
    bool permitted = false, here = false;

    if (target != 's' && target != 'b' && target != 't') {
        return naive_decide_token(token, request, now).reason;
    }
    *last_name(&nameless) = WEIR_TEXT("");
    if (naive_decide_token(token, &nameless, now).reason == WEIR_EXPIRED) {
        return WEIR_EXPIRED;
    }
    for (size_t i = 0; i < token->scope_count; i++) {
        permitted = permitted || naive_permits(&token->scopes[i], request->operation);
        here = here || counts(&token->scopes[i], request);
    }
    return !prefix_valid(token, request, prefix)      ? WEIR_INVALID_NAME
           : !permitted                               ? WEIR_OP_NOT_PERMITTED
           : !here                                    ? WEIR_BASIN_OUT_OF_SCOPE
           : all_granted(token, request, prefix, now) ? WEIR_ALLOWED
           : target == 's'                            ? WEIR_STREAM_OUT_OF_SCOPE
           : target == 't'                            ? WEIR_ACCESS_TOKEN_OUT_OF_SCOPE
                                                      : WEIR_BASIN_OUT_OF_SCOPE;
}

/* ---- Asking in every way ---- */

static void agree(const struct subject *subject, const struct weir_request *request,
                  const char *way, enum weir_reason expected, enum weir_reason got)
{
    if (got == expected) {
        return;
    }
    (void)fprintf(stderr, "asked %s: %s, expected %s\n", way, weir_reason_name(got),
                  weir_reason_name(expected));
    report_request(request);
    report_token(subject->token);
    ck_abort_msg("the reasons differ (see above)");
}

static void expect(struct subject *subject, const struct weir_request *request,
                   struct weir_instant now, enum weir_reason expected)
{
    const struct weir_text id = subject->token->id;
    const struct weir_compiled_token *alone =
        (const struct weir_compiled_token *)(const void *)subject->alone.bytes;

    agree(subject, request, "alone", expected, weir_check_token_under(alone, request, now).reason);
    agree(subject, request, "by id", expected,
          weir_check_under(subject->image, id, request, now).reason);
    for (enum holding i = HOLDS_IMAGE; i < HOLDINGS; i++) {
        agree(subject, request, "an engine, by id", expected,
              weir_engine_check_under(subject->engines[i], id, request, now));
        agree(subject, request, "an engine, resolved", expected,
              weir_engine_check_resolved_under(subject->engines[i], &subject->resolved[i], request,
                                               now));
    }
    by_reason[expected]++;
}

/* ---- Random tokens ---- */

static void ask_token(struct world *world, const struct weir_token *token)
{
    struct subject subject;

    subject_make(&subject, token, WEIR_TEXT("/"));
    for (int i = 0; i < QUESTIONS_A_TOKEN; i++) {
        struct weir_request request, asked;
        struct weir_text *prefix = NULL;

        world_request(world, token, &request);
        asked = request;
        prefix = last_name(&asked);
        if (dice_chance(&world->dice, 70)) {
            prefix->length = dice_below(&world->dice, prefix->length + 1);
        }
        expect(&subject, &asked, world->now, naive_under(token, &asked, world->now));
        request_fini(&request);
    }
    subject_free(&subject);
}

static uint64_t total(void)
{
    uint64_t sum = 0;

    for (unsigned reason = 0; reason < WEIR_REASON_COUNT; reason++) {
        sum += by_reason[reason];
    }
    return sum;
}

START_TEST(everything_under_a_prefix_is_decided_as_name_by_name)
{
    const uint64_t seed = model_seed();
    const uint64_t amount = model_amount(QUESTIONS);

    for (uint64_t worlds = 0; total() < amount; worlds++) {
        struct world *world = world_new(seed + worlds);

        for (size_t i = 0; i < world->count && i < 100; i++) {
            if (world->tokens[i].scope_count <= SCOPES_MAX) {
                ask_token(world, &world->tokens[i]);
            }
        }
        world_free(world);
    }
    for (unsigned reason = 0; reason < WEIR_REASON_COUNT; reason++) {
        printf("  %-26s %9" PRIu64 "\n", weir_reason_name((enum weir_reason)reason),
               by_reason[reason]);
        ck_assert(reason == WEIR_STALE || reason == WEIR_UNKNOWN_TOKEN ||
                  by_reason[reason] >= amount / 200);
    }
    printf("  allowed, and by no single rule: %" PRIu64 "\n", together);
    ck_assert_uint_gt(together, 0);
}
END_TEST

/* ---- Prefixes that no name begins with ---- */

START_TEST(where_no_name_begins_so_a_rule_has_to_cover_the_prefix)
{
    const struct weir_text prefix = WEIR_TEXT("aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeee-");
    const struct weir_set sets[] = {{WEIR_SET_EXACT, WEIR_TEXT("other-basin")},
                                    {WEIR_SET_PREFIX, WEIR_TEXT("aaab")},
                                    {WEIR_SET_PREFIX, WEIR_TEXT("aaaaaaaaaa")},
                                    {WEIR_SET_PREFIX, prefix}};
    const struct weir_request request = {.operation = WEIR_DELETE_BASIN, .basin = prefix};
    const struct weir_instant now = {0, 0};

    for (size_t i = 0; i < COUNT(sets); i++) {
        const struct weir_scope scope = {.basins = sets[i],
                                         .ops = WEIR_OPERATION_BIT(WEIR_DELETE_BASIN)};
        const struct weir_token token = {.id = WEIR_TEXT("t"), .scopes = &scope, .scope_count = 1};
        struct subject subject;

        subject_make(&subject, &token, WEIR_TEXT("/"));
        expect(&subject, &request, now, i < 2 ? WEIR_BASIN_OUT_OF_SCOPE : WEIR_ALLOWED);
        ck_assert_int_eq(naive_under(&token, &request, now),
                         i < 2 ? WEIR_BASIN_OUT_OF_SCOPE : WEIR_ALLOWED);
        subject_free(&subject);
    }
}
END_TEST

/* ---- Prefixes that rules cover together ---- */

#define RULES_MAX 70000
#define BASIN WEIR_TEXT("acme-prod")

struct cover {
    enum weir_set_role role;
    struct weir_scope *scopes;
    size_t count;
    struct dice *dice;
    unsigned split_percent;
};

static size_t longest_of(enum weir_set_role role)
{
    return role == WEIR_BASINS    ? WEIR_BASIN_MAX
           : role == WEIR_STREAMS ? WEIR_STREAM_MAX
                                  : WEIR_TOKEN_ID_MAX;
}

static void add_rule(struct cover *cover, enum weir_set_kind kind, struct weir_text name)
{
    struct weir_scope *scope = &cover->scopes[cover->count++];
    char *bytes = must_allocate(name.length + 1);
    struct weir_set set = {kind, {bytes, name.length}};

    ck_assert_uint_lt(cover->count, RULES_MAX);
    memcpy(bytes, name.bytes, name.length);
    *scope = (struct weir_scope){.basins = {WEIR_SET_PREFIX, WEIR_TEXT("acme-")}};
    if (cover->role == WEIR_STREAMS) {
        scope->streams = set;
        scope->ops = WEIR_OPERATION_BIT(WEIR_READ);
    } else if (cover->role == WEIR_BASINS) {
        scope->basins = set;
        scope->ops = WEIR_OPERATION_BIT(WEIR_DELETE_BASIN);
    } else {
        scope->access_tokens = set;
        scope->ops = WEIR_OPERATION_BIT(WEIR_REVOKE_ACCESS_TOKEN);
    }
}

/* Covers all names that begin so by rules: for what stands, and for each byte that may follow. */
static void split(struct cover *cover, char *bytes, size_t length)
{
    const size_t longest = longest_of(cover->role);

    if (naive_valid(cover->role, (struct weir_text){bytes, length})) {
        add_rule(cover, WEIR_SET_EXACT, (struct weir_text){bytes, length});
    }
    for (unsigned byte = 0; length < longest && byte < 256; byte++) {
        struct weir_text longer = {bytes, length + 1};

        bytes[length] = (char)byte;
        if (!naive_begins_some(cover->role, longest, longer)) {
            continue;
        }
        if (!(cover->role == WEIR_BASINS || naive_stream_prefix_valid(longer)) ||
            dice_chance(cover->dice, cover->split_percent)) {
            split(cover, bytes, length + 1);
        } else {
            add_rule(cover,
                     longer.length == longest && dice_chance(cover->dice, 50) ? WEIR_SET_EXACT
                                                                              : WEIR_SET_PREFIX,
                     longer);
        }
    }
}

/* Asks about the prefix, of a token with these rules. */
static void expect_cover(const struct cover *cover, struct weir_text prefix, bool covered)
{
    const struct weir_token token = {
        .id = WEIR_TEXT("t"), .scopes = cover->scopes, .scope_count = cover->count};
    struct weir_request request = {cover->role == WEIR_STREAMS  ? WEIR_READ
                                   : cover->role == WEIR_BASINS ? WEIR_DELETE_BASIN
                                                                : WEIR_REVOKE_ACCESS_TOKEN,
                                   BASIN,
                                   {0},
                                   {0}};
    const struct weir_instant now = {0, 0};
    struct subject subject;

    *last_name(&request) = prefix;
    subject_make(&subject, &token, WEIR_TEXT(""));
    expect(&subject, &request, now,
           covered                       ? WEIR_ALLOWED
           : cover->role == WEIR_STREAMS ? WEIR_STREAM_OUT_OF_SCOPE
           : cover->role == WEIR_BASINS  ? WEIR_BASIN_OUT_OF_SCOPE
                                         : WEIR_ACCESS_TOKEN_OUT_OF_SCOPE);
    subject_free(&subject);
}

/* With all rules: yes. Without one of them, or a byte above: no. */
static void ask_cover(struct dice *dice, enum weir_set_role role, size_t length, unsigned percent)
{
    struct cover cover = {.role = role, .dice = dice, .split_percent = percent};
    char bytes[WEIR_STREAM_MAX + 1];
    char path[WEIR_STREAM_MAX + 1];
    struct weir_scope *gap = NULL;
    struct weir_scope kept;

    memset(bytes, 'x', sizeof bytes);
    memcpy(path, bytes, sizeof path);
    cover.scopes = must_allocate(RULES_MAX * sizeof *cover.scopes);
    split(&cover, path, length);
    expect_cover(&cover, (struct weir_text){bytes, length}, true);
    expect_cover(&cover, (struct weir_text){bytes, length - 1}, false);
    gap = &cover.scopes[dice_below(dice, cover.count)];
    kept = *gap;
    *gap = cover.scopes[--cover.count];
    expect_cover(&cover, (struct weir_text){bytes, length}, false);
    cover.scopes[cover.count++] = kept;
    for (size_t i = 0; i < cover.count; i++) {
        struct weir_text name = scope_set(&cover.scopes[i], role)->name;

        text_fini(&name);
    }
    free(cover.scopes);
}

START_TEST(rules_below_a_prefix_cover_it_together)
{
    const uint64_t amount = model_amount(COVERS);
    struct dice dice = {model_seed()};

    for (uint64_t i = 0; i < amount; i++) {
        const enum weir_set_role role = (enum weir_set_role)dice_below(&dice, 3);
        /* With two bytes left there are names of two bytes a character: some 2000 rules. */
        const size_t left = role == WEIR_BASINS     ? dice_between(&dice, 1, 40)
                            : dice_chance(&dice, 5) ? 2
                                                    : 1;

        ask_cover(&dice, role, longest_of(role) - left, role == WEIR_BASINS ? 2 : 0);
    }
    ck_assert_uint_ge(by_reason[WEIR_ALLOWED], amount);
}
END_TEST

START_TEST(all_characters_of_up_to_three_bytes_cover_what_is_three_bytes_short)
{
    struct dice dice = {model_seed()};

    ask_cover(&dice, WEIR_STREAMS, WEIR_STREAM_MAX - 3, 0);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("under");

    tcase_set_timeout(cases, 0);
    tcase_add_test(cases, everything_under_a_prefix_is_decided_as_name_by_name);
    tcase_add_test(cases, where_no_name_begins_so_a_rule_has_to_cover_the_prefix);
    tcase_add_test(cases, rules_below_a_prefix_cover_it_together);
    tcase_add_test(cases, all_characters_of_up_to_three_bytes_cover_what_is_three_bytes_short);
    return run_cases("under", &cases, 1);
}
