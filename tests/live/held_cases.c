/*
 * held_cases.c - E3, E5: checks that are held up on their way until the tokens have changed.
 *
 * What a check is about to read lies in pages that cannot be read. The reader dies of it, or rather
 * comes to a handler, which lets it go on when another thread has changed the tokens: of what the
 * check has read before, it then goes on with what was, and of what it reads now, with what is.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "library/support.h"
#include "live/guarantee_cases.h"
#include "live/recipes.h"

enum { PAGE = 4096, AREAS = 2048 };

/* What is asked about goes; then the sign has its second version, whether or not it had one. */
#define HELD_ID "tenant/held" /* sought in two steps */
#define SIGN_ID "sign"        /* too short for that: asked by itself */
#define CREDENTIAL 7

struct area {
    void *start;
    size_t size;
};

/* One for the process, as a signal's handler is. */
static struct {
    struct weir_engine *engine;
    struct weir_image *image; /* of the sign, to swap in */
    struct version_stream second;
    struct weir_request asks_for_sign; /* that only the sign's second version allows */
    struct area areas[AREAS];          /* that cannot be read while a check is held */
    size_t area_count;
    size_t met;       /* areas that the check has come to */
    size_t stands_at; /* the one, from 1, at which it is held */
    bool stands;
    void (*change)(void); /* meanwhile */
} held;

/*
 * ---- Holding ----
 */

/* In a signal's handler, too, where Check must not fail. */
static void protect(const struct area *area, int protection)
{
    if (mprotect(area->start, area->size, protection) != 0) {
        abort();
    }
}

static void protect_from(size_t first, int protection)
{
    for (size_t i = first; i < held.area_count; i++) {
        protect(&held.areas[i], protection);
    }
}

static struct area *area_of(const void *address)
{
    for (size_t i = 0; i < held.area_count; i++) {
        if ((uintptr_t)address - (uintptr_t)held.areas[i].start < held.areas[i].size) {
            return &held.areas[i];
        }
    }
    return NULL;
}

static struct weir_request request_of(const struct version_stream *stream)
{
    return (struct weir_request){
        .operation = WEIR_READ, .basin = WEIR_TEXT("some-basin"), .stream = text_of(stream->name)};
}

static bool sign_is_there(void)
{
    return weir_engine_check(held.engine, WEIR_TEXT(SIGN_ID), &held.asks_for_sign, NOW) ==
           WEIR_ALLOWED;
}

static void hold_up(int number, siginfo_t *touched, void *context)
{
    const struct area *area = held.stands ? NULL : area_of(touched->si_addr);

    (void)context;
    if (area == NULL) { /* what nobody may read: the reader does die of it */
        (void)signal(number, SIG_DFL);
        return;
    }
    held.met++;
    if (held.met < held.stands_at) {
        protect(area, PROT_READ | PROT_WRITE);
        return;
    }
    protect_from(0, PROT_READ | PROT_WRITE);
    __atomic_store_n(&held.stands, true, __ATOMIC_RELEASE);
    while (!sign_is_there()) {
        (void)sched_yield();
    }
}

/* From now on, whoever comes to the areas from that one on is held up when they come to so many. */
static void hold(size_t first, size_t stands_at)
{
    const struct sigaction action = {.sa_sigaction = hold_up, .sa_flags = SA_SIGINFO};

    ck_assert_int_eq(sigaction(SIGSEGV, &action, NULL), 0);
    held.met = 0;
    held.stands_at = stands_at;
    protect_from(first, PROT_NONE);
}

/*
 * ---- The engine's memory ----
 */

/* Each piece has pages of its own. */
static void *allocate_area(void *context, size_t size)
{
    struct area *area = &held.areas[held.area_count];
    void *start = MAP_FAILED;

    (void)context;
    ck_assert_uint_lt(held.area_count, AREAS);
    size = (size + PAGE - 1) / PAGE * PAGE;
    start = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert(start != MAP_FAILED);
    *area = (struct area){start, size};
    held.area_count++;
    return start;
}

/* Nobody may read what is released: it stays where it is until the end, out of reach. */
static void release_area(void *context, void *memory, size_t size)
{
    (void)context;
    (void)size;
    protect(area_of(memory), PROT_NONE);
}

static const struct weir_allocator areas = {allocate_area, NULL, release_area, NULL};

