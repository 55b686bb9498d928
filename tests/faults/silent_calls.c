/* silent_calls.c - the public functions that never take memory. */
#include <string.h>

#include <weir/credential.h>
#include <weir/decision.h>
#include <weir/difference.h>
#include <weir/listing.h>

#include "faults/memory.h"

/* Each is told by name before it is called. */
#define CALLS(function, arguments) (note(#function), function arguments)

typedef void noting(const char *function);

static void call_vocabulary(struct world *world, noting *note)
{
    struct weir_text name = text_of("acme-production");
    enum weir_operation operation = WEIR_READ;
    struct weir_instant instant = SAMPLE_NOW;
    struct weir_error error = {0};
    char buffer[128];

    (void)CALLS(weir_basin_valid, (name));
    (void)CALLS(weir_basin_prefix_valid, (name));
    (void)CALLS(weir_stream_valid, (name));
    (void)CALLS(weir_stream_prefix_valid, (name));
    (void)CALLS(weir_token_id_valid, (name));
    (void)CALLS(weir_token_id_prefix_valid, (name));
    (void)CALLS(weir_quote, (name, buffer, sizeof buffer));
    (void)CALLS(weir_operation_name, (operation));
    (void)CALLS(weir_operation_parse, (text_of("read"), &operation));
    (void)CALLS(weir_operation_target, (operation));
    (void)CALLS(weir_group_operations, (WEIR_GROUP_STREAM, WEIR_ACCESS_READ));
    (void)CALLS(weir_target_operations, (WEIR_TARGET_STREAM));
    (void)CALLS(weir_group_name, (WEIR_GROUP_STREAM));
    (void)CALLS(weir_access_name, (WEIR_ACCESS_READ));
    (void)CALLS(weir_instant_now, ());
    (void)CALLS(weir_clocks_now, ());
    (void)CALLS(weir_instant_parse, (text_of("2027-01-01T00:00:00Z"), &instant));
    (void)CALLS(weir_instant_print, (instant, buffer));
    (void)CALLS(weir_status_name, (WEIR_OK));
    (void)CALLS(weir_reason_name, (WEIR_ALLOWED));
    (void)CALLS(weir_scope_operations, (&world->samples.scopes[0]));
    (void)CALLS(weir_set_matches, (&world->samples.scopes[0].basins, name));
    (void)CALLS(weir_token_check, (&world->samples.tokens[SAMPLE_COUNT - 1], &error));
    (void)CALLS(weir_compiler_count, (world->compiler));
    (void)CALLS(weir_token_file_place, (WEIR_FORM_ARRAY, 3, &error));
    (void)CALLS(weir_token_write, (&world->samples.tokens[0], buffer, sizeof buffer));
}

static void ignore_rule(void *context, const struct weir_rule *rule)
{
    (void)context;
    (void)rule;
}

static const struct weir_question question = {
    {"broker", 6},
    {.operation = WEIR_READ, .basin = {"acme-production", 15}, .stream = {"0/0/x", 5}}};

static void call_image(struct world *world, noting *note)
{
    const struct weir_image *image = world->image;
    const struct weir_compiled_token *token = world->token;
    const uint8_t digest[32] = {0x5c};
    struct weir_instant expires_at;
    struct weir_decision decision;
    size_t size = 0;

    (void)CALLS(weir_image_bytes, (image, &size));
    (void)CALLS(weir_image_token_count, (image));
    (void)CALLS(weir_image_digest_count, (image));
    (void)CALLS(weir_image_sequence, (image));
    (void)CALLS(weir_image_find, (image, question.token_id));
    (void)CALLS(weir_image_find_by_digest, (image, digest));
    (void)CALLS(weir_image_next, (image, NULL));
    (void)CALLS(weir_compiled_token_id, (token));
    (void)CALLS(weir_compiled_token_issue_number, (token));
    (void)CALLS(weir_compiled_token_size, (token));
    (void)CALLS(weir_compiled_token_expires, (token, &expires_at));
    (void)CALLS(weir_compiled_token_stream_prefix, (token));
    (void)CALLS(weir_compiled_token_digest, (token));
    (void)CALLS(weir_check, (image, question.token_id, &question.request, SAMPLE_NOW));
    (void)CALLS(weir_check_token, (token, &question.request, SAMPLE_NOW));
    CALLS(weir_check_batch, (image, &question, 1, SAMPLE_NOW, &decision));
    (void)CALLS(weir_check_under, (image, question.token_id, &question.request, SAMPLE_NOW));
    (void)CALLS(weir_check_token_under, (token, &question.request, SAMPLE_NOW));
    (void)CALLS(weir_explain, (token, &question.request, SAMPLE_NOW, ignore_rule, NULL));
}

/* One that only a host's allocator could be asked for. */
static void call_listing(noting *note)
{
    const struct weir_text names[] = {WEIR_TEXT("a")};
    struct weir_listing listing = {.exact = names, .exact_count = 1};
    struct weir_name_set set = {.included = listing};

    (void)CALLS(weir_listing_admits, (&listing, names[0]));
    (void)CALLS(weir_name_set_has, (&set, names[0]));
    (void)CALLS(weir_difference_change_name, (WEIR_GAINED));
}

