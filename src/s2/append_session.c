#include "s2/append.h"

#include <stdlib.h>

#include "s2/append_read.h"
#include "s2/decompress.h"

/* Three bytes of length and the flag, which the length counts. */
#define HEAD_SIZE ((size_t)4)
#define LENGTH_SIZE ((size_t)3)
#define FLAG_SIZE ((size_t)1)

/* Bits of the flag. */
#define FLAG_TERMINAL 0x80u
#define FLAG_COMPRESSION 0x60u
#define FLAG_COMPRESSION_SHIFT 5

/* What of a frame's memory is kept for the next one. */
#define KEPT_MAX ((size_t)64 << 10)

/* The least that is taken for a content that comes in pieces. */
#define PIECE_MIN ((size_t)4 << 10)

/* Beyond what came, for what is looked for before a number is written. */
#define SLACK 32

struct s2_session {
    struct s2_budget *budget;
    struct s2_refusal refusal; /* once refused */
    unsigned char head[HEAD_SIZE];
    size_t head_length;
    struct s2_output content; /* of the frame that is coming, if it comes in pieces */
    struct s2_output output;  /* the frame that was the last, encoded afresh */
};

struct s2_session *s2_session_open(struct s2_budget *budget)
{
    struct s2_session *session = calloc(1, sizeof *session);

    if (session != NULL) {
        session->budget = budget;
        session->content.budget = budget;
        session->output.budget = budget;
    }
    return session;
}

void s2_session_close(struct s2_session *session)
{
    if (session != NULL) {
        s2_output_release(&session->content);
        s2_output_release(&session->output);
        free(session);
    }
}

void s2_session_rest(struct s2_session *session)
{
    s2_output_release(&session->output);
    if (session->head_length == 0) {
        s2_output_release(&session->content);
    }
}

bool s2_session_between_frames(const struct s2_session *session)
{
    return session->head_length == 0 && session->refusal.status == 0;
}

static bool refuse(struct s2_session *session, unsigned status, const char *code,
                   const char *message)
{
    s2_output_release(&session->content);
    s2_output_release(&session->output);
    return s2_refuse(&session->refusal, status, code, message);
}

static bool refuse_frame(struct s2_session *session, const char *message)
{
    return refuse(session, 400, "bad_frame", message);
}

static bool refuse_memory(struct s2_session *session)
{
    return refuse(session, 503, "unavailable", "Too many bodies are being read. Try again.");
}

/* Forgets a frame, and gives back its memory if it was large. */
static void forget(struct s2_output *output)
{
    if (output->size > KEPT_MAX) {
        s2_output_release(output);
    }
    output->length = 0;
}

/* ---- The head of a frame ---- */

static size_t head_says(const struct s2_session *session)
{
    return (size_t)session->head[0] << 16 | (size_t)session->head[1] << 8 | session->head[2];
}

static size_t content_length(const struct s2_session *session)
{
    return head_says(session) - FLAG_SIZE;
}

static enum s2_encoding content_encoding(const struct s2_session *session)
{
    static const enum s2_encoding encodings[] = {S2_ENCODING_IDENTITY, S2_ENCODING_ZSTD,
                                                 S2_ENCODING_GZIP, S2_ENCODING_OTHER};

    return encodings[(session->head[3] & FLAG_COMPRESSION) >> FLAG_COMPRESSION_SHIFT];
}

static bool check_length(struct s2_session *session)
{
    const size_t length = head_says(session);

    if (length < FLAG_SIZE) {
        return refuse_frame(session, "A frame has no flag.");
    }
    return length <= S2_FRAME_MAX || refuse(session, 413, "too_large", "A frame is too large.");
}

static bool check_flag(struct s2_session *session)
{
    const unsigned flag = session->head[3];

    if ((flag & FLAG_TERMINAL) != 0) {
        return refuse_frame(session, "A client sent a terminal frame.");
    }
    if ((flag & ~FLAG_COMPRESSION) != 0) {
        return refuse_frame(session, "A frame's flag has a bit that is not known here.");
    }
    return content_encoding(session) != S2_ENCODING_OTHER ||
           refuse_frame(session,
                        "A frame's content is compressed in a way that is not known here.");
}

static void take(struct weir_text *bytes, size_t count)
{
    if (count > 0) {
        bytes->bytes += count;
        bytes->length -= count;
    }
}

/* Takes what is missing of the head, as far as it has come. False: refused. */
static bool read_head(struct s2_session *session, struct weir_text *bytes)
{
    while (session->head_length < HEAD_SIZE && bytes->length > 0) {
        session->head[session->head_length++] = (unsigned char)bytes->bytes[0];
        take(bytes, 1);
        if ((session->head_length == LENGTH_SIZE && !check_length(session)) ||
            (session->head_length == HEAD_SIZE && !check_flag(session))) {
            return false;
        }
    }
    return true;
}

/* ---- Its content ---- */

/* Makes room for so many bytes of a content that comes in pieces. It grows as they come, so that
 * nobody holds much by announcing much, and not beyond what was announced. */
