/*
 * Keeping what is published equal to the store: the store's changes and the publisher's have the
 * same numbers.
 */
#include "authority/internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <weir/compile.h>
#include <weir/wire.h>

#include "live/edition.h"
#include "live/find.h"
#include "vocabulary/clock.h"
#include "vocabulary/failure.h"
#include "vocabulary/text.h"

/* For so long, in nanoseconds, a call waits until its change is published. */
#define PATIENCE UINT64_C(5000000000)
#define PAUSE 20000000

/* So many changes that are in the store and not in the directory are published one by one; with
 * more the directory is created anew. */
#define MISSED_MAX 4096

/*
 * ---- Changes that are not published ----
 */

/* A change as it was logged. */
struct missed {
    enum weir_change_kind kind;
    uint64_t issue_number;
    size_t id_length;
    char id[WEIR_TOKEN_ID_MAX];
};

struct missed_changes {
    size_t count;
    size_t most;
    struct missed *changes;
};

static struct weir_text missed_id(const struct missed *missed)
{
    return (struct weir_text){missed->id, missed->id_length};
}

static bool add_missed(void *context, const struct weir_logged_change *change)
{
    struct missed_changes *missed = context;
    struct missed *added = &missed->changes[missed->count++];

    *added = (struct missed){
        .kind = change->kind,
        .issue_number = change->issue_number,
        .id_length = change->id.length,
    };
    memcpy(added->id, change->id.bytes, change->id.length);
    return missed->count < missed->most;
}

/* Publishes one. WEIR_ERROR_NOT_FOUND: what was issued is in the store no more, so it cannot be
 * known what it was. */
static enum weir_status publish_missed(struct weir_authority *authority,
                                       const struct missed *missed, struct weir_error *error)
{
    struct weir_stored_token stored;
    struct weir_token *declared = NULL;
    struct weir_compiled compiled = {NULL, 0};
    enum weir_status status = WEIR_OK;

    if (missed->kind != WEIR_CHANGE_ISSUED) {
        return weir_publisher_revoke(authority->publisher, missed_id(missed), NULL, error);
    }
    status = weir_store_find(authority->store, missed_id(missed), &stored, error);
    if (status == WEIR_OK && stored.issue_number != missed->issue_number) {
        status = weir_fail(error, WEIR_ERROR_NOT_FOUND, "a token that was issued is there no more");
    }
    if (status == WEIR_OK) {
        status = weir_stored_token_read(authority, &stored, &declared, &compiled, error);
    }
    if (status == WEIR_OK) {
        status = weir_publisher_issue(authority->publisher, compiled.token, NULL, error);
    }
    weir_token_free(declared, &authority->allocator);
    weir_compiled_release(authority, &compiled);
    return status;
}

/* In a transaction. `*missed` changes after those that are published; `changes` has room for so
 * many, and one more. */
static enum weir_status find_missed(struct weir_authority *authority, struct missed_changes *missed,
                                    struct weir_error *error)
{
    missed->count = 0;
    return weir_store_changes(authority->store, weir_publisher_sequence(authority->publisher),
                              add_missed, missed, error);
}

static enum weir_status publish_all_missed(struct weir_authority *authority,
                                           struct weir_error *error)
{
    struct missed some[16];
    struct missed_changes missed = {.changes = some, .most = sizeof some / sizeof some[0]};
    enum weir_status status = WEIR_OK;

    do {
        status = find_missed(authority, &missed, error);
        for (size_t i = 0; status == WEIR_OK && i < missed.count; i++) {
            status = publish_missed(authority, &missed.changes[i], error);
        }
    } while (status == WEIR_OK && missed.count == missed.most);
    return status;
}

enum weir_status weir_publication_catch_up(struct weir_authority *authority,
                                           struct weir_error *error)
{
    enum weir_status status = WEIR_OK;

    if (!authority->behind) {
        return WEIR_OK;
    }
    status = weir_store_begin(authority->store, false, error);
    if (status == WEIR_OK) {
        status = publish_all_missed(authority, error);
        weir_store_rollback(authority->store);
    }
    if (status == WEIR_OK) {
        authority->behind = false;
        weir_publisher_release(authority->publisher);
    }
    return status;
}

/*
 * ---- Transactions ----
 */

enum weir_status weir_publication_begin(struct weir_authority *authority, struct weir_error *error)
{
    if (authority->behind && weir_publication_catch_up(authority, NULL) != WEIR_OK) {
        return weir_fail(error, WEIR_ERROR_BEHIND, "an earlier change could not be published yet");
    }
    return weir_store_begin(authority->store, true, error);
}

