/* After every change of a random history a publisher decides as the naive evaluator does of the
 * tokens that are there; and each follower, however far behind it is, as of those that were there
 * at its own number: through compactions, adoptions, limited polls, restarts and creations anew. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <weir/compile.h>
#include <weir/follow.h>
#include <weir/publish.h>

#include "model/images.h"
#include "model/report.h"
#include "publish/format.h"
#include "publish/past.h"

#define HISTORIES 40
#define CHANGES 250
#define FOLLOWERS 5
#define LEASE (UINT64_C(3600) * 1000000000)

/* How often each follower polls, in percent of the changes. */
static const unsigned diligence[FOLLOWERS] = {100, 40, 15, 4, 1};

struct watcher {
    struct weir_follower *follower;
    struct moment moment;
};

struct stage {
    char path[300];
    struct past past;
    struct moment now;
    struct weir_publisher *publisher;
    struct watcher watchers[FOLLOWERS];
    struct weir_follower *eye; /* is told of what compacting revokes */
    struct dice dice;
};

static const struct weir_publisher_options options = {.lease = LEASE, .segment_size = 65536};

static uint64_t total;

static void must(const struct stage *stage, enum weir_status status, const struct weir_error *error,
                 const char *what)
{
    must_succeed(status, error, stage->past.world, what);
}

/*
 * ---- Followers ----
 */

static void check_watcher(struct stage *stage, struct watcher *watcher)
{
    struct weir_follower_standing status = weir_follower_status(watcher->follower);
    bool moved = status.sequence != watcher->moment.sequence;

    moment_move(&watcher->moment, status.sequence);
    moment_check(&watcher->moment,
                 weir_follower_engine(watcher->follower, status.heartbeat + LEASE - 1),
                 &stage->dice, moved ? 6 : 1, moved, "a follower");
    total++;
}

static void open_watcher(struct stage *stage, struct watcher *watcher)
{
    struct weir_error error;

    weir_follower_close(watcher->follower);
    must(stage, weir_follower_open(stage->path, NULL, &watcher->follower, &error), &error,
         "following");
}

/* Each in its own way; a directory created anew may be found by a limited poll as well. */
static void move_watcher(struct stage *stage, struct watcher *watcher, unsigned percent)
{
    uint64_t limit = dice_chance(&stage->dice, 30) ? 1 + dice_below(&stage->dice, 12) : 0;
    struct weir_error error;

    if (dice_chance(&stage->dice, 1)) {
        open_watcher(stage, watcher);
    } else if (dice_chance(&stage->dice, 2)) {
        must(stage, weir_follower_adopt(watcher->follower, &error), &error, "adopting");
    } else if (dice_chance(&stage->dice, percent)) {
        must(stage, weir_follower_poll(watcher->follower, weir_clocks_now().boot, limit, &error),
             &error, "polling");
        if (limit == 0 && weir_follower_status(watcher->follower).sequence != stage->past.count) {
            ck_abort_msg("a poll without limit has not come to the last change");
        }
    }
    check_watcher(stage, watcher);
}

/*
 * ---- Changes ----
 */

static void expect(const struct stage *stage, enum weir_status expected, enum weir_status got,
                   uint64_t sequence)
{
    if (expected != got || (got == WEIR_OK && sequence != stage->past.count + 1)) {
        report_world(stage->past.world, "a change was not accepted or refused as it should be");
        ck_abort_msg("%s instead of %s, number %" PRIu64 " after %zu", weir_status_name(got),
                     weir_status_name(expected), sequence, stage->past.count);
    }
}

static void put_some(struct stage *stage)
{
    size_t id = dice_below(&stage->dice, stage->past.world->count);
    struct weir_token token = past_draw(&stage->past, id);
    bool taken =
        token.has_credential_digest && moment_has_digest(&stage->now, token.credential_digest, id);
    bool issues = dice_chance(&stage->dice, 50);
    uint64_t sequence = 0;
    size_t size = 0;
    struct weir_compiled_token *compiled = compile_alone(stage->past.world, &token, &size);
    enum weir_status status =
        issues ? weir_publisher_issue(stage->publisher, compiled, &sequence, NULL)
               : weir_publisher_put(stage->publisher, compiled, &sequence, NULL);

    free(compiled);
    expect(stage, taken || (issues && stage->now.there[id]) ? WEIR_ERROR_DUPLICATE : WEIR_OK,
           status, sequence);
    if (status == WEIR_OK) {
        past_put(&stage->past, id, &token);
    }
}

