#include "live/ledger.h"

enum { POSITION_BITS = 32 };

#define POSITION_MASK ((UINT64_C(1) << POSITION_BITS) - 1)
#define THERE (UINT64_C(1) << 31)
#define HAS_CREDENTIAL (UINT64_C(1) << 30)
#define STAMP_MASK (HAS_CREDENTIAL - 1)

static uint64_t *entry_of(const struct ledger *ledger, uint64_t number)
{
    return (uint64_t *)(uintptr_t)&ledger->entries[number % LEDGER_ENTRIES];
}

static void write_entry(struct ledger *ledger, uint64_t number, struct version version)
{
    uint64_t word = number << POSITION_BITS | (version.there ? THERE : 0) |
                    (version.has_credential ? HAS_CREDENTIAL : 0) | (version.stamp & STAMP_MASK);

    __atomic_store_n(entry_of(ledger, number), word, __ATOMIC_RELAXED);
}

void ledger_start(struct ledger *ledger, struct version version)
{
    write_entry(ledger, 0, version);
    ledger->begun = 0;
    ledger->done = 0;
}

void ledger_begin(struct ledger *ledger, struct version version)
{
    uint64_t number = ledger->begun + 1;

    write_entry(ledger, number, version);
    __atomic_store_n(&ledger->begun, number, __ATOMIC_RELAXED);
}

void ledger_finish(struct ledger *ledger)
{
    __atomic_store_n(&ledger->done, ledger->begun, __ATOMIC_RELAXED);
}

struct version ledger_last(const struct ledger *ledger)
{
    struct version version = {0};

    (void)ledger_version(ledger, ledger->begun, &version);
    return version;
}

uint64_t ledger_done(const struct ledger *ledger)
{
    return __atomic_load_n(&ledger->done, __ATOMIC_ACQUIRE);
}

struct window ledger_window(const struct ledger *ledger, uint64_t done_before, uint64_t seen)
{
    return (struct window){done_before > seen ? done_before : seen,
                           __atomic_load_n(&ledger->begun, __ATOMIC_RELAXED)};
}

bool ledger_version(const struct ledger *ledger, uint64_t number, struct version *version)
{
    uint64_t position = number & POSITION_MASK;
    uint64_t word = 0;

    do {
        word = __atomic_load_n(entry_of(ledger, number), __ATOMIC_RELAXED);
        if ((int32_t)(uint32_t)((word >> POSITION_BITS) - position) > 0) {
            return false;
        }
    } while (word >> POSITION_BITS != position);
    *version = (struct version){
        .there = (word & THERE) != 0,
        .has_credential = (word & HAS_CREDENTIAL) != 0,
        .stamp = (uint32_t)(word & STAMP_MASK),
    };
    return true;
}
