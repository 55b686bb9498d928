/* explain_scopes.c - each scope of a declaration: what matched, what did not, which came nearest.
 */
#include <string.h>

#include "explain.h"
#include "side_by_side.h"
#include "words.h"

/* Of a token with more scopes than these only the nearest are shown. */
#define SHOWN_MAX ((size_t)8)

/* The most operations that are named where another one is missing. */
#define NAMED_OPERATIONS ((size_t)6)

/* Where the sets of scopes begin, in columns. */
#define SET_COLUMN 24

/* What a scope makes of the question. Its parts are asked in the order in which reasons apply: the
 * operation, then the names. */
struct verdict {
    size_t number;   /* of the scope, from 0 */
    unsigned passed; /* parts that matched before the first that did not */
    unsigned others; /* parts that matched after it */
    size_t common;   /* bytes in common with the name at which it failed */
    bool allows;
    const char *failed; /* that part, for a person */
};

static const struct weir_set *set_of(const struct weir_scope *scope, enum weir_set_role role)
{
    switch (role) {
    case WEIR_BASINS:
        return &scope->basins;
    case WEIR_STREAMS:
        return &scope->streams;
    case WEIR_ACCESS_TOKENS:
    default:
        return &scope->access_tokens;
    }
}

static const char *noun_of(enum weir_set_role role)
{
    static const char *const nouns[] = {
        [WEIR_BASINS] = "basin",
        [WEIR_STREAMS] = "stream",
        [WEIR_ACCESS_TOKENS] = "access token",
    };

    return nouns[role];
}

static bool permits(const struct weir_scope *scope, enum weir_operation operation)
{
    return (weir_scope_operations(scope) & WEIR_OPERATION_BIT(operation)) != 0;
}

static void judge_part(struct verdict *verdict, bool matches, const char *noun, size_t common)
{
    if (matches && verdict->allows) {
        verdict->passed++;
    } else if (matches) {
        verdict->others++;
    } else if (verdict->allows) {
        verdict->allows = false;
        verdict->failed = noun;
        verdict->common = common;
    }
}

static struct verdict judge(const struct inquiry *inquiry, size_t number)
{
    const struct weir_scope *scope = &inquiry->tokens->declaration->scopes[number];
    struct verdict verdict = {.number = number, .allows = true};

    judge_part(&verdict, permits(scope, inquiry->request.operation), "operation", 0);
    for (enum weir_set_role role = WEIR_BASINS; role <= WEIR_ACCESS_TOKENS; role++) {
        if (inquiry_has_name(inquiry, role)) {
            const struct weir_set *set = set_of(scope, role);
            struct weir_text name = inquiry_name(inquiry, role);

            judge_part(&verdict, weir_set_matches(set, name), noun_of(role),
                       set->kind == WEIR_SET_NOTHING ? 0 : common_length(set->name, name));
        }
    }
    return verdict;
}

static bool is_nearer(const struct verdict *left, const struct verdict *right)
{
    if (left->passed != right->passed) {
        return left->passed > right->passed;
    }
    if (left->others != right->others) {
        return left->others > right->others;
    }
    if (left->common != right->common) {
        return left->common > right->common;
    }
    return left->number < right->number;
}

/* The nearest scopes, the nearest first. */
struct nearest {
    struct verdict verdicts[SHOWN_MAX];
    size_t count;
    size_t allowing; /* of all scopes */
};

static void consider(struct nearest *nearest, const struct verdict *verdict)
{
    size_t place = nearest->count;

    nearest->allowing += verdict->allows;
    while (place > 0 && is_nearer(verdict, &nearest->verdicts[place - 1])) {
        place--;
    }
    if (place == SHOWN_MAX) {
        return;
    }
    nearest->count += nearest->count < SHOWN_MAX;
    memmove(&nearest->verdicts[place + 1], &nearest->verdicts[place],
            (nearest->count - 1 - place) * sizeof nearest->verdicts[0]);
    nearest->verdicts[place] = *verdict;
}

static void write_row(struct output *output, const char *noun, bool matches)
{
    output_format(output, "  %-14s%-8s", noun, matches ? "yes" : "NO");
}