static enum weir_status reserve(struct weir_authority *authority,
                                const struct weir_pending *pending, size_t count,
                                struct weir_error *error)
{
    size_t size = 0;
    bool removals = true;

    for (size_t i = 0; i < count; i++) {
        removals = removals && pending[i].token == NULL;
        size += pending[i].token != NULL ? weir_compiled_token_size(pending[i].token)
                                         : pending[i].token_id.length;
    }
    authority->journal_size += size;
    return weir_publisher_reserve(authority->publisher, count, size, removals, error);
}

static enum weir_status publish(const struct weir_authority *authority,
                                const struct weir_pending *pending, size_t count)
{
    enum weir_status status = WEIR_OK;

    for (size_t i = 0; status == WEIR_OK && i < count; i++) {
        status = pending[i].token != NULL
                     ? weir_publisher_issue(authority->publisher, pending[i].token, NULL, NULL)
                     : weir_publisher_revoke(authority->publisher, pending[i].token_id, NULL, NULL);
    }
    return status;
}

static enum weir_status commit(struct weir_authority *authority, struct weir_error *error)
{
    struct weir_authority_stored stored;
    enum weir_status status = weir_authority_read_stored(authority->store, &stored, error);

    if (status != WEIR_OK) {
        weir_store_rollback(authority->store);
        return status;
    }
    status = weir_store_commit(authority->store, error);
    if (status == WEIR_OK) {
        authority->stored = stored;
    }
    return status;
}

/* Where the system refuses room there may be some later. */
static enum weir_status fail_reservation(enum weir_status status, const struct weir_error *failure,
                                         struct weir_error *error)
{
    return status == WEIR_ERROR_IO
               ? weir_fail(error, WEIR_ERROR_BEHIND, "there is no room to publish the change: %s",
                           failure->message)
               : weir_fail_as(error, status, failure);
}

enum weir_status weir_publication_commit(struct weir_authority *authority,
                                         const struct weir_pending *pending, size_t count,
                                         struct weir_error *error)
{
    struct weir_error failure;
    enum weir_status status = WEIR_OK;

    if (authority->publisher == NULL) {
        return commit(authority, error);
    }
    status = reserve(authority, pending, count, &failure);
    if (status != WEIR_OK) {
        authority->is_full = true;
        weir_store_rollback(authority->store);
        return fail_reservation(status, &failure, error);
    }
    /* Heartbeats go on while the disk is slow: what is being committed was not answered yet. */
    status = commit(authority, error);
    if (status == WEIR_OK && publish(authority, pending, count) != WEIR_OK) {
        weir_publisher_hold(authority->publisher);
        authority->behind = true;
    }
    return status;
}

enum weir_status weir_publication_await(struct weir_authority *authority, struct weir_error *error)
{
    const struct timespec pause = {.tv_nsec = PAUSE};
    const uint64_t begun = weir_boot_clock();
    struct weir_error failure;
    enum weir_status status = weir_publication_catch_up(authority, &failure);

    while (status != WEIR_OK && weir_boot_clock() - begun < PATIENCE) {
        (void)pthread_mutex_unlock(&authority->lock);
        (void)nanosleep(&pause, NULL);
        (void)pthread_mutex_lock(&authority->lock);
        status = weir_publication_catch_up(authority, &failure);
    }
    (void)pthread_mutex_unlock(&authority->lock);
    return status == WEIR_OK ? WEIR_OK
                             : weir_fail(error, WEIR_ERROR_UNPUBLISHED,
                                         "the change is durable and could not be published yet: %s",
                                         failure.message);
}

/*
 * ---- Whether a directory holds what the store holds ----
 */

/* Tokens, added up in whatever order they come: two sums are the same if the tokens are. The seed
 * is drawn, so that nobody can choose tokens for it not to be so. */
struct sum {
    uint64_t seed;
    uint64_t tokens;
    uint64_t low;
    uint64_t high;
};

/* What tells a token of one issue from all others. */
struct summand {
    uint64_t issue_number;
    int64_t expires_seconds;
    uint32_t expires_nanoseconds;
    uint32_t expires;
    uint8_t digest[WEIR_DIGEST_SIZE];
    char id[WEIR_TOKEN_ID_MAX];
};

static void add_up(struct sum *sum, const struct summand *summand, size_t id_length)
{
    const XXH128_hash_t hash =
        XXH3_128bits_withSeed(summand, offsetof(struct summand, id) + id_length, sum->seed);

    sum->tokens++;
    sum->low += hash.low64;
    sum->high += hash.high64;
}

