/*
 * engine.h - a live set of tokens: any number of threads ask, while one issues and revokes. Needs
 * the library weir_live.
 *
 * Words. A *change* is an issue, a replacement, a revocation or a swap of the whole image; it is
 * *done* when its function returns. A *check* is any question about a token: a check proper, a
 * batch's every question, finding, resolving. It *begins* when its function is called. A *read
 * section* is what lies between weir_read_begin and weir_read_end in one thread.
 *
 * Who may overlap whom:
 *
 *                       | checks, any thread | changes, compaction | open, close
 *   checks              | yes                | yes                 | no
 *   changes, compaction | yes                | no: one at a time   | no
 *
 * What is promised; each has a test of its number (tests/live/test_guarantees.c):
 *
 *   E1  A check that begins when a change is done sees that change and all before it.
 *   E2  Once weir_engine_revoke has returned, no check that begins later allows by that token; it
 *       is WEIR_UNKNOWN_TOKEN until the id is issued again.
 *   E3  Each answer is that of the tokens as they were at one moment while the check ran. No check
 *       sees half a token, or a token of one issue by id and of another by credential. The answers
 *       that one thread gets about a token never go back in time.
 *   E4  Checks are wait-free, whatever the writer does: no lock, no allocation, no system call, no
 *       write to memory that another thread uses. Whatever ids there are, one looks at no more than
 *       eight index lines, the at most eighty tokens they lead to, and a binary search (and one
 * line and token more, if an image is swapped meanwhile); by credential, three times that. (A
 *       thread's first check registers it: see weir_thread_register.)
 *   E5  What a check found in a read section stays as it was until the section ends.
 *   E6  What was resolved by credential belongs to that issue number: once that is revoked,
 *       replaced by another number, or was seen expired, it is denied for ever, though the id live
 *       again. What was resolved by id follows the id. (Number 0, of tokens from files, tells
 *       nothing apart: of two tokens with one id, one digest and no number, each is the other.)
 *   E7  A change that returns an error has changed nothing. Revoking takes no memory but, the
 *       first time, the copy of a page (E9).
 *   E8  No more than `retired_max` bytes, and one change's worth, wait to be released; before it
 *       comes to more, the writer waits until the readers that may see them have left.
 *   E9  An image is borrowed and never written to. Of one that is mapped from a file, only those
 *       pages of its index of ids are copied that a change touches (where the machine's pages are
 *       larger than 4 KiB, that index is copied whole).
 *   E10 weir_engine_compact makes the image of exactly the tokens that the engine holds, without
 *       those that expired more than an hour ago: the bytes that compiling them would make.
 */
#ifndef WEIR_ENGINE_H
#define WEIR_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/allocator.h>
#include <weir/decision.h>
#include <weir/declarations.h>
#include <weir/error.h>
#include <weir/image.h>
#include <weir/instant.h>
#include <weir/name.h>

WEIR_DECLARATIONS_BEGIN

struct weir_engine;

/* All zero is what an engine has by default. */
struct weir_engine_options {
    const struct weir_allocator *allocator; /* called by the opening and the writing thread */
    size_t retired_max;                     /* bytes (E8); 0: 4 MiB */
};

/*
 * Opens an engine on an image, which must stay open until the engine is closed or has swapped it
 * for another (`image` NULL: no tokens). `options` may be NULL. Opening takes a few pages of
 * memory; an image that was not opened from a file in mode WEIR_IMAGE_SHARED has its index of ids
 * copied whole.
 *
 * WEIR_OK, WEIR_ERROR_MEMORY. Any thread.
 */
enum weir_status weir_engine_open(const struct weir_image *image,
                                  const struct weir_engine_options *options,
                                  struct weir_engine **engine, struct weir_error *error);

/*
 * Opens an engine on copies of `count` compiled tokens. Besides the codes above:
 * WEIR_ERROR_DUPLICATE (two of one id or digest), WEIR_ERROR_LIMIT (weir_compile's). Any thread.
 */
enum weir_status weir_engine_open_tokens(const struct weir_compiled_token *const *tokens,
                                         size_t count, const struct weir_engine_options *options,
                                         struct weir_engine **engine, struct weir_error *error);

/* Closes the engine; no thread may be using it, and the caller not be in a read section. The image
 * is the caller's again. NULL is fine. */
void weir_engine_close(struct weir_engine *engine);

