/* SPEC §7 on what a token may issue and see of others, sentence by sentence. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/wire.h>

#include "authority/containment.h"
#include "library/sets.h"
#include "model/images.h"
#include "model/naive.h"

#define READ WEIR_OPERATION_BIT(WEIR_READ)
#define APPEND WEIR_OPERATION_BIT(WEIR_APPEND)

/* A token of these scopes. */
static struct weir_token token_of(const struct weir_scope *scopes, size_t count)
{
    return (struct weir_token){.id = WEIR_TEXT("token"), .scopes = scopes, .scope_count = count};
}

/* A token that may read, with that set of streams in all basins. */
static struct weir_scope reading(struct weir_set streams)
{
    return (struct weir_scope){.basins = PREFIX(""), .streams = streams, .ops = READ};
}

/* What becomes of the child: how its streams are taken, then whether it is contained. */
static enum weir_status give(const struct weir_token *issuer, const struct weir_token *child,
                             struct weir_error *error)
{
    struct weir_token *absolute = NULL;
    enum weir_status status = weir_child_absolute(issuer, child, NULL, &absolute, error);

    if (status == WEIR_OK) {
        status = weir_child_contained(issuer, child, absolute, error);
    }
    weir_token_free(absolute, NULL);
    return status;
}

static void expect_given(const struct weir_token *issuer, const struct weir_token *child)
{
    struct weir_error error = {.line = 77};

    ck_assert_msg(give(issuer, child, &error) == WEIR_OK, "%s: %s", error.place, error.message);
    ck_assert_uint_eq(error.line, 77);
}

static void expect_refused(const struct weir_token *issuer, const struct weir_token *child,
                           enum weir_status status, const char *place)
{
    struct weir_error error = {0};

    ck_assert_int_eq(give(issuer, child, &error), status);
    ck_assert_int_eq(error.status, status);
    ck_assert_str_eq(error.place, place);
    ck_assert_str_ne(error.message, "");
    ck_assert_int_eq(give(issuer, child, NULL), status);
}

/* Whether a scope that reads and has `set` as its streams is given by one that has `own`. */
static bool given_within(struct weir_set own, struct weir_set set)
{
    const struct weir_scope issuers = reading(own);
    const struct weir_scope childs = reading(set);
    const struct weir_token issuer = token_of(&issuers, 1);
    const struct weir_token child = token_of(&childs, 1);

    return give(&issuer, &child, NULL) == WEIR_OK;
}

#define EXPECT_WITHIN(own, set) ck_assert(given_within((struct weir_set)own, (struct weir_set)set))
#define EXPECT_OUTSIDE(own, set)                                                                   \
    ck_assert(!given_within((struct weir_set)own, (struct weir_set)set))

/* ---- Containment ---- */

START_TEST(each_scope_of_the_child_lies_within_one_scope_of_the_requestor)
{
    const struct weir_scope own[] = {
        {.basins = EXACT("basin-01"), .streams = PREFIX("a/"), .ops = READ},
        {.basins = EXACT("basin-02"), .streams = PREFIX("b/"), .ops = APPEND}};
    struct weir_scope scopes[] = {
        {.basins = EXACT("basin-02"), .streams = PREFIX("b/1/"), .ops = APPEND},
        {.basins = EXACT("basin-01"), .streams = EXACT("a/x"), .ops = READ},
        {.basins = EXACT("basin-01"), .streams = PREFIX("a/"), .ops = READ}};
    const struct weir_token issuer = token_of(own, 2);
    const struct weir_token child = token_of(scopes, 3);

    expect_given(&issuer, &child);
    scopes[1].streams = (struct weir_set)EXACT("b/x");
    expect_refused(&issuer, &child, WEIR_ERROR_DENIED, "scopes[1].streams");
    scopes[0].ops |= READ;
    expect_refused(&issuer, &child, WEIR_ERROR_DENIED, "scopes[0]");
}
END_TEST

START_TEST(its_operations_are_a_subset)
{
    struct weir_scope own = reading((struct weir_set)PREFIX(""));
    struct weir_scope scope = own;
    const struct weir_token issuer = token_of(&own, 1);
    const struct weir_token child = token_of(&scope, 1);

    for (unsigned mine = 1; mine <= WEIR_OPERATION_COUNT; mine++) {
        for (unsigned its = 1; its <= WEIR_OPERATION_COUNT; its++) {
            own.ops = WEIR_OPERATION_BIT(mine);
            scope.ops = WEIR_OPERATION_BIT(its);
            ck_assert_int_eq(give(&issuer, &child, NULL) == WEIR_OK, mine == its);
            own.ops = WEIR_OPERATIONS_ALL & ~WEIR_OPERATION_BIT(mine);
            ck_assert_int_eq(give(&issuer, &child, NULL) == WEIR_OK, mine != its);
        }
    }
    expect_refused(&issuer, &child, WEIR_ERROR_DENIED, "scope");
}
END_TEST

