/*
 * Wherever a name ends, and wherever it differs from what a token says, the answer is the naive
 * evaluator's: at every length around those at which the read path takes another way, of names that
 * lie against a page that cannot be touched.
 */
#include <stdlib.h>
#include <string.h>

#include <weir/compile.h>

#include "library/support.h"
#include "model/naive.h"
#include "model/subject.h"

#define NOW ((struct weir_instant){1795435200, 0})

/* Longer than every name. */
enum { PATTERN_LENGTH = 640 };

/* What all names begin like: any 36 bytes of it differ. */
static char pattern[PATTERN_LENGTH];

static void make_pattern(void)
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789";

    for (size_t i = 0; i < PATTERN_LENGTH; i++) {
        pattern[i] = alphabet[i * 7 % 36];
    }
}

static char other_byte(size_t at)
{
    return pattern[at] == 'x' ? 'y' : 'x';
}

/* A page between two that cannot be touched. */
static struct guarded name_page(void)
{
    static const char zeros[4096];

    return guarded_copy(zeros, sizeof zeros, true);
}

/*
 * So much of the pattern, with the byte at `changed` replaced if it has one there. It ends where
 * the page does, or begins where the page does; then the pattern goes on behind it.
 */
static struct weir_text place_name(const struct guarded *page, size_t length, size_t changed,
                                   char byte, bool at_end)
{
    unsigned char *start = at_end ? page->bytes + page->size - length : page->bytes;

    memcpy(start, pattern, at_end ? length : PATTERN_LENGTH);
    if (changed < length) {
        start[changed] = (unsigned char)byte;
    }
    return (struct weir_text){(const char *)start, length};
}

/*
 * ---- Tokens ----
 */

struct declared {
    struct weir_token token;
    struct weir_scope scopes[2];
};

/* A token that permits everything, everywhere; with a second scope it is one that has tries. */
static void declare(struct declared *declared, size_t id_length, size_t scopes)
{
    static const struct weir_set all = {WEIR_SET_PREFIX, {"", 0}};

    *declared = (struct declared){
        .token = {.id = {pattern, id_length}, .scopes = declared->scopes, .scope_count = scopes},
        .scopes = {
            {.basins = all, .streams = all, .access_tokens = all, .ops = WEIR_OPERATIONS_ALL},
            {.basins = {WEIR_SET_EXACT, WEIR_TEXT("another-basin")},
             .ops = WEIR_OPERATION_BIT(WEIR_LIST_STREAMS)}}};
}

/* The question that permits most: to append to a stream whose name is usual. */
static struct weir_question question_about(const struct weir_token *token)
{
    return (struct weir_question){token->id,
                                  {.operation = WEIR_APPEND,
                                   .basin = WEIR_TEXT("usual-basin"),
                                   .stream = WEIR_TEXT("usual/stream"),
                                   .access_token = WEIR_TEXT("usual/id")}};
}

/*
 * ---- Lengths ----
 */

/* How often the answer was yes, and no: a test in which one is missing shows nothing. */
struct tally {
    size_t allowed;
    size_t denied;
};

static void count(struct tally *tally, enum weir_reason reason)
{
    tally->allowed += reason == WEIR_ALLOWED;
    tally->denied += reason != WEIR_ALLOWED;
}

/* Which name of a question is looked at, and where its bytes are put. */
struct varied {
    struct subject *subject;
    struct weir_question *question;
    struct weir_text *name;
    const struct guarded *page;
};

static void expect_length(const struct varied *varied, size_t length, struct tally *tally)
{
    for (unsigned at_end = 0; at_end < 2; at_end++) {
        *varied->name = place_name(varied->page, length, length, '\0', at_end);
        count(tally, subject_expect(varied->subject, varied->question, NOW));
    }
    for (size_t changed = 0; changed < length; changed++) {
        bool at_end = (length + changed) % 2 == 0;

        *varied->name = place_name(varied->page, length, changed, other_byte(changed), at_end);
        count(tally, subject_expect(varied->subject, varied->question, NOW));
    }
}

/* Asks about names of a role, from one byte less than the set has to some more: with tries, which
 * compare the same way whatever is behind the set, to a few more. */
