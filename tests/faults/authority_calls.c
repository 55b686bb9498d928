/*
 * authority_calls.c - the calls of an authority, and a world for them.
 *
 * SQLite takes memory of malloc, as libc does, and keeps some of it for later.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <weir/authority.h>

#include "faults/memory.h"

#define DECLARATION(id, more) "{\"id\":\"" id "\",\"scope\":" SCOPE more "}"
#define SCOPE                                                                                      \
    "{\"basins\":{\"prefix\":\"acme\"},\"streams\":{\"prefix\":\"abc\"},\"ops\":[\"read\"]}"

/* Between these the clock passes by the expiry of one token. */
static const struct weir_instant before = {1795000000, 0};
static const struct weir_instant after = {1795000002, 0};
#define EXPIRY ",\"expires_at\":\"2026-11-18T11:06:41Z\""

static struct weir_instant read_clock(void *context)
{
    return *(const struct weir_instant *)context;
}

static const struct weir_requestor the_operator = {.is_operator = true};

static struct weir_requestor root_of(const struct world *world)
{
    return (struct weir_requestor){.credential = {world->root.text, WEIR_CREDENTIAL_LENGTH}};
}

static void path_of(const struct world *world, const char *name, char path[512])
{
    (void)snprintf(path, 512, "%s/%s", world->stage.folder, name);
}

/*
 * ---- The world ----
 */

static void must(enum weir_status status, const struct weir_error *error)
{
    if (status != WEIR_OK) {
        ck_abort_msg("%s: %s %s", weir_status_name(status), error->place, error->message);
    }
}

static void issue_for(struct weir_authority *authority, struct weir_text declaration)
{
    struct weir_issued issued;
    struct weir_error error = {0};

    must(weir_authority_issue(authority, &the_operator, declaration, &issued, NULL, &error),
         &error);
}

/* What is made is published in a directory of the same name, with more behind it. */
static struct weir_authority_options options_for(struct world *world, const char *name,
                                                 char store[512], char directory[520])
{
    path_of(world, name, store);
    (void)snprintf(directory, 520, "%s.live", store);
    return (struct weir_authority_options){
        .allocator = world->allocator,
        .directory = directory,
        .publisher = {.lease = LEASE, .segment_size = SEGMENT},
        .clock = read_clock,
        .clock_context = &world->now,
    };
}

static enum weir_status open_store(struct world *world, const char *name,
                                   struct weir_authority **authority, struct weir_error *error)
{
    char store[512];
    char directory[520];
    const struct weir_authority_options options = options_for(world, name, store, directory);

    return weir_authority_open(store, &options, authority, error);
}

static enum weir_status init_store(struct world *world, const char *name,
                                   struct weir_credential *root, struct weir_error *error)
{
    char store[512];
    char directory[520];
    const struct weir_authority_options options = options_for(world, name, store, directory);

    return weir_authority_init(store, text_of("root"), &options, root, error);
}

static void make_authority(struct world *world)
{
    struct weir_error error = {0};

    must(init_store(world, "store", &world->root, &error), &error);
    must(open_store(world, "store", &world->authority, &error), &error);
    issue_for(world->authority, WEIR_TEXT(DECLARATION("kept", "")));
    issue_for(world->authority, WEIR_TEXT(DECLARATION("old", EXPIRY)));
    issue_for(world->authority, WEIR_TEXT(DECLARATION("user/1", "")));
    issue_for(world->authority, WEIR_TEXT(DECLARATION("user/2", "")));
}

/* A store that is closed, and what was published of it; once. */
void authority_world_make_other_store(struct world *world)
{
    struct weir_authority *authority = NULL;
    struct weir_credential root;
    struct weir_error error = {0};
    char path[512];

    path_of(world, "other", path);
    if (access(path, F_OK) == 0) {
        return;
    }
    must(init_store(world, "other", &root, &error), &error);
    must(open_store(world, "other", &authority, &error), &error);
    issue_for(authority, WEIR_TEXT(DECLARATION("kept", "")));
    weir_authority_close(authority);
}

void authority_world_make(struct world *world, bool by_malloc)
{
    memset(world, 0, sizeof *world);
    counting_allocator_start(&world->counting);
    world->allocator = by_malloc ? NULL : &world->counting.allocator;
    world->now = before;
    stage_make(&world->stage);
    make_authority(world);
}

void authority_world_remove(struct world *world)
{
    weir_authority_close(world->authority);
    stage_remove(&world->stage);
    counting_allocator_expect_balance(&world->counting);
}

/* As the engine that is published has it. */
static bool is_published(const struct world *world, const struct weir_token *token)
{
    const struct weir_compiled_token *compiled = NULL;
    bool is = false;

    weir_read_begin();
    compiled = weir_engine_find(weir_authority_engine(world->authority), token->id);
    is = compiled != NULL && weir_compiled_token_issue_number(compiled) == token->issue_number;
    weir_read_end();
    return is;
}

struct summing {
    const struct world *world;
    uint64_t sum;
};

static bool add_token(void *context, const struct weir_token *token)
{
    struct summing *summing = context;
    char json[1024];
    size_t length = weir_token_write(token, json, sizeof json);

    for (size_t i = 0; i < length && i < sizeof json; i++) { /* of a large one the beginning */
        summing->sum = summing->sum * 31 + (unsigned char)json[i];
    }
    summing->sum = summing->sum * 31 + is_published(summing->world, token);
    return true;
}

