/*
 * containment.h - what an issuer may give: SPEC §7 about tokens, without any store.
 */
#ifndef WEIR_AUTHORITY_CONTAINMENT_H
#define WEIR_AUTHORITY_CONTAINMENT_H

#include <stdbool.h>

#include <weir/allocator.h>
#include <weir/error.h>
#include <weir/instant.h>
#include <weir/token.h>

/*
 * What the issuer's child is to be in absolute terms. `child` is declared in the issuer's terms: if
 * the issuer has auto-prefix, streams are relative to its PREFIX, which is put before them (an
 * empty exact name and no set stay as they are). Whether the issuer may give that is not looked at
 * here. `issuer` NULL: the operator, whose terms are absolute.
 * `*absolute` is freed with weir_token_free. WEIR_OK; WEIR_ERROR_NAME: a name or prefix of more
 * than 512 bytes (the place tells which); WEIR_ERROR_MEMORY.
 */
enum weir_status weir_child_absolute(const struct weir_token *issuer,
                                     const struct weir_token *child,
                                     const struct weir_allocator *allocator,
                                     struct weir_token **absolute, struct weir_error *error);

/*
 * When the child expires: as it declares, else as its issuer does. WEIR_ERROR_EXPIRY: not after
 * `now`, or after the issuer's. `issuer` NULL: the operator.
 */
enum weir_status weir_child_expiry(const struct weir_token *issuer, const struct weir_token *child,
                                   struct weir_instant now, bool *expires,
                                   struct weir_instant *expires_at, struct weir_error *error);

/*
 * Containment: each scope of the child lies within one scope of the issuer; and from an issuer with
 * auto-prefix no child without it reaches what no client of the issuer may name. `child` is as it
 * was declared, `absolute` what weir_child_absolute made of it. WEIR_OK; WEIR_ERROR_DENIED, with
 * the place of the first scope that is not within, and of its set; WEIR_ERROR_LIMIT: it would take
 * more comparisons of two scopes than WEIR_CONTAINMENT_PAIRS_MAX. Scopes in the issuer's order take
 * about one each.
 */
#define WEIR_CONTAINMENT_PAIRS_MAX 10000000
enum weir_status weir_child_contained(const struct weir_token *issuer,
                                      const struct weir_token *child,
                                      const struct weir_token *absolute, struct weir_error *error);

/*
 * A token as a requestor sees it in a list: of a requestor with auto-prefix its streams relative to
 * PREFIX, or none (and no auto-prefix) where they lie outside. `scopes` has room for
 * `token->scope_count`; `shown` refers to them, and to `token`'s texts. `requestor` NULL: the
 * operator.
 */
void weir_token_shown_to(const struct weir_token *requestor, const struct weir_token *token,
                         struct weir_scope *scopes, struct weir_token *shown);

#endif
