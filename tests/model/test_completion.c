/*
 * The bytes that may follow the beginning of a name are those that lead to some name, and what
 * completes one is short and makes a name.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/generate.h"
#include "model/images.h"
#include "model/naive.h"
#include "model/naive_difference.h"
#include "model/report.h"
#include "vocabulary/completion.h"

#define BEGINNINGS UINT64_C(2500)

static uint64_t impossible, names, ends;

static void check_next(struct weir_beginning beginning, char *bytes, size_t length, size_t longest)
{
    const enum weir_set_role role = (enum weir_set_role)beginning.kind;

    for (unsigned byte = 0; byte < 256; byte++) {
        struct weir_beginning longer = beginning;
        bool follows = false;

        bytes[length] = (char)byte;
        follows = naive_begins_some(role, longest, (struct weir_text){bytes, length + 1});
        ck_assert_int_eq(weir_beginning_next(&beginning, byte) == byte, follows);
        ck_assert_int_eq(weir_beginning_add(&longer, (unsigned char)byte), follows);
    }
    ends += weir_beginning_next(&beginning, 0) == WEIR_NO_BYTE;
}

static void check_completion(struct weir_beginning beginning, char *bytes, size_t length,
                             size_t longest)
{
    const enum weir_set_role role = (enum weir_set_role)beginning.kind;
    char completion[WEIR_COMPLETION_MAX];
    size_t added = weir_beginning_complete(beginning, completion);

    memcpy(bytes + length, completion, added);
    ck_assert_uint_le(length + added, longest);
    ck_assert(naive_valid(role, (struct weir_text){bytes, length + added}));
    for (size_t less = 0; less < added; less++) {
        ck_assert(!naive_valid(role, (struct weir_text){bytes, length + less}));
    }
}

/* The text has no more than `longest` bytes, or some. */
static void check_beginning(enum weir_set_role role, size_t longest, struct weir_text text)
{
    struct weir_beginning beginning = weir_beginning_of((enum weir_name_kind)role, longest);
    char bytes[WEIR_STREAM_MAX + 16];
    const bool possible = naive_begins_some(role, longest, text);

    ck_assert_int_eq(
        weir_beginning_add_text(&beginning, text) && weir_beginning_possible(&beginning), possible);
    impossible += !possible;
    if (!possible) {
        return;
    }
    (void)naive_join(text, (struct weir_text){NULL, 0}, bytes);
    ck_assert_int_eq(weir_beginning_is_name(&beginning), naive_valid(role, text));
    names += weir_beginning_is_name(&beginning);
    check_next(beginning, bytes, text.length, longest);
    check_completion(beginning, bytes, text.length, longest);
}

/* Streams may have to be shorter than others, by what is put before them. */
static size_t draw_longest(struct dice *dice, enum weir_set_role role, size_t length)
{
    const size_t most = weir_name_longest((enum weir_name_kind)role);
    const size_t some = length + dice_below(dice, 5);

    return role == WEIR_STREAMS && some < most && dice_chance(dice, 50) ? some : most;
}

START_TEST(what_may_follow_leads_to_a_name)
{
    const uint64_t seed = model_seed();
    const uint64_t amount = model_amount(BEGINNINGS);

    for (uint64_t i = 0, done = 0; done < amount; i++) {
        struct world *world = world_new(seed + i);

        for (size_t k = 0; k < 200 && world->count > 0; k++, done++) {
            const enum weir_set_role role = (enum weir_set_role)dice_below(&world->dice, 3);
            const struct weir_token *token = &world->tokens[dice_below(&world->dice, world->count)];
            struct weir_text name = world_name(
                world, role,
                scope_set(&token->scopes[dice_below(&world->dice, token->scope_count)], role));
            struct weir_text part = {name.bytes, dice_below(&world->dice, name.length + 1)};

            part = dice_chance(&world->dice, 30) ? name : part;
            if (part.length <= weir_name_longest((enum weir_name_kind)role)) {
                check_beginning(role, draw_longest(&world->dice, role, part.length), part);
            }
            text_fini(&name);
        }
        world_free(world);
    }
    printf("seed %" PRIu64 ": %" PRIu64 " beginnings of no name, %" PRIu64
           " that are names, %" PRIu64 " that nothing may follow\n",
           seed, impossible, names, ends);
    ck_assert_uint_gt(impossible, 0);
    ck_assert_uint_gt(names, 0);
    ck_assert_uint_gt(ends, 0);
}
END_TEST

/* Each byte after each beginning of a character, at each distance from the greatest length. */
START_TEST(what_may_follow_is_so_at_every_byte_of_a_character_and_near_the_end)
{
    static const char *const parts[] = {
        "",         ".",        "..",       "...",          "a",        ".a",
        "\xc2",     "\xdf",     "\xe0",     "\xe0\xa0",     "\xe1",     "\xed",
        "\xed\x9f", "\xee",     "\xef\xbf", "\xf0",         "\xf0\x90", "\xf0\x90\x80",
        "\xf1",     "\xf4",     "\xf4\x8f", "\xf4\x8f\xbf", "-",        "a-",
        "aaaaaaa",  "aaaaaaa-", "aaaaaaaa", "\xff",         "\x80",
    };

    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        const struct weir_text part = {parts[i], strlen(parts[i])};

        for (enum weir_set_role role = WEIR_BASINS; role <= WEIR_ACCESS_TOKENS; role++) {
            char bytes[WEIR_STREAM_MAX];
            size_t most = weir_name_longest((enum weir_name_kind)role);

            check_beginning(role, most, part);
            for (size_t room = 0; room < 6; room++) {
                memset(bytes, 'a', sizeof bytes);
                memcpy(bytes + most - room - part.length, part.bytes, part.length);
                check_beginning(role, most, (struct weir_text){bytes, most - room});
                if (role == WEIR_STREAMS) {
                    check_beginning(role, part.length + room, part);
                }
            }
        }
    }
}
END_TEST

int main(void)
{
    const TTest *const cases[] = {
        what_may_follow_leads_to_a_name,
        what_may_follow_is_so_at_every_byte_of_a_character_and_near_the_end,
    };

    return run_cases("completions", cases, COUNT_OF(cases));
}
