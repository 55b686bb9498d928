/* store_history.h - random transactions, done to a store and to its model alike. */
#ifndef WEIR_TESTS_AUTHORITY_STORE_HISTORY_H
#define WEIR_TESTS_AUTHORITY_STORE_HISTORY_H

#include "authority/store_model.h"

enum history_outcome {
    HISTORY_COMMITTED,
    HISTORY_ROLLED_BACK,
    HISTORY_REFUSED,   /* a call before the commit returned WEIR_ERROR_IO or _MEMORY */
    HISTORY_UNDECIDED, /* the commit did */
    HISTORY_DIFFERS    /* the store gave what it must not give: `difference` */
};

struct history {
    struct model model; /* what is committed */
    struct model next;  /* after HISTORY_UNDECIDED: what it would be */
    struct dice dice;
    uint64_t steps;
    const char *difference;
};

/* A transaction of up to `steps` steps, one that changes something. What was refused has been
 * rolled back; the model is what it was. */
enum history_outcome history_go_on(struct history *history, struct weir_store *store, size_t steps);

#endif
