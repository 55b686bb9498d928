/* machine.h - where figures come from: they are compared with those of the same machine only. */
#ifndef WEIR_BENCH_MACHINE_H
#define WEIR_BENCH_MACHINE_H

/* Has the processor, the compiler and its flags written into the results. */
void machine_describe(void);

#endif
