#include "authority/internal.h"

#include <string.h>

#include <weir/wire.h>

#include "vocabulary/failure.h"
#include "vocabulary/memory.h"

/* Changes are kept for a week after they were published. */
#define KEPT_SECONDS INT64_C(604800)

/* So many tokens, or changes, are removed in one transaction. */
#define BATCH 256

/* The publisher compacts after so many changes, and an eighth of the tokens. */
#define CHANGES_BEFORE_COMPACTION 65536

/* Or when so many bytes were published, and thirty-two for each token. */
#define BYTES_BEFORE_COMPACTION (UINT64_C(16) << 20)

/* So many changes are forgotten at a time. */
#define FORGOTTEN_AT_A_TIME 8192

/*
 * ---- Opening ----
 */

static enum weir_status new_authority(const char *path, bool create,
                                      const struct weir_authority_options *options,
                                      struct weir_authority **authority, struct weir_error *error)
{
    struct weir_allocator allocator =
        weir_allocator_or_default(options != NULL ? options->allocator : NULL);
    struct weir_authority *made = weir_allocate(&allocator, sizeof *made);
    enum weir_status status = WEIR_OK;

    if (made == NULL) {
        return weir_fail_memory(error);
    }
    *made = (struct weir_authority){
        .allocator = allocator,
        .latest = {WEIR_INSTANT_SECONDS_MIN, 0},
    };
    if (options != NULL) {
        made->clock = options->clock;
        made->clock_context = options->clock_context;
    }
    status = weir_store_open(path, create, &allocator, &made->store, error);
    if (status != WEIR_OK) {
        weir_release(&allocator, made, sizeof *made);
        return status;
    }
    (void)pthread_mutex_init(&made->lock, NULL);
    (void)pthread_mutex_init(&made->clock_lock, NULL);
    *authority = made;
    return WEIR_OK;
}

enum weir_status weir_authority_read_stored(struct weir_store *store,
                                            struct weir_authority_stored *stored,
                                            struct weir_error *error)
{
    enum weir_status status = weir_store_sequence(store, &stored->sequence, error);

    return status == WEIR_OK ? weir_store_count(store, &stored->tokens, error) : status;
}

/* Reads what the store holds. */
static enum weir_status look(struct weir_authority *authority, struct weir_error *error)
{
    struct weir_authority_stored stored;
    enum weir_status status = weir_store_begin(authority->store, false, error);

    if (status != WEIR_OK) {
        return status;
    }
    status = weir_authority_read_stored(authority->store, &stored, error);
    weir_store_rollback(authority->store);
    if (status == WEIR_OK) {
        authority->stored = stored;
    }
    return status;
}

enum weir_status weir_authority_open(const char *path, const struct weir_authority_options *options,
                                     struct weir_authority **authority, struct weir_error *error)
{
    struct weir_authority *made = NULL;
    enum weir_status status = new_authority(path, false, options, &made, error);

    if (status == WEIR_OK) {
        status = look(made, error);
    }
    if (status == WEIR_OK && options != NULL && options->directory != NULL) {
        status = weir_publication_open(made, options, error);
    }
    if (status != WEIR_OK) {
        weir_authority_close(made);
        return status;
    }
    if (made->publisher != NULL) {
        made->compacted = weir_publisher_sequence(made->publisher);
    }
    *authority = made;
    return WEIR_OK;
}

void weir_authority_close(struct weir_authority *authority)
{
    struct weir_allocator allocator;

    if (authority == NULL) {
        return;
    }
    allocator = authority->allocator;
    weir_publisher_close(authority->publisher);
    weir_store_close(authority->store);
    (void)pthread_mutex_destroy(&authority->lock);
    (void)pthread_mutex_destroy(&authority->clock_lock);
    weir_release(&allocator, authority, sizeof *authority);
}

/*
 * ---- The first token ----
 */

