#include "publish/replay.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "image/image.h"
#include "live/change.h"
#include "live/edition.h"
#include "vocabulary/failure.h"
#include "vocabulary/memory.h"

/* How often a snapshot may be overtaken by the next while it is opened. */
#define ATTEMPTS 16

/*
 * ---- Changes ----
 */

static enum weir_status apply_put(struct weir_engine *engine, struct weir_edition *edition,
                                  const struct weir_journal_entry *entry,
                                  const struct weir_allocator *allocator, struct weir_error *error)
{
    struct weir_plan plan;
    enum weir_status status =
        weir_block_validate(entry->bytes, entry->record.size, allocator, error);

    if (status == WEIR_OK) {
        status =
            weir_plan_put(engine, edition, (const struct weir_block *)(const void *)entry->bytes,
                          WEIR_PUT_EITHER, &plan, error);
    }
    if (status == WEIR_OK) {
        weir_plan_commit(engine, &plan);
    }
    return status == WEIR_ERROR_DUPLICATE
               ? weir_fail(error, WEIR_ERROR_DAMAGED,
                           "a change gives a token the credential digest of another")
               : status;
}

static enum weir_status apply_revoke(struct weir_engine *engine, struct weir_edition *edition,
                                     struct weir_text id, struct weir_error *error)
{
    struct weir_plan plan;
    enum weir_status status = weir_plan_revoke(engine, edition, id, &plan, error);

    if (status == WEIR_OK) {
        weir_plan_commit(engine, &plan);
    }
    return status == WEIR_ERROR_NOT_FOUND
               ? weir_fail(error, WEIR_ERROR_DAMAGED, "a change revokes a token that is not there")
               : status;
}

/* Applies a change to an edition: NULL is the one that readers use. */
static enum weir_status apply_entry(struct weir_replay *replay, struct weir_edition *edition,
                                    const struct weir_journal_entry *entry,
                                    struct weir_error *error)
{
    struct weir_text id = {entry->bytes, entry->record.size};

    return entry->record.kind == WEIR_RECORD_PUT
               ? apply_put(replay->engine, edition, entry, &replay->allocator, error)
               : apply_revoke(replay->engine, edition, id, error);
}

static void observe(const struct weir_replay *replay, const struct weir_journal_entry *entry)
{
    struct weir_change change = {
        .sequence = entry->record.sequence,
        .published = entry->record.published,
        .token_id = {entry->bytes, entry->record.size},
    };

    if (replay->observer == NULL) {
        return;
    }
    if (entry->record.kind == WEIR_RECORD_PUT) {
        change.token = (const struct weir_compiled_token *)(const void *)entry->bytes;
        change.token_id = weir_compiled_token_id(change.token);
    }
    replay->observer(replay->observer_context, &change);
}

/* Reads changes up to `sequence` and applies them to the edition; `*applied` is the last one. */
static enum weir_status apply_until(struct weir_replay *replay, struct weir_edition *edition,
                                    struct weir_journal_reader *reader, uint64_t sequence,
                                    uint64_t *applied, struct weir_error *error)
{
    enum weir_status status = WEIR_OK;

    weir_journal_refresh(reader);
    while (status == WEIR_OK && *applied < sequence) {
        struct weir_journal_entry entry;

        status = weir_journal_read(reader, &entry, error);
        if (status == WEIR_OK) {
            status = apply_entry(replay, edition, &entry, error);
            if (status != WEIR_OK) {
                weir_journal_unread(reader, &entry);
            }
        }
        if (status == WEIR_OK) {
            *applied = entry.record.sequence;
            if (edition == NULL) {
                observe(replay, &entry);
            }
        }
    }
    return status;
}

/* `sequence`, but not more than `limit` (0: any number) after `applied`. */
static uint64_t at_most(uint64_t sequence, uint64_t applied, uint64_t limit)
{
    return limit != 0 && sequence - applied > limit ? applied + limit : sequence;
}

enum weir_status weir_replay_apply(struct weir_replay *replay, uint64_t sequence, uint64_t limit,
                                   struct weir_error *error)
{
    return apply_until(replay, NULL, replay->reader, at_most(sequence, replay->applied, limit),
                       &replay->applied, error);
}

/*
 * ---- Snapshots ----
 */

static enum weir_status open_image(const struct weir_replay *replay, uint64_t sequence,
                                   struct weir_image **image, struct weir_error *error)
{
    struct weir_file_name name = weir_image_name(replay->control.header.identity, sequence);
    int file = -1;
    enum weir_status status =
        weir_directory_open_file(&replay->directory, name.text, O_RDONLY, &file, error);

