/*
 * append.h - the bodies of appends: which operations their records need, and the same records
 * encoded afresh.
 *
 * A command record has exactly one header, its name empty, its value `fence` or `trim`; it needs
 * WEIR_FENCE or WEIR_TRIM. Every other record needs WEIR_APPEND, and so does a batch without
 * records.
 *
 * What is sent on is protobuf (application/protobuf), also where JSON came: there is one encoder,
 * and no second reader of JSON behind it.
 */
#ifndef WEIR_S2_APPEND_H
#define WEIR_S2_APPEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/name.h>
#include <weir/operation.h>

#include "s2/budget.h"
#include "s2/refusal.h"
#include "s2/request.h"

/* The most bytes of a unary body, as it is sent and once it is decoded; of a session's frame
 * (flag and content), and, with a flag, of its content once it is decoded. */
#define S2_BODY_ENCODED_MAX ((size_t)4 << 20)
#define S2_BODY_DECODED_MAX ((size_t)8 << 20)
#define S2_FRAME_MAX ((size_t)2 << 20)

/* A batch that was read. */
struct s2_batch {
    weir_operations operations; /* every one of them is needed */
    struct weir_text bytes;     /* the records, as protobuf, without a content encoding */
    void *memory;               /* of s2_batch_free */
    size_t taken;               /* of the budget */
};

/*
 * Reads a whole unary body: S2_CONTENT_JSON, whose names, values and bodies are base64 if `base64`,
 * or S2_CONTENT_PROTOBUF. False: refused, nothing held: 400 bad_json (malformed JSON or base64, a
 * key twice or unknown), bad_proto, either for a body that is not encoded as it says; 413
 * too_large, 415 unsupported_media_type, 503 unavailable (the budget, or no memory).
 */
bool s2_append_read(struct weir_text body, enum s2_content content, enum s2_encoding encoding,
                    bool base64, struct s2_budget *budget, struct s2_batch *batch,
                    struct s2_refusal *refusal);

/* Releases what a batch holds; of one that is all zero, nothing. */
void s2_batch_free(struct s2_batch *batch, struct s2_budget *budget);

/*
 * ---- Sessions: `content-type: s2s/proto`, frame by frame ----
 *
 * A frame is three bytes with the length of the rest, big-endian; a flag byte, bits 6 and 5 of
 * which say how the content is compressed (0: not, 1: zstd, 2: gzip); the content. No other bit may
 * be set: bit 7 is a terminal frame's, which no client may send. A session with a Content-Encoding
 * cannot be read at all.
 */

struct s2_session;

/* NULL: no memory. Takes nothing of the budget until bytes come, and at most two frames of it, and
 * a little. The budget outlives it. */
struct s2_session *s2_session_open(struct s2_budget *budget);

/* `session` may be NULL. */
void s2_session_close(struct s2_session *session);

enum s2_progress { S2_SESSION_MORE, S2_SESSION_FRAME, S2_SESSION_REFUSED };

/*
 * Takes bytes, `*taken` of them, up to the end of a frame. S2_SESSION_FRAME: `*frame` is one,
 * encoded afresh with its length and flag, uncompressed; it lives until the next call.
 * S2_SESSION_REFUSED: what comes cannot be read, and is refused for ever: 400 bad_frame, bad_proto,
 * 413 too_large, 503 unavailable.
 */
enum s2_progress s2_session_read(struct s2_session *session, struct weir_text bytes, size_t *taken,
                                 weir_operations *operations, struct weir_text *frame,
                                 struct s2_refusal *refusal);

/* Gives back the memory of the last frame, which has been sent on. */
void s2_session_rest(struct s2_session *session);

/* Whether all that was taken came to whole frames: how a body may end. */
bool s2_session_between_frames(const struct s2_session *session);

#endif
