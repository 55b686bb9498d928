#include "s2/append_agreement.h"

#include <stdlib.h>
#include <string.h>

/* ---- What the reference reads ---- */

static enum reference_compression compression_of(enum s2_encoding encoding)
{
    return encoding == S2_ENCODING_GZIP   ? REFERENCE_GZIP
           : encoding == S2_ENCODING_ZSTD ? REFERENCE_ZSTD
                                          : REFERENCE_PLAIN;
}

static bool reference_unary(struct weir_text body, struct sending sending,
                            struct reference_batch *batch)
{
    struct reference_bytes plain;
    bool read = false;

    *batch = (struct reference_batch){0};
    if (body.length > S2_BODY_ENCODED_MAX) {
        return false;
    }
    if (reference_decompress(body, compression_of(sending.encoding), S2_BODY_DECODED_MAX, &plain)) {
        const struct weir_text text = {plain.bytes, plain.length};

        read = sending.content == S2_CONTENT_JSON ? reference_json(text, sending.base64, batch)
                                                  : reference_protobuf(text, batch);
    }
    free(plain.bytes);
    return read;
}

/* Reads the frame that begins there; `*length` is its own, 0 if it isn't whole. False: refused. */
static bool reference_frame(struct weir_text bytes, size_t *length, struct reference_batch *batch)
{
    const unsigned char *at = (const unsigned char *)bytes.bytes;
    struct reference_bytes plain;
    size_t counted = 0;
    bool read = false;

    *batch = (struct reference_batch){0};
    *length = 0;
    if (bytes.length < 3) {
        return true;
    }
    counted = (size_t)at[0] * 65536 + (size_t)at[1] * 256 + at[2];
    if (counted == 0 || counted > 2 * 1024 * 1024) {
        return false;
    }
    if (bytes.length > 3 && at[3] != 0 && at[3] != 0x20 && at[3] != 0x40) {
        return false;
    }
    if (bytes.length < 3 + counted) {
        return true;
    }
    *length = 3 + counted;
    if (reference_decompress((struct weir_text){bytes.bytes + 4, counted - 1},
                             (enum reference_compression)(at[3] / 32), 2 * 1024 * 1024 - 1,
                             &plain)) {
        read = reference_protobuf((struct weir_text){plain.bytes, plain.length}, batch);
    }
    free(plain.bytes);
    return read;
}

/* ---- What the library reads ---- */

/* Whether the protobuf is these records, and needs that. */
static const char *compare(const struct reference_batch *expected, struct weir_text protobuf,
                           weir_operations operations)
{
    struct reference_batch written;
    const char *disagreement = NULL;

    if (!reference_protobuf(protobuf, &written)) {
        disagreement = "what is sent on is not protobuf";
    } else if (!reference_same(expected, &written)) {
        disagreement = "the records that are sent on";
    } else if (reference_operations(expected) != operations) {
        disagreement = "the operations that are needed";
    }
    reference_free(&written);
    return disagreement;
}

static bool is_refusal(const struct s2_refusal *refusal)
{
    return (refusal->status == 400 || refusal->status == 413 || refusal->status == 503) &&
           refusal->code != NULL && refusal->message != NULL;
}

static const char *compare_unary(const struct reference_batch *expected, bool expected_read,
                                 struct weir_text body, struct sending sending,
                                 struct s2_budget *budget, bool *read)
{
    struct s2_batch batch;
    struct s2_refusal refusal = {0};
    const char *disagreement = NULL;

    *read = s2_append_read(body, sending.content, sending.encoding, sending.base64, budget, &batch,
                           &refusal);
    if (!*read) {
        if (budget->held != 0 || !is_refusal(&refusal)) {
            return "what a refusal says and leaves";
        }
        return !expected_read || refusal.status == 503 ? NULL : "it is refused";
    }
    if (budget->held != batch.taken || batch.taken < batch.bytes.length ||
        budget->held > budget->most) {
        disagreement = "the budget";
    } else if (!expected_read) {
        disagreement = "it is not refused";
    } else {
        disagreement = compare(expected, batch.bytes, batch.operations);
    }
    s2_batch_free(&batch, budget);
    return disagreement != NULL || budget->held == 0 ? disagreement : "the budget at the end";
}

const char *unary_disagreement(struct weir_text body, struct sending sending, size_t most,
                               bool *read)
{
    struct s2_budget budget = {.most = most};
    struct reference_batch expected;
    const bool expected_read = reference_unary(body, sending, &expected);
    const char *disagreement =
        compare_unary(&expected, expected_read, body, sending, &budget, read);

    reference_free(&expected);
    return disagreement;
}