static bool add_up_stored(void *context, const struct weir_stored_token *stored)
{
    struct summand summand = {.issue_number = stored->issue_number, .expires = stored->expires};

    if (stored->expires) {
        summand.expires_seconds = stored->expires_at.seconds;
        summand.expires_nanoseconds = stored->expires_at.nanoseconds;
    }
    memcpy(summand.digest, stored->digest, sizeof summand.digest);
    memcpy(summand.id, stored->id.bytes, stored->id.length);
    add_up(context, &summand, stored->id.length);
    return true;
}

static void add_up_compiled(struct sum *sum, const struct weir_compiled_token *token)
{
    const struct weir_text id = weir_compiled_token_id(token);
    const uint8_t *digest = weir_compiled_token_digest(token);
    struct weir_instant expires_at = {0, 0};
    struct summand summand = {
        .issue_number = weir_compiled_token_issue_number(token),
        .expires = weir_compiled_token_expires(token, &expires_at),
    };

    summand.expires_seconds = expires_at.seconds;
    summand.expires_nanoseconds = expires_at.nanoseconds;
    if (digest != NULL) {
        memcpy(summand.digest, digest, sizeof summand.digest);
    }
    memcpy(summand.id, id.bytes, id.length);
    add_up(sum, &summand, id.length);
}

struct engine_sum {
    const struct weir_engine *engine;
    struct sum *sum;
};

static bool add_up_offset(void *context, uint32_t offset)
{
    const struct engine_sum *adding = context;

    add_up_compiled(adding->sum, weir_block_token(weir_live_block(
                                     adding->engine, &adding->engine->edition->base, offset)));
    return true;
}

static int compare_missed(const void *left, const void *right)
{
    return weir_text_compare(missed_id(left), missed_id(right));
}

static void subtract(struct sum *sum, const struct sum *other)
{
    sum->tokens -= other->tokens;
    sum->low -= other->low;
    sum->high -= other->high;
}

/* Takes out of both sums what a missed change is about. */
static void leave_out(struct sum *published, struct sum *stored, struct weir_authority *authority,
                      const struct missed_changes *missed)
{
    const struct weir_engine *engine = weir_publisher_engine(authority->publisher);

    for (size_t i = 0; i < missed->count; i++) {
        struct sum one = {.seed = published->seed};
        struct weir_stored_token token;
        struct weir_text id = missed_id(&missed->changes[i]);
        const struct weir_compiled_token *compiled = NULL;

        if (i > 0 && compare_missed(&missed->changes[i - 1], &missed->changes[i]) == 0) {
            continue;
        }
        weir_read_begin();
        compiled = weir_engine_find(engine, id);
        if (compiled != NULL) {
            add_up_compiled(&one, compiled);
        }
        weir_read_end();
        subtract(published, &one);
        one = (struct sum){.seed = stored->seed};
        if (weir_store_find(authority->store, id, &token, NULL) == WEIR_OK) {
            (void)add_up_stored(&one, &token);
        }
        subtract(stored, &one);
    }
}

/* WEIR_ERROR_NOT_FOUND: what is published is not this store's. In a transaction. */
static enum weir_status compare(struct weir_authority *authority, struct missed_changes *missed,
                                struct weir_error *error)
{
    struct sum published = {0};
    struct sum stored = {0};
    struct engine_sum adding = {weir_publisher_engine(authority->publisher), &published};
    enum weir_status status = find_missed(authority, missed, error);

    if (status != WEIR_OK || missed->count > MISSED_MAX) {
        return status != WEIR_OK ? status
                                 : weir_fail(error, WEIR_ERROR_NOT_FOUND, "too much is missing");
    }
    if (getrandom(&published.seed, sizeof published.seed, 0) != sizeof published.seed) {
        return weir_fail_errno(error, "getrandom");
    }
    stored.seed = published.seed;
    status = weir_store_all_issues(authority->store, add_up_stored, &stored, error);
    if (status != WEIR_OK) {
        return status;
    }
    weir_read_begin();
    (void)weir_edition_each(adding.engine->edition, add_up_offset, &adding);
    weir_read_end();
    qsort(missed->changes, missed->count, sizeof missed->changes[0], compare_missed);
    leave_out(&published, &stored, authority, missed);
    return published.tokens == stored.tokens && published.low == stored.low &&
                   published.high == stored.high
               ? WEIR_OK
               : weir_fail(error, WEIR_ERROR_NOT_FOUND,
                           "what is published there is not what the store holds");
}

