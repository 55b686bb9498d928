/*
 * A difference of two tokens is all that one allows or lists and the other does
 * not, said once, in sets that hold nothing else, each with a question that the
 * two really answer differently; and nothing is said of tokens that mean the
 * same.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/difference.h>
#include <weir/image.h>

#include "model/generate.h"
#include "model/images.h"
#include "model/naive.h"
#include "model/naive_difference.h"
#include "model/recorded_lines.h"
#include "model/report.h"
#include "model/rewrite.h"

#define PAIRS UINT64_C(3000)
#define REWRITTEN UINT64_C(4000)
#define WORLDS UINT64_C(120)

#define BASINS 9
#define NAMES 22

static const struct weir_text nothing = {NULL, 0};

/* Two declarations of one id, NULL for none, and the names that they are asked
 * about. */
struct pair {
    struct world *world;
    const struct weir_token *sides[2];
    struct recorded_lines lines;
    struct weir_text names[3][NAMES]; /* by enum weir_set_role */
    size_t counts[3];
};

static uint64_t compared, pairs_that_differ, lines_seen, with_exceptions, listed_more, unsayable;

static void compare_tokens(struct world *world, const struct weir_token *old_token,
                           const struct weir_token *new_token, struct recorded_lines *lines)
{
    struct weir_compiled_token *old_compiled = NULL;
    struct weir_compiled_token *new_compiled = NULL;
    struct weir_error error;
    size_t size = 0;

    if (old_token != NULL) {
        old_compiled = compile_alone(world, old_token, &size);
    }
    if (new_token != NULL) {
        new_compiled = compile_alone(world, new_token, &size);
    }
    must_succeed(
        weir_diff_tokens(old_compiled, new_compiled, world->now, NULL, record_line, lines, &error),
        &error, world, "comparing two tokens");
    free(old_compiled);
    free(new_compiled);
}

_Noreturn static void disagree(const struct pair *pair, const struct recorded_line *line,
                               const struct weir_request *request, const char *what)
{
    report_world(pair->world, what);
    for (int side = 0; side < 2; side++) {
        (void)fprintf(stderr, side == 0 ? "  old\n" : "  new\n");
        if (pair->sides[side] != NULL) {
            report_token(pair->sides[side]);
        }
    }
    if (request != NULL) {
        report_request(request);
    }
    if (line != NULL) {
        report_line(line);
    }
    for (size_t i = 0; line == NULL && i < pair->lines.count && i < 20; i++) {
        report_line(&pair->lines.lines[i]);
    }
    ck_abort_msg("%s (see above)", what);
    abort();
}

/* ---- The names to ask about ---- */

static void add_name(struct pair *pair, enum weir_set_role role, const struct weir_set *near)
{
    const size_t most = role == WEIR_BASINS ? BASINS : NAMES;

    if (pair->counts[role] < most) {
        pair->names[role][pair->counts[role]++] = world_name(pair->world, role, near);
    }
}

static void add_copy(struct pair *pair, enum weir_set_role role, struct weir_text text)
{
    const size_t most = role == WEIR_BASINS ? BASINS : NAMES;
    char *bytes = NULL;

    if (text.length > 0 && pair->counts[role] < most) {
        bytes = must_allocate(text.length);
        pair->names[role][pair->counts[role]++] = naive_join(text, nothing, bytes);
    }
}

/* The name as the token's client uses it, if it begins with what is put before
 * such names; and one that is as long as it may be, more or less. */
static void add_as_client(struct pair *pair, const struct weir_token *token, struct weir_text name)
{
    const struct weir_text before = naive_stream_prefix(token);
    char filled[WEIR_STREAM_MAX + 2];

    if (!token->auto_prefix_streams) {
        return;
    }
    if (naive_begins(name, before)) {
        add_copy(pair, WEIR_STREAMS,
                 (struct weir_text){name.bytes + before.length, name.length - before.length});
    }
    memset(filled, 'a', sizeof filled);
    add_copy(pair, WEIR_STREAMS,
             (struct weir_text){filled, WEIR_STREAM_MAX - before.length +
                                            dice_below(&pair->world->dice, 2)});
}

static void add_names_of_token(struct pair *pair, const struct weir_token *token)
{
    struct dice *dice = &pair->world->dice;

    for (int i = 0; token != NULL && i < 6; i++) {
        const struct weir_scope *scope = &token->scopes[dice_below(dice, token->scope_count)];

        for (enum weir_set_role role = WEIR_BASINS; role <= WEIR_ACCESS_TOKENS; role++) {
            add_name(pair, role, scope_set(scope, role));
        }
        add_as_client(pair, token, scope->streams.name);
    }
}

static void add_member(struct pair *pair, enum weir_set_role role,
                       const struct weir_listing *listing)
{
    struct dice *dice = &pair->world->dice;

    if (listing->prefix_count > 0 && dice_chance(dice, 60)) {
        const struct weir_set near = {WEIR_SET_PREFIX,
                                      listing->prefixes[dice_below(dice, listing->prefix_count)]};

        add_name(pair, role, &near);
    } else if (listing->exact_count > 0) {
        const struct weir_set near = {WEIR_SET_EXACT,
                                      listing->exact[dice_below(dice, listing->exact_count)]};

        add_name(pair, role, &near);
    }
}