/* ---- Sessions ---- */

struct feed {
    struct weir_text bytes; /* what has not come */
    size_t (*piece)(void *context);
    void *context;
    struct s2_budget budget;
    struct s2_session *session;
};

/* Lets pieces come until there is a frame, something is refused, or all has come. */
static enum s2_progress next_frame(struct feed *feed, weir_operations *operations,
                                   struct weir_text *frame, struct s2_refusal *refusal)
{
    enum s2_progress progress = S2_SESSION_MORE;

    while (progress == S2_SESSION_MORE && feed->bytes.length > 0) {
        const size_t wanted = feed->piece(feed->context);
        const size_t count = wanted < feed->bytes.length ? wanted : feed->bytes.length;
        /* Of its own, so that a sanitizer sees each byte too many. */
        struct reference_bytes piece = reference_copy((struct weir_text){feed->bytes.bytes, count});
        size_t taken = 0;

        progress = s2_session_read(feed->session, (struct weir_text){piece.bytes, piece.length},
                                   &taken, operations, frame, refusal);
        free(piece.bytes);
        if (taken > count || (progress == S2_SESSION_MORE && taken < count) ||
            feed->budget.held > feed->budget.most) {
            abort();
        }
        feed->bytes.bytes += taken;
        feed->bytes.length -= taken;
    }
    return progress;
}

static const char *compare_frame(const struct reference_batch *expected, struct weir_text frame,
                                 weir_operations operations)
{
    const unsigned char *at = (const unsigned char *)frame.bytes;

    if (frame.length < 4 ||
        (size_t)at[0] * 65536 + (size_t)at[1] * 256 + at[2] != frame.length - 3 || at[3] != 0 ||
        frame.length - 3 > S2_FRAME_MAX) {
        return "the frame that is sent on";
    }
    return compare(expected, (struct weir_text){frame.bytes + 4, frame.length - 4}, operations);
}

/* Refused, and for ever. */
static const char *check_refused(struct feed *feed, const struct s2_refusal *refusal)
{
    struct weir_text frame;
    weir_operations operations = 0;
    size_t taken = 1;
    struct s2_refusal again = {0};

    if (!is_refusal(refusal) || feed->budget.held != 0 ||
        s2_session_read(feed->session, WEIR_TEXT("\0\0\1\0"), &taken, &operations, &frame,
                        &again) != S2_SESSION_REFUSED ||
        taken != 0 || again.status != refusal->status || s2_session_between_frames(feed->session)) {
        return "what a refusal says and leaves";
    }
    return NULL;
}

/* Compares one frame, or what there is instead of it; false: nothing comes behind it. */
static bool step(struct feed *feed, struct weir_text *left, size_t *frames,
                 const char **disagreement)
{
    struct reference_batch expected;
    struct weir_text frame = {NULL, 0};
    struct s2_refusal refusal = {0};
    weir_operations operations = 0;
    size_t length = 0;
    const bool expected_read = reference_frame(*left, &length, &expected);
    const enum s2_progress progress = next_frame(feed, &operations, &frame, &refusal);

    if (progress == S2_SESSION_REFUSED) {
        *disagreement = expected_read && refusal.status != 503 ? "a frame is refused"
                                                               : check_refused(feed, &refusal);
    } else if (!expected_read) {
        *disagreement = "a frame is not refused";
    } else if ((progress == S2_SESSION_FRAME) != (length > 0)) {
        *disagreement = "where a frame ends";
    } else if (length > 0) {
        *disagreement = compare_frame(&expected, frame, operations);
        left->bytes += length;
        left->length -= length;
        ++*frames;
    } else if (s2_session_between_frames(feed->session) != (left->length == 0)) {
        *disagreement = "whether it ends with a frame";
    }
    reference_free(&expected);
    return *disagreement == NULL && progress == S2_SESSION_FRAME;
}

const char *session_disagreement(struct weir_text bytes, size_t piece(void *context), void *context,
                                 size_t most, size_t *frames)
{
    struct feed feed = {
        .bytes = bytes, .piece = piece, .context = context, .budget = {.most = most}};
    struct weir_text left = bytes;
    const char *disagreement = NULL;

    *frames = 0;
    feed.session = s2_session_open(&feed.budget);
    if (feed.session == NULL) {
        abort();
    }
    while (step(&feed, &left, frames, &disagreement)) {
    }
    s2_session_close(feed.session);
    return disagreement != NULL || feed.budget.held == 0 ? disagreement : "the budget at the end";
}