/*
 * ---- Threads ----
 *
 * Readers are protected by userspace-rcu (flavour bp), which keeps one small record for each thread
 * that has ever read, until the thread ends. A thread's first read makes it: a lock, at times a
 * system call, and, if the system has no page of memory left, liburcu's abort. liburcu also has a
 * constructor, which asks the system for its membarrier; Weir has none, and starts no thread.
 *
 * A thread that is cancelled, or ends, in a check or a read section has left it: no writer waits
 * for it. (At any instruction, with PTHREAD_CANCEL_ASYNCHRONOUS, only one that was registered.)
 */

/* Makes the calling thread's record now instead of with its first read. Any thread. */
void weir_thread_register(void);

/*
 * A read section: what checks find in it lives until it ends (E5). Sections nest. Nothing that a
 * writer's function releases is released while one lasts, so keep it short, and call none of them
 * inside: they would wait for themselves (they return WEIR_ERROR_ARGUMENT instead). Any thread,
 * wait-free.
 */
void weir_read_begin(void);
void weir_read_end(void);

/*
 * A process that forks while other threads read or write must surround the fork with these, as
 * pthread_atfork(weir_fork_prepare, weir_fork_parent, weir_fork_child) does; else a writer in the
 * child may wait for ever for readers that the child does not have. No change may be under way in
 * another thread. The child then has an engine of its own, with the tokens of that moment, and
 * sees none of the parent's later changes (a follower's child polls for itself: follow.h).
 */
void weir_fork_prepare(void);
void weir_fork_parent(void);
void weir_fork_child(void);

/*
 * ---- Checks ----
 */

/* May the token of this id do this, at this instant? Never fails: what is not allowed is denied.
 * Any thread, wait-free. */
enum weir_reason weir_engine_check(const struct weir_engine *engine, struct weir_text token_id,
                                   const struct weir_request *request, struct weir_instant now);

/* Answers `count` questions into `reasons`, each as weir_engine_check would; the memory accesses of
 * 32 at a time overlap. Each is a check of its own, begun with the call. Any thread, wait-free. */
void weir_engine_check_batch(const struct weir_engine *engine,
                             const struct weir_question *questions, size_t count,
                             struct weir_instant now, enum weir_reason *reasons);

/*
 * The token of that id, or of the credential with that SHA-256, or NULL. Call them inside a read
 * section; the token lives until it ends, and whatever takes a compiled token (decision.h,
 * listing.h) may be asked about it:
 *
 *     weir_read_begin();
 *     decision = weir_check_token(weir_engine_find(engine, id), &request, now);
 *     … weir_compiled_token_stream_prefix(decision.token) …
 *     weir_read_end();
 *
 * Any thread, wait-free.
 */
const struct weir_compiled_token *weir_engine_find(const struct weir_engine *engine,
                                                   struct weir_text token_id);
const struct weir_compiled_token *weir_engine_find_by_digest(const struct weir_engine *engine,
                                                             const uint8_t digest[32]);

/*
 * A token, resolved once, for a connection that asks many questions. Plain data, of no use but to
 * these functions and to one engine: it holds no memory, may be copied, and needs no release. Its
 * owner keeps it for as long as it likes; what it stands for may change or end meanwhile (E6).
 */
struct weir_resolved {
    uint64_t generation; /* of the engine's edition that `slot` is in */
    const void *slot;    /* where the index has the token, or NULL */
    uint64_t issue_number;
    uint8_t by_credential;
    uint8_t expired;
    uint8_t id_length;
    char id[WEIR_TOKEN_ID_MAX];
    uint8_t digest[WEIR_DIGEST_SIZE];
};

/* Fills in `resolved`, and returns whether there is such a token. An id that has none is resolved
 * as well, and followed once it has; what no token can have, and a digest that none has, is
 * resolved to no token, for ever. Any thread, wait-free. */
bool weir_engine_resolve(const struct weir_engine *engine, struct weir_text token_id,
                         struct weir_resolved *resolved);
bool weir_engine_resolve_by_digest(const struct weir_engine *engine, const uint8_t digest[32],
                                   struct weir_resolved *resolved);

/* Answers as weir_engine_check, of a token that was resolved; WEIR_UNKNOWN_TOKEN if it is no more.
 * `resolved` is brought up to date: one thread at a time may use one (copies serve several). Any
 * thread, wait-free. */
enum weir_reason weir_engine_check_resolved(const struct weir_engine *engine,
                                            struct weir_resolved *resolved,
                                            const struct weir_request *request,
                                            struct weir_instant now);

/* As weir_check_under (decision.h): may the token do this on everything under a prefix? Any thread,
 * no lock, no allocation; about twelve KiB of stack. */
enum weir_reason weir_engine_check_under(const struct weir_engine *engine,
                                         struct weir_text token_id,
                                         const struct weir_request *request,
                                         struct weir_instant now);
