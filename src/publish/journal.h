/* journal.h - the log of changes: reading it in order, and writing at its end. */
#ifndef WEIR_PUBLISH_JOURNAL_H
#define WEIR_PUBLISH_JOURNAL_H

#include <weir/allocator.h>

#include "publish/directory.h"

/*
 * ---- Segments ----
 */

/* Opens the segment of that name, if it is what its name says. `flags` are open's. WEIR_OK,
 * WEIR_ERROR_NOT_FOUND, _OWNER, _IO, _TRUNCATED, _VERSION, _DAMAGED; the place is the name. */
enum weir_status weir_segment_open(const struct weir_directory *directory, uint64_t identity,
                                   uint64_t first, int flags, int *file,
                                   struct weir_segment_header *header, struct weir_error *error);

/* The segment that has a certain change, or will have it: the last that begins with it or with one
 * before. WEIR_OK, WEIR_ERROR_NOT_FOUND, _IO. */
enum weir_status weir_segment_find(const struct weir_directory *directory, uint64_t identity,
                                   uint64_t sequence, uint64_t *first, struct weir_error *error);

/*
 * ---- Reading ----
 */

/* Enough for any revocation; for a longer record the reader takes memory. */
#define WEIR_JOURNAL_WINDOW 8192

struct weir_journal_reader {
    const struct weir_directory *directory;
    struct weir_allocator allocator;
    uint64_t identity;
    int file;        /* -1: none */
    uint64_t first;  /* of the segment */
    uint64_t size;   /* of its file */
    uint64_t offset; /* where the next record is */
    uint64_t next;   /* its number */
    /* What was read of the segment, at `window_offset`. */
    uint64_t window_offset;
    size_t window_count;
    char *long_record; /* memory for one that does not fit in the window */
    size_t long_size;
    char window[WEIR_JOURNAL_WINDOW];
};

struct weir_journal_entry {
    struct weir_record record;
    const char *bytes; /* record.size of them, until the next call */
};

/* A reader that begins with change `next`. WEIR_OK; WEIR_ERROR_NOT_FOUND if no segment goes back
 * that far; codes as weir_journal_read. Close it also after an error. */
enum weir_status weir_journal_open(struct weir_journal_reader *reader,
                                   const struct weir_directory *directory, uint64_t identity,
                                   uint64_t next, const struct weir_allocator *allocator,
                                   struct weir_error *error);
void weir_journal_close(struct weir_journal_reader *reader);

/* Forgets what was read ahead: S has changed, so what lay behind its old value may have, too. */
void weir_journal_refresh(struct weir_journal_reader *reader);

/*
 * Reads the next change, whose number S must have reached. WEIR_OK, WEIR_ERROR_NOT_FOUND (its
 * segment was removed), WEIR_ERROR_OWNER, _IO, _MEMORY, _TRUNCATED, _CHECKSUM, _DAMAGED: the reader
 * stays where it is.
 */
enum weir_status weir_journal_read(struct weir_journal_reader *reader,
                                   struct weir_journal_entry *entry, struct weir_error *error);

/* Goes back before the change that was read last: it will be read again. */
void weir_journal_unread(struct weir_journal_reader *reader,
                         const struct weir_journal_entry *entry);

/*
 * ---- Writing ----
 */

struct weir_journal_writer {
    const struct weir_directory *directory;
    uint64_t identity;
    uint64_t segment_size;
    int file;
    uint64_t first;
    uint64_t size;
    uint64_t offset;   /* where the next record goes */
    uint64_t reserved; /* bytes behind `offset` that are kept for what comes next */
    bool has_spare;
    uint64_t spare_refused; /* when the system last had no room for one; 0: never */
};

/* Makes the first segment of a directory. */
enum weir_status weir_journal_begin(const struct weir_directory *directory, uint64_t identity,
                                    uint64_t first, uint64_t segment_size,
                                    struct weir_error *error);

/* A writer that goes on where the reader, which has read all that is published, stands. */
enum weir_status weir_journal_continue(struct weir_journal_writer *writer,
                                       const struct weir_journal_reader *reader,
                                       uint64_t segment_size, struct weir_error *error);
void weir_journal_end(struct weir_journal_writer *writer);

/*
 * Writes the record of change `sequence`, for S to be stored next. The last quarter of a segment
 * that has no spare after it is for what is `urgent`: revocations. WEIR_OK, WEIR_ERROR_IO: nothing
 * has happened.
 */
enum weir_status weir_journal_write(struct weir_journal_writer *writer, uint64_t sequence,
                                    enum weir_record_kind kind, bool urgent, const void *bytes,
                                    size_t size, struct weir_error *error);

/* Makes room for records of that many bytes (weir_record_room each) of changes from `sequence` on:
 * weir_journal_write asks the system for no more room for them. WEIR_OK, WEIR_ERROR_IO. */
enum weir_status weir_journal_reserve(struct weir_journal_writer *writer, uint64_t sequence,
                                      uint64_t room, bool urgent, struct weir_error *error);

/* Tries to have a spare segment, but not at every call where there is no room for one; without it
 * the journal still goes on for a while. */
void weir_journal_prepare_spare(struct weir_journal_writer *writer);

#endif
