#include "authority/internal.h"

#include <string.h>

#include <weir/listing.h>
#include <weir/wire.h>

#include "authority/containment.h"
#include "vocabulary/failure.h"
#include "vocabulary/memory.h"
#include "vocabulary/text.h"

/* What the store had of a token, to be shown without the lock. */
struct copy {
    struct copy *next;
    struct weir_stored_token stored;
    char bytes[]; /* declaration and id */
};

/* A page that is being gathered. */
struct page {
    struct weir_authority *authority;
    const struct weir_token *requestor; /* NULL: the operator */
    weir_list_visitor *visit;
    void *context;
    struct weir_instant now;
    uint64_t room; /* for so many more */
    size_t size;   /* of the declarations so far */
    struct copy *first;
    struct copy **last;
    bool has_more;
    struct weir_text only; /* if `exact`: no other id */
    bool exact;
    enum weir_status status;
    struct weir_error *error;
};

/*
 * ---- Gathering: in a transaction, the lock is held ----
 */

static size_t copy_size(const struct weir_stored_token *stored)
{
    return sizeof(struct copy) + stored->declaration.length + stored->id.length;
}

static enum weir_status keep(struct page *page, const struct weir_stored_token *stored)
{
    struct copy *copy = weir_allocate(&page->authority->allocator, copy_size(stored));
    const size_t length = stored->declaration.length;

    if (copy == NULL) {
        return weir_fail_memory(page->error);
    }
    *copy = (struct copy){.stored = *stored};
    memcpy(copy->bytes, stored->declaration.bytes, length);
    memcpy(copy->bytes + length, stored->id.bytes, stored->id.length);
    copy->stored.declaration.bytes = copy->bytes;
    copy->stored.id.bytes = copy->bytes + length;
    copy->stored.issued_by = (struct weir_text){"", 0};
    *page->last = copy;
    page->last = &copy->next;
    page->size += length;
    return WEIR_OK;
}

static bool visit_stored(void *context, const struct weir_stored_token *stored)
{
    struct page *page = context;

    if (page->exact && !weir_text_equal(stored->id, page->only)) {
        return false;
    }
    if (page->room == 0 ||
        (page->first != NULL && page->size + stored->declaration.length > WEIR_LIST_JSON_MAX)) {
        page->has_more = true;
        return false;
    }
    page->room--;
    page->status = keep(page, stored);
    return page->status == WEIR_OK && !page->exact;
}

/* Gathers the ids that one member of a listing admits: an exact id, or all that begin so. */
static enum weir_status gather_member(struct page *page, struct weir_text member, bool is_prefix,
                                      struct weir_text start_after)
{
    enum weir_status status = WEIR_OK;
    bool is_after = weir_text_compare(start_after, member) < 0;

    if (!is_prefix && !is_after) {
        return WEIR_OK;
    }
    page->exact = !is_prefix;
    page->only = member;
    status = weir_store_each(page->authority->store, member, is_after ? member : start_after,
                             is_after, page->now, visit_stored, page, page->error);
    return status == WEIR_OK ? page->status : status;
}

/* Gathers what is listed, in byte order: no member is covered by another. */
static enum weir_status gather(struct page *page, const struct weir_listing *listing,
                               struct weir_text start_after)
{
    size_t exact = 0;
    size_t prefix = 0;
    enum weir_status status = WEIR_OK;

    while (status == WEIR_OK && !page->has_more &&
           (exact < listing->exact_count || prefix < listing->prefix_count)) {
        bool is_prefix = exact == listing->exact_count ||
                         (prefix < listing->prefix_count &&
                          weir_text_compare(listing->prefixes[prefix], listing->exact[exact]) < 0);

        status =
            gather_member(page, is_prefix ? listing->prefixes[prefix++] : listing->exact[exact++],
                          is_prefix, start_after);
    }
    return status;
}

static enum weir_status check_texts(const struct weir_list_query *query, struct weir_error *error)
{
    if (!weir_token_id_prefix_valid(query->prefix)) {
        return weir_fail(error, WEIR_ERROR_NAME, "prefix: not a valid token id prefix");
    }
    return weir_token_id_prefix_valid(query->start_after)
               ? WEIR_OK
               : weir_fail(error, WEIR_ERROR_NAME, "start_after: not a valid token id prefix");
}

/* What the requestor may list of what it asks for. NULL, to be freed: all that begins so. */
static enum weir_status narrow(const struct weir_authority *authority,
                               const struct weir_found_requestor *found, struct weir_text prefix,
                               struct weir_instant now, struct weir_listing **listing,
                               struct weir_error *error)
{
    enum weir_reason reason = WEIR_STALE;

