/*
 * An explanation comes to the answer of the check, and every rule that it shows was declared, says
 * of itself what is so, and is one that a person would want to see.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <weir/decision.h>
#include <weir/image.h>

#include "model/generate.h"
#include "model/images.h"
#include "model/naive.h"
#include "model/report.h"

#define EXPLANATIONS UINT64_C(100000)

/* More than any explanation of these worlds shows. */
#define RULES_MAX 1200

struct shown {
    struct weir_rule rules[RULES_MAX];
    size_t count;
};

struct explanation {
    struct world *world;
    const struct weir_token *token;
    const struct weir_request *request;
    struct naive_answer expected;
    struct weir_decision got;
    struct shown *shown;
};

/* ---- What is to be seen, naively ---- */

static const char *const role_names[] = {"basins", "streams", "access_tokens"};

static bool can_match(const struct weir_set *set)
{
    return set->kind == WEIR_SET_PREFIX || (set->kind == WEIR_SET_EXACT && set->name.length > 0);
}

static bool same_set(const struct weir_set *left, const struct weir_set *right)
{
    return left->kind == right->kind && naive_same(left->name, right->name);
}

/* Whether all names in the one set are in the other. */
static bool covers(const struct weir_set *wide, const struct weir_set *narrow)
{
    return narrow->kind == WEIR_SET_EXACT
               ? naive_matches(wide, narrow->name)
               : wide->kind == WEIR_SET_PREFIX && naive_begins(narrow->name, wide->name);
}

/* Whether the operation has to do with sets of that role: it is checked or filtered by them. */
static bool concerns(unsigned operation, enum weir_set_role role)
{
    const char target = naive_target(operation);

    switch (role) {
    case WEIR_BASINS:
        return target == 'b' || target == 's' || operation == WEIR_LIST_BASINS;
    case WEIR_STREAMS:
        return target == 's' || operation == WEIR_LIST_STREAMS;
    default:
        return target == 't' || operation == WEIR_LIST_ACCESS_TOKENS;
    }
}

static bool concerned_by_any(const struct weir_scope *scope, enum weir_set_role role)
{
    for (unsigned operation = 1; operation <= WEIR_OPERATION_COUNT; operation++) {
        if (concerns(operation, role) && naive_permits(scope, operation)) {
            return true;
        }
    }
    return false;
}

/* Whether the scope has a rule of that role in the matter: one about streams is for its basins. */
static bool has_rule(const struct explanation *why, const struct weir_scope *scope,
                     enum weir_set_role role)
{
    return can_match(scope_set(scope, role)) && concerned_by_any(scope, role) &&
           (role != WEIR_STREAMS || naive_matches(&scope->basins, why->request->basin));
}

/* Whether a scope with a wider set of that role grants the operation, and on all those streams, if
 * that matters and it is basins that are compared. */
static bool a_wider_set_grants(const struct explanation *why, enum weir_set_role role,
                               const struct weir_set *set, unsigned operation,
                               const struct weir_set *streams)
{
    for (size_t i = 0; i < why->token->scope_count; i++) {
        const struct weir_scope *scope = &why->token->scopes[i];
        const struct weir_set *wide = scope_set(scope, role);

        if (naive_permits(scope, operation) && has_rule(why, scope, role) && covers(wide, set) &&
            !same_set(wide, set) && (streams == NULL || covers(&scope->streams, streams))) {
            return true;
        }
    }
    return false;
}

/* Whether the scope says anything in that role that no wider set says already. */
static bool adds_something(const struct explanation *why, const struct weir_scope *scope,
                           enum weir_set_role role)
{
    const struct weir_set *set = scope_set(scope, role);

    for (unsigned operation = 1; operation <= WEIR_OPERATION_COUNT; operation++) {
        if (!concerns(operation, role) || !naive_permits(scope, operation)) {
            continue;
        }
        if (!a_wider_set_grants(why, role, set, operation, NULL)) {
            return true;
        }
        if (role == WEIR_BASINS && concerns(operation, WEIR_STREAMS) &&
            can_match(&scope->streams) &&
            !a_wider_set_grants(why, role, set, operation, &scope->streams)) {
            return true;
        }
    }
    return false;
}