uint64_t authority_world_state(struct world *world)
{
    const struct weir_list_query all = {.limit = 0};
    struct weir_authority_standing standing = weir_authority_status(world->authority);
    struct summing summing = {.world = world};
    struct weir_error error = {0};
    bool has_more = false;

    must(weir_authority_list(world->authority, &the_operator, &all, add_token, &summing, &has_more,
                             NULL, &error),
         &error);
    ck_assert_uint_eq(standing.published, standing.sequence);
    return (summing.sum * 31 + standing.tokens) * 31 + standing.sequence;
}

/*
 * ---- Calls that take memory ----
 */

static enum weir_status init(struct world *world, struct weir_error *error)
{
    struct weir_credential root = {""};
    char path[512];
    enum weir_status status = init_store(world, "made", &root, error);

    demand((root.text[0] != '\0') == (status == WEIR_OK));
    path_of(world, "made", path);
    if (status == WEIR_OK) {
        demand(remove(path) == 0);
    }
    return status;
}

static enum weir_status open_other(struct world *world, struct weir_error *error)
{
    struct weir_authority *authority = NULL;
    enum weir_status status = WEIR_OK;

    make_with_memory(world, authority_world_make_other_store);
    status = open_store(world, "other", &authority, error);
    demand((authority != NULL) == (status == WEIR_OK));
    weir_authority_close(authority);
    return status;
}

/* Without what was published before. */
static enum weir_status open_anew(struct world *world, struct weir_error *error)
{
    struct weir_authority *authority = NULL;
    char store[512];
    char directory[520];
    struct weir_authority_options options = options_for(world, "other", store, directory);
    enum weir_status status = WEIR_OK;

    make_with_memory(world, authority_world_make_other_store);
    options.publisher.lease = LEASE / 2;
    status = weir_authority_open(store, &options, &authority, error);
    demand((authority != NULL) == (status == WEIR_OK));
    weir_authority_close(authority);
    return status;
}

static enum weir_status issue(struct world *world, struct weir_error *error)
{
    const struct weir_requestor requestor = root_of(world);
    struct weir_issued issued = {.sequence = 0};
    enum weir_status status = weir_authority_issue(
        world->authority, &requestor, WEIR_TEXT(DECLARATION("fresh", "")), &issued, NULL, error);

    demand((issued.sequence != 0) == (status == WEIR_OK));
    return status;
}

static bool take_any(void *context, const struct weir_token *token)
{
    (void)token;
    ++*(size_t *)context;
    return true;
}

static enum weir_status list(struct world *world, struct weir_error *error)
{
    const struct weir_requestor requestor = root_of(world);
    const struct weir_list_query query = {.prefix = text_of("user/")};
    size_t count = 0;
    bool has_more = false;
    enum weir_status status = weir_authority_list(world->authority, &requestor, &query, take_any,
                                                  &count, &has_more, NULL, error);

    demand(status != WEIR_OK || count == 2);
    return status;
}

static enum weir_status revoke_one(struct world *world, struct weir_error *error)
{
    const struct weir_requestor requestor = root_of(world);

    return weir_authority_revoke(world->authority, &requestor, text_of("user/1"), NULL, error);
}

static enum weir_status revoke_prefix(struct world *world, struct weir_error *error)
{
    const struct weir_requestor requestor = root_of(world);
    uint64_t count = 0;

    return weir_authority_revoke_prefix(world->authority, &requestor, text_of("user/"), &count,
                                        NULL, error);
}

static enum weir_status count(struct world *world, struct weir_error *error)
{
    uint64_t tokens = 0;
    enum weir_status status =
        weir_authority_count(world->authority, text_of("user/"), &tokens, error);

    demand(status != WEIR_OK || tokens == 2);
    return status;
}

/* With a token that has expired. */
static enum weir_status maintain(struct world *world, struct weir_error *error)
{
    world->now = after;
    return weir_authority_maintain(world->authority, error);
}

const struct call authority_calls[] = {
    {"weir_authority_init", init, NOTHING_PECULIAR},
    {"weir_authority_open", open_other, NOTHING_PECULIAR},
    {"weir_authority_open", open_anew, NOTHING_PECULIAR},
    {"weir_authority_issue", issue, NOTHING_PECULIAR},
    {"weir_authority_list", list, NOTHING_PECULIAR},
    {"weir_authority_revoke", revoke_one, NOTHING_PECULIAR},
    {"weir_authority_revoke_prefix", revoke_prefix, GOES_ON},
    {"weir_authority_count", count, OF_OTHERS},
    {"weir_authority_maintain", maintain, GOES_ON},
};

const size_t authority_call_count = COUNT(authority_calls);

/*
 * ---- Calls that take none ----
 */

void call_authority_silent(struct world *world, void (*note)(const char *function))
{
    const struct weir_requestor requestor = root_of(world);

    note("weir_authority_heartbeat");
    weir_authority_heartbeat(world->authority);
    note("weir_authority_admit");
    (void)weir_authority_admit(world->authority, &requestor, WEIR_ISSUE_ACCESS_TOKEN, NULL, NULL);
    note("weir_authority_status");
    (void)weir_authority_status(world->authority);
    note("weir_authority_engine");
    (void)weir_authority_engine(world->authority);
    note("weir_authority_close");
    weir_authority_close(world->authority);
    world->authority = NULL;
}

/*
 * ---- Time ----
 *
 * A call whose change cannot be published waits: nothing sleeps here, and the clock goes on by a
 * minute.
 */

static time_t slept;

int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_nanosleep(const struct timespec *pause, struct timespec *left);

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = __real_clock_gettime(clock, now);

    if (clock == CLOCK_BOOTTIME) {
        now->tv_sec += slept;
    }
    return result;
}

int __wrap_nanosleep(const struct timespec *pause, struct timespec *left)
{
    (void)pause;
    (void)left;
    slept += 60;
    return 0;
}