    if (status != WEIR_OK) {
        return status;
    }
    status = weir_image_open_file(file, WEIR_IMAGE_SHARED, &replay->allocator, image, error);
    if (status == WEIR_OK && weir_image_sequence(*image) != sequence) {
        weir_image_close(*image);
        status = weir_fail(error, WEIR_ERROR_DAMAGED, "is another image than its name says");
    }
    if (status != WEIR_OK) {
        weir_error_within(error, "%s", name.text);
    }
    return status;
}

static void drop_reader(const struct weir_replay *replay, struct weir_journal_reader *reader)
{
    if (reader != NULL) {
        weir_journal_close(reader);
        weir_release(&replay->allocator, reader, sizeof *reader);
    }
}

/* Opens the journal behind the image. */
static enum weir_status open_reader(const struct weir_replay *replay,
                                    struct weir_succession *succession, struct weir_error *error)
{
    struct weir_journal_reader *reader = weir_allocate(&replay->allocator, sizeof *reader);
    enum weir_status status = WEIR_OK;

    if (reader == NULL) {
        return weir_fail_memory(error);
    }
    succession->applied = weir_image_sequence(succession->image);
    status = weir_journal_open(reader, &replay->directory, replay->control.header.identity,
                               succession->applied + 1, &replay->allocator, error);
    if (status != WEIR_OK) {
        drop_reader(replay, reader);
        return status;
    }
    succession->reader = reader;
    return WEIR_OK;
}

/* Opens the image of that number, and the journal behind it. */
static enum weir_status open_snapshot(const struct weir_replay *replay, uint64_t snapshot,
                                      struct weir_succession *succession, struct weir_error *error)
{
    enum weir_status status = open_image(replay, snapshot, &succession->image, error);

    if (status == WEIR_OK) {
        status = open_reader(replay, succession, error);
        if (status != WEIR_OK) {
            weir_image_close(succession->image);
        }
    }
    return status;
}

/* Likewise the newest. What is removed meanwhile has a successor. */
static enum weir_status open_newest(const struct weir_replay *replay,
                                    struct weir_succession *succession, struct weir_error *error)
{
    struct weir_error attempted;
    enum weir_status status = WEIR_ERROR_NOT_FOUND;

    for (unsigned attempt = 0; attempt < ATTEMPTS && status == WEIR_ERROR_NOT_FOUND; attempt++) {
        uint64_t snapshot = weir_control_snapshot(&replay->control);

        status = open_snapshot(replay, snapshot, succession, &attempted);
        if (status == WEIR_ERROR_NOT_FOUND && weir_control_snapshot(&replay->control) == snapshot) {
            break;
        }
    }
    return weir_fail_as(error, status, &attempted);
}

enum weir_status weir_succession_open(const struct weir_replay *replay, const uint64_t *snapshot,
                                      struct weir_succession *succession, struct weir_error *error)
{
    enum weir_status status = snapshot != NULL ? open_snapshot(replay, *snapshot, succession, error)
                                               : open_newest(replay, succession, error);

    if (status != WEIR_OK) {
        return status;
    }
    status =
        weir_edition_prepare(replay->engine, succession->image, true, &succession->edition, error);
    if (status != WEIR_OK) {
        drop_reader(replay, succession->reader);
        weir_image_close(succession->image);
    }
    return status;
}

enum weir_status weir_succession_advance(struct weir_replay *replay,
                                         struct weir_succession *succession, uint64_t limit,
                                         bool *complete, struct weir_error *error)
{
    uint64_t published = weir_control_sequence(&replay->control);
    uint64_t sequence = at_most(published, succession->applied, limit);
    enum weir_status status =
        published == WEIR_SEQUENCE_SUPERSEDED
            ? weir_fail(error, WEIR_ERROR_NOT_FOUND, "what was published there was superseded")
            : apply_until(replay, succession->edition, succession->reader, sequence,
                          &succession->applied, error);

    *complete = sequence == published;
    return status;
}

void weir_succession_discard(struct weir_replay *replay, struct weir_succession *succession)
{
    weir_edition_discard(replay->engine, succession->edition);
    drop_reader(replay, succession->reader);
}

struct weir_edition *weir_succession_succeed(struct weir_replay *replay,
                                             struct weir_succession *succession)
{
    struct weir_edition *old = weir_edition_replace(replay->engine, succession->edition);

    drop_reader(replay, replay->reader);
    replay->reader = succession->reader;
    replay->applied = succession->applied;
    replay->snapshot = weir_image_sequence(succession->image);
    return old;
}

enum weir_status weir_replay_adopt(struct weir_replay *replay, struct weir_error *error)
{
    struct weir_succession succession = {0};
    bool complete = false;
    enum weir_status status = weir_succession_open(replay, NULL, &succession, error);

    if (status != WEIR_OK) {
        return status;
    }
    status = weir_succession_advance(replay, &succession, 0, &complete, error);
    if (status != WEIR_OK) {
        weir_succession_discard(replay, &succession);
        return status;
    }
    weir_edition_let_go(replay->engine, weir_succession_succeed(replay, &succession));
    return WEIR_OK;
}