/* Whether a scope grants the operation that has this very set. */
static bool own_set_grants(const struct explanation *why, enum weir_set_role role,
                           const struct weir_set *set, unsigned operation)
{
    for (size_t i = 0; i < why->token->scope_count; i++) {
        const struct weir_scope *scope = &why->token->scopes[i];

        if (naive_permits(scope, operation) && has_rule(why, scope, role) &&
            same_set(scope_set(scope, role), set)) {
            return true;
        }
    }
    return false;
}

/* Whether the rule of that set must grant the operation. What a wider set grants as well need not
 * be said again, but a rule about basins says all that holds there. */
static bool must_grant(const struct explanation *why, enum weir_set_role role,
                       const struct weir_set *set, unsigned operation)
{
    const bool own = own_set_grants(why, role, set, operation);
    const bool wider = a_wider_set_grants(why, role, set, operation, NULL);

    return role == WEIR_BASINS ? own || wider : own && !wider;
}

static bool may_grant(const struct explanation *why, enum weir_set_role role,
                      const struct weir_set *set, unsigned operation)
{
    return role == WEIR_BASINS ? must_grant(why, role, set, operation)
                               : own_set_grants(why, role, set, operation);
}

static bool is_declared(const struct explanation *why, const struct weir_rule *rule)
{
    for (size_t i = 0; i < why->token->scope_count; i++) {
        const struct weir_scope *scope = &why->token->scopes[i];

        if (has_rule(why, scope, rule->role) &&
            same_set(scope_set(scope, rule->role), &rule->set)) {
            return true;
        }
    }
    return false;
}

static size_t common_beginning(struct weir_text left, struct weir_text right)
{
    size_t common = 0;

    while (common < left.length && common < right.length &&
           left.bytes[common] == right.bytes[common]) {
        common++;
    }
    return common;
}

static struct weir_text asked_name(const struct explanation *why, enum weir_set_role role)
{
    return role == WEIR_BASINS ? why->request->basin
           : role == WEIR_STREAMS
               ? (struct weir_text){why->expected.stream, why->expected.stream_length}
               : why->request->access_token;
}

/* ---- Looking at it ---- */

static void report_rule(const struct weir_rule *rule)
{
    fprintf(stderr, "  %s, %s, %s, %zu bytes in common, operations %06" PRIx64 "\n",
            role_names[rule->role], rule->set.kind == WEIR_SET_EXACT ? "exact" : "prefix",
            rule->matches ? "matches" : "does not match", rule->common, rule->operations);
    report_text("  its name", rule->set.name);
}

/* Rules live until the visit returns, so their names are copied. */
static void keep_rule(void *context, const struct weir_rule *rule)
{
    struct shown *shown = context;
    char *bytes = must_allocate(rule->set.name.length);

    ck_assert_uint_lt(shown->count, RULES_MAX);
    (void)naive_join(rule->set.name, (struct weir_text){NULL, 0}, bytes);
    shown->rules[shown->count] = *rule;
    shown->rules[shown->count++].set.name.bytes = bytes;
}

static void free_rules(struct shown *shown)
{
    for (size_t i = 0; i < shown->count; i++) {
        text_fini(&shown->rules[i].set.name);
    }
    shown->count = 0;
}

static bool is_looked_at(const struct explanation *why, enum weir_set_role role)
{
    const enum weir_reason reason = why->expected.reason;
    const char target = naive_target(why->request->operation);

    if (reason < WEIR_BASIN_OUT_OF_SCOPE) {
        return false;
    }
    return role == WEIR_BASINS    ? target == 'b' || target == 's'
           : role == WEIR_STREAMS ? target == 's' && reason != WEIR_BASIN_OUT_OF_SCOPE
                                  : target == 't';
}

