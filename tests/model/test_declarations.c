/* What may be compiled is what the naive rules allow, name by name and token by token, and a
 * refused token leaves nothing behind. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/compile.h>
#include <weir/decision.h>
#include <weir/name.h>
#include <weir/operation.h>
#include <weir/token.h>

#include "model/generate.h"
#include "model/images.h"
#include "model/naive.h"
#include "model/report.h"

#define DECLARATIONS UINT64_C(200000)
#define NAMES UINT64_C(1500000)

/* ---- Names ---- */

static void compare_name_rules(struct weir_text text)
{
    const struct {
        const char *rule;
        bool got, expected;
    } rules[] = {
        {"basin", weir_basin_valid(text), naive_basin_valid(text)},
        {"basin prefix", weir_basin_prefix_valid(text), naive_basin_prefix_valid(text)},
        {"stream", weir_stream_valid(text), naive_stream_valid(text)},
        {"stream prefix", weir_stream_prefix_valid(text), naive_stream_prefix_valid(text)},
        {"token id", weir_token_id_valid(text), naive_token_id_valid(text)},
        {"token id prefix", weir_token_id_prefix_valid(text), naive_token_id_prefix_valid(text)},
    };

    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        if (rules[i].got != rules[i].expected) {
            report_text(rules[i].rule, text);
            ck_abort_msg("a %s is %s (see above)", rules[i].rule,
                         rules[i].got ? "accepted" : "refused");
        }
    }
}

/* Between so many plain bytes, so that the rules, which read words, meet it at every place. */
static void compare_embedded(struct dice *dice, const char *bytes, size_t length)
{
    const size_t before = dice_below(dice, 17);
    const size_t after = dice_below(dice, 17);
    char *text = must_allocate(before + length + after);

    memset(text, 'a', before + length + after);
    memcpy(text + before, bytes, length);
    compare_name_rules((struct weir_text){text, before + length + after});
    free(text);
}

static void compare_bytes(struct dice *dice, const unsigned char *bytes, size_t length)
{
    compare_name_rules((struct weir_text){(const char *)bytes, length});
    if (dice_chance(dice, 25)) {
        compare_embedded(dice, (const char *)bytes, length);
    }
}

START_TEST(every_short_sequence_of_bytes_is_judged_alike)
{
    static const unsigned char edges[] = {0x00, 0x01, 0x2d, 0x2e, 0x61, 0x7f, 0x80, 0x8f, 0x90,
                                          0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xe0, 0xed, 0xf4, 0xff};
    struct dice dice = {model_seed()};
    unsigned char bytes[4];

    compare_name_rules((struct weir_text){NULL, 0});
    for (unsigned pair = 0; pair < 0x10000; pair++) {
        bytes[0] = (unsigned char)(pair >> 8);
        bytes[1] = (unsigned char)pair;
        compare_bytes(&dice, bytes + 1, 1);
        compare_bytes(&dice, bytes, 2);
        for (size_t i = 0; i < COUNT_OF(edges); i++) {
            bytes[2] = edges[i];
            bytes[3] = edges[dice_below(&dice, COUNT_OF(edges))];
            compare_bytes(&dice, bytes, 3);
            compare_bytes(&dice, bytes, 4);
        }
    }
}
END_TEST

START_TEST(names_close_to_the_rules_are_judged_alike)
{
    const uint64_t seed = model_seed();
    uint64_t judged = 0;
    uint64_t valid = 0;

    for (uint64_t i = 0; judged < model_amount(NAMES); i++) {
        struct world *world = world_new(seed + i);

        for (int k = 0; k < 5000 && world->count > 0; k++) {
            const enum weir_set_role role = (enum weir_set_role)dice_below(&world->dice, 3);
            const struct weir_token *token = &world->tokens[dice_below(&world->dice, world->count)];
            const struct weir_scope *scope =
                &token->scopes[dice_below(&world->dice, token->scope_count)];
            struct weir_text name = world_name(world, role, scope_set(scope, role));

            compare_name_rules(name);
            valid += naive_stream_valid(name);
            judged++;
            text_fini(&name);
        }
        world_free(world);
    }
    ck_assert_uint_ge(valid, judged / 4);
    ck_assert_uint_ge(judged - valid, judged / 50);
}
END_TEST

/* ---- Operations and sets ---- */

START_TEST(operations_are_what_the_naive_table_says)
{
    static const char targets[] = "-bst";

    for (unsigned operation = 0; operation < 2000; operation++) {
        const char target = naive_target(operation);

        ck_assert_int_eq(targets[weir_operation_target((enum weir_operation)operation)],
                         target == '?' ? '-' : target);
    }
    for (unsigned groups = 0; groups < 64; groups++) {
        const struct weir_scope scope = {.ops = UINT64_C(1) << (groups % 24 + 1),
                                         .op_groups = groups};
        const weir_operations operations = weir_scope_operations(&scope);

        for (unsigned operation = 0; operation < 64; operation++) {
            ck_assert_int_eq((int)(operations >> operation & 1), naive_permits(&scope, operation));
        }
    }
}
END_TEST

