/* office.h - an authority for a test: its store, its clock, the directory where it publishes. */
#ifndef WEIR_TESTS_AUTHORITY_OFFICE_H
#define WEIR_TESTS_AUTHORITY_OFFICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/authority.h>
#include <weir/follow.h>

struct office {
    char folder[256];
    char store[320];
    char directory[320];
    struct weir_authority *authority;
    struct weir_authority_options options;
    struct weir_credential root; /* of the first token, "root" */
    struct weir_instant now;     /* what its clock says */
    /* Called, if set (office_on_clock), whenever the clock is read. */
    void (*on_clock)(struct office *office);
    struct weir_allocator allocator;
    /* Called, if set (office_on_memory), whenever memory is asked for; false: there is none. */
    bool (*on_memory)(struct office *office);
    unsigned clock_reads;
};

/* A store with the token "root", opened; `publishes`: to be followed. */
void office_make(struct office *office, bool publishes);
void office_remove(struct office *office);
void office_close(struct office *office);
void office_open(struct office *office);

/* What is called from now on, by whatever thread. */
void office_on_clock(struct office *office, void (*on_clock)(struct office *office));
void office_on_memory(struct office *office, bool (*on_memory)(struct office *office));

/* Who asks: the operator, for NULL. */
struct weir_requestor requestor(const struct weir_credential *credential);

/* JSON with ' for each ". Lives until the test ends; at most 4 KiB. */
struct weir_text json(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Issues; what is issued is put into `issued`, unless NULL. The error is as it should be. */
enum weir_status issue(struct office *office, const struct weir_credential *by,
                       struct weir_text declaration, struct weir_issued *issued);
/* Likewise for a token that can be issued: its credential. */
struct weir_credential issued(struct office *office, const struct weir_credential *by,
                              struct weir_text declaration);
enum weir_status revoke_token(struct office *office, const struct weir_credential *by,
                              const char *id);

/* The ids of a page, with a space before each; `+` at the end if there are more. */
const char *page(struct office *office, const struct weir_credential *by, const char *prefix,
                 const char *start_after, uint64_t limit);
/* The tokens of a page as JSON, one a line. */
const char *page_json(struct office *office, const struct weir_credential *by, const char *prefix);

/* What went wrong last. */
extern struct weir_error last_error;
extern struct weir_audit last_audit;

#define ck_issue(office, by, declaration, status)                                                  \
    ck_assert_int_eq(issue(office, by, declaration, NULL), status)

#endif
