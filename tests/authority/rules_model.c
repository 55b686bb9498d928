/* What a token may issue and see of others, held against the naive rules on random families of
 * tokens; and what those rules are for: whatever a child may, its issuer may. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/wire.h>

#include "authority/containment.h"
#include "authority/naive_containment.h"
#include "model/images.h"
#include "model/naive.h"
#include "model/report.h"

#define FAMILIES UINT64_C(400000)  /* an issuer and a child, from a small alphabet */
#define QUESTIONED UINT64_C(2500)  /* children that are asked everything */
#define RELATIVES UINT64_C(120000) /* tokens of a world and what is made of them */

#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            ck_abort_msg("%s", #condition);                                                        \
        }                                                                                          \
    } while (0)

/* ---- Families of tokens ---- */

#define SCOPES_MAX 3
#define TEXT_SIZE 64

struct member {
    struct weir_token token;
    struct weir_scope scopes[SCOPES_MAX];
    char texts[3 * SCOPES_MAX][TEXT_SIZE];
};

struct family {
    struct member issuer;
    struct member child; /* in the issuer's terms */
};

static const char *const pieces[] = {"a", ".", "/", "\xc3\xa9"};
static const char *const basin_texts[] = {"",         "a",         "aaaaaaa", "aaaaaaaa",
                                          "aaaaaaab", "aaaaaaaaa", "b",       "b-"};
static const char *const basins[] = {"aaaaaaaa", "aaaaaaab", "aaaaaaaaa", "b-aaaaaa"};

/* Adds up to `most` pieces to the text. */
static struct weir_text grow(struct dice *dice, char *text, size_t most)
{
    for (size_t count = dice_below(dice, most + 1); count > 0 && strlen(text) + 3 < TEXT_SIZE / 4;
         count--) {
        strcat(text, pieces[dice_below(dice, COUNT_OF(pieces))]);
    }
    return (struct weir_text){text, strlen(text)};
}

/* Names that are none are refused before anything here is asked. */
static bool set_allowed(enum weir_set_role role, const struct weir_set *set)
{
    if (set->kind == WEIR_SET_EXACT && set->name.length > 0) {
        return role == WEIR_BASINS ? naive_basin_valid(set->name) : naive_stream_valid(set->name);
    }
    return true;
}

static struct weir_set draw_set(struct dice *dice, enum weir_set_role role, char *text)
{
    struct weir_set set = {WEIR_SET_NOTHING, {text, 0}};
    size_t roll = dice_below(dice, 20);

    text[0] = '\0';
    if (roll == 0) {
        return set;
    }
    set.kind = roll < 12 ? WEIR_SET_PREFIX : WEIR_SET_EXACT;
    if (role == WEIR_BASINS) {
        strcpy(text, roll < 12 ? basin_texts[dice_below(dice, COUNT_OF(basin_texts))]
                               : basins[dice_below(dice, COUNT_OF(basins))]);
        set.name.length = strlen(text);
    } else {
        set.name = grow(dice, text, 3);
    }
    return set_allowed(role, &set) ? set : (struct weir_set){WEIR_SET_NOTHING, {text, 0}};
}

/* A set that lies within the other, more often than not. */
static struct weir_set draw_within(struct dice *dice, enum weir_set_role role,
                                   const struct weir_set *own, char *text)
{
    struct weir_set set = {own->kind, {text, 0}};
    size_t roll = dice_below(dice, 20);

    if (roll < 2) {
        return draw_set(dice, role, text);
    }
    memcpy(text, own->name.bytes, own->name.length);
    text[own->name.length] = '\0';
    set.name.length = own->name.length;
    if (roll < 4 || own->kind == WEIR_SET_NOTHING) {
        set.kind = roll % 2 == 0 ? WEIR_SET_NOTHING : set.kind;
    } else if (own->kind == WEIR_SET_PREFIX) {
        if (role == WEIR_BASINS) {
            strncat(text, basins[dice_below(dice, COUNT_OF(basins))], dice_below(dice, 9));
            set.name.length = strlen(text);
        } else {
            set.name = grow(dice, text, 2);
        }
        set.kind = roll < 12 ? WEIR_SET_PREFIX : WEIR_SET_EXACT;
    } else if (roll == 19) {
        set.kind = WEIR_SET_PREFIX;
    }
    return set_allowed(role, &set) ? set : (struct weir_set){WEIR_SET_NOTHING, {text, 0}};
}

