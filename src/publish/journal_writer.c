#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "publish/journal.h"
#include "publish/record.h"
#include "vocabulary/failure.h"

static struct weir_segment_header segment_header(uint64_t identity, uint64_t first, uint64_t size)
{
    struct weir_segment_header header = {
        .version = WEIR_PUBLISH_VERSION,
        .identity = identity,
        .first = first,
        .size = size,
    };

    memcpy(header.magic, WEIR_SEGMENT_MAGIC, WEIR_PUBLISH_MAGIC_SIZE);
    header.checksum = weir_segment_checksum(&header);
    return header;
}

/* A segment's size for which a record of that room, and the one that ends it, are not too large. */
static uint64_t size_for(uint64_t segment_size, uint64_t room)
{
    uint64_t needed = sizeof(struct weir_segment_header) + room + weir_record_room(0);

    return weir_round_up(needed > segment_size ? needed : segment_size, WEIR_CONTROL_SIZE);
}

/*
 * ---- Beginning, continuing, ending ----
 */

enum weir_status weir_journal_begin(const struct weir_directory *directory, uint64_t identity,
                                    uint64_t first, uint64_t segment_size, struct weir_error *error)
{
    uint64_t size = size_for(segment_size, 0);
    struct weir_segment_header header = segment_header(identity, first, size);

    return weir_directory_make_file(directory, weir_segment_name(identity, first).text, &header,
                                    sizeof header, size, NULL, error);
}

/* Goes to the segment of that name. */
static enum weir_status reopen(struct weir_journal_writer *writer, uint64_t first,
                               struct weir_error *error)
{
    struct weir_segment_header header;
    enum weir_status status = weir_segment_open(writer->directory, writer->identity, first, O_RDWR,
                                                &writer->file, &header, error);

    if (status == WEIR_OK) {
        writer->first = first;
        writer->size = header.size;
    }
    return status;
}

/* Takes over the spare that the last publisher left, if it is whole. */
static void take_spare(struct weir_journal_writer *writer)
{
    struct weir_file_name name = weir_spare_name(writer->identity);
    uint64_t size = 0;
    int file = -1;

    if (weir_directory_open_file(writer->directory, name.text, O_RDWR, &file, NULL) == WEIR_OK) {
        writer->has_spare = weir_file_size(file, &size, NULL) == WEIR_OK &&
                            size == size_for(writer->segment_size, 0);
        (void)close(file);
    }
    if (!writer->has_spare) {
        (void)unlinkat(writer->directory->file, name.text, 0);
    }
}

enum weir_status weir_journal_continue(struct weir_journal_writer *writer,
                                       const struct weir_journal_reader *reader,
                                       uint64_t segment_size, struct weir_error *error)
{
    struct weir_error not_there;
    enum weir_status status = WEIR_OK;

    *writer = (struct weir_journal_writer){
        .directory = reader->directory,
        .identity = reader->identity,
        .segment_size = segment_size,
        .file = -1,
    };
    /* The last publisher may have named the next segment, and sealed this one, and died. */
    status = reopen(writer, reader->next, &not_there);
    if (status != WEIR_OK && status != WEIR_ERROR_NOT_FOUND) {
        return weir_fail_as(error, status, &not_there);
    }
    if (status == WEIR_OK) {
        writer->offset = sizeof(struct weir_segment_header);
    } else {
        status = reopen(writer, reader->first, error);
        writer->offset = reader->offset;
    }
    if (status == WEIR_OK) {
        take_spare(writer);
    }
    return status;
}

void weir_journal_end(struct weir_journal_writer *writer)
{
    if (writer->file >= 0) {
        (void)close(writer->file);
        writer->file = -1;
    }
}

/*
 * ---- Records ----
 */

static enum weir_status write_record(int file, uint64_t offset, uint64_t identity,
                                     struct weir_record record, const void *bytes,
                                     struct weir_error *error)
{
    char small[1024]; /* one system call for the usual record */
    enum weir_status status = WEIR_OK;

    record.published = weir_boot_clock();
    record.checksum = weir_record_checksum(&record, bytes, identity);
    if (record.size <= sizeof small - sizeof record) {
        memcpy(small, &record, sizeof record);
        memcpy(small + sizeof record, bytes, record.size);
        return weir_write_at(file, small, sizeof record + record.size, offset, error);
    }
    status = weir_write_at(file, &record, sizeof record, offset, error);
    return status == WEIR_OK
               ? weir_write_at(file, bytes, record.size, offset + sizeof record, error)
               : status;
}

/*
 * ---- From one segment to the next ----
 */

/* Gives the spare its header and its name. */
static enum weir_status name_spare(struct weir_journal_writer *writer,
                                   const struct weir_segment_header *header, const char *name,
                                   int *file, struct weir_error *error)
{
    struct weir_file_name spare = weir_spare_name(writer->identity);
    int opened = -1;
    enum weir_status status =
        weir_directory_open_file(writer->directory, spare.text, O_RDWR, &opened, error);

    writer->has_spare = false;
    if (status != WEIR_OK) {
        return status;
    }
    status = weir_write_at(opened, header, sizeof *header, 0, error);
    if (status == WEIR_OK &&
        renameat(writer->directory->file, spare.text, writer->directory->file, name) != 0) {
        status = weir_fail_errno(error, "rename");
    }
    if (status != WEIR_OK) {
        (void)close(opened);
        return status;
    }
    *file = opened;
    return WEIR_OK;
}

