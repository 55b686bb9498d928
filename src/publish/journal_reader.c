#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "publish/journal.h"
#include "publish/record.h"
#include "vocabulary/failure.h"
#include "vocabulary/memory.h"

/*
 * ---- Segments ----
 */

static enum weir_status check_segment(const struct weir_segment_header *header, uint64_t identity,
                                      uint64_t first, uint64_t size, struct weir_error *error)
{
    if (memcmp(header->magic, WEIR_SEGMENT_MAGIC, WEIR_PUBLISH_MAGIC_SIZE) != 0 ||
        header->checksum != weir_segment_checksum(header)) {
        return weir_fail(error, WEIR_ERROR_DAMAGED, "is no segment of a journal");
    }
    if (header->version != WEIR_PUBLISH_VERSION) {
        return weir_fail(error, WEIR_ERROR_VERSION, "is of another version");
    }
    if (header->identity != identity || header->first != first) {
        return weir_fail(error, WEIR_ERROR_DAMAGED, "is another segment than its name says");
    }
    return header->size <= size ? WEIR_OK
                                : weir_fail(error, WEIR_ERROR_TRUNCATED, "is shorter than it was");
}

enum weir_status weir_segment_open(const struct weir_directory *directory, uint64_t identity,
                                   uint64_t first, int flags, int *file,
                                   struct weir_segment_header *header, struct weir_error *error)
{
    struct weir_file_name name = weir_segment_name(identity, first);
    uint64_t size = 0;
    int opened = -1;
    enum weir_status status = weir_directory_open_file(directory, name.text, flags, &opened, error);

    if (status != WEIR_OK) {
        return status;
    }
    status = weir_file_size(opened, &size, error);
    if (status == WEIR_OK) {
        status = weir_read_at(opened, header, sizeof *header, 0, error);
    }
    if (status == WEIR_OK) {
        status = check_segment(header, identity, first, size, error);
    }
    if (status != WEIR_OK) {
        (void)close(opened);
        weir_error_within(error, "%s", name.text);
        return status;
    }
    *file = opened;
    return WEIR_OK;
}

/* Goes to the beginning of the segment of that name. */
static enum weir_status open_segment(struct weir_journal_reader *reader, uint64_t first,
                                     struct weir_error *error)
{
    struct weir_segment_header header;
    int file = -1;
    enum weir_status status = weir_segment_open(reader->directory, reader->identity, first,
                                                O_RDONLY, &file, &header, error);

    if (status != WEIR_OK) {
        return status;
    }
    if (reader->file >= 0) {
        (void)close(reader->file);
    }
    reader->file = file;
    reader->first = header.first;
    reader->size = header.size;
    reader->offset = sizeof header;
    weir_journal_refresh(reader);
    return WEIR_OK;
}

/* The segment that has a certain change, if any: the last that begins with it or one before. */
struct search {
    uint64_t identity;
    uint64_t sequence;
    uint64_t first;
    bool found;
};

static bool look_at(void *context, const char *name, const struct weir_file_facts *facts)
{
    struct search *search = context;

    (void)name;
    if (facts->kind == WEIR_FILE_SEGMENT && facts->identity == search->identity &&
        facts->sequence <= search->sequence &&
        (!search->found || facts->sequence > search->first)) {
        search->found = true;
        search->first = facts->sequence;
    }
    return true;
}

enum weir_status weir_segment_find(const struct weir_directory *directory, uint64_t identity,
                                   uint64_t sequence, uint64_t *first, struct weir_error *error)
{
    struct search search = {.identity = identity, .sequence = sequence};
    enum weir_status status = weir_directory_each(directory, look_at, &search, error);

    if (status == WEIR_OK && !search.found) {
        status = weir_fail(error, WEIR_ERROR_NOT_FOUND, "the journal does not go back so far");
    }
    if (status == WEIR_OK) {
        *first = search.first;
    }
    return status;
}

/*
 * ---- Records ----
 */

void weir_journal_refresh(struct weir_journal_reader *reader)
{
    reader->window_count = 0;
}

static enum weir_status fill_window(struct weir_journal_reader *reader, struct weir_error *error)
{
    uint64_t left = reader->size - reader->offset;
    size_t count = left < sizeof reader->window ? (size_t)left : sizeof reader->window;
    enum weir_status status =
        weir_read_at(reader->file, reader->window, count, reader->offset, error);

    reader->window_offset = reader->offset;
    reader->window_count = status == WEIR_OK ? count : 0;
    return status;
}

/* The next `size` bytes if the window has them, else NULL. */
static const char *in_window(const struct weir_journal_reader *reader, uint64_t size)
{
    if (reader->window_count == 0 || reader->offset < reader->window_offset ||
        reader->offset - reader->window_offset > reader->window_count ||
        size > reader->window_count - (reader->offset - reader->window_offset)) {
        return NULL;
    }
    return reader->window + (reader->offset - reader->window_offset);
}

/* The next `size` bytes, of a record that does not fit in the window. */
static enum weir_status read_long(struct weir_journal_reader *reader, size_t size,
                                  const char **bytes, struct weir_error *error)
{
    if (reader->long_size < size) {
        char *memory = weir_allocate(&reader->allocator, size);

        if (memory == NULL) {
            return weir_fail_memory(error);
        }
        weir_release(&reader->allocator, reader->long_record, reader->long_size);
        reader->long_record = memory;
        reader->long_size = size;
    }
    *bytes = reader->long_record;
    return weir_read_at(reader->file, reader->long_record, size, reader->offset, error);
}