static void draw_operations(struct dice *dice, struct weir_scope *scope)
{
    scope->ops = dice_bits(dice) & dice_bits(dice) & WEIR_OPERATIONS_ALL;
    scope->op_groups = (unsigned)(dice_bits(dice) & dice_bits(dice) & WEIR_GROUP_BITS_ALL);
    if (dice_chance(dice, 20)) {
        scope->ops = WEIR_OPERATIONS_ALL;
    }
    scope->ops |= WEIR_OPERATION_BIT(dice_between(dice, 1, 24));
}

/* Some of them, by name or by group, and sometimes one more. */
static void draw_fewer_operations(struct dice *dice, const struct weir_scope *own,
                                  struct weir_scope *scope)
{
    for (unsigned operation = 1; operation <= 24; operation++) {
        if (naive_permits(own, operation) && dice_chance(dice, 50)) {
            scope->ops |= WEIR_OPERATION_BIT(operation);
        }
    }
    scope->op_groups = own->op_groups & (unsigned)dice_bits(dice);
    if (scope->ops == 0 && scope->op_groups == 0) {
        scope->ops = own->ops;
        scope->op_groups = own->op_groups;
    }
    if (dice_chance(dice, 8)) {
        scope->ops |= WEIR_OPERATION_BIT(dice_between(dice, 1, 24));
    }
}

static void draw_issuer(struct dice *dice, struct member *issuer)
{
    *issuer = (struct member){.token = {.id = WEIR_TEXT("issuer"), .scopes = issuer->scopes}};
    issuer->token.scope_count = dice_chance(dice, 50) ? 1 : dice_between(dice, 1, SCOPES_MAX);
    for (size_t i = 0; i < issuer->token.scope_count; i++) {
        struct weir_scope *scope = &issuer->scopes[i];

        scope->basins = draw_set(dice, WEIR_BASINS, issuer->texts[3 * i]);
        scope->streams = draw_set(dice, WEIR_STREAMS, issuer->texts[3 * i + 1]);
        scope->access_tokens = draw_set(dice, WEIR_ACCESS_TOKENS, issuer->texts[3 * i + 2]);
        draw_operations(dice, scope);
    }
    issuer->token.auto_prefix_streams = issuer->token.scope_count == 1 &&
                                        issuer->scopes[0].streams.kind == WEIR_SET_PREFIX &&
                                        dice_chance(dice, 70);
}

static void draw_child(struct dice *dice, const struct member *issuer, struct member *child)
{
    *child = (struct member){.token = {.id = WEIR_TEXT("child"), .scopes = child->scopes}};
    child->token.scope_count = dice_chance(dice, 70) ? 1 : dice_between(dice, 1, SCOPES_MAX);
    for (size_t i = 0; i < child->token.scope_count; i++) {
        struct weir_scope *scope = &child->scopes[i];
        const struct weir_scope *own = &issuer->scopes[dice_below(dice, issuer->token.scope_count)];

        scope->basins = draw_within(dice, WEIR_BASINS, &own->basins, child->texts[3 * i]);
        scope->streams =
            issuer->token.auto_prefix_streams
                ? draw_set(dice, WEIR_STREAMS, child->texts[3 * i + 1])
                : draw_within(dice, WEIR_STREAMS, &own->streams, child->texts[3 * i + 1]);
        scope->access_tokens =
            draw_within(dice, WEIR_ACCESS_TOKENS, &own->access_tokens, child->texts[3 * i + 2]);
        draw_fewer_operations(dice, own, scope);
    }
    child->token.auto_prefix_streams = child->token.scope_count == 1 &&
                                       child->scopes[0].streams.kind == WEIR_SET_PREFIX &&
                                       dice_chance(dice, 40);
}

static void draw_family(uint64_t seed, struct family *family)
{
    struct dice dice = {seed};

    draw_issuer(&dice, &family->issuer);
    draw_child(&dice, &family->issuer, &family->child);
}

_Noreturn static void disagree(uint64_t seed, const struct weir_token *issuer,
                               const struct weir_token *child, const char *what)
{
    fprintf(stderr, "\n%s (WEIR_SEED=%" PRIu64 " makes it the first)\n", what, seed);
    report_token(issuer);
    report_token(child);
    ck_abort_msg("%s (see above)", what);
    abort();
}

/* ---- The rules ---- */