static void add_names_of_lines(struct pair *pair)
{
    for (int i = 0; pair->lines.count > 0 && i < 3; i++) {
        const struct recorded_line *line =
            &pair->lines.lines[dice_below(&pair->world->dice, pair->lines.count)];

        add_copy(pair, WEIR_BASINS, line->request.basin);
        add_copy(pair, WEIR_STREAMS, line->request.stream);
        add_copy(pair, WEIR_ACCESS_TOKENS, line->request.access_token);
        for (enum weir_set_role role = WEIR_BASINS; role <= WEIR_ACCESS_TOKENS; role++) {
            if (line->has_set[role]) {
                add_member(pair, role, &line->sets[role].included);
                add_member(pair, role, &line->sets[role].except);
            }
        }
    }
}

static void pair_fini(struct pair *pair)
{
    for (int role = 0; role < 3; role++) {
        for (size_t i = 0; i < pair->counts[role]; i++) {
            text_fini(&pair->names[role][i]);
        }
    }
    recorded_lines_fini(&pair->lines);
}

/* ---- Each line by itself ---- */

static int new_side(enum weir_difference_change change)
{
    return change == WEIR_GAINED || change == WEIR_LISTS_MORE;
}

static bool lists(enum weir_difference_change change)
{
    return change == WEIR_LISTS_MORE || change == WEIR_LISTS_LESS;
}

/* Whether a line of this change and operation has a set of the role. */
static bool wants_set(const struct recorded_line *line, enum weir_set_role role)
{
    const char target = naive_target(line->operation);

    if (line->change != WEIR_GAINED && line->change != WEIR_LOST && !lists(line->change)) {
        return false;
    }
    if (lists(line->change)) {
        return role == WEIR_BASINS    ? line->operation != WEIR_LIST_ACCESS_TOKENS
               : role == WEIR_STREAMS ? line->operation == WEIR_LIST_STREAMS
                                      : line->operation == WEIR_LIST_ACCESS_TOKENS;
    }
    return role == WEIR_BASINS    ? target == 'b' || target == 's'
           : role == WEIR_STREAMS ? target == 's'
                                  : target == 't';
}

static size_t longest_of(const struct pair *pair, enum weir_set_role role, int to)
{
    return role == WEIR_BASINS    ? WEIR_BASIN_MAX
           : role == WEIR_STREAMS ? naive_longest_stream(pair->sides[to])
                                  : WEIR_TOKEN_ID_MAX;
}

static size_t members(const struct weir_name_set *set)
{
    return set->included.exact_count + set->included.prefix_count + set->except.exact_count +
           set->except.prefix_count;
}

static void check_sets(const struct pair *pair, const struct recorded_line *line)
{
    for (enum weir_set_role role = WEIR_BASINS; role <= WEIR_ACCESS_TOKENS; role++) {
        const struct weir_name_set *set = &line->sets[role];
        const char *fault = NULL;

        if (line->has_set[role] != wants_set(line, role)) {
            disagree(pair, line, NULL, "a line has not the sets that it should have");
        }
        if (!line->has_set[role]) {
            continue;
        }
        with_exceptions += set->except.exact_count + set->except.prefix_count > 0;
        if (members(set) < 300) {
            fault = naive_set_fault(role, longest_of(pair, role, new_side(line->change)), set);
        }
        if (fault != NULL) {
            disagree(pair, line, NULL, fault);
        }
    }
}

static void check_request(const struct pair *pair, const struct recorded_line *line)
{
    const int to = new_side(line->change);
    const struct weir_instant now = pair->world->now;
    const struct weir_request *request = &line->request;
    const bool wanted_from = lists(line->change);

    if (line->change == WEIR_EXPIRES_ELSE || line->change == WEIR_AUTO_PREFIX_ELSE) {
        return;
    }
    if (request->operation != line->operation || !naive_allows(pair->sides[to], request, now) ||
        naive_allows(pair->sides[!to], request, now) != wanted_from) {
        disagree(pair, line, request, "the example is not decided as it is said to be");
    }
    if (wanted_from && line->operation != WEIR_LIST_STREAMS) {
        return;
    }
    if ((line->has_set[WEIR_BASINS] && !naive_set_has(&line->sets[WEIR_BASINS], request->basin)) ||
        (line->has_set[WEIR_STREAMS] && !wanted_from &&
         !naive_set_has(&line->sets[WEIR_STREAMS], request->stream)) ||
        (line->has_set[WEIR_ACCESS_TOKENS] &&
         !naive_set_has(&line->sets[WEIR_ACCESS_TOKENS], request->access_token))) {
        disagree(pair, line, request, "the example is not one of the line's");
    }
}

static void check_order(const struct pair *pair)
{
    for (size_t i = 1; i < pair->lines.count; i++) {
        const struct recorded_line *before = &pair->lines.lines[i - 1];
        const struct recorded_line *line = &pair->lines.lines[i];

        if (before->operation > line->operation ||
            (before->operation == line->operation && before->change > line->change)) {
            disagree(pair, line, NULL, "lines are out of order");
        }
    }
}