/* Each of these returns what is wrong, or NULL. */

static const char *fault_of_operations(const struct explanation *why, const struct weir_rule *rule)
{
    for (unsigned operation = 0; operation < 64; operation++) {
        const bool says = (rule->operations >> operation & 1) != 0;
        bool permitted = false;

        for (size_t i = 0; says && !permitted && i < why->token->scope_count; i++) {
            permitted = naive_permits(&why->token->scopes[i], operation);
        }
        if (says && !permitted) {
            return "a rule grants what no scope permits";
        }
        if (!concerns(operation, rule->role)) {
            continue;
        }
        if (says && !may_grant(why, rule->role, &rule->set, operation)) {
            return "a rule grants what was not declared";
        }
        if (!says && must_grant(why, rule->role, &rule->set, operation)) {
            return "a rule does not grant what was declared";
        }
    }
    return NULL;
}

static const char *fault_of_rule(const struct explanation *why, const struct weir_rule *rule)
{
    const struct weir_text name = asked_name(why, rule->role);

    if (!is_looked_at(why, rule->role)) {
        return "a rule is shown that has no part in this";
    }
    if (!is_declared(why, rule)) {
        return "a rule was not declared";
    }
    if (rule->matches != naive_matches(&rule->set, name)) {
        return "a rule is wrong about whether it matches";
    }
    if (rule->common != common_beginning(rule->set.name, name)) {
        return "a rule is wrong about how much it has in common";
    }
    return fault_of_operations(why, rule);
}

static const char *fault_of_order(const struct explanation *why)
{
    for (size_t i = 1; i < why->shown->count; i++) {
        const struct weir_rule *before = &why->shown->rules[i - 1];
        const struct weir_rule *after = &why->shown->rules[i];

        if (before->role > after->role ||
            (before->role == after->role && before->matches < after->matches) ||
            (before->role == after->role && before->matches == after->matches &&
             (naive_order(before->set.name, after->set.name) > 0 ||
              same_set(&before->set, &after->set)))) {
            return "rules are out of order or shown twice";
        }
    }
    return NULL;
}

static bool is_shown(const struct explanation *why, enum weir_set_role role,
                     const struct weir_set *set)
{
    for (size_t i = 0; i < why->shown->count; i++) {
        if (why->shown->rules[i].role == role && same_set(&why->shown->rules[i].set, set)) {
            return true;
        }
    }
    return false;
}

static const char *fault_of_matching_rules(const struct explanation *why, enum weir_set_role role)
{
    for (size_t i = 0; i < why->token->scope_count; i++) {
        const struct weir_scope *scope = &why->token->scopes[i];
        const struct weir_set *set = scope_set(scope, role);

        if (has_rule(why, scope, role) && naive_matches(set, asked_name(why, role)) &&
            !is_shown(why, role, set) && adds_something(why, scope, role)) {
            return "a rule that matches is not shown";
        }
    }
    return NULL;
}

static bool a_shown_rule_permits(const struct explanation *why, enum weir_set_role role)
{
    bool permits = false;

    for (size_t i = 0; i < why->shown->count; i++) {
        const struct weir_rule *rule = &why->shown->rules[i];

        permits = permits || (rule->role == role && rule->matches &&
                              (rule->operations >> why->request->operation & 1) != 0);
    }
    return permits;
}

/* Of the rules that do not match: whether there are any, whether one permits the operation, and how
 * much the nearest, of those that permit it if one does, has in common with the name. Without
 * `redundant` only rules count that add something: the others may be there or not. */
struct nearest {
    size_t common;
    bool any;
    bool permits;
};