/* ---- Declarations ---- */

static uint64_t judged_valid, judged_invalid;

static bool is_one_printable_line(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\0') {
            return true;
        }
        if (text[i] < ' ' || text[i] > '~') {
            return false;
        }
    }
    return false;
}

static bool error_is_sound(enum weir_status status, const struct weir_error *error)
{
    return status == error->status && status != WEIR_ERROR_MEMORY && error->place[0] != '\0' &&
           error->message[0] != '\0' && is_one_printable_line(error->place, sizeof error->place) &&
           is_one_printable_line(error->message, sizeof error->message);
}

_Noreturn static void disagree(const struct world *world, const struct weir_token *token,
                               const char *what)
{
    report_world(world, what);
    report_token(token);
    ck_abort_msg("%s (see above)", what);
    abort();
}

/* A declaration that may be compiled is then answered for as the naive evaluator does. */
static void ask_of(struct world *world, const struct weir_token *token)
{
    size_t size = 0;
    struct weir_compiled_token *compiled = compile_alone(world, token, &size);

    for (int i = 0; i < 4; i++) {
        struct weir_request request;

        world_request(world, token, &request);
        if (weir_check_token(compiled, &request, world->now).reason !=
            naive_decide_token(token, &request, world->now).reason) {
            report_request(&request);
            disagree(world, token, "a token that was barely valid is answered for otherwise");
        }
        request_fini(&request);
    }
    free(compiled);
}

static void judge(struct world *world, struct weir_compiler *compiler)
{
    const struct weir_token token = world_spoilt_token(world);
    const bool valid = naive_token_valid(&token);
    struct weir_error untouched;
    struct weir_error error;
    enum weir_status status = WEIR_OK;

    memset(&untouched, 0xa5, sizeof untouched);
    error = untouched;
    status = weir_token_check(&token, &error);
    if ((status == WEIR_OK) != valid) {
        disagree(world, &token,
                 valid ? "a valid token is refused" : "an invalid token is accepted");
    }
    if (valid) {
        judged_valid++;
        ck_assert_mem_eq(&error, &untouched, sizeof error);
        if (dice_chance(&world->dice, 20)) {
            ask_of(world, &token);
        }
        return;
    }
    judged_invalid++;
    if (!error_is_sound(status, &error)) {
        disagree(world, &token, "the error is not what an error must be");
    }
    if (weir_compiler_add(compiler, &token, 0, &error) != status ||
        weir_compiler_count(compiler) != 0) {
        disagree(world, &token, "the compiler judges otherwise");
    }
}

START_TEST(declarations_are_judged_by_the_naive_rules)
{
    const uint64_t seed = model_seed();
    struct weir_compiler *compiler = NULL;

    ck_assert_int_eq(weir_compiler_new(NULL, &compiler, NULL), WEIR_OK);
    for (uint64_t i = 0; judged_valid + judged_invalid < model_amount(DECLARATIONS); i++) {
        struct world *world = world_new(seed + i);

        for (int k = 0; k < 2000 && world->count > 0; k++) {
            judge(world, compiler);
        }
        world_free(world);
    }
    weir_compiler_free(compiler);
    printf("seed %" PRIu64 ": %" PRIu64 " declarations accepted, %" PRIu64 " refused\n", seed,
           judged_valid, judged_invalid);
    ck_assert_uint_ge(judged_valid * 4, judged_invalid);
    ck_assert_uint_ge(judged_invalid * 4, judged_valid);
}
END_TEST

START_TEST(a_token_has_at_most_so_many_scopes)
{
    struct weir_scope *scopes = must_allocate((WEIR_SCOPES_MAX + 1) * sizeof *scopes);
    struct weir_token token = {.id = WEIR_TEXT("many"), .scopes = scopes};

    for (size_t i = 0; i <= WEIR_SCOPES_MAX; i++) {
        scopes[i] = (struct weir_scope){.ops = WEIR_OPERATION_BIT(WEIR_READ)};
    }
    token.scope_count = WEIR_SCOPES_MAX;
    ck_assert_int_eq(weir_token_check(&token, NULL), WEIR_OK);
    token.scope_count = WEIR_SCOPES_MAX + 1;
    ck_assert_int_eq(weir_token_check(&token, NULL), WEIR_ERROR_LIMIT);
    free(scopes);
}
END_TEST

int main(void)
{
    const TTest *const cases[] = {
        every_short_sequence_of_bytes_is_judged_alike,
        names_close_to_the_rules_are_judged_alike,
        operations_are_what_the_naive_table_says,
        declarations_are_judged_by_the_naive_rules,
        a_token_has_at_most_so_many_scopes,
    };

    return run_cases("declarations", cases, COUNT_OF(cases));
}