static bool is_live(const struct weir_token *token, struct weir_instant now)
{
    const struct weir_request any = {.operation = WEIR_LIST_BASINS};

    return token != NULL && naive_decide_token(token, &any, now).reason != WEIR_EXPIRED;
}

static bool has_line(const struct pair *pair, enum weir_difference_change change)
{
    size_t count = 0;

    for (size_t i = 0; i < pair->lines.count; i++) {
        count += pair->lines.lines[i].change == change;
    }
    if (count > 1) {
        disagree(pair, NULL, NULL, "a change of terms is told twice");
    }
    return count == 1;
}

static bool expire_alike(const struct weir_token *left, const struct weir_token *right)
{
    return left->expires == right->expires &&
           (!left->expires || (left->expires_at.seconds == right->expires_at.seconds &&
                               left->expires_at.nanoseconds == right->expires_at.nanoseconds));
}

static void check_terms(const struct pair *pair)
{
    const struct weir_token *const *sides = pair->sides;
    const bool both = is_live(sides[0], pair->world->now) && is_live(sides[1], pair->world->now);

    if (has_line(pair, WEIR_EXPIRES_ELSE) != (both && !expire_alike(sides[0], sides[1]))) {
        disagree(pair, NULL, NULL, "a change of expiry");
    }
    if (has_line(pair, WEIR_AUTO_PREFIX_ELSE) !=
        (both && !naive_same(naive_stream_prefix(sides[0]), naive_stream_prefix(sides[1])))) {
        disagree(pair, NULL, NULL, "a change of auto-prefix");
    }
}

/* ---- All lines together ---- */

static size_t lines_that_say(const struct pair *pair, enum weir_difference_change change,
                             const struct weir_request *request)
{
    const struct weir_text names[] = {request->basin, request->stream, request->access_token};
    size_t count = 0;

    for (size_t i = 0; i < pair->lines.count; i++) {
        const struct recorded_line *line = &pair->lines.lines[i];
        bool says = line->change == change && line->operation == request->operation;

        for (int role = 0; says && role < 3; role++) {
            says = !line->has_set[role] || naive_set_has(&line->sets[role], names[role]);
        }
        count += says;
    }
    return count;
}

/* Whether `to` has it and `from` has not is `expected`, and is said that often.
 * A stream that is too long for a client whose streams are prefixed may be what
 * no set can say. */
static void check_said(const struct pair *pair, enum weir_difference_change change,
                       const struct weir_request *request, bool expected)
{
    const int to = new_side(change);
    size_t said = 0;

    if (request->stream.length > naive_longest_stream(pair->sides[to])) {
        return;
    }
    said = lines_that_say(pair, change, request);
    compared++;
    if (expected && said == 0 && request->stream.length > naive_longest_stream(pair->sides[!to])) {
        unsayable++;
        return;
    }
    if (said != expected) {
        (void)fprintf(stderr, "\nexpected %s: %d, said %zu times\n",
                      weir_difference_change_name(change), expected, said);
        disagree(pair, NULL, request, "what is said is not what is so");
    }
}

static void check_allowed(const struct pair *pair, const struct weir_request *request)
{
    const bool old_allows = naive_allows(pair->sides[0], request, pair->world->now);
    const bool new_allows = naive_allows(pair->sides[1], request, pair->world->now);

    check_said(pair, WEIR_GAINED, request, new_allows && !old_allows);
    check_said(pair, WEIR_LOST, request, old_allows && !new_allows);
}

/* Names that are listed, where both may list. The request has the name, and the
 * basin. */
static void check_listed(const struct pair *pair, const struct weir_request *request,
                         struct weir_text name)
{
    const enum weir_operation operation = request->operation;
    const struct weir_request asked = {.operation = operation, .basin = request->basin};
    bool shown[2] = {false, false};

    if (!naive_allows(pair->sides[0], &asked, pair->world->now) ||
        !naive_allows(pair->sides[1], &asked, pair->world->now)) {
        return;
    }
    for (int side = 0; side < 2; side++) {
        shown[side] = naive_shows(pair->sides[side], operation, request->basin, name);
    }
    listed_more += shown[1] && !shown[0];
    check_said(pair, WEIR_LISTS_MORE, request, shown[1] && !shown[0]);
    check_said(pair, WEIR_LISTS_LESS, request, shown[0] && !shown[1]);
}

static void check_stream_operation(const struct pair *pair, struct weir_request request)
{
    for (size_t s = 0; s < pair->counts[WEIR_STREAMS]; s++) {
        request.stream = pair->names[WEIR_STREAMS][s];
        if (!naive_stream_valid(request.stream)) {
            continue;
        }
        if (request.operation == WEIR_LIST_STREAMS) {
            check_listed(pair, &request, request.stream);
        } else {
            check_allowed(pair, &request);
        }
    }
}

