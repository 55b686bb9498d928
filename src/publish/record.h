/* record.h - checking and filling in the headers of segments and records. */
#ifndef WEIR_PUBLISH_RECORD_H
#define WEIR_PUBLISH_RECORD_H

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <weir/compile.h>
#include <weir/name.h>

#include "image/image.h"
#include "publish/format.h"

/* What follows a record's header: a block, at most. */
#define WEIR_RECORD_BYTES_MAX WEIR_COMPILED_TOKEN_MAX

/* What a record takes in its segment. */
static inline uint64_t weir_record_room(uint64_t size)
{
    return weir_round_up(sizeof(struct weir_record) + size, WEIR_RECORD_ALIGNMENT);
}

static inline uint64_t weir_record_checksum(const struct weir_record *record, const char *bytes,
                                            uint64_t identity)
{
    const size_t own = sizeof record->checksum;
    uint64_t seed =
        XXH3_64bits_withSeed((const char *)record + own, sizeof *record - own, identity);

    return XXH3_64bits_withSeed(bytes, record->size, seed);
}

static inline uint64_t weir_segment_checksum(const struct weir_segment_header *header)
{
    return XXH3_64bits(header, offsetof(struct weir_segment_header, checksum));
}

#endif
