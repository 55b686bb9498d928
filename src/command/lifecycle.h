/*
 * lifecycle.h - issuing, listing, revoking: in the store itself, or, while another process owns it,
 * through that one's operator socket.
 */
#ifndef WEIR_COMMAND_LIFECYCLE_H
#define WEIR_COMMAND_LIFECYCLE_H

#include <stdbool.h>
#include <stdint.h>

#include <weir/authority.h>

#include "options.h"
#include "output.h"

/* The variable that holds the credential of whoever asks, unless --credential-file names one. */
#define CREDENTIAL_VARIABLE "WEIR_CREDENTIAL"

/* Longer than any credential: what a file or variable may hold. */
#define CREDENTIAL_ROOM 256

struct lifecycle {
    const char *store;
    struct weir_authority *authority; /* NULL: another process owns the store */
    char socket[4096];                /* of that process */
    struct weir_requestor requestor;
    char credential[CREDENTIAL_ROOM];
};

/* Each of these returns false after an error, which is reported. */

/* Opens the store that the flags name, or finds who owns it; finds out as whom they ask. */
bool lifecycle_open(struct lifecycle *lifecycle, const struct options *options);
void lifecycle_close(struct lifecycle *lifecycle);

/* Writes `{"access_token": …}`. */
bool lifecycle_issue(struct lifecycle *lifecycle, struct weir_text json, struct output *output);

/* Revokes what was issued, by the operator's authority: whoever may issue need not be one who may
 * revoke. Who asks is the operator from then on. */
bool lifecycle_take_back(struct lifecycle *lifecycle, struct weir_text json);

/* Writes a page, as the list call answers it. */
bool lifecycle_list(struct lifecycle *lifecycle, const struct weir_list_query *query,
                    struct output *output);

/* `id` is one that a token can have. */
bool lifecycle_revoke(struct lifecycle *lifecycle, struct weir_text id);
bool lifecycle_count(struct lifecycle *lifecycle, struct weir_text prefix, uint64_t *count);
bool lifecycle_revoke_prefix(struct lifecycle *lifecycle, struct weir_text prefix, uint64_t *count);

#endif