static void expect_around_set(struct declared *declared, enum weir_set_role role,
                              struct weir_set set, struct tally *tally)
{
    struct weir_scope *scope = declared->scopes;
    struct weir_set *const sets[] = {&scope->basins, &scope->streams, &scope->access_tokens};
    struct weir_question question = question_about(&declared->token);
    struct weir_text *const names[] = {&question.request.basin, &question.request.stream,
                                       &question.request.access_token};
    size_t length = set.name.length;
    size_t most = length + (declared->token.scope_count == 1 ? 40 : 9);
    struct guarded page;
    struct subject subject;

    *sets[role] = set;
    if (!naive_token_valid(&declared->token)) {
        return;
    }
    if (role == WEIR_ACCESS_TOKENS) {
        question.request.operation = WEIR_REVOKE_ACCESS_TOKEN;
    }
    page = name_page();
    subject_make(&subject, &declared->token,
                 (struct weir_text){pattern + length, PATTERN_LENGTH - length});
    for (size_t asked = length - (length > 0); asked <= most; asked++) {
        const struct varied varied = {&subject, &question, names[role], &page};

        expect_length(&varied, asked, tally);
    }
    subject_free(&subject);
    guarded_free(&page);
}

/* Sets of that many bytes: exact or a prefix, of a token with one scope or with tries. */
static void expect_around_lengths(enum weir_set_role role, size_t least, size_t most)
{
    struct tally tally = {0, 0};

    make_pattern();
    for (size_t length = least; length <= most; length++) {
        for (unsigned shape = 0; shape < 4; shape++) {
            enum weir_set_kind kind = shape % 2 == 0 ? WEIR_SET_EXACT : WEIR_SET_PREFIX;
            struct declared declared;

            declare(&declared, 8 + length % 41, 1 + shape / 2);
            expect_around_set(&declared, role, (struct weir_set){kind, {pattern, length}}, &tally);
        }
    }
    ck_assert_uint_gt(tally.allowed, 0);
    ck_assert_uint_gt(tally.denied, tally.allowed / 8);
}

START_TEST(a_basin_is_in_a_set_of_whatever_length_only_if_every_byte_is)
{
    expect_around_lengths(WEIR_BASINS, 0, WEIR_BASIN_MAX);
}
END_TEST

START_TEST(a_stream_is_in_a_set_of_whatever_length_only_if_every_byte_is)
{
    expect_around_lengths(WEIR_STREAMS, 0, 72);
}
END_TEST

START_TEST(a_stream_is_in_a_long_set_only_if_every_byte_is)
{
    expect_around_lengths(WEIR_STREAMS, 300, 300);
    expect_around_lengths(WEIR_STREAMS, WEIR_STREAM_MAX, WEIR_STREAM_MAX);
}
END_TEST

START_TEST(an_access_token_is_in_a_set_of_whatever_length_only_if_every_byte_is)
{
    expect_around_lengths(WEIR_ACCESS_TOKENS, 0, 49);
    expect_around_lengths(WEIR_ACCESS_TOKENS, WEIR_TOKEN_ID_MAX - 1, WEIR_TOKEN_ID_MAX);
}
END_TEST

/* Ids against the pages; of those that differ, the hash does, too: the library's tests of layouts
 * have some whose hash does not. */
START_TEST(a_token_is_found_by_an_id_of_every_length_and_by_no_other)
{
    struct guarded page = name_page();
    struct tally tally = {0, 0};

    make_pattern();
    for (size_t length = 1; length <= WEIR_TOKEN_ID_MAX; length++) {
        struct declared declared;
        struct subject subject;
        struct weir_question question;

        declare(&declared, length, 1);
        subject_make(&subject, &declared.token, declared.token.id);
        question = question_about(&declared.token);
        for (size_t asked = length - 1; asked <= length + 2; asked++) {
            const struct varied varied = {&subject, &question, &question.token_id, &page};

            expect_length(&varied, asked, &tally);
        }
        subject_free(&subject);
    }
    ck_assert_uint_eq(tally.allowed, 2 * WEIR_TOKEN_ID_MAX);
    guarded_free(&page);
}
END_TEST