static bool make_room(struct s2_session *session, size_t needed)
{
    struct s2_output *content = &session->content;
    const size_t whole = content_length(session);
    size_t size = content->size * 2 > needed ? content->size * 2 : needed;
    char *bytes = NULL;

    size = size > PIECE_MIN ? size : PIECE_MIN;
    size = size < whole ? size : whole;
    bytes = s2_budget_resize(session->budget, content->bytes, content->size, size);
    if (bytes == NULL) {
        return false;
    }
    content->bytes = bytes;
    content->size = size;
    return true;
}

static bool keep(struct s2_session *session, struct weir_text piece)
{
    struct s2_output *content = &session->content;
    const size_t needed = content->length + piece.length;

    if (needed > content->size && !make_room(session, needed)) {
        return false;
    }
    memcpy(content->bytes + content->length, piece.bytes, piece.length);
    content->length = needed;
    return true;
}

/*
 * Takes what is missing of the content. True, and `*whole`: it is there, in `*content`, which is a
 * part of `bytes` if that has all of it. False: no memory.
 */
static bool read_content(struct s2_session *session, struct weir_text *bytes, bool *whole,
                         struct weir_text *content)
{
    const size_t missing = content_length(session) - session->content.length;
    const size_t count = missing < bytes->length ? missing : bytes->length;
    const struct weir_text piece = {bytes->bytes, count};

    *whole = count == missing;
    *content = piece;
    if (*whole && session->content.length == 0) {
        take(bytes, count);
        return true;
    }
    if (count > 0 && !keep(session, piece)) {
        return false;
    }
    take(bytes, count);
    *content = (struct weir_text){session->content.bytes, session->content.length};
    return true;
}

/* ---- A whole frame ---- */

static bool write_frame(struct s2_session *session, struct weir_text content,
                        weir_operations *operations)
{
    struct s2_output *output = &session->output;
    const char *wrong = NULL;
    size_t length = 0;

    if (s2_output_room(output, HEAD_SIZE + content.length + SLACK) == NULL) {
        return refuse_memory(session);
    }
    output->length = HEAD_SIZE;
    wrong = s2_protobuf_read(content, output, operations);
    if (output->lacked) {
        return refuse_memory(session);
    }
    if (wrong != NULL) {
        return refuse(session, 400, "bad_proto", wrong);
    }
    length = output->length - LENGTH_SIZE;
    output->bytes[0] = (char)(length >> 16);
    output->bytes[1] = (char)(length >> 8);
    output->bytes[2] = (char)length;
    output->bytes[3] = 0;
    return true;
}

static bool write_compressed_frame(struct s2_session *session, struct weir_text content,
                                   weir_operations *operations)
{
    struct s2_decoded decoded;
    bool written = false;

    switch (s2_decompress(content, content_encoding(session), S2_FRAME_MAX - FLAG_SIZE,
                          session->budget, &decoded)) {
    case S2_DECOMPRESSED:
        /* What it came in is given back before there is what it becomes. */
        s2_output_release(&session->content);
        written =
            write_frame(session, (struct weir_text){decoded.bytes, decoded.length}, operations);
        s2_decoded_release(&decoded, session->budget);
        return written;
    case S2_TOO_LARGE:
        return refuse(session, 413, "too_large", "A frame is too large once it is decoded.");
    case S2_SHORT_OF_MEMORY:
        return refuse_memory(session);
    case S2_MALFORMED:
        break;
    }
    return refuse_frame(session, "A frame's content is not compressed as its flag says.");
}

/* False: refused. */
static bool read_frame(struct s2_session *session, struct weir_text *bytes, bool *whole,
                       weir_operations *operations)
{
    struct weir_text content;

    *whole = false;
    if (!read_head(session, bytes)) {
        return false;
    }
    if (session->head_length < HEAD_SIZE) {
        return true;
    }
    if (!read_content(session, bytes, whole, &content)) {
        return refuse_memory(session);
    }
    if (!*whole) {
        return true;
    }
    session->head_length = 0;
    return content_encoding(session) == S2_ENCODING_IDENTITY
               ? write_frame(session, content, operations)
               : write_compressed_frame(session, content, operations);
}

enum s2_progress s2_session_read(struct s2_session *session, struct weir_text bytes, size_t *taken,
                                 weir_operations *operations, struct weir_text *frame,
                                 struct s2_refusal *refusal)
{
    const size_t length = bytes.length;
    bool whole = false;
    bool read = false;

    *taken = 0;
    forget(&session->output);
    read = session->refusal.status == 0 && read_frame(session, &bytes, &whole, operations);
    if (!read) {
        *refusal = session->refusal;
        return S2_SESSION_REFUSED;
    }
    *taken = length - bytes.length;
    if (!whole) {
        return S2_SESSION_MORE;
    }
    forget(&session->content);
    *frame = (struct weir_text){session->output.bytes, session->output.length};
    return S2_SESSION_FRAME;
}
