/*
 * rival_records.h - the million tokens as the rivals' records, and what is asked of a record.
 *
 * A record is what whoever writes such a table by hand would keep: the names, packed, and the
 * operations as one bitset. It is allowed what the operations have and both prefixes match: a bit
 * test and two memcmp. Unlike Weir it does not look whether the names of a request are valid, knows
 * no expiry, has one scope, and cannot be changed while others read it.
 */
#ifndef WEIR_BENCH_RIVAL_RECORDS_H
#define WEIR_BENCH_RIVAL_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <weir/decision.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Its names follow it: id, basin prefix, stream prefix. */
struct rival_record {
    uint32_t operations;
    uint8_t id_length;
    uint8_t basin_length;
    uint8_t stream_length;
};

/* What is done with a record when it is there. */
typedef void rival_keep(void *context, struct rival_record *record);

/* Makes the records of the million tokens, in an order that has nothing to do with their ids, one
 * after the other in large pages, each with `room` bytes before it (a multiple of eight), and keeps
 * each. They live as long as the program. */
void rival_records_make(size_t room, rival_keep *keep, void *context);

static inline const char *rival_record_id(const struct rival_record *record)
{
    return (const char *)(record + 1);
}

static inline bool rival_record_has_id(const struct rival_record *record, struct weir_text id)
{
    return record->id_length == id.length &&
           memcmp(rival_record_id(record), id.bytes, id.length) == 0;
}

static inline bool rival_record_allows(const struct rival_record *record,
                                       const struct weir_request *request)
{
    const char *basin = rival_record_id(record) + record->id_length;
    const char *stream = basin + record->basin_length;

    return (record->operations >> request->operation & 1) != 0 &&
           request->basin.length >= record->basin_length &&
           memcmp(basin, request->basin.bytes, record->basin_length) == 0 &&
           request->stream.length >= record->stream_length &&
           memcmp(stream, request->stream.bytes, record->stream_length) == 0;
}

static inline size_t rival_record_size(const struct rival_record *record)
{
    return sizeof *record + record->id_length + record->basin_length + record->stream_length;
}

/* Asks for a record's first and last line, which are all, or nearly always all. */
static inline void rival_record_prefetch(const struct rival_record *record)
{
    __builtin_prefetch(record);
    __builtin_prefetch((const char *)record + 63);
}

#ifdef __cplusplus
}
#endif

#endif