/*
 * ---- Opening and closing ----
 */

bool weir_replay_replaced(const struct weir_replay *replay)
{
    return weir_directory_replaced(&replay->directory, replay->path) ||
           weir_control_replaced(&replay->directory, &replay->control);
}

/* The length of the path without slashes and dots at its end, which would follow a link. */
static size_t length_without_end(const char *path)
{
    size_t length = strlen(path);

    for (;;) {
        if (length > 1 && path[length - 1] == '/') {
            length--;
        } else if (length > 2 && path[length - 1] == '.' && path[length - 2] == '/') {
            length -= 2;
        } else {
            return length;
        }
    }
}

/* Keeps the path, whatever becomes of the process's working directory. */
static enum weir_status keep_path(struct weir_replay *replay, const char *path,
                                  struct weir_error *error)
{
    char absolute[PATH_MAX];
    size_t before = 0;
    size_t length = length_without_end(path);

    if (length == 0) {
        return weir_fail(error, WEIR_ERROR_NOT_FOUND, "no such directory");
    }
    if (path[0] != '/') {
        if (getcwd(absolute, sizeof absolute - 1) == NULL) {
            return weir_fail_errno(error, "getcwd");
        }
        before = strlen(absolute);
        absolute[before++] = '/';
    }
    if (length >= sizeof absolute - before) {
        errno = ENAMETOOLONG;
        return weir_fail_errno(error, "open");
    }
    memcpy(absolute + before, path, length);
    absolute[before + length] = '\0';
    replay->path = weir_allocate(&replay->allocator, before + length + 1);
    if (replay->path == NULL) {
        return weir_fail_memory(error);
    }
    memcpy(replay->path, absolute, before + length + 1);
    return WEIR_OK;
}

static void release_path(struct weir_replay *replay)
{
    weir_release(&replay->allocator, replay->path, strlen(replay->path) + 1);
    replay->path = NULL;
}

static enum weir_status open_control(struct weir_replay *replay, bool writable,
                                     struct weir_error *error)
{
    enum weir_status status =
        weir_directory_open(replay->path, replay->owner, &replay->directory, error);

    if (status == WEIR_OK) {
        status = weir_control_open(&replay->directory, WEIR_CONTROL_NAME, writable,
                                   &replay->control, error);
        if (status != WEIR_OK) {
            weir_directory_close(&replay->directory);
        }
    }
    return status;
}

enum weir_status weir_replay_reopen(struct weir_replay *replay, struct weir_error *error)
{
    struct weir_directory old_directory = replay->directory;
    struct weir_control_map old_control = replay->control;
    enum weir_status status = open_control(replay, false, error);

    if (status == WEIR_OK) {
        /* What may be fresh still is not to vouch for what another boot has left. */
        status = replay->control.foreign
                     ? weir_fail(error, WEIR_ERROR_NOT_FOUND,
                                 "what is published there is from before the machine last booted")
                     : weir_replay_adopt(replay, error);
        if (status == WEIR_OK) {
            weir_control_close(&old_control);
            weir_directory_close(&old_directory);
            return WEIR_OK;
        }
        weir_control_close(&replay->control);
        weir_directory_close(&replay->directory);
    }
    replay->directory = old_directory;
    replay->control = old_control;
    return status;
}

enum weir_status weir_replay_open(struct weir_replay *replay, const char *path, uid_t owner,
                                  bool writable, const struct weir_engine_options *options,
                                  struct weir_error *error)
{
    struct weir_error attempted;
    enum weir_status status = WEIR_OK;

    memset(replay, 0, sizeof *replay);
    replay->allocator = weir_allocator_or_default(options->allocator);
    replay->owner = owner;
    status = keep_path(replay, path, error);
    if (status != WEIR_OK) {
        return status;
    }
    status = open_control(replay, writable, error);
    if (status != WEIR_OK) {
        release_path(replay);
        return status;
    }
    status = weir_engine_open(NULL, options, &replay->engine, &attempted);
    if (status == WEIR_OK) {
        status = weir_replay_adopt(replay, &attempted);
    }
    /* The directory may be created anew just then. */
    for (unsigned attempt = 0; attempt < ATTEMPTS && status == WEIR_ERROR_NOT_FOUND && !writable &&
                               weir_replay_replaced(replay);
         attempt++) {
        status = weir_replay_reopen(replay, &attempted);
    }
    if (status != WEIR_OK) {
        weir_replay_close(replay);
    }
    return weir_fail_as(error, status, &attempted);
}

void weir_replay_close(struct weir_replay *replay)
{
    drop_reader(replay, replay->reader);
    weir_engine_close(replay->engine);
    weir_control_close(&replay->control);
    weir_directory_close(&replay->directory);
    release_path(replay);
}