enum weir_reason weir_engine_check_resolved_under(const struct weir_engine *engine,
                                                  struct weir_resolved *resolved,
                                                  const struct weir_request *request,
                                                  struct weir_instant now);

/* The token that was resolved, or NULL if it is no more: as weir_engine_find, inside a read
 * section. One that was resolved by credential and that weir_engine_check_resolved has seen expired
 * is no more: only that function looks, so ask it first, and then for the token's stream prefix. */
const struct weir_compiled_token *weir_engine_find_resolved(const struct weir_engine *engine,
                                                            struct weir_resolved *resolved);

/*
 * As weir_who (decision.h), of the tokens of the engine; call it inside a read section, in which
 * the tokens live. What changes meanwhile may be in, or not, or twice. Takes time in proportion to
 * the engine. WEIR_OK, WEIR_ERROR_MEMORY. Any thread.
 */
enum weir_status weir_engine_who(const struct weir_engine *engine,
                                 const struct weir_request *request, struct weir_instant now,
                                 const struct weir_allocator *allocator, struct weir_tokens *tokens,
                                 struct weir_error *error);

/*
 * ---- Changes: one caller at a time ----
 *
 * A token given to these is one that weir_compile_token made or that is in an image; its bytes are
 * copied. About a microsecond each; now and then the second index grows, in proportion to the
 * tokens that the image lacks, or E8 makes the call wait.
 */

/* Adds a token. WEIR_OK, WEIR_ERROR_DUPLICATE (its id has a token, or its digest another's),
 * WEIR_ERROR_MEMORY, WEIR_ERROR_LIMIT (2^31 tokens that the image lacks), WEIR_ERROR_IO (the system
 * has no random bits), WEIR_ERROR_ARGUMENT. */
enum weir_status weir_engine_issue(struct weir_engine *engine,
                                   const struct weir_compiled_token *token,
                                   struct weir_error *error);

/* Puts a token in the place of the one of its id. As weir_engine_issue, but WEIR_ERROR_NOT_FOUND if
 * there is none. */
enum weir_status weir_engine_replace(struct weir_engine *engine,
                                     const struct weir_compiled_token *token,
                                     struct weir_error *error);

/* One or the other: the token is there afterwards, whatever was before. */
enum weir_status weir_engine_put(struct weir_engine *engine,
                                 const struct weir_compiled_token *token, struct weir_error *error);

/* Takes the token of that id away. WEIR_OK, WEIR_ERROR_NOT_FOUND, WEIR_ERROR_ARGUMENT. */
enum weir_status weir_engine_revoke(struct weir_engine *engine, struct weir_text token_id,
                                    struct weir_error *error);

/*
 * Puts the tokens of `image` (NULL: none) in the place of all that the engine holds, at one moment.
 * When it returns no reader uses the old image, which the caller may close; the new one must stay
 * open as weir_engine_open says. Waits for the readers of that moment. WEIR_OK,
 * WEIR_ERROR_MEMORY, WEIR_ERROR_ARGUMENT.
 */
enum weir_status weir_engine_swap(struct weir_engine *engine, const struct weir_image *image,
                                  struct weir_error *error);

/*
 * Makes an image of the engine's tokens (E10), in memory of `allocator`, for the caller to swap in,
 * to save, to close. `sequence` is for the image to carry. The engine stays as it is; readers are
 * not disturbed. Time and memory are those of laying out so many tokens (weir_compile without the
 * compiling). WEIR_OK, WEIR_ERROR_MEMORY, WEIR_ERROR_LIMIT.
 */
enum weir_status weir_engine_compact(const struct weir_engine *engine, struct weir_instant now,
                                     uint64_t sequence, const struct weir_allocator *allocator,
                                     struct weir_image **image, struct weir_error *error);

/* Waits until no reader can see what was replaced, and releases it, without awaiting E8's bound.
 * WEIR_OK, WEIR_ERROR_ARGUMENT. */
enum weir_status weir_engine_reclaim(struct weir_engine *engine, struct weir_error *error);

/* What an engine holds beside its image: when to compact. */
struct weir_usage {
    uint64_t tokens;        /* all that can be found, expired ones included */
    uint64_t own_tokens;    /* of these, those that are not the image's */
    uint64_t own_bytes;     /* taken by their blocks and indexes */
    uint64_t retired_bytes; /* replaced, waiting to be released (E8) */
};

/* No change may be under way. */
struct weir_usage weir_engine_usage(const struct weir_engine *engine);

WEIR_DECLARATIONS_END

#endif