/*
 * ---- Auto-prefix ----
 */

static void expect_behind_prefix(const struct guarded *page, size_t prefix, struct tally *tally)
{
    struct declared declared;
    struct subject subject;
    struct weir_question question;

    declare(&declared, 20, 1);
    declared.token.auto_prefix_streams = true;
    declared.scopes[0].streams = (struct weir_set){WEIR_SET_PREFIX, {pattern, prefix}};
    subject_make(&subject, &declared.token,
                 (struct weir_text){pattern + prefix, PATTERN_LENGTH - prefix});
    question = question_about(&declared.token);
    for (size_t length = 0; length <= 80; length++) {
        for (unsigned at_end = 0; at_end < 2; at_end++) {
            question.request.stream = place_name(page, length, length, '\0', at_end);
            count(tally, subject_expect(&subject, &question, NOW));
        }
    }
    subject_free(&subject);
}

START_TEST(a_name_behind_a_prefix_is_allowed_up_to_the_length_of_both)
{
    struct guarded page = name_page();
    struct tally tally = {0, 0};

    make_pattern();
    for (size_t prefix = 0; prefix <= 80; prefix++) {
        expect_behind_prefix(&page, prefix, &tally);
    }
    ck_assert_uint_eq(tally.denied, 2 * 81); /* the empty name */
    tally = (struct tally){0, 0};
    for (size_t prefix = 425; prefix <= WEIR_STREAM_MAX; prefix++) {
        expect_behind_prefix(&page, prefix, &tally);
    }
    ck_assert_uint_gt(tally.allowed, 0);
    ck_assert_uint_gt(tally.denied, tally.allowed / 2);
    guarded_free(&page);
}
END_TEST

/*
 * ---- Bytes ----
 */

/* Every byte at every place of names of all usual lengths, of a token that allows everything. */
static void expect_every_byte(enum weir_set_role role, size_t least, size_t most, size_t scopes)
{
    struct guarded page = name_page();
    struct declared declared;
    struct subject subject;
    struct weir_question question;
    struct tally tally = {0, 0};

    make_pattern();
    declare(&declared, 20, scopes);
    subject_make(&subject, &declared.token, (struct weir_text){pattern, PATTERN_LENGTH});
    question = question_about(&declared.token);
    for (size_t length = least; length <= most; length++) {
        for (size_t place = 0; place < length; place++) {
            for (unsigned byte = 0; byte < 256; byte++) {
                struct weir_text name =
                    place_name(&page, length, place, (char)byte, (byte + place) % 2 == 0);

                *(role == WEIR_BASINS ? &question.request.basin : &question.request.stream) = name;
                count(&tally, subject_expect(&subject, &question, NOW));
            }
        }
    }
    ck_assert_uint_gt(tally.denied, tally.allowed / 2);
    ck_assert_uint_gt(tally.allowed, tally.denied / 16);
    subject_free(&subject);
    guarded_free(&page);
}

START_TEST(every_byte_everywhere_in_a_basin_is_judged_by_the_naive_rule)
{
    expect_every_byte(WEIR_BASINS, 1, WEIR_BASIN_MAX + 1, 1);
}
END_TEST

START_TEST(every_byte_everywhere_in_a_stream_is_judged_by_the_naive_rule)
{
    expect_every_byte(WEIR_STREAMS, 1, 33, 1);
    expect_every_byte(WEIR_STREAMS, 46, 50, 1);
    expect_every_byte(WEIR_STREAMS, 62, 66, 1);
}
END_TEST

START_TEST(a_character_of_two_bytes_is_allowed_everywhere_in_a_stream)
{
    struct guarded page = name_page();
    struct declared declared;
    struct subject subject;
    struct weir_question question;

    make_pattern();
    declare(&declared, 20, 1);
    subject_make(&subject, &declared.token, (struct weir_text){pattern, PATTERN_LENGTH});
    question = question_about(&declared.token);
    for (size_t length = 2; length <= 80; length++) {
        for (size_t place = 0; place + 1 < length; place++) {
            struct weir_text name = place_name(&page, length, length, '\0', place % 2 == 0);

            memcpy((char *)(uintptr_t)name.bytes + place, "\xc3\xa9", 2);
            question.request.stream = name;
            ck_assert_int_eq(subject_expect(&subject, &question, NOW), WEIR_ALLOWED);
        }
    }
    subject_free(&subject);
    guarded_free(&page);
}
END_TEST