START_TEST(operations_are_the_same_by_name_or_by_group)
{
    for (unsigned groups = 1; groups <= WEIR_GROUP_BITS_ALL; groups++) {
        const struct weir_scope by_group = {.op_groups = groups};
        const struct weir_scope by_name = {.ops = weir_scope_operations(&by_group)};
        const struct weir_scope one_less = {.ops = by_name.ops & (by_name.ops - 1)};
        const struct weir_token group_token = token_of(&by_group, 1);
        const struct weir_token name_token = token_of(&by_name, 1);
        const struct weir_token less_token = token_of(&one_less, 1);

        expect_given(&group_token, &name_token);
        expect_given(&name_token, &group_token);
        expect_given(&group_token, &less_token);
        expect_refused(&less_token, &group_token, WEIR_ERROR_DENIED, "scope");
    }
}
END_TEST

START_TEST(a_set_that_is_nothing_lies_within_any)
{
    EXPECT_WITHIN(NOTHING, NOTHING);
    EXPECT_WITHIN(NOTHING, EXACT(""));
    EXPECT_WITHIN(EXACT(""), NOTHING);
    EXPECT_WITHIN(EXACT(""), EXACT(""));
    EXPECT_WITHIN(EXACT("a"), NOTHING);
    EXPECT_WITHIN(EXACT("a"), EXACT(""));
    EXPECT_WITHIN(PREFIX("a"), NOTHING);
    EXPECT_WITHIN(PREFIX("a"), EXACT(""));
}
END_TEST

START_TEST(nothing_else_lies_within_a_set_that_is_nothing)
{
    EXPECT_OUTSIDE(NOTHING, EXACT("a"));
    EXPECT_OUTSIDE(NOTHING, PREFIX("a"));
    EXPECT_OUTSIDE(NOTHING, PREFIX(""));
    EXPECT_OUTSIDE(EXACT(""), EXACT("a"));
    EXPECT_OUTSIDE(EXACT(""), PREFIX("a"));
    EXPECT_OUTSIDE(EXACT(""), PREFIX(""));
    /* The name of a set that is nothing is not looked at. */
    ck_assert(
        !given_within((struct weir_set){WEIR_SET_NOTHING, {"a", 1}}, (struct weir_set)EXACT("a")));
}
END_TEST

START_TEST(an_exact_name_equals_the_requestors_exact_or_begins_with_its_prefix)
{
    EXPECT_WITHIN(EXACT("a/b"), EXACT("a/b"));
    EXPECT_OUTSIDE(EXACT("a/b"), EXACT("a/"));
    EXPECT_OUTSIDE(EXACT("a/b"), EXACT("a/bc"));
    EXPECT_OUTSIDE(EXACT("a/b"), EXACT("a/B"));
    EXPECT_WITHIN(PREFIX("a/"), EXACT("a/b"));
    EXPECT_WITHIN(PREFIX("a/"), EXACT("a/"));
    EXPECT_WITHIN(PREFIX(""), EXACT("a"));
    EXPECT_OUTSIDE(PREFIX("a/"), EXACT("a"));
    EXPECT_OUTSIDE(PREFIX("a/"), EXACT("b/a/"));
    EXPECT_WITHIN(PREFIX("a/"), EXACT("a/../b"));
}
END_TEST

START_TEST(a_prefix_begins_with_the_requestors_prefix)
{
    EXPECT_WITHIN(PREFIX("a/"), PREFIX("a/"));
    EXPECT_WITHIN(PREFIX("a/"), PREFIX("a/b"));
    EXPECT_WITHIN(PREFIX(""), PREFIX(""));
    EXPECT_WITHIN(PREFIX(""), PREFIX("a"));
    EXPECT_OUTSIDE(PREFIX("a/"), PREFIX("a"));
    EXPECT_OUTSIDE(PREFIX("a/"), PREFIX(""));
    EXPECT_OUTSIDE(PREFIX("a/"), PREFIX("b/"));
    EXPECT_OUTSIDE(EXACT("a"), PREFIX("a"));
    EXPECT_OUTSIDE(EXACT("a"), PREFIX("ab"));
}
END_TEST

