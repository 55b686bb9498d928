#include "publish/torture.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include <weir/compile.h>
#include <weir/publish.h>

#include "model/dice.h"

static const struct weir_publisher_options options = {.lease = LEASE, .segment_size = 65536};

/* Heartbeats come from a thread of their own; the lock keeps it from a publisher that is closed. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct weir_publisher *publisher;
static uint64_t silent_until;

static void *give_heartbeats(void *context)
{
    while (load(&torture->ends) == 0) {
        (void)pthread_mutex_lock(&lock);
        if (publisher != NULL && now() >= load(&silent_until)) {
            weir_publisher_heartbeat(publisher);
        }
        (void)pthread_mutex_unlock(&lock);
        (void)usleep(LEASE / 8 / 1000);
    }
    return context;
}

static void must(enum weir_status status, const struct weir_error *error, const char *what)
{
    if (status != WEIR_OK) {
        fail("%s: %s: %s: %s", what, weir_status_name(status), error->place, error->message);
    }
}

static struct weir_compiled_token *compile(struct weir_text id, uint64_t version)
{
    char stream[32];
    struct weir_scope scope = {
        .basins = {WEIR_SET_PREFIX, WEIR_TEXT("")},
        .streams = {has_prefix(version) ? WEIR_SET_PREFIX : WEIR_SET_EXACT,
                    stream_text(version, stream)},
        .ops = WEIR_OPERATION_BIT(WEIR_READ),
    };
    struct weir_token token = {
        .id = id, .scopes = &scope, .scope_count = 1, .issue_number = version};
    struct weir_compiled_token *compiled = NULL;
    struct weir_error error = {0};
    size_t size = 0;

    must(weir_compile_token(&token, NULL, &compiled, &size, &error), &error, "compile");
    return compiled;
}

/* The next version of the id: begun, done. */
static void change(unsigned id)
{
    struct subject *subject = &torture->subjects[id];
    uint64_t version = subject->begun + 1;
    char buffer[16];
    struct weir_text text = id_text(id, buffer);
    struct weir_compiled_token *token = is_token(version) ? compile(text, version) : NULL;
    struct weir_error error = {0};
    enum weir_status status = WEIR_OK;

    store(&subject->called_at[version % REMEMBERED], now());
    store(&subject->begun, version);
    status = token == NULL      ? weir_publisher_revoke(publisher, text, NULL, &error)
             : version % 4 == 1 ? weir_publisher_issue(publisher, token, NULL, &error)
                                : weir_publisher_replace(publisher, token, NULL, &error);
    must(status, &error, "change");
    store(&subject->done_at[version % REMEMBERED], now());
    store(&subject->done, version);
    free(token);
    count(&torture->changes, 1);
}

static void compact(void)
{
    struct weir_error error = {0};

    must(weir_publisher_compact(publisher, (struct weir_instant){0, 0}, &error), &error, "compact");
    count(&torture->compactions, 1);
}

/* Closes the publisher, and opens it again: as it is, or created anew from all it has. */
static void begin_again(bool anew)
{
    struct weir_image *image = NULL;
    struct weir_error error = {0};

    must(weir_engine_compact(weir_publisher_engine(publisher), (struct weir_instant){0, 0},
                             weir_publisher_sequence(publisher), NULL, &image, &error),
         &error, "image");
    (void)pthread_mutex_lock(&lock);
    weir_publisher_close(publisher);
    must(anew ? weir_publisher_create(published, image, &options, &publisher, &error)
              : weir_publisher_resume(published, &options, &publisher, &error),
         &error, "begin again");
    (void)pthread_mutex_unlock(&lock);
    weir_image_close(image);
    count(anew ? &torture->creations : &torture->resumptions, 1);
}

/* No heartbeats for longer than the lease: everybody goes stale, while changes go on. */
static void fall_silent(void)
{
    store(&silent_until, now() + 2 * LEASE);
    count(&torture->silences, 1);
}

static void do_something(struct dice *dice)
{
    size_t luck = dice_below(dice, 10000);

    if (luck < 20) {
        compact();
    } else if (luck < 23) {
        begin_again(luck == 22);
    } else if (luck < 25) {
        fall_silent();
    } else if (luck < 1000) {
        (void)usleep((useconds_t)dice_below(dice, 300));
    } else {
        change((unsigned)dice_below(dice, IDS));
    }
}

void publish_all_the_time(uint64_t seed)
{
    struct dice dice = {seed};
    struct weir_error error = {0};
    pthread_t thread;

    must(weir_publisher_create(published, NULL, &options, &publisher, &error), &error, "create");
    if (pthread_create(&thread, NULL, give_heartbeats, NULL) != 0) {
        fail("no thread");
    }
    while (load(&torture->ends) == 0) {
        do_something(&dice);
    }
    (void)pthread_join(thread, NULL);
    weir_publisher_close(publisher);
    _exit(0);
}
