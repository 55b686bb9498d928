/*
 * ledger.h - what a writer did to some subject (an id, or a credential), version after version, for
 * readers to judge their answers by.
 *
 * The writer notes a version, changes the engine, and notes that this is done. A reader reads
 * `done` before its check and `begun` after it: what it was answered must be the answer of some
 * version from the one to the other, and of none before one that it has seen already.
 *
 * The ledger must not order what the engine should order itself. So its stores are relaxed, and a
 * reader that reads them learns, by the rules of the language and to ThreadSanitizer, nothing else
 * about what the writer wrote. That they are nevertheless in order where it matters is due to the
 * engine, whose changes begin with stores that release and end with a fence, and whose checks load
 * with acquire:
 *   - `begun` is stored before the engine's release, and loaded after the check's acquire: who saw
 * a version sees that it had begun;
 *   - `done` is stored behind the engine's fence; its load acquires so that the check's loads, too,
 *     come after it.
 * A version carries the low bits of its position, so that a reader knows an entry that it sees too
 * early or too late from the one that it looks for.
 */
#ifndef WEIR_TESTS_LIVE_LEDGER_H
#define WEIR_TESTS_LIVE_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

enum { LEDGER_ENTRIES = 1 << 15 };

/* The token at a subject, or none. */
struct version {
    bool there;
    bool has_credential; /* of an id; of a credential: whether the pair's second id has it */
    uint32_t stamp;      /* below 2^30 */
};

struct ledger {
    uint64_t begun;
    uint64_t done;
    uint64_t entries[LEDGER_ENTRIES];
};

/* The writer's. The first version is number 0, done. */
void ledger_start(struct ledger *ledger, struct version version);
void ledger_begin(struct ledger *ledger, struct version version);
void ledger_finish(struct ledger *ledger);
struct version ledger_last(const struct ledger *ledger);

/* What versions a reader may have seen. */
struct window {
    uint64_t low;
    uint64_t high;
};

/* Before a check, and after it: `seen` is the least version that this reader may have seen last. */
uint64_t ledger_done(const struct ledger *ledger);
struct window ledger_window(const struct ledger *ledger, uint64_t done_before, uint64_t seen);

/* The version of that number, which has begun; false if it is too long ago. */
bool ledger_version(const struct ledger *ledger, uint64_t number, struct version *version);

#endif