static enum weir_status issue_root(struct weir_authority *authority, struct weir_text root_id,
                                   struct weir_credential *credential, struct weir_error *error)
{
    static const struct weir_set everything = {WEIR_SET_PREFIX, {"", 0}};
    const struct weir_scope scope = {
        .basins = everything,
        .streams = everything,
        .access_tokens = everything,
        .op_groups = WEIR_GROUP_BITS_ALL,
    };
    const struct weir_token token = {.id = root_id, .scopes = &scope, .scope_count = 1};
    const struct weir_requestor the_operator = {.is_operator = true};
    char json[1024 + WEIR_QUOTED_MAX(WEIR_TOKEN_ID_MAX)];
    struct weir_issued issued;
    enum weir_status status = weir_token_check(&token, error);

    if (status == WEIR_OK) {
        size_t length = weir_token_write(&token, json, sizeof json);

        status = weir_authority_issue(authority, &the_operator, (struct weir_text){json, length},
                                      &issued, NULL, error);
    }
    if (status == WEIR_OK) {
        *credential = issued.credential;
        weir_wipe(&issued, sizeof issued);
    }
    return status;
}

enum weir_status weir_authority_init(const char *path, struct weir_text root_id,
                                     const struct weir_authority_options *options,
                                     struct weir_credential *credential, struct weir_error *error)
{
    struct weir_authority *authority = NULL;
    enum weir_status status = WEIR_OK;

    if (!weir_token_id_valid(root_id)) {
        char quoted[WEIR_QUOTED_MAX(WEIR_TOKEN_ID_MAX)];

        (void)weir_quote(root_id, quoted, sizeof quoted);
        return weir_fail(error, WEIR_ERROR_NAME, "not a valid token id: %s", quoted);
    }
    status = new_authority(path, true, options, &authority, error);
    if (status == WEIR_OK) {
        status = issue_root(authority, root_id, credential, error);
        weir_authority_close(authority);
    }
    return status;
}

/*
 * ---- Housekeeping ----
 */

void weir_authority_heartbeat(struct weir_authority *authority)
{
    if (authority->publisher != NULL) {
        weir_publisher_heartbeat(authority->publisher);
    }
}

/* Tokens that have expired. */
struct expired {
    size_t count;
    struct weir_pending pending[BATCH];
    uint64_t numbers[BATCH];
    char ids[BATCH][WEIR_TOKEN_ID_MAX];
};

static bool add_expired(void *context, const struct weir_stored_token *stored)
{
    struct expired *expired = context;
    char *id = expired->ids[expired->count];

    memcpy(id, stored->id.bytes, stored->id.length);
    expired->numbers[expired->count] = stored->issue_number;
    expired->pending[expired->count++] = (struct weir_pending){.token_id = {id, stored->id.length}};
    return expired->count < BATCH;
}

/* Removes some, in a transaction that is the caller's to end. */
static enum weir_status remove_expired(struct weir_authority *authority, struct expired *expired,
                                       struct weir_error *error)
{
    struct weir_instant now = weir_authority_now(authority);
    enum weir_status status =
        weir_store_expired(authority->store, now, add_expired, expired, error);

    for (size_t i = 0; status == WEIR_OK && i < expired->count; i++) {
        struct weir_logged_change change = {
            .kind = WEIR_CHANGE_EXPIRED,
            .id = expired->pending[i].token_id,
            .issue_number = expired->numbers[i],
            .at = now,
        };

        status = weir_store_remove(authority->store, &change, error);
    }
    return status;
}

static enum weir_status purge_some(struct weir_authority *authority, struct expired *expired,
                                   struct weir_error *error)
{
    enum weir_status status = WEIR_OK;

    expired->count = 0;
    (void)pthread_mutex_lock(&authority->lock);
    status = weir_publication_begin(authority, error);
    if (status == WEIR_OK) {
        status = remove_expired(authority, expired, error);
        if (status != WEIR_OK || expired->count == 0) {
            weir_store_rollback(authority->store);
        } else {
            status = weir_publication_commit(authority, expired->pending, expired->count, error);
        }
    }
    (void)pthread_mutex_unlock(&authority->lock);
    return status;
}

