/* refusal.h - what a gateway answers instead of passing a request on. */
#ifndef WEIR_S2_REFUSAL_H
#define WEIR_S2_REFUSAL_H

#include <stdbool.h>

/* Static texts; `message` is a whole sentence that is safe to show. All zero: not refused. */
struct s2_refusal {
    unsigned status; /* HTTP's */
    const char *code;
    const char *message;
};

/* Fills `*refusal` in, and returns false. */
bool s2_refuse(struct s2_refusal *refusal, unsigned status, const char *code, const char *message);

#endif