static void call_engine(const struct weir_engine *engine, noting *note)
{
    const uint8_t digest[32] = {0x5c};
    struct weir_resolved resolved;
    enum weir_reason reason = WEIR_STALE;

    CALLS(weir_thread_register, ());
    CALLS(weir_fork_prepare, ());
    CALLS(weir_fork_parent, ());
    (void)CALLS(weir_engine_check, (engine, question.token_id, &question.request, SAMPLE_NOW));
    CALLS(weir_engine_check_batch, (engine, &question, 1, SAMPLE_NOW, &reason));
    (void)CALLS(weir_engine_resolve, (engine, question.token_id, &resolved));
    (void)CALLS(weir_engine_check_resolved, (engine, &resolved, &question.request, SAMPLE_NOW));
    (void)CALLS(weir_engine_check_under,
                (engine, question.token_id, &question.request, SAMPLE_NOW));
    (void)CALLS(weir_engine_check_resolved_under,
                (engine, &resolved, &question.request, SAMPLE_NOW));
    CALLS(weir_read_begin, ());
    (void)CALLS(weir_engine_find, (engine, question.token_id));
    (void)CALLS(weir_engine_find_by_digest, (engine, digest));
    (void)CALLS(weir_engine_find_resolved, (engine, &resolved));
    CALLS(weir_read_end, ());
    (void)CALLS(weir_engine_resolve_by_digest, (engine, digest, &resolved));
    (void)CALLS(weir_engine_usage, (engine));
}

static void call_publisher(struct weir_publisher *publisher, noting *note)
{
    CALLS(weir_publisher_heartbeat, (publisher));
    demand(CALLS(weir_publisher_reserve, (publisher, 1, 100000, false, NULL)) == WEIR_OK);
    CALLS(weir_publisher_hold, (publisher));
    CALLS(weir_publisher_release, (publisher));
    (void)CALLS(weir_publisher_engine, (publisher));
    (void)CALLS(weir_publisher_usage, (publisher));
    (void)CALLS(weir_publisher_sequence, (publisher));
    (void)CALLS(weir_publisher_lease, (publisher));
}

static void call_follower(struct weir_follower *follower, noting *note)
{
    struct weir_clocks now = weir_clocks_now();
    struct weir_resolved resolved = {0};
    enum weir_reason reason = WEIR_STALE;

    (void)CALLS(weir_follower_wait, (follower, 0));
    (void)CALLS(weir_follower_engine, (follower, now.boot));
    (void)CALLS(weir_follower_status, (follower));
    (void)CALLS(weir_follower_check, (follower, question.token_id, &question.request, now));
    CALLS(weir_follower_check_batch, (follower, &question, 1, now, &reason));
    (void)CALLS(weir_follower_check_resolved, (follower, &resolved, &question.request, now));
    (void)CALLS(weir_follower_check_under, (follower, question.token_id, &question.request, now));
    (void)CALLS(weir_follower_check_resolved_under, (follower, &resolved, &question.request, now));
}

static void call_credential(struct world *world, noting *note)
{
    struct weir_credential credential;
    struct weir_text text = {credential.text, WEIR_CREDENTIAL_LENGTH};
    uint8_t digest[WEIR_DIGEST_SIZE];

    demand(CALLS(weir_credential_draw, (&credential, NULL)) == WEIR_OK);
    demand(CALLS(weir_credential_well_formed, (text)));
    demand(CALLS(weir_credential_digest, (text, digest)));
    (void)CALLS(weir_engine_check_credential, (world->engine, text, &question.request, SAMPLE_NOW));
    (void)CALLS(weir_follower_check_credential,
                (world->follower, text, &question.request, weir_clocks_now()));
    CALLS(weir_wipe, (&credential, sizeof credential));
}

/* Changes that take something away, and what they leave behind is given back. */
static void call_revoking(struct world *world, noting *note)
{
    struct weir_publisher *publisher = world->stage.publisher;

    demand(CALLS(weir_engine_revoke, (world->engine, text_of("b"), NULL)) == WEIR_OK);
    demand(CALLS(weir_engine_reclaim, (world->engine, NULL)) == WEIR_OK);
    demand(CALLS(weir_publisher_revoke, (publisher, text_of("b"), NULL, NULL)) == WEIR_OK);
    demand(CALLS(weir_image_save, (world->image, world->scratch.path, NULL)) == WEIR_OK);
}

static void call_freeing(struct world *world, noting *note)
{
    struct weir_tokens none = {NULL, 0};

    CALLS(weir_tokens_free, (&none, world->allocator));
    CALLS(weir_listing_free, (NULL));
    CALLS(weir_token_free, (NULL, world->allocator));
    CALLS(weir_follower_close, (world->follower));
    CALLS(weir_publisher_close, (world->stage.publisher));
    CALLS(weir_engine_close, (world->engine));
    CALLS(weir_compiler_free, (world->compiler));
    CALLS(weir_question_buffer_free, (world->buffer));
    CALLS(weir_image_close, (world->other));
    world->follower = NULL;
    world->stage.publisher = NULL;
    world->engine = NULL;
    world->compiler = NULL;
    world->buffer = NULL;
    world->other = NULL;
}

void call_silent(struct world *world, void (*note)(const char *function))
{
    call_vocabulary(world, note);
    call_image(world, note);
    call_listing(note);
    call_engine(world->engine, note);
    call_publisher(world->stage.publisher, note);
    call_follower(world->follower, note);
    call_credential(world, note);
    call_revoking(world, note);
    call_freeing(world, note);
    note("weir_fork_child"); /* only in a child: tests/live/fork_cases.c */
}