static void check_in_basins(const struct pair *pair, struct weir_request request)
{
    const bool streams = naive_target(request.operation) == 's';

    for (size_t b = 0; b < pair->counts[WEIR_BASINS]; b++) {
        request.basin = pair->names[WEIR_BASINS][b];
        if (!naive_basin_valid(request.basin)) {
            continue;
        }
        if (request.operation == WEIR_LIST_BASINS) {
            check_listed(pair, &request, request.basin);
        } else if (!streams) {
            check_allowed(pair, &request);
        }
        if (streams || request.operation == WEIR_LIST_STREAMS) {
            check_stream_operation(pair, request);
        }
    }
}

static void check_access_tokens(const struct pair *pair, struct weir_request request)
{
    for (size_t i = 0; i < pair->counts[WEIR_ACCESS_TOKENS]; i++) {
        request.access_token = pair->names[WEIR_ACCESS_TOKENS][i];
        if (!naive_token_id_valid(request.access_token)) {
            continue;
        }
        if (request.operation == WEIR_LIST_ACCESS_TOKENS) {
            check_listed(pair, &request, request.access_token);
        } else {
            check_allowed(pair, &request);
        }
    }
}

static void check_operation(const struct pair *pair, unsigned number)
{
    const struct weir_request request = {.operation = (enum weir_operation)number};
    const char target = naive_target(number);

    if (target == '-') {
        check_allowed(pair, &request);
    }
    if (target == 't' || number == WEIR_LIST_ACCESS_TOKENS) {
        check_access_tokens(pair, request);
    }
    if (target == 'b' || target == 's' || number == WEIR_LIST_BASINS) {
        check_in_basins(pair, request);
    }
}

static size_t scopes_of(const struct pair *pair)
{
    return (pair->sides[0] != NULL ? pair->sides[0]->scope_count : 0) +
           (pair->sides[1] != NULL ? pair->sides[1]->scope_count : 0);
}

static void check_pair(struct pair *pair)
{
    const unsigned step = scopes_of(pair) > 400 ? 5 : 1;
    const unsigned first = 1 + (unsigned)dice_below(&pair->world->dice, step);

    compare_tokens(pair->world, pair->sides[0], pair->sides[1], &pair->lines);
    lines_seen += pair->lines.count;
    pairs_that_differ += pair->lines.count > 0;
    check_order(pair);
    check_terms(pair);
    for (size_t i = 0; i < pair->lines.count; i++) {
        check_sets(pair, &pair->lines.lines[i]);
        check_request(pair, &pair->lines.lines[i]);
    }
    add_names_of_lines(pair);
    add_names_of_token(pair, pair->sides[0]);
    add_names_of_token(pair, pair->sides[1]);
    for (unsigned number = first; number <= WEIR_OPERATION_COUNT; number += step) {
        check_operation(pair, number);
    }
}

START_TEST(all_that_differs_is_said_once_and_nothing_else)
{
    const uint64_t seed = model_seed();
    const uint64_t amount = model_amount(PAIRS);
    uint64_t done = 0;

    for (uint64_t i = 0; done < amount; i++) {
        struct world *world = world_new(seed + i);

        for (size_t k = 0; k < 60 && k < 2 * world->count; k++) {
            struct rewriting changed;
            struct pair pair = {.world = world};

            pair.sides[0] = &world->tokens[dice_below(&world->dice, world->count)];
            token_change(&changed, world, pair.sides[0]);
            pair.sides[1] = dice_chance(&world->dice, 5) ? NULL : &changed.token;
            if (dice_chance(&world->dice, 50)) {
                const struct weir_token *held = pair.sides[0];

                pair.sides[0] = pair.sides[1];
                pair.sides[1] = held;
            }
            check_pair(&pair);
            pair_fini(&pair);
            rewriting_fini(&changed);
            done++;
        }
        world_free(world);
    }
    printf("seed %" PRIu64 ": %" PRIu64 " pairs of tokens, %" PRIu64 " differ, in %" PRIu64
           " lines, %" PRIu64 " sets with exceptions; %" PRIu64 " questions, %" PRIu64
           " names listed more, %" PRIu64 " not sayable\n",
           seed, done, pairs_that_differ, lines_seen, with_exceptions, compared, listed_more,
           unsayable);
    ck_assert_uint_ge(pairs_that_differ * 3, done);
    ck_assert_uint_gt(with_exceptions * 100, done);
    ck_assert_uint_gt(listed_more, 0);
}
END_TEST

START_TEST(tokens_that_mean_the_same_do_not_differ)
{
    const uint64_t seed = model_seed();
    const uint64_t amount = model_amount(REWRITTEN);
    uint64_t done = 0;
    uint64_t split = 0;

    for (uint64_t i = 0; done < amount; i++) {
        struct world *world = world_new(seed + i);

        for (size_t k = 0; k < 60 && k < 2 * world->count; k++) {
            struct rewriting same;
            struct pair pair = {.world = world};

            pair.sides[0] = &world->tokens[dice_below(&world->dice, world->count)];
            split += token_rewrite(&same, world, pair.sides[0]);
            pair.sides[1] = &same.token;
            compare_tokens(world, pair.sides[0], pair.sides[1], &pair.lines);
            compare_tokens(world, pair.sides[1], pair.sides[0], &pair.lines);
            if (pair.lines.count > 0) {
                disagree(&pair, NULL, NULL, "tokens that mean the same differ");
            }
            pair_fini(&pair);
            rewriting_fini(&same);
            done++;
        }
        world_free(world);
    }
    printf("seed %" PRIu64 ": %" PRIu64 " tokens written otherwise, %" PRIu64
           " of them with a prefix split over what may follow\n",
           seed, done, split);
    ck_assert_uint_gt(split * 50, done);
}
END_TEST