/* The next `size` bytes of the segment. */
static enum weir_status read_bytes(struct weir_journal_reader *reader, size_t size,
                                   const char **bytes, struct weir_error *error)
{
    *bytes = in_window(reader, size);
    if (*bytes == NULL && size <= sizeof reader->window) {
        enum weir_status status = fill_window(reader, error);

        if (status != WEIR_OK) {
            return status;
        }
        *bytes = in_window(reader, size);
    }
    return *bytes != NULL ? WEIR_OK : read_long(reader, size, bytes, error);
}

static enum weir_status fail_record(const struct weir_journal_reader *reader, const char *what,
                                    struct weir_error *error)
{
    return weir_fail(error, WEIR_ERROR_DAMAGED, "the record at byte %" PRIu64 " %s", reader->offset,
                     what);
}

/* Reads the record where the reader stands, and does not go on. */
static enum weir_status read_record(struct weir_journal_reader *reader,
                                    struct weir_journal_entry *entry, struct weir_error *error)
{
    const char *bytes = NULL;
    enum weir_status status = WEIR_OK;

    if (reader->size - reader->offset < sizeof entry->record) {
        return fail_record(reader, "is beyond the segment's end", error);
    }
    status = read_bytes(reader, sizeof entry->record, &bytes, error);
    if (status != WEIR_OK) {
        return status;
    }
    memcpy(&entry->record, bytes, sizeof entry->record);
    if (entry->record.size > WEIR_RECORD_BYTES_MAX ||
        weir_record_room(entry->record.size) > reader->size - reader->offset) {
        return fail_record(reader, "does not fit in the segment", error);
    }
    status = read_bytes(reader, sizeof entry->record + entry->record.size, &bytes, error);
    if (status != WEIR_OK) {
        return status;
    }
    entry->bytes = bytes + sizeof entry->record;
    return WEIR_OK;
}

static enum weir_status check_record(const struct weir_journal_reader *reader,
                                     const struct weir_journal_entry *entry,
                                     struct weir_error *error)
{
    const struct weir_record *record = &entry->record;

    if (record->checksum != weir_record_checksum(record, entry->bytes, reader->identity)) {
        return fail_record(reader, "is torn or altered", error);
    }
    if (record->sequence != reader->next) {
        return fail_record(reader, "is that of another change", error);
    }
    return WEIR_OK;
}

/* The record where the reader stands, whatever it is. */
static enum weir_status read_any(struct weir_journal_reader *reader,
                                 struct weir_journal_entry *entry, struct weir_error *error)
{
    enum weir_status status = read_record(reader, entry, error);

    if (status == WEIR_OK) {
        status = check_record(reader, entry, error);
    }
    if (status != WEIR_OK) {
        struct weir_file_name name = weir_segment_name(reader->identity, reader->first);

        weir_error_within(error, "%s", name.text);
    }
    return status;
}

enum weir_status weir_journal_read(struct weir_journal_reader *reader,
                                   struct weir_journal_entry *entry, struct weir_error *error)
{
    enum weir_status status = read_any(reader, entry, error);

    /* A segment that ends leads to the next, by its name. */
    if (status == WEIR_OK && entry->record.kind == WEIR_RECORD_SEAL) {
        status = open_segment(reader, reader->next, error);
        if (status == WEIR_OK) {
            status = read_any(reader, entry, error);
        }
    }
    if (status != WEIR_OK) {
        return status;
    }
    if (entry->record.kind != WEIR_RECORD_PUT && entry->record.kind != WEIR_RECORD_REVOKE) {
        return fail_record(reader, "is of no kind that belongs there", error);
    }
    reader->offset += weir_record_room(entry->record.size);
    reader->next++;
    return WEIR_OK;
}

void weir_journal_unread(struct weir_journal_reader *reader, const struct weir_journal_entry *entry)
{
    reader->offset -= weir_record_room(entry->record.size);
    reader->next--;
}

/*
 * ---- Opening ----
 */

enum weir_status weir_journal_open(struct weir_journal_reader *reader,
                                   const struct weir_directory *directory, uint64_t identity,
                                   uint64_t next, const struct weir_allocator *allocator,
                                   struct weir_error *error)
{
    struct weir_journal_entry entry;
    uint64_t first = 0;
    enum weir_status status = WEIR_OK;

    reader->directory = directory;
    reader->allocator = *allocator;
    reader->identity = identity;
    reader->file = -1;
    reader->window_count = 0;
    reader->long_record = NULL;
    reader->long_size = 0;
    status = weir_segment_find(directory, identity, next, &first, error);
    if (status == WEIR_OK) {
        reader->next = first;
        status = open_segment(reader, first, error);
    }
    while (status == WEIR_OK && reader->next < next) {
        status = weir_journal_read(reader, &entry, error);
    }
    return status;
}

void weir_journal_close(struct weir_journal_reader *reader)
{
    if (reader->file >= 0) {
        (void)close(reader->file);
        reader->file = -1;
    }
    weir_release(&reader->allocator, reader->long_record, reader->long_size);
    reader->long_record = NULL;
    reader->long_size = 0;
}
