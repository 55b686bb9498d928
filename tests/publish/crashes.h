/* crashes.h - what the processes of `crashes` know of each other. */
#ifndef WEIR_TESTS_PUBLISH_CRASHES_H
#define WEIR_TESTS_PUBLISH_CRASHES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <weir/follow.h>
#include <weir/publish.h>

/* Memory that all processes share; it survives whoever is killed. */
struct ledger {
    uint64_t begun; /* the change that was begun last; the publisher's */
    uint64_t done;  /* the change that was acknowledged last: stored when its function returned */
    uint64_t ends;  /* set by the parent: all are to end */
    uint64_t polls; /* counted for the report */
    uint64_t checks;
    uint64_t adoptions;
    uint64_t openings;
    uint64_t errors; /* of polls that are made again */
    uint64_t creations;
    uint64_t compactions;
    uint64_t full; /* errors for want of space */
    uint64_t revoked_at;
    uint64_t answers;
    uint64_t failed; /* by some process */
};

extern struct ledger *ledger;
/* What is published, in a folder of this run. */
extern char published[400];
extern struct weir_publisher_options publisher_options;

uint64_t read_ledger(const uint64_t *word);
void write_ledger(uint64_t *word, uint64_t value);
void count_in_ledger(uint64_t *word);

/* Tells of the failure and ends the process with status 1. */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Ends the program if somebody has failed. */
void expect_no_failure(void);
void demand(enum weir_status status, const struct weir_error *error, const char *what);

/* Continues what is published, or creates it if nothing has been acknowledged. Fails unless it goes
 * on with what was acknowledged, or all of one change more. */
struct weir_publisher *go_on_publishing(void);
/* Makes the next change, and sees to it that it may be made. */
void publish_next(struct weir_publisher *publisher);
/* The directory is created anew, with what is published. */
struct weir_publisher *create_anew(struct weir_publisher *publisher);
void compact(struct weir_publisher *publisher);

/* Polls, which must succeed sooner or later, and demands that the follower is then at a number not
 * less than what was acknowledged before, with just the tokens of that number. */
void poll_and_check(struct weir_follower *follower);
struct weir_follower *follow_and_check(void);

/* An empty directory in memory; forgets the history. */
void begin_anew(void);

/* The parts. Each returns when it is through. */
void kill_at_system_calls(unsigned stride, unsigned offset);
void kill_at_random(unsigned kills, unsigned processes, unsigned followers, uint64_t seed);
void stop_publisher(unsigned rounds);
void stop_follower(unsigned rounds, uint64_t seed);

#endif