static struct nearest find_nearest(const struct explanation *why, enum weir_set_role role,
                                   bool redundant)
{
    const struct weir_text name = asked_name(why, role);
    struct nearest nearest = {0, false, false};

    for (size_t i = 0; i < why->token->scope_count; i++) {
        const struct weir_scope *scope = &why->token->scopes[i];
        const struct weir_set *set = scope_set(scope, role);
        const size_t common = common_beginning(set->name, name);
        bool permits = false;

        if (!has_rule(why, scope, role) || naive_matches(set, name) ||
            !(redundant || adds_something(why, scope, role))) {
            continue;
        }
        permits = must_grant(why, role, set, why->request->operation);
        if ((permits && !nearest.permits) || !nearest.any) {
            nearest = (struct nearest){common, true, permits};
        } else if (permits == nearest.permits && common > nearest.common) {
            nearest.common = common;
        }
    }
    return nearest;
}

static const char *fault_of_nearest_rules(const struct explanation *why, enum weir_set_role role)
{
    const bool decided = a_shown_rule_permits(why, role);
    const struct nearest least = find_nearest(why, role, false);
    const struct nearest most = find_nearest(why, role, true);
    size_t beside = 0;

    for (size_t i = 0; i < why->shown->count; i++) {
        const struct weir_rule *rule = &why->shown->rules[i];

        if (rule->role != role || rule->matches) {
            continue;
        }
        beside++;
        if (least.permits == most.permits &&
            (rule->common < least.common || rule->common > most.common)) {
            return "a rule is shown though another came nearer";
        }
        if (least.permits && (rule->operations >> why->request->operation & 1) == 0) {
            return "a rule is shown that does not permit this, though another does";
        }
    }
    if (beside > WEIR_NEAREST_RULES || (decided && beside > 0)) {
        return "more rules are shown than help";
    }
    return !decided && least.any && beside == 0 ? "no rule is shown that came near" : NULL;
}

/* Whether the name was found in the scopes of that role. */
static bool is_in_scope(const struct explanation *why, enum weir_set_role role)
{
    return why->expected.reason == WEIR_ALLOWED ||
           (role == WEIR_BASINS && why->expected.reason == WEIR_STREAM_OUT_OF_SCOPE);
}

static const char *fault_of_role(const struct explanation *why, enum weir_set_role role)
{
    const char *fault = NULL;

    if (!is_looked_at(why, role)) {
        return NULL;
    }
    fault = fault_of_matching_rules(why, role);
    if (fault == NULL && a_shown_rule_permits(why, role) != is_in_scope(why, role)) {
        fault = "the rules that are shown do not account for the answer";
    }
    return fault != NULL ? fault : fault_of_nearest_rules(why, role);
}

static const char *fault_of(const struct explanation *why)
{
    const char *fault = fault_of_order(why);

    if (why->got.reason != why->expected.reason) {
        return "the explanation comes to another answer";
    }
    for (size_t i = 0; fault == NULL && i < why->shown->count; i++) {
        fault = fault_of_rule(why, &why->shown->rules[i]);
    }
    for (unsigned role = WEIR_BASINS; fault == NULL && role <= WEIR_ACCESS_TOKENS; role++) {
        fault = fault_of_role(why, (enum weir_set_role)role);
    }
    return fault;
}

/* ---- Asking ---- */

static uint64_t explained, with_rules, with_near_rules;

/* Explains by the token, which is `token` compiled, and returns what is wrong with it. */
static const char *explain(struct explanation *why, const struct weir_compiled_token *token)
{
    why->shown->count = 0;
    why->expected = naive_decide_token(why->token, why->request, why->world->now);
    why->got = weir_explain(token, why->request, why->world->now, keep_rule, why->shown);
    return fault_of(why);
}

struct fault {
    const struct explanation *why;
    const char *what;
};

/* Whether the same is wrong with the token compiled alone. */
static bool is_still_wrong(const void *context, const struct weir_token *token)
{
    static struct shown shown;
    const struct fault *fault = context;
    struct explanation why = *fault->why;
    struct weir_compiled_token *compiled = NULL;
    const char *what = NULL;
    size_t size = 0;

    why.token = token;
    why.shown = &shown;
    compiled = compile_alone(why.world, token, &size);
    what = explain(&why, compiled);
    free_rules(&shown);
    free(compiled);
    return what == fault->what;
}