/* The scope that a place begins with; SIZE_MAX: it is no scope's. */
static size_t scope_of_place(const struct weir_token *child, const char *place)
{
    size_t index = SIZE_MAX;

    if (child->scope_count == 1) {
        return strncmp(place, "scope", 5) == 0 && (place[5] == '\0' || place[5] == '.') ? 0
                                                                                        : SIZE_MAX;
    }
    return sscanf(place, "scopes[%zu]", &index) == 1 ? index : SIZE_MAX;
}

/* Whether the place is that of the first scope that is not given. */
static bool place_is_right(const struct weir_token *issuer, const struct weir_token *child,
                           enum naive_verdict verdict, const char *place)
{
    size_t index = scope_of_place(child, place);
    struct weir_token part = *child;

    for (size_t i = 0; i < child->scope_count; i++) {
        part.scopes = &child->scopes[i];
        part.scope_count = 1;
        if (naive_child(issuer, &part) == verdict) {
            return index == i;
        }
    }
    return false;
}

static void compare_absolute(uint64_t seed, const struct weir_token *issuer,
                             const struct weir_token *child, const struct weir_token *absolute)
{
    for (size_t i = 0; i < child->scope_count; i++) {
        const struct weir_scope *declared = &child->scopes[i];
        const struct weir_scope *got = &absolute->scopes[i];
        char buffer[NAIVE_JOINED_MAX];
        struct weir_set streams = naive_absolute_streams(issuer, &declared->streams, buffer);

        if (!naive_same_set(&got->streams, &streams) ||
            !naive_same_set(&got->basins, &declared->basins) ||
            !naive_same_set(&got->access_tokens, &declared->access_tokens) ||
            got->ops != declared->ops || got->op_groups != declared->op_groups) {
            report_token(absolute);
            disagree(seed, issuer, child, "a child is taken otherwise");
        }
    }
    if (absolute->scope_count != child->scope_count ||
        absolute->auto_prefix_streams != child->auto_prefix_streams ||
        !naive_same(absolute->id, child->id)) {
        disagree(seed, issuer, child, "a child's other fields are taken otherwise");
    }
}

/* What is given is as it was declared, where its issuer looks at it again. */
static void compare_shown_again(uint64_t seed, const struct weir_token *issuer,
                                const struct weir_token *child, const struct weir_token *absolute)
{
    struct weir_scope *scopes = must_allocate(child->scope_count * sizeof *scopes);
    struct weir_token shown;

    weir_token_shown_to(issuer, absolute, scopes, &shown);
    for (size_t i = 0; i < child->scope_count; i++) {
        if (!naive_same_set(&shown.scopes[i].streams, &child->scopes[i].streams)) {
            disagree(seed, issuer, child, "a child is shown otherwise than it was declared");
        }
    }
    if (shown.auto_prefix_streams != child->auto_prefix_streams) {
        disagree(seed, issuer, child, "a child's auto-prefix is not shown");
    }
    free(scopes);
}

/* Demands that both sides judge alike; returns what the child is in absolute terms if it is given,
 * for the caller to free. */
static struct weir_token *judge(uint64_t seed, const struct weir_token *issuer,
                                const struct weir_token *child)
{
    const enum naive_verdict expected = naive_child(issuer, child);
    struct weir_token *absolute = NULL;
    struct weir_error error = {0};
    enum weir_status status = weir_child_absolute(issuer, child, NULL, &absolute, &error);

    if ((status == WEIR_ERROR_NAME) != (expected == NAIVE_TOO_LONG)) {
        disagree(seed, issuer, child, "which names are too long is judged otherwise");
    }
    if (status == WEIR_OK) {
        compare_absolute(seed, issuer, child, absolute);
        compare_shown_again(seed, issuer, child, absolute);
        status = weir_child_contained(issuer, child, absolute, &error);
        if (status != (expected == NAIVE_GIVEN ? WEIR_OK : WEIR_ERROR_DENIED)) {
            disagree(seed, issuer, child, "what an issuer may give is judged otherwise");
        }
    }
    if (error.status != status ||
        (status != WEIR_OK && !place_is_right(issuer, child, expected, error.place))) {
        fprintf(stderr, "%s: %s\n", error.place, error.message);
        disagree(seed, issuer, child, "the place of what is not given is wrong");
    }
    if (status != WEIR_OK) {
        weir_token_free(absolute, NULL);
        return NULL;
    }
    return absolute;
}