static void open_engine(void)
{
    const struct weir_engine_options options = {.allocator = &areas};
    const struct recipe sign = {SIGN_ID, .version = 2};

    memset(&held, 0, sizeof held);
    held.second = stream_of(2);
    held.asks_for_sign = request_of(&held.second);
    held.image = compile_recipes(&sign, 1, 0);
    held.engine = engine_on(NULL, &options);
    ck_assert_int_eq(
        issue_token(held.engine, (struct recipe){HELD_ID, .version = 1, .issue_number = 1,
                                                 .credential = CREDENTIAL}),
        WEIR_OK);
    ck_assert_int_eq(issue_token(held.engine, (struct recipe){SIGN_ID, .version = 1}), WEIR_OK);
}

static void close_engine(void)
{
    weir_engine_close(held.engine);
    weir_image_close(held.image);
    for (size_t i = 0; i < held.area_count; i++) {
        ck_assert_int_eq(munmap(held.areas[i].start, held.areas[i].size), 0);
    }
}

/*
 * ---- Changes meanwhile ----
 */

static void give_the_sign(void)
{
    ck_assert_int_eq(replace_token(held.engine, (struct recipe){SIGN_ID, .version = 2}), WEIR_OK);
}

/* The memory behind the token is no other's while a reader may come there. */
static void revoke_it(void)
{
    ck_assert_int_eq(revoke_token(held.engine, HELD_ID), WEIR_OK);
    give_the_sign();
}

/* Likewise if others come that need such memory. */
static void revoke_it_and_issue_another(void)
{
    ck_assert_int_eq(revoke_token(held.engine, HELD_ID), WEIR_OK);
    ck_assert_int_eq(issue_token(held.engine, (struct recipe){"tenant/other", .version = 1}),
                     WEIR_OK);
    give_the_sign();
}

static void swap_the_image(void)
{
    ck_assert_int_eq(swap_image(held.engine, held.image), WEIR_OK);
}

/* The second index grows, so that the check goes through one that nobody writes any more. */
static void outgrow_the_second_index(void)
{
    for (unsigned i = 0; i < 200; i++) {
        char id[24];

        (void)snprintf(id, sizeof id, "tenant/%u", i);
        ck_assert_int_eq(issue_token(held.engine, (struct recipe){id, .version = 1}), WEIR_OK);
    }
    revoke_it();
}

static void (*const changes[])(void) = {revoke_it, revoke_it_and_issue_another, swap_the_image,
                                        outgrow_the_second_index};

static void *change_when_it_stands(void *context)
{
    while (!__atomic_load_n(&held.stands, __ATOMIC_ACQUIRE)) {
        (void)sched_yield();
    }
    held.change();
    return context;
}

static pthread_t start_change(size_t number)
{
    pthread_t writer;

    held.change = changes[number];
    ck_assert_int_eq(pthread_create(&writer, NULL, change_when_it_stands, NULL), 0);
    return writer;
}

/*
 * ---- Checks of one token ----
 */

static enum weir_reason check_alone(const struct weir_request *request,
                                    struct weir_resolved *resolved)
{
    (void)resolved;
    return weir_engine_check(held.engine, text_of(HELD_ID), request, NOW);
}

static enum weir_reason check_in_batch(const struct weir_request *request,
                                       struct weir_resolved *resolved)
{
    const struct weir_question question = {WEIR_TEXT(HELD_ID), *request};
    enum weir_reason reason = WEIR_STALE;

    (void)resolved;
    weir_engine_check_batch(held.engine, &question, 1, NOW, &reason);
    return reason;
}

static enum weir_reason check_resolved(const struct weir_request *request,
                                       struct weir_resolved *resolved)
{
    return weir_engine_check_resolved(held.engine, resolved, request, NOW);
}

static enum weir_reason check_by_credential(const struct weir_request *request,
                                            struct weir_resolved *resolved)
{
    uint8_t digest[WEIR_DIGEST_SIZE];
    enum weir_reason reason = WEIR_STALE;

    (void)resolved;
    digest_of(CREDENTIAL, digest);
    weir_read_begin();
    reason = weir_check_token(weir_engine_find_by_digest(held.engine, digest), request, NOW).reason;
    weir_read_end();
    return reason;
}

typedef enum weir_reason way_to_check(const struct weir_request *request,
                                      struct weir_resolved *resolved);

