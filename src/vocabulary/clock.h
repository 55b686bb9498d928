/* clock.h - the time since boot. */
#ifndef WEIR_VOCABULARY_CLOCK_H
#define WEIR_VOCABULARY_CLOCK_H

#include <stdint.h>

/* In nanoseconds, sleep included (CLOCK_BOOTTIME). */
uint64_t weir_boot_clock(void);

#endif