START_TEST(what_an_issuer_may_give_is_what_the_naive_rules_say)
{
    const uint64_t seed = model_seed();
    const uint64_t amount = model_amount(FAMILIES);
    uint64_t given[2][2] = {{0}}; /* by auto-prefix of the issuer, of the child */
    uint64_t of_many = 0;

    for (uint64_t i = 0; i < amount; i++) {
        struct family family;
        const struct weir_token *issuer = &family.issuer.token;
        const struct weir_token *child = &family.child.token;
        struct weir_token *absolute = NULL;

        draw_family(seed + i, &family);
        absolute = judge(seed + i, issuer, child);
        if (absolute != NULL) {
            given[issuer->auto_prefix_streams][child->auto_prefix_streams]++;
            of_many += issuer->scope_count > 1 && child->scope_count > 1;
        }
        weir_token_free(absolute, NULL);
    }
    printf("seed %" PRIu64 ": %" PRIu64 " families; given with and without auto-prefix: %" PRIu64
           " %" PRIu64 " %" PRIu64 " %" PRIu64 ", of and with many scopes: %" PRIu64 "\n",
           seed, amount, given[0][0], given[0][1], given[1][0], given[1][1], of_many);
    ck_assert_uint_ge(given[0][0], amount / 50);
    ck_assert_uint_ge(given[0][1], amount / 100);
    ck_assert_uint_ge(given[1][0], amount / 100);
    ck_assert_uint_ge(given[1][1], amount / 100);
    ck_assert_uint_ge(of_many, amount / 200);
}
END_TEST

/* ---- What a child may, its issuer may ---- */

static const struct weir_instant now = {0, 0};

/* The name by which the token's client calls what the server calls so; false if it has none. */
static bool client_word(const struct weir_token *token, struct weir_text effective,
                        struct weir_text *word)
{
    struct weir_text prefix = naive_stream_prefix(token);

    *word = (struct weir_text){effective.bytes + prefix.length, effective.length - prefix.length};
    return naive_begins(effective, prefix) && naive_stream_valid(*word);
}

/* Whether the issuer may do what the child was allowed. */
static bool issuer_may(const struct weir_token *issuer, const struct weir_request *asked,
                       const struct naive_answer *allowed)
{
    const struct weir_text effective = {allowed->stream, allowed->stream_length};
    struct weir_request request = *asked;
    struct naive_answer answer;

    if (naive_target(asked->operation) == 's' && !client_word(issuer, effective, &request.stream)) {
        return false;
    }
    answer = naive_decide_token(issuer, &request, now);
    return answer.reason == WEIR_ALLOWED &&
           (naive_target(asked->operation) != 's' ||
            naive_same((struct weir_text){answer.stream, answer.stream_length}, effective));
}

/* Names that are in the token's sets, or close to that: each set's own, and it with up to two
 * pieces behind it. */
struct names {
    struct weir_text texts[SCOPES_MAX * 21];
    char bytes[SCOPES_MAX * 21][TEXT_SIZE];
    size_t count;
};

static void add_name(struct names *names, struct weir_text start, const char *first,
                     const char *second)
{
    char *bytes = names->bytes[names->count];

    (void)snprintf(bytes, TEXT_SIZE, "%.*s%s%s", (int)start.length,
                   start.length > 0 ? start.bytes : "", first, second);
    names->texts[names->count++] = (struct weir_text){bytes, strlen(bytes)};
}

static void add_names(struct names *names, struct weir_text start)
{
    add_name(names, start, "", "");
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        add_name(names, start, pieces[i], "");
        for (size_t k = 0; k < COUNT_OF(pieces); k++) {
            add_name(names, start, pieces[i], pieces[k]);
        }
    }
}

/* How the child's client may call streams, and the ids that it may know. */
static void gather_names(const struct weir_token *absolute, struct names *streams,
                         struct names *ids)
{
    streams->count = ids->count = 0;
    for (size_t i = 0; i < absolute->scope_count; i++) {
        add_names(streams, absolute->auto_prefix_streams ? (struct weir_text){NULL, 0}
                                                         : absolute->scopes[i].streams.name);
        add_names(ids, absolute->scopes[i].access_tokens.name);
    }
}