/* ---- At the edges ---- */

#define READ_OP (UINT64_C(1) << WEIR_READ)

/* The lines of two tokens that may read, of one scope each. */
static struct recorded_lines read_lines(const struct weir_scope *old_scope, bool old_auto,
                                        const struct weir_scope *new_scope, bool new_auto)
{
    struct world *world = world_new(1);
    struct weir_token old_token = {.id = WEIR_TEXT("t"), .scopes = old_scope, .scope_count = 1};
    struct weir_token new_token = {.id = WEIR_TEXT("t"), .scopes = new_scope, .scope_count = 1};
    struct recorded_lines lines = {0};

    old_token.auto_prefix_streams = old_auto;
    new_token.auto_prefix_streams = new_auto;
    compare_tokens(world, &old_token, &new_token, &lines);
    world_free(world);
    return lines;
}

static struct weir_scope reading(struct weir_set basins, struct weir_set streams)
{
    return (struct weir_scope){.basins = basins, .streams = streams, .ops = READ_OP};
}

static struct weir_set prefix_set(const char *bytes, size_t length)
{
    return (struct weir_set){WEIR_SET_PREFIX, {bytes, length}};
}

static struct weir_set exact_set(const char *bytes, size_t length)
{
    return (struct weir_set){WEIR_SET_EXACT, {bytes, length}};
}

static void must_be_same(const struct weir_scope *left, const struct weir_scope *right)
{
    struct recorded_lines lines = read_lines(left, false, right, false);

    ck_assert_uint_eq(lines.count, 0);
    recorded_lines_fini(&lines);
}

START_TEST(a_prefix_as_long_as_a_name_is_that_name)
{
    char bytes[WEIR_STREAM_MAX];
    const struct weir_set all = {WEIR_SET_PREFIX, {NULL, 0}};
    struct weir_scope left;
    struct weir_scope right;

    memset(bytes, 'a', sizeof bytes);
    left = reading(prefix_set(bytes, WEIR_BASIN_MAX), all);
    right = reading(exact_set(bytes, WEIR_BASIN_MAX), all);
    must_be_same(&left, &right);
    must_be_same(&right, &left);
    left = reading(all, prefix_set(bytes, WEIR_STREAM_MAX));
    right = reading(all, exact_set(bytes, WEIR_STREAM_MAX));
    must_be_same(&left, &right);
    must_be_same(&right, &left);
}
END_TEST

START_TEST(a_prefix_that_no_name_can_carry_is_nothing)
{
    char bytes[WEIR_BASIN_MAX];
    const struct weir_set all = {WEIR_SET_PREFIX, {NULL, 0}};
    const struct weir_set none = {WEIR_SET_NOTHING, {NULL, 0}};
    struct weir_scope left = reading(none, all);
    struct weir_scope right;

    memset(bytes, 'a', sizeof bytes);
    bytes[WEIR_BASIN_MAX - 1] = '-';
    right = reading(prefix_set(bytes, sizeof bytes), all);
    must_be_same(&left, &right);
    must_be_same(&right, &left);
}
END_TEST

/* Of 511 bytes a stream has 127 names of 512 and itself; without one of them it is another set. */
START_TEST(a_prefix_is_all_the_names_it_has_room_for)
{
    char bytes[WEIR_STREAM_MAX];
    char longer[127][WEIR_STREAM_MAX];
    struct weir_scope whole;
    struct weir_scope parts[128];
    struct weir_token old_token = {.id = WEIR_TEXT("t"), .scopes = &whole, .scope_count = 1};
    struct weir_token new_token = {.id = WEIR_TEXT("t"), .scopes = parts, .scope_count = 128};
    const struct weir_set all = {WEIR_SET_PREFIX, {NULL, 0}};
    struct recorded_lines lines = {0};
    struct world *world = world_new(1);

    memset(bytes, 'a', sizeof bytes);
    whole = reading(all, prefix_set(bytes, WEIR_STREAM_MAX - 1));
    parts[127] = reading(all, exact_set(bytes, WEIR_STREAM_MAX - 1));
    for (int i = 0; i < 127; i++) {
        memcpy(longer[i], bytes, WEIR_STREAM_MAX - 1);
        longer[i][WEIR_STREAM_MAX - 1] = (char)(i + 1);
        parts[i] = reading(all, exact_set(longer[i], WEIR_STREAM_MAX));
    }
    compare_tokens(world, &old_token, &new_token, &lines);
    compare_tokens(world, &new_token, &old_token, &lines);
    ck_assert_uint_eq(lines.count, 0);
    parts[50] = parts[51];
    compare_tokens(world, &old_token, &new_token, &lines);
    ck_assert_uint_eq(lines.count, 1);
    ck_assert_int_eq(lines.lines[0].change, WEIR_LOST);
    ck_assert(
        naive_same(lines.lines[0].request.stream, (struct weir_text){longer[50], WEIR_STREAM_MAX}));
    recorded_lines_fini(&lines);
    world_free(world);
}
END_TEST