START_TEST(containment_is_syntactic)
{
    char longest[WEIR_STREAM_MAX];
    const struct weir_set exact = {WEIR_SET_EXACT, {longest, sizeof longest}};
    const struct weir_set prefix = {WEIR_SET_PREFIX, {longest, sizeof longest}};

    /* No other name begins with one of the greatest length, and a prefix is none all the same. */
    memset(longest, 'a', sizeof longest);
    ck_assert(given_within(prefix, exact));
    ck_assert(!given_within(exact, prefix));
    /* No basin has a name that ends in a hyphen, nor goes on from 48 bytes. */
    {
        const struct weir_scope own = {.basins = EXACT("basin-01"), .ops = READ};
        const struct weir_scope scope = {
            .basins = PREFIX("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-"), .ops = READ};
        const struct weir_token issuer = token_of(&own, 1);
        const struct weir_token child = token_of(&scope, 1);

        ck_assert_uint_eq(scope.basins.name.length, WEIR_BASIN_MAX);
        expect_refused(&issuer, &child, WEIR_ERROR_DENIED, "scope.basins");
    }
}
END_TEST

START_TEST(no_union_of_scopes_counts)
{
    struct weir_scope own[] = {{.basins = PREFIX(""), .streams = PREFIX("a"), .ops = READ},
                               {.basins = PREFIX(""), .streams = PREFIX("a"), .ops = APPEND},
                               {.basins = PREFIX(""), .streams = PREFIX("b"), .ops = READ},
                               {.basins = EXACT("basin-01"), .streams = PREFIX("c"), .ops = READ},
                               {.basins = EXACT("basin-02"), .streams = PREFIX(""), .ops = READ}};
    const struct weir_scope both_operations = {
        .basins = PREFIX(""), .streams = PREFIX("a"), .ops = READ | APPEND};
    const struct weir_scope basin_of_another = {
        .basins = EXACT("basin-01"), .streams = PREFIX("d"), .ops = READ};
    const struct weir_token issuer = token_of(own, COUNT_OF(own));
    struct weir_token child = token_of(&both_operations, 1);

    expect_refused(&issuer, &child, WEIR_ERROR_DENIED, "scope");
    child.scopes = &basin_of_another;
    expect_refused(&issuer, &child, WEIR_ERROR_DENIED, "scope.streams");
    /* In one scope it would do. */
    own[4].ops |= APPEND;
    own[4].basins = (struct weir_set)PREFIX("");
    expect_given(&issuer, &child);
    child.scopes = &both_operations;
    expect_given(&issuer, &child);
}
END_TEST

START_TEST(sets_that_no_operation_uses_count_too)
{
    const struct weir_scope own = {.basins = EXACT("basin-01"),
                                   .streams = PREFIX("a"),
                                   .access_tokens = PREFIX("me/"),
                                   .ops = WEIR_OPERATION_BIT(WEIR_ACCOUNT_METRICS)};
    struct weir_scope scope = own;
    const struct weir_token issuer = token_of(&own, 1);
    const struct weir_token child = token_of(&scope, 1);

    expect_given(&issuer, &child);
    scope.basins = (struct weir_set)PREFIX("");
    expect_refused(&issuer, &child, WEIR_ERROR_DENIED, "scope.basins");
    scope.basins = own.basins;
    scope.streams = (struct weir_set)PREFIX("b");
    expect_refused(&issuer, &child, WEIR_ERROR_DENIED, "scope.streams");
    scope.streams = own.streams;
    scope.access_tokens = (struct weir_set)EXACT("you");
    expect_refused(&issuer, &child, WEIR_ERROR_DENIED, "scope.access_tokens");
}
END_TEST

/* Scopes that read each a stream of their own. */
static struct weir_scope *many_scopes(size_t count, char (*names)[24])
{
    struct weir_scope *scopes = calloc(count, sizeof *scopes);

    ck_assert_ptr_nonnull(scopes);
    for (size_t i = 0; i < count; i++) {
        scopes[i] = reading((struct weir_set){WEIR_SET_PREFIX, {names[i], 7}});
        (void)snprintf(names[i], sizeof names[i], "%07zu", i);
    }
    return scopes;
}

START_TEST(a_token_of_the_most_scopes_is_given_in_its_own_order)
{
    char(*names)[24] = calloc(WEIR_SCOPES_MAX, sizeof *names);
    struct weir_scope *own = many_scopes(WEIR_SCOPES_MAX, names);
    const struct weir_token issuer = token_of(own, WEIR_SCOPES_MAX);
    const struct weir_token half = token_of(own + WEIR_SCOPES_MAX / 2, WEIR_SCOPES_MAX / 2);

    expect_given(&issuer, &issuer);
    expect_given(&issuer, &half);
    free(own);
    free(names);
}
END_TEST