/* Asks both; returns whether the child may. */
static bool ask_both(uint64_t seed, const struct weir_token *issuer,
                     const struct weir_token *absolute, const struct weir_request *request)
{
    struct naive_answer answer = naive_decide_token(absolute, request, now);

    if (answer.reason == WEIR_ALLOWED && !issuer_may(issuer, request, &answer)) {
        report_request(request);
        disagree(seed, issuer, absolute, "a child may do what its issuer may not");
    }
    return answer.reason == WEIR_ALLOWED;
}

/* Asks about everything that the operation may be asked about; returns how often the child may. */
static uint64_t ask_all(uint64_t seed, const struct weir_token *issuer,
                        const struct weir_token *absolute, unsigned operation,
                        const struct names *streams, const struct names *ids)
{
    const char target = naive_target(operation);
    const size_t basin_count = target == 'b' || target == 's' ? COUNT_OF(basins) : 1;
    const struct names *names = target == 's' ? streams : ids;
    const size_t name_count = target == 's' || target == 't' ? names->count : 1;
    uint64_t allowed = 0;

    for (size_t i = 0; i < basin_count; i++) {
        for (size_t k = 0; k < name_count; k++) {
            const struct weir_request request = {
                .operation = (enum weir_operation)operation,
                .basin = {basins[i], strlen(basins[i])},
                .stream = streams->texts[k],
                .access_token = ids->texts[k],
            };

            allowed += ask_both(seed, issuer, absolute, &request);
        }
    }
    return allowed;
}

/* Whether the token may list the name, and its client sees it then. */
static bool may_list(const struct weir_token *token, enum weir_operation operation,
                     struct weir_text basin, struct weir_text name)
{
    const struct weir_request request = {.operation = operation, .basin = basin};
    struct weir_text word = name;

    return naive_decide_token(token, &request, now).reason == WEIR_ALLOWED &&
           naive_listable(token, operation, basin, (struct weir_text){NULL, 0}, name) &&
           (operation != WEIR_LIST_STREAMS || client_word(token, name, &word));
}

/* As many names as there are, by the server's names. */
static uint64_t list_all(uint64_t seed, const struct weir_token *issuer,
                         const struct weir_token *absolute, enum weir_operation operation,
                         struct weir_text basin, const struct weir_text *names, size_t count)
{
    uint64_t listed = 0;

    for (size_t i = 0; i < count; i++) {
        char buffer[NAIVE_EFFECTIVE_MAX];
        struct weir_text name = operation == WEIR_LIST_STREAMS
                                    ? naive_join(naive_stream_prefix(absolute), names[i], buffer)
                                    : names[i];
        bool may = may_list(absolute, operation, basin, name);

        if (may && !may_list(issuer, operation, basin, name)) {
            report_text("name", name);
            disagree(seed, issuer, absolute, "a child may list what its issuer may not");
        }
        listed += may;
    }
    return listed;
}

struct tally {
    uint64_t families, allowed, listed, by_prefixed, listed_by_prefixed;
};

static void question(uint64_t seed, const struct weir_token *issuer,
                     const struct weir_token *absolute, struct tally *tally)
{
    struct weir_text basin_names[COUNT_OF(basins)];
    struct names streams, ids;
    uint64_t allowed = 0, listed = 0;

    gather_names(absolute, &streams, &ids);
    for (unsigned operation = 1; operation <= 24; operation++) {
        allowed += ask_all(seed, issuer, absolute, operation, &streams, &ids);
    }
    for (size_t i = 0; i < COUNT_OF(basins); i++) {
        basin_names[i] = (struct weir_text){basins[i], strlen(basins[i])};
        listed += list_all(seed, issuer, absolute, WEIR_LIST_STREAMS, basin_names[i], streams.texts,
                           streams.count);
    }
    listed += list_all(seed, issuer, absolute, WEIR_LIST_BASINS, (struct weir_text){NULL, 0},
                       basin_names, COUNT_OF(basins));
    listed += list_all(seed, issuer, absolute, WEIR_LIST_ACCESS_TOKENS, (struct weir_text){NULL, 0},
                       ids.texts, ids.count);
    tally->families++;
    tally->allowed += allowed;
    tally->listed += listed;
    tally->by_prefixed += issuer->auto_prefix_streams ? allowed : 0;
    tally->listed_by_prefixed += issuer->auto_prefix_streams ? listed : 0;
}