/*
 * ---- Operations ----
 */

START_TEST(a_number_that_is_no_operation_is_never_permitted)
{
    static const unsigned strange[] = {127,
                                       128,
                                       255,
                                       256,
                                       256 + WEIR_READ,
                                       65536 + WEIR_APPEND,
                                       INT32_MAX,
                                       UINT32_C(1) << 31,
                                       UINT32_MAX - WEIR_READ,
                                       UINT32_MAX};
    struct tally tally = {0, 0};

    make_pattern();
    for (unsigned scopes = 1; scopes <= 2; scopes++) {
        struct declared declared;
        struct subject subject;
        struct weir_question question;

        declare(&declared, 20, scopes);
        subject_make(&subject, &declared.token, (struct weir_text){pattern, PATTERN_LENGTH});
        question = question_about(&declared.token);
        for (unsigned i = 0; i < 100 + COUNT(strange); i++) {
            question.request.operation = (enum weir_operation)(i < 100 ? i : strange[i - 100]);
            count(&tally, subject_expect(&subject, &question, NOW));
        }
        subject_free(&subject);
    }
    ck_assert_uint_eq(tally.allowed, 2 * WEIR_OPERATION_COUNT);
}
END_TEST

/* Each operation, of a token that permits all others. */
START_TEST(an_operation_that_is_left_out_is_not_permitted)
{
    struct tally tally = {0, 0};

    make_pattern();
    for (unsigned left_out = 1; left_out <= WEIR_OPERATION_COUNT; left_out++) {
        struct declared declared;
        struct subject subject;
        struct weir_question question;

        declare(&declared, 20, 1);
        declared.scopes[0].ops &= ~WEIR_OPERATION_BIT(left_out);
        subject_make(&subject, &declared.token, (struct weir_text){pattern, PATTERN_LENGTH});
        question = question_about(&declared.token);
        for (unsigned operation = 1; operation <= WEIR_OPERATION_COUNT; operation++) {
            question.request.operation = (enum weir_operation)operation;
            count(&tally, subject_expect(&subject, &question, NOW));
        }
        subject_free(&subject);
    }
    ck_assert_uint_eq(tally.denied, WEIR_OPERATION_COUNT);
}
END_TEST

/*
 * ---- Instants ----
 */

#define FIRST_SECOND WEIR_INSTANT_SECONDS_MIN
#define LAST_SECOND WEIR_INSTANT_SECONDS_MAX
#define LAST_NANOSECOND 999999999u

/* The nanosecond before, and after. */
static struct weir_instant before(struct weir_instant instant)
{
    return instant.nanoseconds > 0 ? (struct weir_instant){instant.seconds, instant.nanoseconds - 1}
                                   : (struct weir_instant){instant.seconds - 1, LAST_NANOSECOND};
}

static struct weir_instant after(struct weir_instant instant)
{
    return instant.nanoseconds < LAST_NANOSECOND
               ? (struct weir_instant){instant.seconds, instant.nanoseconds + 1}
               : (struct weir_instant){instant.seconds + 1, 0};
}

