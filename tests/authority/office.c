#include "office.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/wire.h>

#include "authority/place.h"

struct weir_error last_error;
struct weir_audit last_audit;

static struct weir_instant read_clock(void *context)
{
    struct office *office = context;

    void (*on_clock)(struct office *) = __atomic_load_n(&office->on_clock, __ATOMIC_ACQUIRE);

    (void)__atomic_fetch_add(&office->clock_reads, 1, __ATOMIC_RELAXED);
    if (on_clock != NULL) {
        on_clock(office);
    }
    return office->now;
}

static bool has_memory(struct office *office)
{
    bool (*on_memory)(struct office *) = __atomic_load_n(&office->on_memory, __ATOMIC_ACQUIRE);

    return on_memory == NULL || on_memory(office);
}

static void *allocate(void *context, size_t size)
{
    return has_memory(context) ? malloc(size) : NULL;
}

static void *reallocate(void *context, void *memory, size_t old_size, size_t new_size)
{
    (void)old_size;
    return has_memory(context) ? realloc(memory, new_size) : NULL;
}

static void release(void *context, void *memory, size_t size)
{
    (void)context;
    (void)size;
    free(memory);
}

void office_on_clock(struct office *office, void (*on_clock)(struct office *office))
{
    __atomic_store_n(&office->on_clock, on_clock, __ATOMIC_RELEASE);
}

void office_on_memory(struct office *office, bool (*on_memory)(struct office *office))
{
    __atomic_store_n(&office->on_memory, on_memory, __ATOMIC_RELEASE);
}

void office_make(struct office *office, bool publishes)
{
    *office = (struct office){.now = {1795000000, 0}};
    ck_assert(place_make(office->folder, office->store, office->directory));
    office->allocator = (struct weir_allocator){allocate, reallocate, release, office};
    office->options = (struct weir_authority_options){
        .allocator = &office->allocator,
        .directory = publishes ? office->directory : NULL,
        .publisher = {.lease = UINT64_C(3600000000000)},
        .clock = read_clock,
        .clock_context = office,
    };
    ck_assert_int_eq(weir_authority_init(office->store, (struct weir_text){"root", 4},
                                         &office->options, &office->root, &last_error),
                     WEIR_OK);
    office_open(office);
}

void office_open(struct office *office)
{
    enum weir_status status =
        weir_authority_open(office->store, &office->options, &office->authority, &last_error);

    ck_assert_msg(status == WEIR_OK, "%s", last_error.message);
}

void office_close(struct office *office)
{
    weir_authority_close(office->authority);
    office->authority = NULL;
}

void office_remove(struct office *office)
{
    office_close(office);
    ck_assert(place_remove(office->folder));
}

struct weir_requestor requestor(const struct weir_credential *credential)
{
    struct weir_requestor found = {.is_operator = credential == NULL};

    if (credential != NULL) {
        found.credential = (struct weir_text){credential->text, strlen(credential->text)};
    }
    return found;
}

struct weir_text json(const char *format, ...)
{
    static char texts[16][4096];
    static unsigned next;
    char *text = texts[next++ % 16];
    va_list arguments;
    int length = 0;

    va_start(arguments, format);
    length = vsnprintf(text, sizeof texts[0], format, arguments);
    va_end(arguments);
    ck_assert(length > 0 && (size_t)length < sizeof texts[0]);
    for (char *quote = strchr(text, '\''); quote != NULL; quote = strchr(quote, '\'')) {
        *quote = '"';
    }
    return (struct weir_text){text, (size_t)length};
}

enum weir_status issue(struct office *office, const struct weir_credential *by,
                       struct weir_text declaration, struct weir_issued *issued)
{
    const struct weir_requestor who = requestor(by);
    struct weir_issued made;
    enum weir_status status = WEIR_OK;

    last_error = (struct weir_error){0};
    status =
        weir_authority_issue(office->authority, &who, declaration, &made, &last_audit, &last_error);
    ck_assert_int_eq(last_error.status, status);
    if (status == WEIR_OK && issued != NULL) {
        *issued = made;
    }
    return status;
}

struct weir_credential issued(struct office *office, const struct weir_credential *by,
                              struct weir_text declaration)
{
    struct weir_issued made;
    enum weir_status status = issue(office, by, declaration, &made);

    ck_assert_msg(status == WEIR_OK, "%s %s: %.*s", last_error.place, last_error.message,
                  (int)declaration.length, declaration.bytes);
    return made.credential;
}

enum weir_status revoke_token(struct office *office, const struct weir_credential *by,
                              const char *id)
{
    const struct weir_requestor who = requestor(by);

    last_error = (struct weir_error){0};
    return weir_authority_revoke(office->authority, &who, (struct weir_text){id, strlen(id)},
                                 &last_audit, &last_error);
}

static char gathered[1 << 17];

static bool gather_id(void *context, const struct weir_token *token)
{
    size_t length = strlen(gathered);

    (void)context;
    (void)snprintf(gathered + length, sizeof gathered - length, " %.*s", (int)token->id.length,
                   token->id.bytes);
    return true;
}

static bool gather_json(void *context, const struct weir_token *token)
{
    size_t length = strlen(gathered);

    (void)context;
    length += weir_token_write(token, gathered + length, sizeof gathered - length - 2);
    (void)snprintf(gathered + length, sizeof gathered - length, "\n");
    return true;
}

static bool list(struct office *office, const struct weir_credential *by,
                 const struct weir_list_query *query, weir_list_visitor *visit)
{
    const struct weir_requestor who = requestor(by);
    bool has_more = false;
    enum weir_status status = WEIR_OK;

    gathered[0] = '\0';
    last_error = (struct weir_error){0};
    status = weir_authority_list(office->authority, &who, query, visit, NULL, &has_more,
                                 &last_audit, &last_error);
    if (status != WEIR_OK) {
        (void)snprintf(gathered, sizeof gathered, "%s", weir_status_name(status));
    }
    return has_more;
}

const char *page(struct office *office, const struct weir_credential *by, const char *prefix,
                 const char *start_after, uint64_t limit)
{
    const struct weir_list_query query = {
        .prefix = {prefix, strlen(prefix)},
        .start_after = {start_after, strlen(start_after)},
        .limit = limit,
    };

    if (list(office, by, &query, gather_id)) {
        strcat(gathered, " +");
    }
    return gathered;
}

const char *page_json(struct office *office, const struct weir_credential *by, const char *prefix)
{
    const struct weir_list_query query = {.prefix = {prefix, strlen(prefix)}};

    (void)list(office, by, &query, gather_json);
    return gathered;
}
