/* directories.h - directories in memory in which the million tokens are published. */
#ifndef WEIR_BENCH_DIRECTORIES_H
#define WEIR_BENCH_DIRECTORIES_H

#include <weir/publish.h>

/* A lease that no run outlasts, and the shortest. */
#define LEASE_LONG UINT64_C(3600000000000)
#define LEASE_SHORT WEIR_LEASE_MIN

struct directory {
    char path[64];
    struct weir_publisher *publisher;
};

/* Publishes the million tokens in a new directory of that name. Ends the program if it cannot. What
 * is not removed before is removed when the program exits. */
struct directory directory_publish(const char *name, uint64_t lease);
void directory_remove(struct directory *directory);

/* Published once. In the first nothing ever changes; in the second benchmarks change tokens, and
 * put back what they changed. */
const struct directory *directory_still(void);
const struct directory *directory_busy(void);

#endif