    *listing = NULL;
    return found->is_operator
               ? WEIR_OK
               : weir_narrow(found->compiled.token, WEIR_LIST_ACCESS_TOKENS, (struct weir_text){0},
                             prefix, now, &authority->allocator, &reason, listing, error);
}

static enum weir_status list(struct page *page, const struct weir_found_requestor *found,
                             const struct weir_list_query *query, struct weir_audit *audit)
{
    const struct weir_listing all = {.prefixes = &query->prefix, .prefix_count = 1};
    struct weir_listing *listing = NULL;
    enum weir_status status = weir_requestor_check(
        found, WEIR_LIST_ACCESS_TOKENS, (struct weir_text){0}, page->now, audit, page->error);

    if (status == WEIR_OK) {
        status = check_texts(query, page->error);
    }
    if (status == WEIR_OK) {
        status = narrow(page->authority, found, query->prefix, page->now, &listing, page->error);
    }
    if (status == WEIR_OK) {
        status = gather(page, listing != NULL ? listing : &all, query->start_after);
    }
    weir_listing_free(listing);
    return status;
}

static enum weir_status gather_found(struct page *page, const struct weir_found_requestor *found,
                                     const struct weir_list_query *query, struct weir_audit *audit)
{
    struct weir_authority *authority = page->authority;
    enum weir_status status = WEIR_OK;

    (void)pthread_mutex_lock(&authority->lock);
    status = weir_store_begin(authority->store, false, page->error);
    if (status == WEIR_OK) {
        status = weir_requestor_find_again(authority, found, page->now, page->error);
        if (status == WEIR_OK) {
            status = list(page, found, query, audit);
        }
        weir_store_rollback(authority->store);
    }
    (void)pthread_mutex_unlock(&authority->lock);
    return status;
}

/*
 * ---- Showing ----
 */

static enum weir_status show(struct page *page, const struct weir_stored_token *stored, bool *full)
{
    const struct weir_allocator *allocator = &page->authority->allocator;
    struct weir_token *token = NULL;
    struct weir_token shown;
    struct weir_scope *scopes = NULL;
    size_t size = 0;
    enum weir_status status =
        weir_stored_token_read(page->authority, stored, &token, NULL, page->error);

    if (status != WEIR_OK) {
        return status;
    }
    size = token->scope_count * sizeof *scopes;
    scopes = weir_allocate(allocator, size);
    if (scopes == NULL) {
        status = weir_fail_memory(page->error);
    } else {
        weir_token_shown_to(page->requestor, token, scopes, &shown);
        shown.has_credential_digest = false;
        *full = !page->visit(page->context, &shown);
        weir_release(allocator, scopes, size);
    }
    weir_token_free(token, allocator);
    return status;
}

/* Shows what was kept, as long as there is room, and releases it. */
static enum weir_status show_all(struct page *page, enum weir_status status)
{
    bool full = false;

    while (page->first != NULL) {
        struct copy *copy = page->first;

        if (status == WEIR_OK && !full) {
            status = show(page, &copy->stored, &full);
        }
        page->first = copy->next;
        weir_release(&page->authority->allocator, copy, copy_size(&copy->stored));
    }
    page->has_more = page->has_more || full;
    return status;
}

enum weir_status weir_authority_list(struct weir_authority *authority,
                                     const struct weir_requestor *requestor,
                                     const struct weir_list_query *query, weir_list_visitor *visit,
                                     void *context, bool *has_more, struct weir_audit *audit,
                                     struct weir_error *error)
{
    struct weir_audit own = {.reason = WEIR_ALLOWED};
    struct weir_found_requestor found = {0};
    struct page page = {
        .authority = authority,
        .visit = visit,
        .context = context,
        .now = weir_authority_now(authority),
        .room = query->limit == 0 || query->limit > WEIR_LIST_LIMIT_MAX ? WEIR_LIST_LIMIT_MAX
                                                                        : query->limit,
        .status = WEIR_OK,
        .error = error,
    };
    enum weir_status status =
        weir_requestor_find(authority, requestor, page.now, &found, &own, error);

    page.requestor = found.declared;
    page.last = &page.first;
    if (status == WEIR_OK) {
        status = gather_found(&page, &found, query, &own);
    }
    status = show_all(&page, status);
    weir_requestor_release(authority, &found);
    if (status == WEIR_OK) {
        *has_more = page.has_more;
    }
    if (audit != NULL) {
        *audit = own;
    }
    return status;
}