START_TEST(more_comparisons_of_scopes_than_the_limit_are_refused)
{
    const size_t count = 10000;
    char(*names)[24] = calloc(count, sizeof *names);
    struct weir_scope *own = many_scopes(count, names);
    struct weir_scope *scopes = calloc(count + 1, sizeof *scopes);
    const struct weir_token issuer = token_of(own, count);
    const struct weir_token child = token_of(scopes, count + 1);
    struct weir_error error = {0};

    /* The longest way is from each scope to the one before it; for the last there is no time. */
    ck_assert_ptr_nonnull(scopes);
    for (size_t i = 0; i <= count; i++) {
        scopes[i] = own[(2 * count - 1 - i) % count];
    }
    ck_assert_int_eq(give(&issuer, &child, &error), WEIR_ERROR_LIMIT);
    ck_assert_str_eq(error.place, "scopes[1000]");
    free(own);
    free(scopes);
    free(names);
}
END_TEST

/* ---- From an auto-prefix requestor ---- */

/* An issuer with auto-prefix, PREFIX "users/1/", and what it may be asked for. */
struct prefixed {
    struct weir_scope own;
    struct weir_token issuer;
    struct weir_scope scope;
    struct weir_token child;
};

static void prefixed_make(struct prefixed *prefixed, struct weir_set streams, bool auto_prefix)
{
    prefixed->own = reading((struct weir_set)PREFIX("users/1/"));
    prefixed->issuer = token_of(&prefixed->own, 1);
    prefixed->issuer.auto_prefix_streams = true;
    prefixed->scope = reading(streams);
    prefixed->child = token_of(&prefixed->scope, 1);
    prefixed->child.auto_prefix_streams = auto_prefix;
}

static void expect_streams(const struct weir_set *streams, enum weir_set_kind kind,
                           const char *name)
{
    ck_assert_int_eq(streams->kind, kind);
    ck_assert_uint_eq(streams->name.length, strlen(name));
    ck_assert(memcmp(streams->name.bytes, name, strlen(name)) == 0);
}