/* Goes on with what is in the directory. WEIR_ERROR_NOT_FOUND: it is not of this store. */
static enum weir_status continue_publication(struct weir_authority *authority,
                                             struct weir_error *error)
{
    const size_t size = (MISSED_MAX + 1) * sizeof(struct missed);
    struct weir_allocator *allocator = &authority->allocator;
    struct missed_changes missed = {
        .most = MISSED_MAX + 1,
        .changes = allocator->allocate(allocator->context, size),
    };
    uint64_t sequence = 0;
    enum weir_status status = missed.changes != NULL ? WEIR_OK : weir_fail_memory(error);

    if (status == WEIR_OK) {
        status = weir_store_sequence(authority->store, &sequence, error);
    }
    if (status == WEIR_OK && weir_publisher_sequence(authority->publisher) > sequence) {
        status = weir_fail(error, WEIR_ERROR_NOT_FOUND, "more is published than the store holds");
    }
    if (status == WEIR_OK) {
        status = compare(authority, &missed, error);
    }
    if (status == WEIR_OK) {
        status = publish_all_missed(authority, error);
    }
    if (missed.changes != NULL) {
        allocator->release(allocator->context, missed.changes, size);
    }
    return status;
}

/*
 * ---- Anew ----
 */

struct creation {
    const struct weir_authority *authority;
    struct weir_compiler *compiler;
    enum weir_status status;
    struct weir_error *error;
};

static bool compile_stored(void *context, const struct weir_stored_token *stored)
{
    struct creation *creation = context;
    struct weir_token *token = NULL;

    creation->status =
        weir_stored_token_read(creation->authority, stored, &token, NULL, creation->error);
    if (creation->status == WEIR_OK) {
        creation->status = weir_compiler_add(creation->compiler, token, 0, creation->error);
    }
    weir_token_free(token, &creation->authority->allocator);
    return creation->status == WEIR_OK;
}

static enum weir_status compile_store(struct weir_authority *authority, struct weir_image **image,
                                      struct weir_error *error)
{
    struct creation creation = {.authority = authority, .status = WEIR_OK, .error = error};
    uint64_t sequence = 0;
    enum weir_status status = weir_compiler_new(&authority->allocator, &creation.compiler, error);

    if (status != WEIR_OK) {
        return status;
    }
    status = weir_store_sequence(authority->store, &sequence, error);
    if (status == WEIR_OK) {
        status = weir_store_all(authority->store, compile_stored, &creation, error);
    }
    if (status == WEIR_OK) {
        status = creation.status;
    }
    if (status == WEIR_OK) {
        status = weir_compile(creation.compiler, sequence, image, NULL, error);
    }
    weir_compiler_free(creation.compiler);
    return status;
}

static enum weir_status create_publication(struct weir_authority *authority, const char *directory,
                                           const struct weir_publisher_options *options,
                                           struct weir_error *error)
{
    struct weir_image *image = NULL;
    enum weir_status status = compile_store(authority, &image, error);

    if (status == WEIR_OK) {
        status = weir_publisher_create(directory, image, options, &authority->publisher, error);
    }
    weir_image_close(image);
    return status;
}

/* Whether a directory in that state is made anew. */
static bool is_replaced(enum weir_status status)
{
    return status == WEIR_ERROR_NOT_FOUND || status == WEIR_ERROR_DAMAGED ||
           status == WEIR_ERROR_CHECKSUM || status == WEIR_ERROR_TRUNCATED ||
           status == WEIR_ERROR_VERSION || status == WEIR_ERROR_DUPLICATE;
}

static enum weir_status resume_publication(struct weir_authority *authority, const char *directory,
                                           const struct weir_publisher_options *options,
                                           struct weir_error *error)
{
    enum weir_status status =
        weir_publisher_resume(directory, options, &authority->publisher, error);

    if (status != WEIR_OK) {
        return status;
    }
    if (options->lease != 0 && options->lease != weir_publisher_lease(authority->publisher)) {
        status = weir_fail(error, WEIR_ERROR_NOT_FOUND, "it has another lease");
    } else {
        status = continue_publication(authority, error);
    }
    if (status != WEIR_OK) {
        weir_publisher_close(authority->publisher);
        authority->publisher = NULL;
    }
    return status;
}

enum weir_status weir_publication_open(struct weir_authority *authority,
                                       const struct weir_authority_options *options,
                                       struct weir_error *error)
{
    struct weir_publisher_options publisher = options->publisher;
    struct weir_error failure;
    enum weir_status status = weir_store_begin(authority->store, false, error);

    if (status != WEIR_OK) {
        return status;
    }
    publisher.allocator = &authority->allocator;
    status = resume_publication(authority, options->directory, &publisher, &failure);
    if (is_replaced(status)) {
        status = create_publication(authority, options->directory, &publisher, &failure);
    }
    weir_store_rollback(authority->store);
    return weir_fail_as(error, status, &failure);
}
