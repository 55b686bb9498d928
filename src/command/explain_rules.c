/* explain_rules.c - the rules of a compiled token that a question met, or nearly did. */
#include "explain.h"
#include "side_by_side.h"
#include "words.h"

#define NAMED_OPERATIONS ((size_t)6)

/* Where the names of rules begin, in columns. */
#define RULE_COLUMN 10

/* What is known of the rules while they are visited: how near one came at most, then what has been
 * written. */
struct visit {
    struct output *output;
    const struct inquiry *inquiry;
    bool found;   /* any rule at all */
    size_t near;  /* the most bytes in common, of rules that do not match at the failing set */
    bool grants;  /* whether one of those that came so near grants the operation */
    bool written; /* a heading, of `role` */
    enum weir_set_role role;
};

/* The set at which the decision failed. */
static bool is_failing(const struct visit *visit, enum weir_set_role role)
{
    switch (visit->inquiry->decision_then.reason) {
    case WEIR_BASIN_OUT_OF_SCOPE:
        return role == WEIR_BASINS;
    case WEIR_STREAM_OUT_OF_SCOPE:
        return role == WEIR_STREAMS;
    case WEIR_ACCESS_TOKEN_OUT_OF_SCOPE:
        return role == WEIR_ACCESS_TOKENS;
    default:
        return false;
    }
}

static bool grants_it(const struct visit *visit, const struct weir_rule *rule)
{
    return (rule->operations & WEIR_OPERATION_BIT(visit->inquiry->request.operation)) != 0;
}

/* A weir_rule_visitor: how near the rules came. A rule that grants the operation is nearer than any
 * that does not. */
static void measure(void *context, const struct weir_rule *rule)
{
    struct visit *visit = context;
    bool grants = grants_it(visit, rule);

    if (!is_failing(visit, rule->role) || (rule->matches && grants)) {
        return;
    }
    if (!visit->found || grants > visit->grants ||
        (grants == visit->grants && rule->common > visit->near)) {
        visit->grants = grants;
        visit->near = rule->common;
    }
    visit->found = true;
}

static void write_heading(struct visit *visit, enum weir_set_role role)
{
    static const char *const headings[] = {
        [WEIR_BASINS] = "basins",
        [WEIR_STREAMS] = "streams, on this basin",
        [WEIR_ACCESS_TOKENS] = "access tokens",
    };

    if (!visit->written || visit->role != role) {
        output_format(visit->output, "\n%s\n", headings[role]);
    }
    visit->written = true;
    visit->role = role;
}

/* `permits read, also append`; `does not permit read, only append`. */
static void write_permission(const struct visit *visit, weir_operations operations)
{
    enum weir_operation operation = visit->inquiry->request.operation;
    weir_operations others = operations & ~WEIR_OPERATION_BIT(operation);
    bool permits = others != operations;

    output_format(visit->output, "%s %s", permits ? "permits" : "does not permit",
                  weir_operation_name(operation));
    if (others != 0) {
        output_string(visit->output, permits ? ", also " : ", only ");
        write_operations(visit->output, others, NAMED_OPERATIONS);
    }
}

/* A weir_rule_visitor: the rule for a person. The nearest is marked once. */
static void write_rule(void *context, const struct weir_rule *rule)
{
    struct visit *visit = context;
    struct output *output = visit->output;
    bool grants = grants_it(visit, rule);
    bool nearest = is_failing(visit, rule->role) && !(rule->matches && grants) && visit->found &&
                   grants == visit->grants && rule->common == visit->near;

    write_heading(visit, rule->role);
    output_format(output, "  %-8s", rule->matches ? "yes" : "NO");
    if (rule->matches) {
        write_set(output, &rule->set);
        output_string(output, "\n");
    } else {
        write_side_by_side(output, RULE_COLUMN, &rule->set,
                           inquiry_name(visit->inquiry, rule->role));
    }
    output_spaces(output, RULE_COLUMN);
    write_permission(visit, rule->operations);
    output_string(output, nearest ? "; it came nearest\n" : "\n");
    visit->found = visit->found && !nearest;
}

/* An image does not tell what a token permits; asking for each operation, with names that anything
 * can have, does. */
static weir_operations permitted_operations(const struct inquiry *inquiry)
{
    struct weir_request request = {
        .basin = WEIR_TEXT("any-basin"),
        .stream = WEIR_TEXT("s"),
        .access_token = WEIR_TEXT("t"),
    };
    weir_operations permitted = 0;

    for (unsigned number = 1; number <= WEIR_OPERATION_COUNT; number++) {
        struct weir_decision decision;

        request.operation = (enum weir_operation)number;
        decision = weir_check_token(inquiry->decision.token, &request, inquiry->asked_at);
        if (decision.reason > WEIR_OP_NOT_PERMITTED) {
            permitted |= WEIR_OPERATION_BIT(number);
        }
    }
    return permitted;
}

void explain_rules(struct output *output, const struct inquiry *inquiry)
{
    struct visit visit = {.output = output, .inquiry = inquiry};

    if (inquiry->decision_then.reason == WEIR_OP_NOT_PERMITTED ||
        weir_operation_target(inquiry->request.operation) == WEIR_TARGET_NONE) {
        output_string(output, "\nit permits ");
        write_operations(output, permitted_operations(inquiry), WEIR_OPERATION_COUNT);
        output_string(output, "\n");
        return;
    }
    (void)weir_explain(inquiry->decision_then.token, &inquiry->request, inquiry->asked_at, measure,
                       &visit);
    (void)weir_explain(inquiry->decision_then.token, &inquiry->request, inquiry->asked_at,
                       write_rule, &visit);
    if (!visit.written && inquiry->decision_then.reason != WEIR_ALLOWED) {
        output_string(output, "\nit has no rule for such names\n");
    }
}