/* What only the length of names makes different is said by the change of auto-prefix; names and
 * prefixes that one client cannot bear for their length are said. */
START_TEST(auto_prefix_leaves_no_room_for_long_names)
{
    char bytes[WEIR_STREAM_MAX];
    const struct weir_set all = {WEIR_SET_PREFIX, {NULL, 0}};
    const struct weir_scope prefixed = reading(all, prefix_set("users/1234", 10));
    const struct weir_scope everything = reading(all, all);
    struct weir_scope some;
    struct recorded_lines lines = read_lines(&prefixed, true, &everything, false);

    ck_assert_uint_eq(lines.count, 1);
    ck_assert_int_eq(lines.lines[0].change, WEIR_AUTO_PREFIX_ELSE);
    recorded_lines_fini(&lines);

    memset(bytes, 'a', sizeof bytes);
    some = reading(all, prefix_set(bytes, WEIR_STREAM_MAX - 10));
    lines = read_lines(&prefixed, true, &some, false);
    ck_assert_uint_eq(lines.count, 2);
    ck_assert_int_eq(lines.lines[1].change, WEIR_LOST);
    ck_assert_uint_eq(lines.lines[1].sets[WEIR_STREAMS].except.exact_count, 1);
    ck_assert_uint_eq(lines.lines[1].sets[WEIR_STREAMS].except.prefix_count, 0);
    recorded_lines_fini(&lines);

    some = reading(all, prefix_set(bytes, WEIR_STREAM_MAX - 9));
    lines = read_lines(&prefixed, true, &some, false);
    ck_assert_uint_eq(lines.count, 3);
    ck_assert_int_eq(lines.lines[1].change, WEIR_GAINED);
    ck_assert_uint_ge(lines.lines[1].request.stream.length, WEIR_STREAM_MAX - 9);
    ck_assert_int_eq(lines.lines[2].change, WEIR_LOST);
    ck_assert_uint_eq(lines.lines[2].sets[WEIR_STREAMS].except.prefix_count, 0);
    recorded_lines_fini(&lines);

    some = reading(all, exact_set(bytes, WEIR_STREAM_MAX));
    lines = read_lines(&prefixed, true, &some, false);
    ck_assert_uint_eq(lines.count, 3);
    ck_assert_uint_eq(lines.lines[1].sets[WEIR_STREAMS].included.exact_count, 1);
    recorded_lines_fini(&lines);
}
END_TEST

/* ---- Shapes that chance seldom draws ---- */

#define SHAPE_SCOPES 40

struct shape {
    struct weir_scope scopes[2][SHAPE_SCOPES];
    size_t counts[2];
};

static void shape_add(struct shape *shape, int side, struct weir_set basins,
                      struct weir_set streams)
{
    shape->scopes[side][shape->counts[side]++] = reading(basins, streams);
}

static struct weir_set under(const char *prefix)
{
    return prefix_set(prefix, strlen(prefix));
}

/* Compares the two with the model, at these names too; returns how many lines there are. */
static size_t check_shape(const struct shape *shape, const char *const *basins,
                          const char *const *streams)
{
    struct world *world = world_new(1);
    const struct weir_token tokens[] = {
        {.id = WEIR_TEXT("t"), .scopes = shape->scopes[0], .scope_count = shape->counts[0]},
        {.id = WEIR_TEXT("t"), .scopes = shape->scopes[1], .scope_count = shape->counts[1]}};
    struct pair pair = {.world = world, .sides = {&tokens[0], &tokens[1]}};
    size_t count = 0;

    for (; *basins != NULL; basins++) {
        add_copy(&pair, WEIR_BASINS, (struct weir_text){*basins, strlen(*basins)});
    }
    for (; *streams != NULL; streams++) {
        add_copy(&pair, WEIR_STREAMS, (struct weir_text){*streams, strlen(*streams)});
    }
    check_pair(&pair);
    count = pair.lines.count;
    pair_fini(&pair);
    world_free(world);
    return count;
}

/* In a... x is gained, in ab... x and y, in abc... x alone again: a part within an exception. */
START_TEST(what_lies_within_an_exception_is_a_set_of_its_own)
{
    static const char *const basins[] = {"aaaaaaaa", "abaaaaaa", "abcaaaaa", NULL};
    static const char *const streams[] = {"x", "y", NULL};
    struct shape shape = {.counts = {0, 0}};

    shape_add(&shape, 0, under("abc"), under("y"));
    shape_add(&shape, 1, under("a"), under("x"));
    shape_add(&shape, 1, under("ab"), under("y"));
    ck_assert_uint_eq(check_shape(&shape, basins, streams), 3);
}
END_TEST

START_TEST(sets_that_differ_in_their_exceptions_are_two)
{
    static const char *const basins[] = {"aaaaaaaa", "bbbbbbbb", NULL};
    static const char *const streams[] = {"x", "y", "z", NULL};
    struct shape shape = {.counts = {0, 0}};

    shape_add(&shape, 0, under("a"), under("x"));
    shape_add(&shape, 0, under("b"), under("y"));
    shape_add(&shape, 1, under(""), under(""));
    ck_assert_uint_eq(check_shape(&shape, basins, streams), 3);
}
END_TEST

