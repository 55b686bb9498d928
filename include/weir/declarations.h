/* declarations.h - what begins and ends the declarations of each header: C's linkage, and functions
 * that the shared libraries export, and nothing else is. */
#ifndef WEIR_DECLARATIONS_H
#define WEIR_DECLARATIONS_H

#ifdef __cplusplus
#define WEIR_DECLARATIONS_BEGIN                                                                    \
    extern "C" {                                                                                   \
    _Pragma("GCC visibility push(default)")
#define WEIR_DECLARATIONS_END                                                                      \
    _Pragma("GCC visibility pop")                                                                  \
    }
#else
#define WEIR_DECLARATIONS_BEGIN _Pragma("GCC visibility push(default)")
#define WEIR_DECLARATIONS_END _Pragma("GCC visibility pop")
#endif

#endif