/* Makes a segment that begins with this change and has room for it; the spare, if that will do. It
 * may take the place of one of its name that is too small and empty, but for its seal. */
static enum weir_status make_segment(struct weir_journal_writer *writer,
                                     const struct weir_segment_header *header, int *file,
                                     struct weir_error *error)
{
    struct weir_file_name name = weir_segment_name(writer->identity, header->first);

    if (writer->has_spare && header->size == size_for(writer->segment_size, 0) &&
        name_spare(writer, header, name.text, file, error) == WEIR_OK) {
        return WEIR_OK;
    }
    return weir_directory_make_file(writer->directory, name.text, header, sizeof *header,
                                    header->size, file, error);
}

static bool fits(uint64_t size, uint64_t offset, uint64_t room)
{
    return size - offset >= room + weir_record_room(0);
}

/* Goes to a segment that begins with this change, and has room for it. Whoever stands in the old
 * one, be it empty, finds the seal there and looks for the new one by its name; so that comes
 * first.
 */
static enum weir_status go_on(struct weir_journal_writer *writer, uint64_t sequence, uint64_t room,
                              struct weir_error *error)
{
    struct weir_segment_header header =
        segment_header(writer->identity, sequence, size_for(writer->segment_size, room));
    struct weir_record seal = {.sequence = sequence, .kind = WEIR_RECORD_SEAL};
    int file = -1;
    enum weir_status status =
        write_record(writer->file, writer->offset, writer->identity, seal, "", error);

    if (status == WEIR_OK) {
        status = make_segment(writer, &header, &file, error);
    }
    if (status != WEIR_OK) {
        return status;
    }
    (void)close(writer->file);
    writer->file = file;
    writer->first = sequence;
    writer->size = header.size;
    writer->offset = sizeof header;
    return WEIR_OK;
}

/* For so long, in nanoseconds, the system is not asked again for room that it has refused. */
#define REFUSAL UINT64_C(100000000)

static void make_spare(struct weir_journal_writer *writer)
{
    writer->has_spare =
        weir_directory_make_file(writer->directory, weir_spare_name(writer->identity).text, NULL, 0,
                                 size_for(writer->segment_size, 0), NULL, NULL) == WEIR_OK;
    writer->spare_refused = writer->has_spare ? 0 : weir_boot_clock();
}

void weir_journal_prepare_spare(struct weir_journal_writer *writer)
{
    if (!writer->has_spare &&
        (writer->spare_refused == 0 || weir_boot_clock() - writer->spare_refused >= REFUSAL)) {
        make_spare(writer);
    }
}

/* Whether the record would take what is kept for urgent ones. */
static bool takes_reserve(struct weir_journal_writer *writer, uint64_t room)
{
    if (writer->has_spare || writer->offset + room <= writer->size / 4 * 3) {
        return false;
    }
    make_spare(writer);
    return !writer->has_spare;
}

/* Goes where there is that much room; into what is kept for urgent records only for those. */
static enum weir_status make_room(struct weir_journal_writer *writer, uint64_t sequence,
                                  uint64_t room, bool urgent, struct weir_error *error)
{
    if (room <= writer->reserved) {
        return WEIR_OK;
    }
    if (!urgent && takes_reserve(writer, room)) {
        return weir_fail(error, WEIR_ERROR_IO,
                         "no room for the journal's next segment; what is left is kept for "
                         "revocations");
    }
    return fits(writer->size, writer->offset, room) ? WEIR_OK
                                                    : go_on(writer, sequence, room, error);
}

enum weir_status weir_journal_reserve(struct weir_journal_writer *writer, uint64_t sequence,
                                      uint64_t room, bool urgent, struct weir_error *error)
{
    enum weir_status status = WEIR_OK;

    writer->reserved = 0;
    status = make_room(writer, sequence, room, urgent, error);
    if (status == WEIR_OK) {
        writer->reserved = room;
    }
    return status;
}

enum weir_status weir_journal_write(struct weir_journal_writer *writer, uint64_t sequence,
                                    enum weir_record_kind kind, bool urgent, const void *bytes,
                                    size_t size, struct weir_error *error)
{
    uint64_t room = weir_record_room(size);
    struct weir_record record = {
        .sequence = sequence, .kind = (uint32_t)kind, .size = (uint32_t)size};
    enum weir_status status = make_room(writer, sequence, room, urgent, error);

    if (status == WEIR_OK) {
        status = write_record(writer->file, writer->offset, writer->identity, record, bytes, error);
    }
    if (status == WEIR_OK) {
        writer->offset += room;
        writer->reserved -= room < writer->reserved ? room : writer->reserved;
    }
    return status;
}
