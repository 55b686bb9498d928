/*
 * torture.h - one writer, any number of readers, and the ledgers between them.
 *
 * There are ids, and for each two of them one credential, which at most one of the two has.
 */
#ifndef WEIR_TESTS_LIVE_TORTURE_H
#define WEIR_TESTS_LIVE_TORTURE_H

#include <stdbool.h>
#include <stdint.h>

#include <weir/engine.h>

#include "live/ledger.h"
#include "model/dice.h"

enum { TORTURE_IDS = 24, TORTURE_CREDENTIALS = TORTURE_IDS / 2, TORTURE_SUMS = 1 << 14 };

struct torture {
    struct weir_engine *engine;
    bool stops;
    struct ledger ids[TORTURE_IDS];
    struct ledger credentials[TORTURE_CREDENTIALS];
    uint64_t sums[TORTURE_SUMS]; /* by stamp: the stamp, and the sum of its token's bytes */
};

/* "subject/7", or "s/6": the ids of which the ledgers tell. */
#define TORTURE_KIND "subject"

static inline bool torture_stops(const struct torture *torture)
{
    return __atomic_load_n(&torture->stops, __ATOMIC_RELAXED);
}

/* Says what failed and ends the process. */
_Noreturn void torture_fail(const char *what);

/*
 * ---- The writer ----
 */

enum torture_change {
    CHANGE_ISSUE,
    CHANGE_REPLACE,
    CHANGE_PUT,
    CHANGE_REVOKE,
    CHANGE_OTHERS, /* of ids that nobody asks about */
    CHANGE_SWAP_FRESH,
    CHANGE_SWAP_FILE,
    CHANGE_SWAP_COMPACTED,
    CHANGE_SWAP_NOTHING,
    CHANGE_COMPACT,
    CHANGE_RECLAIM,
    TORTURE_CHANGES
};

struct torture_writer;

/* Opens the engine on the image of a file. */
struct torture_writer *torture_writer_new(struct torture *torture, uint64_t seed);
void *torture_write(void *writer);
void torture_writer_print(const struct torture_writer *writer);
void torture_writer_free(struct torture_writer *writer);

/*
 * ---- Readers ----
 */

enum torture_way {
    WAY_BY_ID,
    WAY_BATCH,
    WAY_RESOLVED_BY_ID,
    WAY_UNDER,
    WAY_RESOLVED_UNDER,
    WAY_FOUND,
    WAY_FOUND_BY_CREDENTIAL,
    WAY_RESOLVED_BY_CREDENTIAL,
    TORTURE_WAYS
};

extern const char *const torture_way_names[TORTURE_WAYS];

enum { TORTURE_AGES = 20 };

struct torture_tally {
    uint64_t judged[TORTURE_WAYS];
    uint64_t allowed;
    uint64_t allowed_under;      /* of these, everything under a prefix */
    uint64_t unjudged;           /* so long under way that the ledger had forgotten */
    uint64_t summed;             /* tokens whose bytes were known and read twice */
    uint64_t ages[TORTURE_AGES]; /* versions seen that were 0, 1, 2-3, 4-7, … behind the last */
};

struct torture_reader;

struct torture_reader *torture_reader_new(struct torture *torture, uint64_t seed);
void *torture_read(void *reader);
void torture_reader_add(const struct torture_reader *reader, struct torture_tally *tally);
void torture_reader_free(struct torture_reader *reader);

#endif
