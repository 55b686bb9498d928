/* difference.h - what a change of tokens changes. */
#ifndef WEIR_DIFFERENCE_H
#define WEIR_DIFFERENCE_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/allocator.h>
#include <weir/decision.h>
#include <weir/declarations.h>
#include <weir/error.h>
#include <weir/image.h>
#include <weir/instant.h>
#include <weir/listing.h>
#include <weir/name.h>
#include <weir/operation.h>

WEIR_DECLARATIONS_BEGIN

enum weir_difference_change {
    WEIR_GAINED = 1,       /* the new token may, the old one may not */
    WEIR_LOST = 2,         /* the old token may, the new one may not */
    WEIR_LISTS_MORE = 3,   /* both may list, and the new one sees names that the old one does not */
    WEIR_LISTS_LESS = 4,   /* the reverse */
    WEIR_EXPIRES_ELSE = 5, /* the instants of expiry differ */
    WEIR_AUTO_PREFIX_ELSE = 6 /* what is put before the names of streams differs */
};

/* "gained", "lost", "lists_more", "lists_less", "expires", "auto_prefix"; "unknown" for any other
 * number. Static. */
const char *weir_difference_change_name(enum weir_difference_change change);

/* The names that are in `included` and not in `except`. Both are canonical, as weir_narrow's; a
 * member of `except` is covered by a prefix of `included`, and each prefix has names of its own. */
struct weir_name_set {
    struct weir_listing included;
    struct weir_listing except;
};

/* Whether the name is in the set. Any thread; takes the logarithm of the set's size. */
bool weir_name_set_has(const struct weir_name_set *set, struct weir_text name);

/*
 * One difference: for `gained` and `lost`, the operation on all targets whose names are in the sets
 * (basins, streams in basins, access tokens; NULL where the operation has no such target); for
 * `lists_more` and `lists_less`, the names that one lists and not the other, with the basins in
 * which it is so if they are names of streams. Names are those that the token's client uses.
 */
struct weir_difference {
    struct weir_text token_id;
    enum weir_difference_change change;
    enum weir_operation operation; /* 0 for a change of expiry or auto-prefix */
    const struct weir_name_set *basins;
    const struct weir_name_set *streams;
    const struct weir_name_set *access_tokens;
    /* With `gained` and `lost`: one of the questions that the two answer differently. With
     * `lists_more` and `lists_less`: one that lists differently. */
    struct weir_request request;
    /* What was compared; NULL: there is no such token, or it has expired. */
    const struct weir_compiled_token *old_token;
    const struct weir_compiled_token *new_token;
};

/* The difference and all that it leads to live until the visit returns. */
typedef void weir_difference_visitor(void *context, const struct weir_difference *difference);

/*
 * Calls `visit` for all that the new image means that the old one does not, at that instant, and
 * the reverse: nothing if they mean the same, however that is written. In the order of token ids,
 * operations and changes; no two differences of one token, operation and change have a target in
 * common. A token that is absent or has expired permits nothing, and names that nobody can bear
 * make no difference.
 *
 * It is about what is decided and what is listed: whose credential a token has, its issue number,
 * and what it may issue beyond what it may do, make no difference.
 *
 * A token with auto-prefix permits every name of a stream that its prefix leaves room for. Where
 * nothing but the length of names differs for that reason, the change of auto-prefix says so.
 *
 * Takes a look-up for each token, and time in proportion to the tokens that differ; for one of
 * many scopes, to the rules that differ in each basin that has rules of its own, and to all of them
 * where one of the two has but one scope. WEIR_OK, WEIR_ERROR_MEMORY, and WEIR_ERROR_LIMIT if there
 * are tokens whose differences take more than WEIR_DIFFERENCE_MEMORY_MAX or _STEPS_MAX: all others
 * were compared. After an error, what has been visited is true. Any thread; `visit` runs in it;
 * about 200 KiB of stack.
 */
enum weir_status weir_diff(const struct weir_image *old_image, const struct weir_image *new_image,
                           struct weir_instant now, const struct weir_allocator *allocator,
                           weir_difference_visitor *visit, void *context, struct weir_error *error);

/* Likewise of two tokens, of one id (of two, the old one's is told); NULL for none. */
enum weir_status weir_diff_tokens(const struct weir_compiled_token *old_token,
                                  const struct weir_compiled_token *new_token,
                                  struct weir_instant now, const struct weir_allocator *allocator,
                                  weir_difference_visitor *visit, void *context,
                                  struct weir_error *error);

/* The most memory that comparing two tokens may take (in three parts, of which none may take more
 * than its own), and the most rules that it may go through:
 * those of a basin count anew in each basin that has rules of its own, and for each operation. */
#define WEIR_DIFFERENCE_MEMORY_MAX ((size_t)1 << 30)
#define WEIR_DIFFERENCE_STEPS_MAX ((size_t)1 << 27)

WEIR_DECLARATIONS_END

#endif