static void expect_at_all_times(struct subject *subject, const struct weir_question *question,
                                struct tally *tally)
{
    static const struct weir_instant times[] = {
        {INT64_MIN, 0},
        {INT64_MIN, LAST_NANOSECOND},
        {FIRST_SECOND - 1, LAST_NANOSECOND},
        {FIRST_SECOND, 0},
        {FIRST_SECOND, 1},
        {-1, LAST_NANOSECOND},
        {0, 0},
        {LAST_SECOND, 0},
        {LAST_SECOND, LAST_NANOSECOND - 1},
        {LAST_SECOND, LAST_NANOSECOND},
        {LAST_SECOND + 1, 0},
        /* Whose seconds, shifted as a block has them, would fall off its upper end. */
        {FIRST_SECOND + (INT64_C(1) << 39), 0},
        {INT64_MAX + FIRST_SECOND, 0},
        {INT64_MAX, LAST_NANOSECOND},
    };
    struct weir_instant expiry = subject->token->expires_at;
    const struct weir_instant near[] = {
        before(before(expiry)),
        before(expiry),
        expiry,
        after(expiry),
        {expiry.seconds, 0},
        {expiry.seconds, LAST_NANOSECOND},
        {expiry.seconds - 1, expiry.nanoseconds},
        {expiry.seconds + 1, expiry.nanoseconds},
        {expiry.seconds, expiry.nanoseconds & ~31u},
        {expiry.seconds,
         (expiry.nanoseconds | 31u) < LAST_NANOSECOND ? expiry.nanoseconds | 31u : LAST_NANOSECOND},
    };

    for (size_t i = 0; i < COUNT(times); i++) {
        count(tally, subject_expect(subject, question, times[i]));
    }
    for (size_t i = 0; i < COUNT(near); i++) {
        count(tally, subject_expect(subject, question, near[i]));
    }
}

START_TEST(a_token_is_valid_until_the_nanosecond_before_its_expiry)
{
    static const int64_t seconds[] = {FIRST_SECOND, FIRST_SECOND + 1, -1, 0, 1,
                                      1795435200,   LAST_SECOND};
    static const uint32_t nanoseconds[] = {0,  1,  30, 31,        32,        33,
                                           63, 64, 65, 123456789, 999999968, LAST_NANOSECOND};
    struct tally tally = {0, 0};

    make_pattern();
    for (size_t i = 0; i <= COUNT(seconds) * COUNT(nanoseconds); i++) {
        struct declared declared;
        struct subject subject;
        struct weir_question question;

        declare(&declared, 20, 1 + i % 2);
        declared.token.expires = i < COUNT(seconds) * COUNT(nanoseconds);
        declared.token.expires_at = (struct weir_instant){
            seconds[i / COUNT(nanoseconds) % COUNT(seconds)], nanoseconds[i % COUNT(nanoseconds)]};
        subject_make(&subject, &declared.token, (struct weir_text){pattern, PATTERN_LENGTH});
        question = question_about(&declared.token);
        expect_at_all_times(&subject, &question, &tally);
        subject_free(&subject);
    }
    ck_assert_uint_gt(tally.denied, tally.allowed / 4);
    ck_assert_uint_gt(tally.allowed, tally.denied / 4);
}
END_TEST

static TCase *length_cases(void)
{
    TCase *cases = tcase_create("lengths");

    tcase_add_test(cases, a_basin_is_in_a_set_of_whatever_length_only_if_every_byte_is);
    tcase_add_test(cases, a_stream_is_in_a_set_of_whatever_length_only_if_every_byte_is);
    tcase_add_test(cases, a_stream_is_in_a_long_set_only_if_every_byte_is);
    tcase_add_test(cases, an_access_token_is_in_a_set_of_whatever_length_only_if_every_byte_is);
    tcase_add_test(cases, a_token_is_found_by_an_id_of_every_length_and_by_no_other);
    tcase_add_test(cases, a_name_behind_a_prefix_is_allowed_up_to_the_length_of_both);
    return cases;
}

static TCase *value_cases(void)
{
    TCase *cases = tcase_create("values");

    tcase_add_test(cases, every_byte_everywhere_in_a_basin_is_judged_by_the_naive_rule);
    tcase_add_test(cases, every_byte_everywhere_in_a_stream_is_judged_by_the_naive_rule);
    tcase_add_test(cases, a_character_of_two_bytes_is_allowed_everywhere_in_a_stream);
    tcase_add_test(cases, a_number_that_is_no_operation_is_never_permitted);
    tcase_add_test(cases, an_operation_that_is_left_out_is_not_permitted);
    tcase_add_test(cases, a_token_is_valid_until_the_nanosecond_before_its_expiry);
    return cases;
}

int main(void)
{
    TCase *const cases[] = {length_cases(), value_cases()};

    return run_cases("edges", cases, COUNT(cases));
}