START_TEST(the_childs_streams_are_taken_relative_to_the_requestors_prefix)
{
    static const struct {
        struct weir_set streams;
        bool auto_prefix;
        const char *absolute;
    } rows[] = {
        {EXACT("inbox"), false, "users/1/inbox"},
        {PREFIX("in"), false, "users/1/in"},
        {PREFIX("in/"), true, "users/1/in/"},
        {PREFIX(""), true, "users/1/"},
        {PREFIX("users/1/"), false, "users/1/users/1/"},
        {EXACT("../2/inbox"), false, "users/1/../2/inbox"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct prefixed prefixed;
        struct weir_token *absolute = NULL;

        prefixed_make(&prefixed, rows[i].streams, rows[i].auto_prefix);
        prefixed.child.expires = true;
        prefixed.child.expires_at = (struct weir_instant){12, 34};
        ck_assert_int_eq(
            weir_child_absolute(&prefixed.issuer, &prefixed.child, NULL, &absolute, NULL), WEIR_OK);
        expect_streams(&absolute->scopes[0].streams, rows[i].streams.kind, rows[i].absolute);
        /* All else is as it was declared. */
        ck_assert_int_eq(absolute->auto_prefix_streams, rows[i].auto_prefix);
        ck_assert(absolute->expires && absolute->expires_at.seconds == 12);
        ck_assert(naive_same(absolute->id, WEIR_TEXT("token")));
        ck_assert_uint_eq(absolute->scopes[0].ops, READ);
        ck_assert_int_eq(absolute->scopes[0].basins.kind, WEIR_SET_PREFIX);
        ck_assert_uint_eq(absolute->scopes[0].basins.name.length, 0);
        weir_token_free(absolute, NULL);
        expect_given(&prefixed.issuer, &prefixed.child);
    }
}
END_TEST

START_TEST(other_requestors_name_streams_as_the_server_does)
{
    struct prefixed prefixed;
    struct weir_token *absolute = NULL;

    prefixed_make(&prefixed, (struct weir_set)PREFIX("users/1/in"), false);
    prefixed.issuer.auto_prefix_streams = false;
    ck_assert_int_eq(weir_child_absolute(&prefixed.issuer, &prefixed.child, NULL, &absolute, NULL),
                     WEIR_OK);
    expect_streams(&absolute->scopes[0].streams, WEIR_SET_PREFIX, "users/1/in");
    weir_token_free(absolute, NULL);
    ck_assert_int_eq(weir_child_absolute(NULL, &prefixed.child, NULL, &absolute, NULL), WEIR_OK);
    expect_streams(&absolute->scopes[0].streams, WEIR_SET_PREFIX, "users/1/in");
    weir_token_free(absolute, NULL);
    expect_given(&prefixed.issuer, &prefixed.child);
    /* Its own whole set, and what no client of an issuer with auto-prefix could name. */
    prefixed.scope.streams = (struct weir_set)PREFIX("users/1/");
    expect_given(&prefixed.issuer, &prefixed.child);
    prefixed.scope.streams = (struct weir_set)EXACT("users/1/.");
    expect_given(&prefixed.issuer, &prefixed.child);
}
END_TEST

START_TEST(an_empty_exact_name_and_null_stay_empty)
{
    static const struct weir_set sets[] = {NOTHING, EXACT(""), {WEIR_SET_EXACT, {NULL, 0}}};

    for (size_t i = 0; i < COUNT_OF(sets); i++) {
        struct prefixed prefixed;
        struct weir_token *absolute = NULL;
        char longest[WEIR_STREAM_MAX];

        prefixed_make(&prefixed, sets[i], false);
        ck_assert_int_eq(
            weir_child_absolute(&prefixed.issuer, &prefixed.child, NULL, &absolute, NULL), WEIR_OK);
        expect_streams(&absolute->scopes[0].streams, sets[i].kind, "");
        weir_token_free(absolute, NULL);
        expect_given(&prefixed.issuer, &prefixed.child);
        /* Also behind a prefix that leaves room for nothing. */
        memset(longest, 'p', sizeof longest);
        prefixed.own.streams.name = (struct weir_text){longest, sizeof longest};
        expect_given(&prefixed.issuer, &prefixed.child);
    }
}
END_TEST

START_TEST(a_child_without_auto_prefix_needs_a_relative_prefix_that_is_not_empty)
{
    struct prefixed prefixed;

    prefixed_make(&prefixed, (struct weir_set)PREFIX(""), false);
    expect_refused(&prefixed.issuer, &prefixed.child, WEIR_ERROR_DENIED, "scope.streams");
    prefixed.child.auto_prefix_streams = true;
    expect_given(&prefixed.issuer, &prefixed.child);
    prefixed.child.auto_prefix_streams = false;
    prefixed.own.streams = (struct weir_set)PREFIX("");
    expect_refused(&prefixed.issuer, &prefixed.child, WEIR_ERROR_DENIED, "scope.streams");
}
END_TEST

START_TEST(a_child_without_auto_prefix_has_none_that_is_or_begins_one_or_two_dots)
{
    static const struct {
        struct weir_set streams;
        bool given;
    } rows[] = {
        {PREFIX("."), false},  {PREFIX(".."), false}, {EXACT("."), false},   {EXACT(".."), false},
        {PREFIX("..."), true}, {PREFIX("./"), true},  {PREFIX("../"), true}, {PREFIX(".a"), true},
        {PREFIX("..a"), true}, {PREFIX("a."), true},  {PREFIX("a.."), true}, {EXACT("..."), true},
        {EXACT("./"), true},   {EXACT(".a"), true},   {EXACT("..a"), true},  {EXACT("a."), true},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct prefixed prefixed;

        prefixed_make(&prefixed, rows[i].streams, false);
        if (rows[i].given) {
            expect_given(&prefixed.issuer, &prefixed.child);
        } else {
            expect_refused(&prefixed.issuer, &prefixed.child, WEIR_ERROR_DENIED, "scope.streams");
        }
    }
}
END_TEST

START_TEST(each_scope_of_a_child_without_auto_prefix_needs_such_a_name)
{
    struct prefixed prefixed;
    struct weir_scope scopes[3];

    prefixed_make(&prefixed, (struct weir_set)PREFIX("a"), false);
    for (size_t i = 0; i < COUNT_OF(scopes); i++) {
        scopes[i] = prefixed.scope;
    }
    prefixed.child.scopes = scopes;
    prefixed.child.scope_count = COUNT_OF(scopes);
    expect_given(&prefixed.issuer, &prefixed.child);
    scopes[2].streams = (struct weir_set)PREFIX("");
    expect_refused(&prefixed.issuer, &prefixed.child, WEIR_ERROR_DENIED, "scopes[2].streams");
    scopes[1].streams = (struct weir_set)PREFIX("..");
    expect_refused(&prefixed.issuer, &prefixed.child, WEIR_ERROR_DENIED, "scopes[1].streams");
}
END_TEST

START_TEST(a_child_with_auto_prefix_may_have_any_relative_prefix)
{
    static const struct weir_set sets[] = {PREFIX(""), PREFIX("."), PREFIX(".."), PREFIX("a")};

    for (size_t i = 0; i < COUNT_OF(sets); i++) {
        struct prefixed prefixed;

        prefixed_make(&prefixed, sets[i], true);
        expect_given(&prefixed.issuer, &prefixed.child);
    }
}
END_TEST

/* Whether a token may read the stream, named as its client would. */
static bool may_read(const struct weir_token *token, struct weir_text stream)
{
    const struct weir_request request = {WEIR_READ, WEIR_TEXT("basin-01"), stream, {NULL, 0}};

    return naive_decide_token(token, &request, (struct weir_instant){0}).reason == WEIR_ALLOWED;
}

START_TEST(it_could_otherwise_reach_names_that_its_issuer_cannot)
{
    static const struct {
        struct weir_set streams; /* relative: of a child that is refused */
        struct weir_text reached;
        struct weir_text relative; /* what its issuer's client would have to call it */
    } rows[] = {
        {PREFIX(""), {"users/1/", 8}, {"", 0}},        {PREFIX(""), {"users/1/..", 10}, {"..", 2}},
        {PREFIX("."), {"users/1/.", 9}, {".", 1}},     {PREFIX("."), {"users/1/..", 10}, {"..", 2}},
        {PREFIX(".."), {"users/1/..", 10}, {"..", 2}},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct prefixed prefixed;
        struct weir_token *absolute = NULL;

        prefixed_make(&prefixed, rows[i].streams, false);
        expect_refused(&prefixed.issuer, &prefixed.child, WEIR_ERROR_DENIED, "scope.streams");
        ck_assert_int_eq(
            weir_child_absolute(&prefixed.issuer, &prefixed.child, NULL, &absolute, NULL), WEIR_OK);
        ck_assert(may_read(absolute, rows[i].reached));
        ck_assert(!may_read(&prefixed.issuer, rows[i].relative));
        weir_token_free(absolute, NULL);
    }
}
END_TEST

START_TEST(a_result_over_512_bytes_is_no_name)
{
    static const enum weir_set_kind kinds[] = {WEIR_SET_EXACT, WEIR_SET_PREFIX};
    char name[WEIR_STREAM_MAX];

    memset(name, 'n', sizeof name);
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        const struct weir_set fits = {kinds[i], {name, WEIR_STREAM_MAX - 8}};
        const struct weir_set is_too_long = {kinds[i], {name, WEIR_STREAM_MAX - 7}};
        struct weir_scope scopes[2];
        struct prefixed prefixed;

        prefixed_make(&prefixed, fits, false);
        expect_given(&prefixed.issuer, &prefixed.child);
        prefixed.scope.streams = is_too_long;
        expect_refused(&prefixed.issuer, &prefixed.child, WEIR_ERROR_NAME, "scope.streams");
        scopes[0] = reading(fits);
        scopes[1] = reading(is_too_long);
        prefixed.child.scopes = scopes;
        prefixed.child.scope_count = 2;
        /* Before anything that is denied. */
        scopes[0].ops |= APPEND;
        expect_refused(&prefixed.issuer, &prefixed.child, WEIR_ERROR_NAME, "scopes[1].streams");
        /* Only what stands behind a prefix becomes longer. */
        prefixed.issuer.auto_prefix_streams = false;
        prefixed.own.streams = (struct weir_set)PREFIX("");
        scopes[0].ops = READ;
        expect_given(&prefixed.issuer, &prefixed.child);
    }
}
END_TEST