static void revoke_some(struct stage *stage)
{
    size_t id = dice_below(&stage->dice, stage->past.world->count);
    uint64_t sequence = 0;
    enum weir_status status =
        weir_publisher_revoke(stage->publisher, stage->past.world->tokens[id].id, &sequence, NULL);

    expect(stage, stage->now.there[id] ? WEIR_OK : WEIR_ERROR_NOT_FOUND, status, sequence);
    if (status == WEIR_OK) {
        past_revoke(&stage->past, id);
    }
}

/* What there was before the newest snapshot that is due goes when the next is made. */
static void age(const struct stage *stage)
{
    char path[320];
    int file = -1;
    struct weir_control *control = NULL;

    (void)snprintf(path, sizeof path, "%s/" WEIR_CONTROL_NAME, stage->path);
    file = open(path, O_RDWR | O_CLOEXEC);
    control = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ck_assert(control != MAP_FAILED);
    if (control->due_since != 0) {
        control->due_since -= 10 * LEASE;
    }
    (void)munmap(control, sizeof *control);
    (void)close(file);
}

/* Called by the eye's poll. */
static void note(void *context, const struct weir_change *change)
{
    struct stage *stage = context;
    size_t id = 0;

    if (change->sequence <= stage->past.count) {
        return;
    }
    while (id < stage->past.world->count &&
           (stage->past.world->tokens[id].id.length != change->token_id.length ||
            memcmp(stage->past.world->tokens[id].id.bytes, change->token_id.bytes,
                   change->token_id.length) != 0)) {
        id++;
    }
    ck_assert_ptr_null(change->token);
    ck_assert_uint_lt(id, stage->past.world->count);
    past_revoke(&stage->past, id);
}

static bool expired_for_an_hour(const struct weir_token *token, struct weir_instant now)
{
    struct weir_instant at = token->expires_at;

    return token->expires && now.seconds >= WEIR_INSTANT_SECONDS_MIN + 3600 &&
           (now.seconds - 3600 > at.seconds ||
            (now.seconds - 3600 == at.seconds && now.nanoseconds > at.nanoseconds));
}

/* Compacting revokes just those that expired more than an hour ago, in an order of its own. */
static void compact(struct stage *stage)
{
    struct weir_instant now = stage->past.world->now;
    size_t expired = 0;
    size_t before = stage->past.count;
    struct weir_error error;

    if (dice_chance(&stage->dice, 40)) {
        age(stage);
    }
    for (size_t id = 0; id < stage->past.world->count; id++) {
        expired += stage->now.there[id] && expired_for_an_hour(&stage->now.tokens[id], now);
    }
    must(stage, weir_follower_poll(stage->eye, weir_clocks_now().boot, 0, &error), &error, "eye");
    must(stage, weir_publisher_compact(stage->publisher, now, &error), &error, "compacting");
    must(stage, weir_follower_poll(stage->eye, weir_clocks_now().boot, 0, &error), &error, "eye");
    ck_assert_uint_eq(stage->past.count - before, expired);
    for (; before < stage->past.count; before++) {
        size_t id = stage->past.changes[before].id;

        ck_assert(stage->now.there[id] && expired_for_an_hour(&stage->now.tokens[id], now));
    }
}

static void resume(struct stage *stage)
{
    struct weir_error error;

    weir_publisher_close(stage->publisher);
    must(stage, weir_publisher_resume(stage->path, &options, &stage->publisher, &error), &error,
         "resuming");
    weir_publisher_heartbeat(stage->publisher);
    ck_assert_uint_eq(weir_publisher_sequence(stage->publisher), stage->past.count);
}