static way_to_check *const ways[] = {check_alone, check_in_batch, check_resolved,
                                     check_by_credential};

/* Holds the check up at that area; returns whether it came to so many. It has been answered as
 * before the change or as after it, and once it is done as after it. */
static bool hold_check(way_to_check *check, size_t change, size_t stands_at)
{
    const struct version_stream stream = stream_of(1);
    const struct weir_request request = request_of(&stream);
    struct weir_resolved resolved;
    enum weir_reason reason = WEIR_STALE;
    bool stood = false;
    pthread_t writer;

    open_engine();
    resolved = resolve(held.engine, HELD_ID);
    ck_assert_int_eq(check(&request, &resolved), WEIR_ALLOWED);
    writer = start_change(change);
    hold(0, stands_at);
    reason = check(&request, &resolved);
    stood = held.stands;
    if (!stood) {
        protect_from(0, PROT_READ | PROT_WRITE);
        ck_assert_int_eq(reason, WEIR_ALLOWED);
        __atomic_store_n(&held.stands, true, __ATOMIC_RELEASE);
    }
    ck_assert_int_eq(pthread_join(writer, NULL), 0);
    ck_assert(reason == WEIR_ALLOWED || reason == WEIR_UNKNOWN_TOKEN);
    ck_assert_int_eq(check(&request, &resolved), WEIR_UNKNOWN_TOKEN);
    close_engine();
    return stood;
}

START_TEST(E3_E5_a_check_goes_on_from_wherever_it_was_held_up_while_the_tokens_changed)
{
    way_to_check *check = ways[(size_t)_i / COUNT(changes)];
    size_t stands_at = 1;

    while (hold_check(check, (size_t)_i % COUNT(changes), stands_at)) {
        stands_at++;
    }
    /* The engine, its edition, the handles, the token. */
    ck_assert_uint_gt(stands_at, 5);
}
END_TEST

/*
 * ---- Questions of a batch ----
 */

/* The first version's stream, in an area. */
static struct weir_text place_stream(void)
{
    const struct version_stream stream = stream_of(1);
    char *place = allocate_area(NULL, sizeof stream);

    memcpy(place, &stream, sizeof stream);
    return text_of(place);
}

/* The reader comes to the stream of the first question when it has looked up all ids of the batch.
 * Of the questions after that one, each must be answered from what there is then: whoever sees the
 * sign must not see the token that went before it. */
START_TEST(E3_questions_of_a_batch_are_answered_from_the_tokens_of_their_own_moment)
{
    const struct version_stream streams[] = {stream_of(1), stream_of(2)};
    struct weir_question questions[] = {{WEIR_TEXT(HELD_ID), request_of(&streams[0])},
                                        {WEIR_TEXT(SIGN_ID), request_of(&streams[1])},
                                        {WEIR_TEXT(HELD_ID), request_of(&streams[0])}};
    enum weir_reason reasons[COUNT(questions)];
    pthread_t writer;

    open_engine();
    questions[0].request.stream = place_stream();
    weir_engine_check_batch(held.engine, questions, COUNT(questions), NOW, reasons);
    ck_assert_int_eq(reasons[0], WEIR_ALLOWED);
    ck_assert_int_eq(reasons[1], WEIR_STREAM_OUT_OF_SCOPE);
    ck_assert_int_eq(reasons[2], WEIR_ALLOWED);
    writer = start_change((size_t)_i);
    hold(held.area_count - 1, 1);
    weir_engine_check_batch(held.engine, questions, COUNT(questions), NOW, reasons);
    ck_assert_int_eq(pthread_join(writer, NULL), 0);
    ck_assert_int_eq(reasons[1], WEIR_ALLOWED);
    ck_assert_int_eq(reasons[2], WEIR_UNKNOWN_TOKEN);
    close_engine();
}
END_TEST

TCase *held_cases(void)
{
    TCase *cases = tcase_create("held");

    tcase_add_loop_test(cases,
                        E3_E5_a_check_goes_on_from_wherever_it_was_held_up_while_the_tokens_changed,
                        0, (int)(COUNT(ways) * COUNT(changes)));
    tcase_add_loop_test(cases,
                        E3_questions_of_a_batch_are_answered_from_the_tokens_of_their_own_moment, 0,
                        (int)COUNT(changes));
    return cases;
}