/* ---- As a requestor sees a token ---- */

START_TEST(streams_are_shown_to_the_requestor_relative_to_its_prefix)
{
    static const struct {
        struct weir_set streams;
        bool auto_prefix;
        const char *shown;
    } rows[] = {
        {PREFIX("users/1/"), true, ""},
        {PREFIX("users/1/"), false, ""},
        {PREFIX("users/1/in/"), true, "in/"},
        {EXACT("users/1/inbox"), false, "inbox"},
        {EXACT("users/1/."), false, "."},
        {EXACT("users/1/"), false, ""},
        {EXACT("users/1/\xe6\x97\xa5"), false, "\xe6\x97\xa5"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct prefixed prefixed;
        struct weir_scope scopes[1];
        struct weir_token shown;

        prefixed_make(&prefixed, rows[i].streams, rows[i].auto_prefix);
        prefixed.child.issue_number = 5;
        weir_token_shown_to(&prefixed.issuer, &prefixed.child, scopes, &shown);
        expect_streams(&shown.scopes[0].streams, rows[i].streams.kind, rows[i].shown);
        ck_assert_int_eq(shown.auto_prefix_streams, rows[i].auto_prefix);
        ck_assert_uint_eq(shown.issue_number, 5);
        ck_assert_uint_eq(shown.scopes[0].ops, READ);
        ck_assert(weir_stream_prefix_valid(shown.scopes[0].streams.name));
    }
}
END_TEST

START_TEST(a_token_whose_streams_lie_outside_shows_none_and_no_auto_prefix)
{
    static const struct weir_set sets[] = {PREFIX("users/2/"), PREFIX("users/1"),
                                           PREFIX(""),         EXACT("users/1"),
                                           EXACT("inbox"),     PREFIX("Users/1/")};

    for (size_t i = 0; i < COUNT_OF(sets); i++) {
        struct prefixed prefixed;
        struct weir_scope scopes[1];
        struct weir_token shown;

        prefixed_make(&prefixed, sets[i], sets[i].kind == WEIR_SET_PREFIX);
        weir_token_shown_to(&prefixed.issuer, &prefixed.child, scopes, &shown);
        ck_assert_int_eq(shown.scopes[0].streams.kind, WEIR_SET_NOTHING);
        ck_assert(!shown.auto_prefix_streams);
        ck_assert_int_eq(shown.scopes[0].basins.kind, WEIR_SET_PREFIX);
        /* The token itself is as it was. */
        ck_assert_int_eq(prefixed.child.auto_prefix_streams, sets[i].kind == WEIR_SET_PREFIX);
        ck_assert_int_eq(prefixed.scope.streams.kind, sets[i].kind);
    }
}
END_TEST

START_TEST(each_scope_of_a_listed_token_is_shown_by_itself)
{
    struct prefixed prefixed;
    const struct weir_scope scopes[] = {
        reading((struct weir_set)PREFIX("users/1/a")), reading((struct weir_set)PREFIX("users/2/")),
        reading((struct weir_set)NOTHING), reading((struct weir_set)EXACT("users/1/b"))};
    const struct weir_token token = token_of(scopes, COUNT_OF(scopes));
    struct weir_scope room[COUNT_OF(scopes)];
    struct weir_token shown;

    prefixed_make(&prefixed, (struct weir_set)NOTHING, false);
    weir_token_shown_to(&prefixed.issuer, &token, room, &shown);
    ck_assert_uint_eq(shown.scope_count, COUNT_OF(scopes));
    expect_streams(&shown.scopes[0].streams, WEIR_SET_PREFIX, "a");
    ck_assert_int_eq(shown.scopes[1].streams.kind, WEIR_SET_NOTHING);
    ck_assert_int_eq(shown.scopes[2].streams.kind, WEIR_SET_NOTHING);
    expect_streams(&shown.scopes[3].streams, WEIR_SET_EXACT, "b");
}
END_TEST

START_TEST(others_and_the_operator_see_a_token_as_it_is)
{
    struct prefixed prefixed;
    struct weir_scope scopes[1];
    struct weir_token shown;

    prefixed_make(&prefixed, (struct weir_set)PREFIX("users/2/"), true);
    weir_token_shown_to(NULL, &prefixed.child, scopes, &shown);
    expect_streams(&shown.scopes[0].streams, WEIR_SET_PREFIX, "users/2/");
    ck_assert(shown.auto_prefix_streams);
    prefixed.issuer.auto_prefix_streams = false;
    weir_token_shown_to(&prefixed.issuer, &prefixed.child, scopes, &shown);
    expect_streams(&shown.scopes[0].streams, WEIR_SET_PREFIX, "users/2/");
    ck_assert(shown.auto_prefix_streams);
}
END_TEST

/* ---- Expiry ---- */

/* What a child of such expiries comes to at that instant; 0: none. Seconds and nanoseconds alike,
 * so that both are compared. */
static struct weir_instant instant_of(int number)
{
    return (struct weir_instant){number / 3, (uint32_t)(number % 3)};
}

static enum weir_status expiry_of(int issuers, int childs, int now, int *number)
{
    struct weir_token issuer = {.expires = issuers > 0, .expires_at = instant_of(issuers)};
    struct weir_token child = {.expires = childs > 0, .expires_at = instant_of(childs)};
    struct weir_instant expires_at = {-1, 0};
    struct weir_error error = {0};
    bool expires = false;
    enum weir_status status =
        weir_child_expiry(&issuer, &child, instant_of(now), &expires, &expires_at, &error);

    *number = expires ? (int)(expires_at.seconds * 3 + expires_at.nanoseconds) : 0;
    ck_assert_str_eq(error.place, status == WEIR_OK ? "" : "expires_at");
    ck_assert_int_eq(error.status, status);
    return status;
}

START_TEST(default_expiry_is_the_requestors)
{
    int number = 0;

    ck_assert_int_eq(expiry_of(20, 0, 10, &number), WEIR_OK);
    ck_assert_int_eq(number, 20);
    ck_assert_int_eq(expiry_of(0, 0, 10, &number), WEIR_OK);
    ck_assert_int_eq(number, 0);
    ck_assert_int_eq(expiry_of(0, 15, 10, &number), WEIR_OK);
    ck_assert_int_eq(number, 15);
    ck_assert_int_eq(expiry_of(20, 15, 10, &number), WEIR_OK);
    ck_assert_int_eq(number, 15);
}
END_TEST

START_TEST(an_expiry_later_than_the_requestors_or_not_in_the_future_is_refused)
{
    for (int issuers = 0; issuers < 12; issuers++) {
        for (int childs = 0; childs < 12; childs++) {
            for (int now = 1; now < 12; now++) {
                int expected = childs > 0 ? childs : issuers;
                bool good =
                    expected == 0 || (expected > now && (issuers == 0 || expected <= issuers));
                int number = 0;

                ck_assert_int_eq(expiry_of(issuers, childs, now, &number),
                                 good ? WEIR_OK : WEIR_ERROR_EXPIRY);
                ck_assert_int_eq(number, good ? expected : 0);
            }
        }
    }
}
END_TEST

START_TEST(the_operators_tokens_may_live_for_ever)
{
    const struct weir_token lasting = {0};
    const struct weir_token passing = {.expires = true, .expires_at = {100, 0}};
    struct weir_instant expires_at = {0};
    bool expires = true;

    ck_assert_int_eq(weir_child_expiry(NULL, &lasting, (struct weir_instant){100, 0}, &expires,
                                       &expires_at, NULL),
                     WEIR_OK);
    ck_assert(!expires);
    ck_assert_int_eq(weir_child_expiry(NULL, &passing, (struct weir_instant){99, 999999999},
                                       &expires, &expires_at, NULL),
                     WEIR_OK);
    ck_assert(expires && expires_at.seconds == 100);
    ck_assert_int_eq(weir_child_expiry(NULL, &passing, (struct weir_instant){100, 0}, &expires,
                                       &expires_at, NULL),
                     WEIR_ERROR_EXPIRY);
}
END_TEST

/* ---- Memory ---- */

static void *no_memory(void *context, size_t size)
{
    (void)context;
    (void)size;
    return NULL;
}

START_TEST(without_memory_there_is_no_child)
{
    const struct weir_allocator none = {.allocate = no_memory};
    struct weir_token *absolute = NULL;
    struct weir_error error = {0};
    struct prefixed prefixed;

    prefixed_make(&prefixed, (struct weir_set)PREFIX("a"), false);
    ck_assert_int_eq(
        weir_child_absolute(&prefixed.issuer, &prefixed.child, &none, &absolute, &error),
        WEIR_ERROR_MEMORY);
    ck_assert_int_eq(error.status, WEIR_ERROR_MEMORY);
    ck_assert_ptr_null(absolute);
}
END_TEST

int main(void)
{
    const TTest *const cases[] = {
        each_scope_of_the_child_lies_within_one_scope_of_the_requestor,
        its_operations_are_a_subset,
        operations_are_the_same_by_name_or_by_group,
        a_set_that_is_nothing_lies_within_any,
        nothing_else_lies_within_a_set_that_is_nothing,
        an_exact_name_equals_the_requestors_exact_or_begins_with_its_prefix,
        a_prefix_begins_with_the_requestors_prefix,
        containment_is_syntactic,
        no_union_of_scopes_counts,
        sets_that_no_operation_uses_count_too,
        a_token_of_the_most_scopes_is_given_in_its_own_order,
        more_comparisons_of_scopes_than_the_limit_are_refused,
        the_childs_streams_are_taken_relative_to_the_requestors_prefix,
        other_requestors_name_streams_as_the_server_does,
        an_empty_exact_name_and_null_stay_empty,
        a_child_without_auto_prefix_needs_a_relative_prefix_that_is_not_empty,
        a_child_without_auto_prefix_has_none_that_is_or_begins_one_or_two_dots,
        each_scope_of_a_child_without_auto_prefix_needs_such_a_name,
        a_child_with_auto_prefix_may_have_any_relative_prefix,
        it_could_otherwise_reach_names_that_its_issuer_cannot,
        a_result_over_512_bytes_is_no_name,
        streams_are_shown_to_the_requestor_relative_to_its_prefix,
        a_token_whose_streams_lie_outside_shows_none_and_no_auto_prefix,
        each_scope_of_a_listed_token_is_shown_by_itself,
        others_and_the_operator_see_a_token_as_it_is,
        default_expiry_is_the_requestors,
        an_expiry_later_than_the_requestors_or_not_in_the_future_is_refused,
        the_operators_tokens_may_live_for_ever,
        without_memory_there_is_no_child,
    };

    return run_cases("authority rules", cases, COUNT_OF(cases));
}