START_TEST(whatever_a_child_may_do_or_list_its_issuer_may)
{
    const uint64_t seed = model_seed() + 1000000000;
    const uint64_t amount = model_amount(QUESTIONED);
    struct tally tally = {0};

    for (uint64_t i = 0; tally.families < amount; i++) {
        struct family family;
        struct weir_token *absolute = NULL;

        draw_family(seed + i, &family);
        absolute = judge(seed + i, &family.issuer.token, &family.child.token);
        if (absolute != NULL) {
            question(seed + i, &family.issuer.token, absolute, &tally);
        }
        weir_token_free(absolute, NULL);
    }
    printf("seed %" PRIu64 ": %" PRIu64 " children may do %" PRIu64 " things and list %" PRIu64
           " names, of issuers with auto-prefix %" PRIu64 " and %" PRIu64 "\n",
           seed, tally.families, tally.allowed, tally.listed, tally.by_prefixed,
           tally.listed_by_prefixed);
    ck_assert_uint_ge(tally.allowed, 15 * tally.families);
    ck_assert_uint_ge(tally.listed, 2 * tally.families);
    ck_assert_uint_ge(tally.by_prefixed, 4 * tally.families);
    ck_assert_uint_ge(tally.listed_by_prefixed, tally.families);
}
END_TEST

/* ---- Tokens as others see them ---- */

/* A set that is shown has the names that the token's has, as the requestor's client words them. */
static void compare_meaning(uint64_t seed, const struct weir_token *requestor,
                            const struct weir_token *token, const struct weir_set *set,
                            const struct weir_set *shown)
{
    struct names names = {.count = 0};

    add_names(&names, shown->name);
    add_names(&names, (struct weir_text){NULL, 0});
    for (size_t i = 0; i < names.count; i++) {
        char buffer[NAIVE_EFFECTIVE_MAX];
        struct weir_text effective =
            naive_join(naive_stream_prefix(requestor), names.texts[i], buffer);

        if (names.texts[i].length > 0 &&
            naive_matches(shown, names.texts[i]) != naive_matches(set, effective)) {
            report_text("name", names.texts[i]);
            disagree(seed, requestor, token, "a set is shown as another one");
        }
    }
}

static void compare_shown(uint64_t seed, const struct weir_token *requestor,
                          const struct weir_token *token, uint64_t *hidden)
{
    struct weir_scope scopes[SCOPES_MAX];
    struct weir_token shown;
    bool any_hidden = false;

    weir_token_shown_to(requestor, token, scopes, &shown);
    for (size_t i = 0; i < token->scope_count; i++) {
        const struct weir_set *set = &token->scopes[i].streams;

        if (naive_streams_hidden(requestor, set)) {
            any_hidden = true;
            if (shown.scopes[i].streams.kind != WEIR_SET_NOTHING) {
                disagree(seed, requestor, token, "streams that lie outside are shown");
            }
        } else {
            compare_meaning(seed, requestor, token, set, &shown.scopes[i].streams);
        }
        if (!naive_same_set(&shown.scopes[i].basins, &token->scopes[i].basins) ||
            !naive_same_set(&shown.scopes[i].access_tokens, &token->scopes[i].access_tokens) ||
            shown.scopes[i].ops != token->scopes[i].ops ||
            shown.scopes[i].op_groups != token->scopes[i].op_groups) {
            disagree(seed, requestor, token, "what is no set of streams is shown otherwise");
        }
    }
    if (shown.auto_prefix_streams != (token->auto_prefix_streams && !any_hidden)) {
        disagree(seed, requestor, token, "auto-prefix is shown otherwise");
    }
    *hidden += any_hidden;
}

START_TEST(a_token_is_shown_as_a_requestors_client_would_name_its_streams)
{
    const uint64_t seed = model_seed() + 2000000000;
    const uint64_t amount = model_amount(FAMILIES) / 8;
    uint64_t hidden = 0;

    for (uint64_t i = 0; i < amount; i++) {
        struct family family, other;

        draw_family(seed + i, &family);
        draw_family(seed + i / 2, &other);
        compare_shown(seed + i, &family.issuer.token, &family.child.token, &hidden);
        compare_shown(seed + i, &family.issuer.token, &other.issuer.token, &hidden);
    }
    ck_assert_uint_ge(hidden, amount / 20);
    ck_assert_uint_le(hidden, amount);
}
END_TEST

/* ---- Longer names, stranger characters, many scopes ---- */

#define RELATIVE_SCOPES_MAX 200

