/*
 * naive.h - the obvious answer to every question, read off the declarations.
 *
 * The oracle that the compiler and the read path are held against. It shares nothing with them but
 * the plain structures of the public headers: it has its own table of operations, its own rules for
 * names, its own matching. Every scope and every token is looked at for every question.
 */
#ifndef WEIR_TESTS_NAIVE_H
#define WEIR_TESTS_NAIVE_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/decision.h>
#include <weir/instant.h>
#include <weir/name.h>
#include <weir/token.h>

/* Names and prefixes that are allowed: naive_names.c. */
bool naive_basin_valid(struct weir_text name);
bool naive_basin_prefix_valid(struct weir_text prefix);
bool naive_stream_valid(struct weir_text name);
bool naive_stream_prefix_valid(struct weir_text prefix);
bool naive_token_id_valid(struct weir_text id);
bool naive_token_id_prefix_valid(struct weir_text prefix);

/* Whether the declaration may be compiled. */
bool naive_token_valid(const struct weir_token *token);

/* Texts, byte by byte. */
bool naive_begins(struct weir_text text, struct weir_text beginning);
bool naive_same(struct weir_text left, struct weir_text right);
int naive_order(struct weir_text left, struct weir_text right);
/* One behind the other in `buffer`, which has room for both. */
struct weir_text naive_join(struct weir_text left, struct weir_text right, char *buffer);
/* What stands before every stream name that the token's client uses. */
struct weir_text naive_stream_prefix(const struct weir_token *token);

/* 'b', 's' (basin and stream), 't', '-' (no target); '?' for a number that is no operation. */
char naive_target(unsigned operation);
bool naive_permits(const struct weir_scope *scope, unsigned operation);
bool naive_matches(const struct weir_set *set, struct weir_text name);

#define NAIVE_EFFECTIVE_MAX (2 * WEIR_STREAM_MAX)

struct naive_answer {
    enum weir_reason reason;
    const struct weir_token *token; /* NULL for WEIR_UNKNOWN_TOKEN */
    /* The name of the stream at the server, if a stream operation is allowed. */
    size_t stream_length;
    char stream[NAIVE_EFFECTIVE_MAX];
};

struct naive_answer naive_decide(const struct weir_token *tokens, size_t count, struct weir_text id,
                                 const struct weir_request *request, struct weir_instant now);

/* Likewise of one token. */
struct naive_answer naive_decide_token(const struct weir_token *token,
                                       const struct weir_request *request, struct weir_instant now);

/* The names that may be listed. The texts are those of the token's scopes, or `requested`. */
struct naive_listing {
    enum weir_reason reason;
    bool prefix_invalid; /* only if the operation is allowed */
    struct weir_text *exact;
    size_t exact_count;
    struct weir_text *prefixes;
    size_t prefix_count;
    /* What was asked for, as the server would: behind the prefix of a token with auto-prefix. */
    struct weir_text requested;
    char requested_bytes[NAIVE_EFFECTIVE_MAX];
};

/* Needs one of the three operations that list what a scope filters. Free with naive_listing_fini.
 */
void naive_narrow(const struct weir_token *token, enum weir_operation operation,
                  struct weir_text basin, struct weir_text prefix, struct weir_instant now,
                  struct naive_listing *listing);
void naive_listing_fini(struct naive_listing *listing);

/* Whether the name is one of these, or begins with one of those. */
bool naive_listed(const struct weir_text *exact, size_t exact_count,
                  const struct weir_text *prefixes, size_t prefix_count, struct weir_text name);

/* Whether the token may list the name: a scope that counts has it in its set, and it begins with
 * what was requested. */
bool naive_listable(const struct weir_token *token, enum weir_operation operation,
                    struct weir_text basin, struct weir_text requested, struct weir_text name);

/* Fills `able`, which has room for `count`, with the tokens that may do this, in the byte order of
 * their ids. Returns their number. */
size_t naive_who(const struct weir_token *tokens, size_t count, const struct weir_request *request,
                 struct weir_instant now, const struct weir_token **able);

#endif