static enum weir_status purge(struct weir_authority *authority, struct weir_error *error)
{
    struct expired *expired = weir_allocate(&authority->allocator, sizeof *expired);
    enum weir_status status = WEIR_OK;

    if (expired == NULL) {
        return weir_fail_memory(error);
    }
    do {
        status = purge_some(authority, expired, error);
    } while (status == WEIR_OK && expired->count == BATCH);
    weir_release(&authority->allocator, expired, sizeof *expired);
    return status;
}

static uint64_t published(const struct weir_authority *authority, uint64_t sequence)
{
    return authority->publisher != NULL ? weir_publisher_sequence(authority->publisher) : sequence;
}

/* Forgets old changes. */
static enum weir_status forget(struct weir_authority *authority, struct weir_error *error)
{
    struct weir_instant before = weir_authority_now(authority);
    uint64_t sequence = 0;
    enum weir_status status = WEIR_OK;

    before.seconds -= KEPT_SECONDS;
    (void)pthread_mutex_lock(&authority->lock);
    status = weir_store_begin(authority->store, true, error);
    if (status == WEIR_OK) {
        status = weir_store_sequence(authority->store, &sequence, error);
        if (status == WEIR_OK) {
            status = weir_store_forget(authority->store, published(authority, sequence), before,
                                       FORGOTTEN_AT_A_TIME, error);
        }
        if (status == WEIR_OK) {
            status = weir_store_commit(authority->store, error);
        } else {
            weir_store_rollback(authority->store);
        }
    }
    (void)pthread_mutex_unlock(&authority->lock);
    return status;
}

/* Whether compacting what is published is worth it: what was published since takes room and time,
 * or there was none left. Then counts from now on. */
static bool is_due(struct weir_authority *authority)
{
    const uint64_t tokens = weir_publisher_usage(authority->publisher).tokens;
    const uint64_t sequence = weir_publisher_sequence(authority->publisher);
    bool due = false;

    (void)pthread_mutex_lock(&authority->lock);
    due = authority->is_full ||
          sequence - authority->compacted >= CHANGES_BEFORE_COMPACTION + tokens / 8 ||
          authority->journal_size >= BYTES_BEFORE_COMPACTION + tokens * 32;
    if (due) {
        authority->compacted = sequence;
        authority->journal_size = 0;
        authority->is_full = false;
    }
    (void)pthread_mutex_unlock(&authority->lock);
    return due;
}

/* Compacts what is published. Tokens that have expired are removed by the store's changes alone: an
 * instant before all others drops none. */
static enum weir_status compact(struct weir_authority *authority, struct weir_error *error)
{
    const struct weir_instant never = {WEIR_INSTANT_SECONDS_MIN, 0};

    return authority->publisher != NULL && is_due(authority)
               ? weir_publisher_compact(authority->publisher, never, error)
               : WEIR_OK;
}

enum weir_status weir_authority_maintain(struct weir_authority *authority, struct weir_error *error)
{
    struct weir_error failure;
    enum weir_status status = purge(authority, &failure);

    if (status == WEIR_OK) {
        status = forget(authority, &failure);
    }
    /* Also where the others failed for want of room: compacting may make some. */
    return status == WEIR_OK
               ? compact(authority, error)
               : ((void)compact(authority, NULL), weir_fail_as(error, status, &failure));
}

struct weir_authority_standing weir_authority_status(struct weir_authority *authority)
{
    struct weir_authority_standing facts = {0};

    (void)pthread_mutex_lock(&authority->lock);
    (void)look(authority, NULL); /* what is known of a store that cannot be read is told still */
    facts.sequence = authority->stored.sequence;
    facts.tokens = authority->stored.tokens;
    facts.published = published(authority, facts.sequence);
    (void)pthread_mutex_unlock(&authority->lock);
    if (authority->publisher != NULL) {
        facts.lease = weir_publisher_lease(authority->publisher);
    }
    return facts;
}

const struct weir_engine *weir_authority_engine(const struct weir_authority *authority)
{
    return authority->publisher != NULL ? weir_publisher_engine(authority->publisher) : NULL;
}
