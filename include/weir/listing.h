/* listing.h - which names a token may list. */
#ifndef WEIR_LISTING_H
#define WEIR_LISTING_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/allocator.h>
#include <weir/decision.h>
#include <weir/declarations.h>
#include <weir/error.h>
#include <weir/image.h>
#include <weir/instant.h>
#include <weir/name.h>
#include <weir/operation.h>

WEIR_DECLARATIONS_BEGIN

/*
 * The names that may be listed: those in `exact`, and all that begin with one of `prefixes`. Both
 * are in byte order and no member is covered by another. Nothing may be listed if both are empty.
 * A token with auto-prefix has effective names in it: a server that shows them takes the token's
 * stream prefix off again, and leaves out what then is empty, "." or "..".
 *
 * A listing has at most as many members as a token has scopes, each as long as a name may be: fifty
 * megabytes for the most hostile token, and the time to copy that. Of an image that somebody else
 * made, members may be bytes that are no name.
 */
struct weir_listing {
    const struct weir_text *exact;
    size_t exact_count;
    const struct weir_text *prefixes;
    size_t prefix_count;
};

/*
 * Narrows a listing to what the token may see: the names that are in the scope of `operation`
 * (WEIR_LIST_BASINS, WEIR_LIST_STREAMS, WEIR_LIST_ACCESS_TOKENS) and begin with `prefix`, as the
 * client gave it. `basin` is for WEIR_LIST_STREAMS. `*reason` is the decision of weir_check_token
 * on the operation (WEIR_STALE for an operation that lists nothing); unless it is WEIR_ALLOWED,
 * `*listing` is NULL.
 *
 * On WEIR_OK and WEIR_ALLOWED `*listing` is a copy that needs nothing of the token; free it with
 * weir_listing_free. WEIR_ERROR_NAME: the prefix is not allowed. WEIR_ERROR_ARGUMENT: another
 * operation. WEIR_ERROR_MEMORY. Any thread.
 */
enum weir_status weir_narrow(const struct weir_compiled_token *token, enum weir_operation operation,
                             struct weir_text basin, struct weir_text prefix,
                             struct weir_instant now, const struct weir_allocator *allocator,
                             enum weir_reason *reason, struct weir_listing **listing,
                             struct weir_error *error);

/* Whether the name (an effective one, of a token with auto-prefix) is among those of the listing.
 * Any thread; takes the logarithm of the listing's size. */
bool weir_listing_admits(const struct weir_listing *listing, struct weir_text name);

/* NULL is fine. */
void weir_listing_free(struct weir_listing *listing);

WEIR_DECLARATIONS_END

#endif