/* The nodes of a and of b say the same, of other names. */
START_TEST(what_is_alike_elsewhere_is_not_the_same)
{
    static const char *const basins[] = {"aaaaaaaa", NULL};
    static const char *const streams[] = {"a1", "b1", "c1", "d1", "z1", NULL};
    struct shape shape = {.counts = {0, 0}};

    shape_add(&shape, 0, under(""), under("a"));
    shape_add(&shape, 0, under(""), under("c"));
    shape_add(&shape, 1, under(""), under("b"));
    shape_add(&shape, 1, under(""), under("d"));
    ck_assert_uint_eq(check_shape(&shape, basins, streams), 2);
}
END_TEST

/* All that may follow an a is excepted, but of a- only a part. */
START_TEST(a_name_is_found_where_the_next_byte_is_excepted_in_part)
{
    static const char *const basins[] = {"a-aaaaaa", "a-baaaaa", "aaaaaaaa", "a9aaaaaa", NULL};
    static const char *const streams[] = {"x", NULL};
    static const char next[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    char names[36][3];
    struct shape shape = {.counts = {0, 0}};

    for (int i = 0; i < 36; i++) {
        names[i][0] = 'a';
        names[i][1] = next[i];
        names[i][2] = '\0';
        shape_add(&shape, 0, under(names[i]), under("x"));
    }
    shape_add(&shape, 0, under("a-b"), under("x"));
    shape_add(&shape, 1, under("a"), under("x"));
    ck_assert_uint_eq(check_shape(&shape, basins, streams), 1);
}
END_TEST

/* ---- When there is not enough ---- */

/* Memory that can be had `left` times; what has not been given back is counted. */
struct scarce {
    size_t left;
    size_t held;
};

static void *scarce_allocate(void *context, size_t size)
{
    struct scarce *scarce = context;

    if (scarce->left == 0) {
        return NULL;
    }
    scarce->left--;
    scarce->held += size;
    return malloc(size);
}

static void *scarce_reallocate(void *context, void *memory, size_t old_size, size_t new_size)
{
    struct scarce *scarce = context;

    if (scarce->left == 0) {
        return NULL;
    }
    scarce->left--;
    scarce->held += new_size - old_size;
    return realloc(memory, new_size);
}

static void scarce_release(void *context, void *memory, size_t size)
{
    struct scarce *scarce = context;

    scarce->held -= size;
    free(memory);
}

/* Compares with memory for so many allocations; nothing may be left of it. */
static enum weir_status compare_scarcely(const struct world *world, const struct weir_image *left,
                                         const struct weir_image *right, size_t allocations,
                                         struct recorded_lines *lines)
{
    struct scarce scarce = {.left = allocations};
    const struct weir_allocator allocator = {scarce_allocate, scarce_reallocate, scarce_release,
                                             &scarce};
    enum weir_status status =
        weir_diff(left, right, world->now, &allocator, record_line, lines, NULL);

    ck_assert_uint_eq(scarce.held, 0);
    return status;
}

START_TEST(whatever_allocation_fails_it_is_an_error_and_what_was_said_is_true)
{
    uint64_t failures = 0;

    for (uint64_t seed = 0; seed < 8; seed++) {
        struct world *world = world_new(seed);
        struct weir_image *left = compile_tokens(world, world->tokens, world->count / 2, 0);
        struct weir_image *right =
            compile_tokens(world, world->tokens + world->count / 4, world->count / 4, 0);
        struct recorded_lines all = {0};
        enum weir_status status = WEIR_ERROR_MEMORY;

        ck_assert_int_eq(compare_scarcely(world, left, right, SIZE_MAX, &all), WEIR_OK);
        for (size_t allocations = 0; status != WEIR_OK; allocations++) {
            struct recorded_lines lines = {0};
            struct recorded_lines beginning;
            size_t count = 0;

            status = compare_scarcely(world, left, right, allocations, &lines);
            ck_assert(status == WEIR_OK || status == WEIR_ERROR_MEMORY);
            count = lines.count;
            ck_assert_uint_le(count, all.count);
            ck_assert(status != WEIR_OK || count == all.count);
            beginning = all;
            beginning.count = count;
            ck_assert(recorded_lines_same(&lines, &beginning));
            recorded_lines_fini(&lines);
            failures += status != WEIR_OK;
        }
        recorded_lines_fini(&all);
        weir_image_close(left);
        weir_image_close(right);
        world_free(world);
    }
    ck_assert_uint_gt(failures, 100);
}
END_TEST

/* A token of many rules in many basins, each set of streams another one, of long names. */
START_TEST(what_takes_too_much_is_an_error_that_names_the_token)
{
    enum { EACH = 1100, LONG = 500 };
    const struct weir_set all = {WEIR_SET_PREFIX, {NULL, 0}};
    struct world *world = world_new(1);
    struct weir_scope *scopes = must_allocate(2 * EACH * sizeof *scopes);
    char *names = must_allocate(2 * EACH * LONG);
    const struct weir_token token = {
        .id = WEIR_TEXT("t\n"), .scopes = scopes, .scope_count = 2 * EACH};
    struct weir_compiled_token *compiled = NULL;
    struct recorded_lines lines = {0};
    struct weir_error error = {0};
    size_t size = 0;

    memset(names, 'a', 2 * EACH * LONG);
    for (int i = 0; i < 2 * EACH; i++) {
        char *name = names + i * LONG;

        name[snprintf(name, LONG, "%08d", i)] = 'a';
        scopes[i] = reading(i < EACH ? all : exact_set(name, 8), prefix_set(name, LONG));
    }
    compiled = compile_alone(world, &token, &size);
    ck_assert_int_eq(
        weir_diff_tokens(NULL, compiled, world->now, NULL, record_line, &lines, &error),
        WEIR_ERROR_LIMIT);
    ck_assert_ptr_nonnull(strstr(error.message, "\"t\\u000a\""));
    ck_assert_uint_eq(lines.count, 0);
    recorded_lines_fini(&lines);
    free(compiled);
    free(names);
    free(scopes);
    world_free(world);
}
END_TEST

/* ---- Images ---- */

static int order_ids(const void *left, const void *right)
{
    return naive_order(((const struct weir_token *)left)->id,
                       ((const struct weir_token *)right)->id);
}

static const struct weir_token *token_of_id(const struct weir_token *tokens, size_t count,
                                            struct weir_text id)
{
    for (size_t i = 0; i < count; i++) {
        if (naive_same(tokens[i].id, id)) {
            return &tokens[i];
        }
    }
    return NULL;
}

/* All lines of images are those of their tokens, id by id. */
static void check_images(struct world *world, const struct weir_token *changed, size_t count)
{
    struct weir_image *old_image = compile_world(world);
    struct weir_image *new_image = compile_tokens(world, changed, count, 0);
    struct recorded_lines got = {0};
    struct recorded_lines expected = {0};
    struct weir_token *all = must_allocate((world->count + count) * sizeof *all);
    struct weir_error error;

    memcpy(all, world->tokens, world->count * sizeof *all);
    memcpy(all + world->count, changed, count * sizeof *all);
    qsort(all, world->count + count, sizeof *all, order_ids);
    for (size_t i = 0; i < world->count + count; i++) {
        if (i == 0 || !naive_same(all[i].id, all[i - 1].id)) {
            compare_tokens(world, token_of_id(world->tokens, world->count, all[i].id),
                           token_of_id(changed, count, all[i].id), &expected);
        }
    }
    must_succeed(weir_diff(old_image, new_image, world->now, NULL, record_line, &got, &error),
                 &error, world, "comparing two images");
    if (!recorded_lines_same(&got, &expected)) {
        report_world(world, "images do not differ as their tokens do");
        ck_abort_msg("images do not differ as their tokens do (see above)");
    }
    free(all);
    recorded_lines_fini(&got);
    recorded_lines_fini(&expected);
    weir_image_close(old_image);
    weir_image_close(new_image);
}

START_TEST(images_differ_as_their_tokens_do_in_the_order_of_ids)
{
    const uint64_t seed = model_seed();
    const uint64_t amount = model_amount(WORLDS);

    for (uint64_t i = 0; i < amount; i++) {
        struct world *world = world_new(seed + i);
        struct rewriting *changes = must_allocate(world->count * sizeof *changes);
        struct weir_token *changed = must_allocate(world->count * sizeof *changed);
        size_t changes_made = 0;
        size_t count = 0;

        for (size_t k = 0; k < world->count && world->count < 500; k++) {
            if (dice_chance(&world->dice, 10)) {
                continue;
            }
            changed[count] = world->tokens[k];
            if (dice_chance(&world->dice, 20)) {
                token_change(&changes[changes_made], world, &world->tokens[k]);
                changed[count] = changes[changes_made++].token;
            }
            count++;
        }
        shuffle(&world->dice, changed, count, sizeof *changed);
        if (world->count < 500) {
            check_images(world, changed, count);
        }
        while (changes_made > 0) {
            rewriting_fini(&changes[--changes_made]);
        }
        free(changes);
        free(changed);
        world_free(world);
    }
}
END_TEST

int main(void)
{
    const TTest *const cases[] = {
        all_that_differs_is_said_once_and_nothing_else,
        tokens_that_mean_the_same_do_not_differ,
        a_prefix_as_long_as_a_name_is_that_name,
        a_prefix_that_no_name_can_carry_is_nothing,
        a_prefix_is_all_the_names_it_has_room_for,
        auto_prefix_leaves_no_room_for_long_names,
        what_lies_within_an_exception_is_a_set_of_its_own,
        sets_that_differ_in_their_exceptions_are_two,
        what_is_alike_elsewhere_is_not_the_same,
        a_name_is_found_where_the_next_byte_is_excepted_in_part,
        whatever_allocation_fails_it_is_an_error_and_what_was_said_is_true,
        what_takes_too_much_is_an_error_that_names_the_token,
        images_differ_as_their_tokens_do_in_the_order_of_ids,
    };

    return run_cases("differences", cases, COUNT_OF(cases));
}
