/*
 * answer.h - what the server answers, as the client may see it: names without the token's stream
 * prefix, pages that hold only what may be listed, sessions that are ended between two messages.
 */
#ifndef WEIR_S2_ANSWER_H
#define WEIR_S2_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/listing.h>
#include <weir/name.h>

#include "s2/refusal.h"
#include "s2/request.h"

/* Writes `{"code":…,"message":…}` into a buffer. Returns the length; 0: it does not fit, as it does
 * into S2_REFUSAL_SIZE bytes. `detail` (a reason's name) may be NULL. */
size_t s2_refusal_write(const struct s2_refusal *refusal, const char *detail, char *buffer,
                        size_t size);

/* A terminal frame that says so: length, flag 0x80, status, the JSON. And a server-sent event. */
size_t s2_terminal_write(const struct s2_refusal *refusal, const char *detail, char *buffer,
                         size_t size);
size_t s2_event_write(const struct s2_refusal *refusal, const char *detail, char *buffer,
                      size_t size);
#define S2_REFUSAL_SIZE 512

/*
 * ---- Whole answers ----
 */

/*
 * Rewrites a JSON answer to a request about one stream: takes `prefix` off the `name` at the top
 * (POST and PUT), and, in an error's message, off the stream's effective name. A message with the
 * prefix elsewhere is not shown at all. Of nothing it makes nothing. NULL: no memory (503), or it
 * is no JSON object (502 bad_gateway). To be released with free().
 */
char *s2_answer_strip(struct weir_text body, struct weir_text prefix, struct weir_text stream,
                      size_t *length, struct s2_refusal *refusal);

/*
 * ---- Pages: list-basins and list-streams ----
 *
 * A page of what a token may see is filled from several of the server's. s2_page_next says what to
 * ask, s2_page_take what came, until the page is full, or the server has no more, or
 * S2_QUESTIONS_MAX questions were asked.
 */

#define S2_QUESTIONS_MAX 32

struct s2_page;

/*
 * `listing`: what may be seen, narrowed by the request's `prefix`; it is the page's then, also
 * where there is none. `stream_prefix`: taken off what is shown; empty: none. Reads `start_after`
 * and `limit` of the request; other parameters are passed on. What request and prefix refer to has
 * to outlive the page. NULL: refused (400 bad_query), or no memory (503).
 */
struct s2_page *s2_page_open(const struct s2_request *request, struct weir_listing *listing,
                             struct weir_text stream_prefix, struct s2_refusal *refusal);
void s2_page_close(struct s2_page *page);

/* The next question's URI, which lives until the next call; empty: there is no more to ask. */
struct weir_text s2_page_next(struct s2_page *page);

/* Takes the body of a 200. False: it is not understood (502), or no memory. */
bool s2_page_take(struct s2_page *page, struct weir_text body, struct s2_refusal *refusal);

/* The page, as JSON; NULL (503): no memory, or nothing was found and there may be more. Released
 * with free(). */
char *s2_page_write(struct s2_page *page, size_t *length, struct s2_refusal *refusal);

/*
 * ---- Answers that last ----
 */

enum s2_stream_kind { S2_STREAM_FRAMES, S2_STREAM_EVENTS };

/* Passes an answer on piece by piece, and knows where a message ends. */
struct s2_stream;

/* `prefix` and `stream` as s2_answer_strip; with an empty prefix nothing is altered and nothing
 * held. They must outlive the stream. NULL: no memory. */
struct s2_stream *s2_stream_open(enum s2_stream_kind kind, struct weir_text prefix,
                                 struct weir_text stream);
void s2_stream_close(struct s2_stream *s2_stream);

/*
 * Takes some of `bytes`, at least one (`count`: how many), and puts into `*out` what is to be
 * passed on for them, which may be nothing; it is a part of `bytes`, or lives until the next call.
 * `one`: goes no further than to the end of the message that it is in. Only messages that may hold
 * a name (terminal frames, `error` events) are held until they are whole, and no more than
 * S2_MESSAGE_MAX bytes of them: longer ones are passed on with an empty message. False: no memory.
 */
bool s2_stream_take(struct s2_stream *s2_stream, struct weir_text bytes, bool one, size_t *count,
                    struct weir_text *out);
#define S2_MESSAGE_MAX ((size_t)64 << 10)

/* Whether a message could be put between what was passed on and what comes. */
bool s2_stream_between_messages(const struct s2_stream *s2_stream);

/* Whether the server has ended it by itself: a terminal frame, an `error` or `[DONE]` event. */
bool s2_stream_has_ended(const struct s2_stream *s2_stream);

#endif