/* A set that lies close to the other: it, one of its names, or what is beside it. */
static struct weir_set relative_set(struct world *world, enum weir_set_role role,
                                    const struct weir_set *own, struct weir_text *name)
{
    const bool as_prefix = dice_chance(&world->dice, 50);
    struct weir_set set = *own;
    bool valid = false;

    if (dice_chance(&world->dice, 40)) {
        *name = (struct weir_text){NULL, 0};
        return set;
    }
    *name = world_name(world, role, own);
    valid = role == WEIR_BASINS    ? naive_basin_valid(*name)
            : role == WEIR_STREAMS ? naive_stream_valid(*name)
                                   : naive_token_id_valid(*name);
    if (valid) {
        set = (struct weir_set){as_prefix ? WEIR_SET_PREFIX : WEIR_SET_EXACT, *name};
    }
    return set;
}

/* Declares a child with scopes that are close to the issuer's, and judges it. */
static bool judge_relative(struct world *world, const struct weir_token *issuer)
{
    struct weir_scope scopes[4];
    struct weir_text names[4][3] = {{{NULL, 0}}};
    struct weir_token child = {.id = issuer->id, .scopes = scopes};
    struct weir_token *absolute = NULL;

    child.scope_count = dice_between(&world->dice, 1, COUNT_OF(scopes));
    for (size_t i = 0; i < child.scope_count; i++) {
        const struct weir_scope *own =
            &issuer->scopes[dice_below(&world->dice, issuer->scope_count)];

        scopes[i] = *own;
        scopes[i].basins = relative_set(world, WEIR_BASINS, &own->basins, &names[i][0]);
        scopes[i].streams = relative_set(world, WEIR_STREAMS, &own->streams, &names[i][1]);
        scopes[i].access_tokens =
            relative_set(world, WEIR_ACCESS_TOKENS, &own->access_tokens, &names[i][2]);
    }
    child.auto_prefix_streams = child.scope_count == 1 &&
                                scopes[0].streams.kind == WEIR_SET_PREFIX &&
                                dice_chance(&world->dice, 50);
    absolute = judge(world->seed, issuer, &child);
    for (size_t i = 0; i < 12; i++) {
        text_fini(&names[i / 3][i % 3]);
    }
    weir_token_free(absolute, NULL);
    return absolute != NULL;
}

/* The token itself as the child, one scope of it, and another token of the world. */
static void judge_others(struct world *world, const struct weir_token *issuer)
{
    const struct weir_token *other = &world->tokens[dice_below(&world->dice, world->count)];
    struct weir_token part = *issuer;

    part.scopes += dice_below(&world->dice, issuer->scope_count);
    part.scope_count = 1;
    if (issuer->scope_count > 1) {
        part.auto_prefix_streams = false;
    }
    weir_token_free(judge(world->seed, issuer, &part), NULL);
    if (issuer->scope_count <= RELATIVE_SCOPES_MAX) {
        weir_token_free(judge(world->seed, issuer, issuer), NULL);
    }
    if (other->scope_count <= RELATIVE_SCOPES_MAX) {
        weir_token_free(judge(world->seed, issuer, other), NULL);
    }
}

START_TEST(so_it_is_with_long_names_strange_characters_and_many_scopes)
{
    const uint64_t seed = model_seed();
    const uint64_t amount = model_amount(RELATIVES);
    uint64_t given = 0, judged = 0;

    for (uint64_t i = 0; judged < amount; i++) {
        struct world *world = world_new(seed + i);

        for (int k = 0; k < 1000 && world->count > 0; k++) {
            const struct weir_token *issuer =
                &world->tokens[dice_below(&world->dice, world->count)];

            if (issuer->scope_count <= RELATIVE_SCOPES_MAX) {
                given += judge_relative(world, issuer);
                judge_others(world, issuer);
                judged += 4;
            }
        }
        world_free(world);
    }
    printf("seed %" PRIu64 ": %" PRIu64 " relatives, of which %" PRIu64 " are given\n", seed,
           judged / 4, given);
    ck_assert_uint_ge(given, judged / 40);
}
END_TEST

int main(void)
{
    const TTest *const cases[] = {
        what_an_issuer_may_give_is_what_the_naive_rules_say,
        whatever_a_child_may_do_or_list_its_issuer_may,
        a_token_is_shown_as_a_requestors_client_would_name_its_streams,
        so_it_is_with_long_names_strange_characters_and_many_scopes,
    };

    return run_cases("authority containment", cases, COUNT_OF(cases));
}