/* With half of the tokens, as of the number after the last. */
static void create(struct stage *stage)
{
    struct weir_token *held = must_allocate((stage->past.world->count + 1) * sizeof *held);
    struct weir_image *image = NULL;
    struct weir_error error;
    size_t count = 0;

    for (size_t id = 0; id < stage->past.world->count; id++) {
        stage->now.there[id] = stage->now.there[id] && dice_chance(&stage->dice, 50);
        if (stage->now.there[id]) {
            held[count++] = stage->now.tokens[id];
        }
    }
    past_replace_all(&stage->past, &stage->now);
    image = compile_tokens(stage->past.world, held, count, stage->past.count);
    weir_publisher_close(stage->publisher);
    must(stage, weir_publisher_create(stage->path, image, &options, &stage->publisher, &error),
         &error, "creating");
    weir_publisher_heartbeat(stage->publisher);
    weir_image_close(image);
    free(held);
}

static void step(struct stage *stage)
{
    size_t luck = dice_below(&stage->dice, 1000);

    if (luck < 30) {
        compact(stage);
    } else if (luck < 50) {
        resume(stage);
    } else if (luck < 58) {
        create(stage);
    } else if (luck < 350) {
        revoke_some(stage);
    } else {
        put_some(stage);
    }
    moment_move(&stage->now, stage->past.count);
    moment_check(&stage->now, weir_publisher_engine(stage->publisher), &stage->dice, 3, true,
                 "the publisher's engine");
    total++;
}

/*
 * ---- Histories ----
 */

static void begin(struct stage *stage, struct world *world)
{
    const struct weir_follower_options observes = {.observer = note, .observer_context = stage};
    struct weir_error error;
    const char *temporary = getenv("TMPDIR");
    char folder[256];

    memset(stage, 0, sizeof *stage);
    stage->dice.state = world->seed;
    past_begin(&stage->past, world);
    moment_begin(&stage->now, &stage->past);
    (void)snprintf(folder, sizeof folder, "%s/weir-test-XXXXXX",
                   temporary != NULL && temporary[0] == '/' ? temporary : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(stage->path, sizeof stage->path, "%s/published", folder);
    must(stage, weir_publisher_create(stage->path, NULL, &options, &stage->publisher, &error),
         &error, "creating");
    weir_publisher_heartbeat(stage->publisher);
    must(stage, weir_follower_open(stage->path, &observes, &stage->eye, &error), &error, "eye");
    for (unsigned i = 0; i < FOLLOWERS; i++) {
        moment_begin(&stage->watchers[i].moment, &stage->past);
        open_watcher(stage, &stage->watchers[i]);
    }
}

static void end(struct stage *stage)
{
    char command[400];

    for (unsigned i = 0; i < FOLLOWERS; i++) {
        weir_follower_close(stage->watchers[i].follower);
        moment_end(&stage->watchers[i].moment);
    }
    weir_follower_close(stage->eye);
    weir_publisher_close(stage->publisher);
    moment_end(&stage->now);
    past_end(&stage->past);
    (void)snprintf(command, sizeof command, "rm -r \"$(dirname '%s')\"", stage->path);
    ck_assert_int_eq(system(command), 0); // NOLINT(cert-env33-c): a name of our own
}

static void run(uint64_t seed)
{
    struct world *world = world_new(seed);
    struct stage stage;

    /* The largest world is for those who test images. */
    if (world->count > 0 && world->count <= 200) {
        begin(&stage, world);
        for (unsigned i = 0; i < CHANGES; i++) {
            step(&stage);
            weir_publisher_heartbeat(stage.publisher);
            for (unsigned j = 0; j < FOLLOWERS; j++) {
                move_watcher(&stage, &stage.watchers[j], diligence[j]);
            }
        }
        end(&stage);
    }
    world_free(world);
}

START_TEST(publisher_and_followers_decide_as_the_model_after_every_change)
{
    uint64_t seed = model_seed();

    for (uint64_t i = 0; i < model_amount(HISTORIES); i++) {
        run(seed + i);
    }
    printf("publish histories: WEIR_SEED=%" PRIu64 ", %" PRIu64 " states compared\n", seed, total);
}
END_TEST

int main(void)
{
    const TTest *const cases[] = {publisher_and_followers_decide_as_the_model_after_every_change};

    return run_cases("publish histories", cases, COUNT_OF(cases));
}