_Noreturn static void disagree(struct explanation *why, const char *what)
{
    struct weir_token token = *why->token;
    const struct fault fault = {why, what};
    size_t size = 0;

    model_shrink(&token, is_still_wrong, &fault);
    why->token = &token;
    free_rules(why->shown);
    (void)explain(why, compile_alone(why->world, &token, &size));
    report_world(why->world, what);
    fputs("  with no scope less than these:\n", stderr);
    report_token(why->token);
    report_request(why->request);
    fprintf(stderr, "  expected: %s\n  got: %s\n  shown:\n", weir_reason_name(why->expected.reason),
            weir_reason_name(why->got.reason));
    for (size_t i = 0; i < why->shown->count; i++) {
        report_rule(&why->shown->rules[i]);
    }
    ck_abort_msg("%s (see above)", what);
    abort();
}

static void explain_once(struct world *world, const struct weir_image *image)
{
    static struct shown shown;
    const struct weir_token *token = &world->tokens[dice_below(&world->dice, world->count)];
    const struct weir_compiled_token *compiled = weir_image_find(image, token->id);
    struct weir_request request;
    struct explanation why = {.world = world, .token = token, .request = &request, .shown = &shown};
    const char *fault = NULL;

    world_request(world, token, &request);
    fault = explain(&why, compiled);
    if (fault != NULL) {
        disagree(&why, fault);
    }
    ck_assert_ptr_eq(why.got.token, weir_check_token(compiled, &request, world->now).token);
    explained++;
    with_rules += shown.count > 0;
    with_near_rules += shown.count > 0 && !shown.rules[shown.count - 1].matches;
    free_rules(&shown);
    request_fini(&request);
}

/* The naive search for what is near takes the square of the scopes. */
static size_t worth_explaining(const struct world *world)
{
    size_t scopes = 0;

    for (size_t i = 0; i < world->count; i++) {
        scopes = world->tokens[i].scope_count > scopes ? world->tokens[i].scope_count : scopes;
    }
    return scopes == 0 ? 0 : scopes < 50 ? 2000 : scopes < 1000 ? 200 : 20;
}

START_TEST(an_explanation_is_true_complete_and_short)
{
    const uint64_t seed = model_seed();
    const uint64_t amount = model_amount(EXPLANATIONS);

    for (uint64_t i = 0; explained < amount; i++) {
        struct world *world = world_new(seed + i);
        struct weir_image *image = compile_world(world);

        for (size_t k = worth_explaining(world); k > 0; k--) {
            explain_once(world, image);
        }
        weir_image_close(image);
        world_free(world);
    }
    printf("seed %" PRIu64 ": %" PRIu64 " explanations, %" PRIu64 " with rules, %" PRIu64
           " with rules that came near\n",
           seed, explained, with_rules, with_near_rules);
    ck_assert_uint_ge(with_rules * 3, explained);
    ck_assert_uint_ge(with_near_rules * 20, explained);
}
END_TEST

static void count_rule(void *context, const struct weir_rule *rule)
{
    (void)rule;
    ++*(size_t *)context;
}

START_TEST(of_an_unknown_token_there_is_nothing_to_show)
{
    const struct weir_request request = {
        .operation = WEIR_READ, .basin = WEIR_TEXT("basin-01"), .stream = WEIR_TEXT("stream")};
    size_t shown = 0;
    const struct weir_decision decision =
        weir_explain(NULL, &request, (struct weir_instant){0, 0}, count_rule, &shown);

    ck_assert_int_eq(decision.reason, WEIR_UNKNOWN_TOKEN);
    ck_assert_ptr_null(decision.token);
    ck_assert_uint_eq(shown, 0);
}
END_TEST

int main(void)
{
    const TTest *const cases[] = {
        an_explanation_is_true_complete_and_short,
        of_an_unknown_token_there_is_nothing_to_show,
    };

    return run_cases("explain", cases, COUNT_OF(cases));
}
