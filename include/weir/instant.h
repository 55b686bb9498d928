/* instant.h - points in time, to the nanosecond. */
#ifndef WEIR_INSTANT_H
#define WEIR_INSTANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/declarations.h>
#include <weir/name.h>

WEIR_DECLARATIONS_BEGIN

/* A point in time: seconds since 1970-01-01T00:00:00Z (negative before it; no leap seconds), and
 * nanoseconds, 0 to 999 999 999, after that second. */
struct weir_instant {
    int64_t seconds;
    uint32_t nanoseconds;
};

/* 0001-01-01T00:00:00Z and the last second of 9999: what a token can carry. Where it is asked what
 * holds now, an instant before is taken as the first, one after as later than any of these. */
#define WEIR_INSTANT_SECONDS_MIN (-INT64_C(62135596800))
#define WEIR_INSTANT_SECONDS_MAX INT64_C(253402300799)

/* The wall clock now (clock_gettime, CLOCK_REALTIME). Any thread. */
struct weir_instant weir_instant_now(void);

/*
 * What the clocks say, read once for as many questions as a host likes (a turn of its event loop,
 * say): an answer is then that of a check which began at these instants.
 */
struct weir_clocks {
    struct weir_instant wall; /* for expiry; may jump */
    uint64_t boot;            /* for leases: nanoseconds since the machine booted, sleep included */
};

/* The clocks now: the wall clock to a few milliseconds (CLOCK_REALTIME_COARSE), the time since boot
 * exactly (CLOCK_BOOTTIME). Any thread. */
struct weir_clocks weir_clocks_now(void);

/*
 * Reads RFC 3339: `2027-01-01T00:00:00Z`, with 'T' and 'Z' in either case, an offset up to ±23:59,
 * a fraction of any length (cut after the nanosecond), no second 60, a year of 0001 to 9999 in UTC.
 * Returns false, leaving `instant` alone, for anything else. Any thread.
 */
bool weir_instant_parse(struct weir_text text, struct weir_instant *instant);

/* Size of the buffer that weir_instant_print needs, terminator included. */
#define WEIR_INSTANT_SIZE 31

/* Writes `2027-01-01T00:00:00Z`, with as many digits of a fraction as it has; weir_instant_parse
 * reads the same instant back. Returns the length. Any thread. */
size_t weir_instant_print(struct weir_instant instant, char buffer[WEIR_INSTANT_SIZE]);

WEIR_DECLARATIONS_END

#endif