/* `ops`, `op_groups.stream.read`: what of the scope grants the operation. */
static void write_grants(struct output *output, const struct weir_scope *scope,
                         weir_operations operation)
{
    const char *separator = "by ";

    if ((scope->ops & operation) != 0) {
        output_format(output, "%sops", separator);
        separator = " and ";
    }
    for (unsigned group = WEIR_GROUP_ACCOUNT; group <= WEIR_GROUP_STREAM; group++) {
        for (unsigned access = WEIR_ACCESS_READ; access <= WEIR_ACCESS_WRITE; access++) {
            if ((scope->op_groups & WEIR_GROUP_BIT(group, access)) != 0 &&
                (weir_group_operations((enum weir_group)group, (enum weir_access)access) &
                 operation) != 0) {
                output_format(output, "%sop_groups.%s.%s", separator,
                              weir_group_name((enum weir_group)group),
                              weir_access_name((enum weir_access)access));
                separator = " and ";
            }
        }
    }
}

static void write_operation_row(struct output *output, const struct inquiry *inquiry,
                                const struct weir_scope *scope)
{
    enum weir_operation operation = inquiry->request.operation;
    bool permitted = permits(scope, operation);

    write_row(output, "operation", permitted);
    output_string(output, weir_operation_name(operation));
    if (permitted) {
        output_string(output, ", ");
        write_grants(output, scope, WEIR_OPERATION_BIT(operation));
    } else {
        output_string(output, " is not among ");
        write_operations(output, weir_scope_operations(scope), NAMED_OPERATIONS);
    }
    output_string(output, "\n");
}

static void write_name_row(struct output *output, const struct inquiry *inquiry,
                           const struct weir_scope *scope, enum weir_set_role role)
{
    const struct weir_set *set = set_of(scope, role);
    struct weir_text name = inquiry_name(inquiry, role);
    bool matches = weir_set_matches(set, name);

    write_row(output, noun_of(role), matches);
    if (matches) {
        write_set(output, set);
        output_string(output, "\n");
    } else {
        write_side_by_side(output, SET_COLUMN, set, name);
    }
}

static void write_scope(struct output *output, const struct inquiry *inquiry,
                        const struct verdict *verdict, bool nearest)
{
    const struct declaration *declaration = inquiry->tokens->declaration;
    const struct weir_scope *scope = &declaration->scopes[verdict->number];

    if (declaration->token.scope_count == 1) {
        output_string(output, "\nscope");
    } else {
        output_format(output, "\nscope %zu (scopes[%zu])%s", verdict->number + 1, verdict->number,
                      nearest && !verdict->allows ? ", the nearest" : "");
    }
    if (verdict->allows) {
        output_string(output, ": allows it\n");
    } else {
        output_format(output, ": the %s does not match\n", verdict->failed);
    }
    write_operation_row(output, inquiry, scope);
    for (enum weir_set_role role = WEIR_BASINS; role <= WEIR_ACCESS_TOKENS; role++) {
        if (inquiry_has_name(inquiry, role)) {
            write_name_row(output, inquiry, scope, role);
        }
    }
}

static void write_heading(struct output *output, const struct nearest *nearest, size_t count)
{
    if (count == 1) {
        return;
    }
    output_format(output, "\nthe token has %zu scopes", count);
    if (nearest->allowing > 0) {
        output_format(output, "; %zu of them allow%s it", nearest->allowing,
                      nearest->allowing == 1 ? "s" : "");
    } else {
        output_format(output, "; scope %zu came nearest", nearest->verdicts[0].number + 1);
    }
    output_format(output, "%s\n", count > SHOWN_MAX ? "; the nearest first:" : ":");
}

void explain_scopes(struct output *output, const struct inquiry *inquiry)
{
    size_t count = inquiry->tokens->declaration->token.scope_count;
    struct nearest nearest = {.count = 0};

    for (size_t i = 0; i < count; i++) {
        struct verdict verdict = judge(inquiry, i);

        consider(&nearest, &verdict);
    }
    write_heading(output, &nearest, count);
    if (count > SHOWN_MAX) {
        for (size_t i = 0; i < SHOWN_MAX; i++) {
            write_scope(output, inquiry, &nearest.verdicts[i], i == 0);
        }
        output_format(output, "\nand %zu more scopes, none of them nearer\n", count - SHOWN_MAX);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct verdict verdict = judge(inquiry, i);

        write_scope(output, inquiry, &verdict, i == nearest.verdicts[0].number);
    }
}
