/*
 * Answers that last, passed on piece by piece.
 *
 * A message is a frame, or a server-sent event with the blank line behind it. What is passed on of
 * it is the client's bytes as they came, except of those that may hold a name: they are held until
 * they are whole, and made afresh.
 */
#include "s2/answer.h"

#include <stdlib.h>
#include <string.h>

#include "s2/answer_strip.h"
#include "vocabulary/text.h"

/* Of a frame: its length and flag; of a terminal one, its status, too. */
#define LENGTH_SIZE 3
#define HEAD_SIZE (LENGTH_SIZE + 1)
#define STATUS_SIZE 2
#define FLAG_TERMINAL 0x80

/* What is kept of a line, to know what it is: more than the lines have that are looked for. */
#define LINE_KEPT 16

enum fate {
    UNDECIDED, /* what it is is not known: held */
    PASSED,    /* passed on as it comes */
    HELD,      /* may hold a name: held until it is whole */
    DROPPED    /* may hold a name, but is too long to be held */
};

struct s2_stream {
    enum s2_stream_kind kind;
    struct weir_text prefix;
    struct weir_text stream;

    /* The message that has begun. */
    enum fate fate;
    bool begun;  /* there are bytes of it */
    bool shown;  /* some of them were passed on */
    bool ending; /* with it, the server ends the answer */
    bool ended;

    /* A frame: what is known of its head, and how much is to come behind it. */
    unsigned char head[HEAD_SIZE];
    size_t head_length;
    size_t rest;

    /* An event: the line that has begun. */
    char line[LINE_KEPT];
    size_t line_length;
    bool after_return; /* a line feed that comes next belongs to the line before */
    bool drops_feed;   /* … which was of a message that was made afresh */

    /* What is held, and what was made of it. */
    char *held;
    size_t held_length;
    size_t held_room;
    char *made;
};

struct s2_stream *s2_stream_open(enum s2_stream_kind kind, struct weir_text prefix,
                                 struct weir_text stream)
{
    struct s2_stream *opened = calloc(1, sizeof *opened);

    if (opened != NULL) {
        opened->kind = kind;
        opened->prefix = prefix;
        opened->stream = stream;
    }
    return opened;
}

void s2_stream_close(struct s2_stream *s2_stream)
{
    if (s2_stream != NULL) {
        free(s2_stream->held);
        free(s2_stream->made);
        free(s2_stream);
    }
}

bool s2_stream_between_messages(const struct s2_stream *s2_stream)
{
    return !s2_stream->shown;
}

bool s2_stream_has_ended(const struct s2_stream *s2_stream)
{
    return s2_stream->ended;
}

/*
 * ---- Holding ----
 */

/* False: no memory. */
static bool hold(struct s2_stream *s2_stream, struct weir_text part)
{
    size_t room = s2_stream->held_room > 0 ? s2_stream->held_room : 256;
    char *grown = NULL;

    while (room - s2_stream->held_length < part.length) {
        room *= 2;
    }
    if (room > s2_stream->held_room) {
        grown = realloc(s2_stream->held, room);
        if (grown == NULL) {
            return false;
        }
        s2_stream->held = grown;
        s2_stream->held_room = room;
    }
    memcpy(s2_stream->held + s2_stream->held_length, part.bytes, part.length);
    s2_stream->held_length += part.length;
    return true;
}

/*
 * Holds a part of a message. Of an error that becomes too long, no more than what is before its
 * body; of what could still become one, all, since it is passed on at once.
 */
static bool hold_part(struct s2_stream *s2_stream, struct weir_text part)
{
    const size_t before = s2_stream->kind == S2_STREAM_FRAMES ? HEAD_SIZE + STATUS_SIZE : 0;

    if (s2_stream->held_length + part.length > S2_MESSAGE_MAX) {
        s2_stream->fate = s2_stream->fate == UNDECIDED ? PASSED : s2_stream->fate;
        s2_stream->fate = s2_stream->fate == HELD ? DROPPED : s2_stream->fate;
    }
    if (s2_stream->fate == DROPPED) {
        size_t lacking = s2_stream->held_length < before ? before - s2_stream->held_length : 0;

        part.length = part.length < lacking ? part.length : lacking;
        if (s2_stream->held_length > before) {
            s2_stream->held_length = before;
        }
    }
    return part.length == 0 || hold(s2_stream, part);
}

/*
 * ---- Frames ----
 */

static size_t frame_length(const unsigned char *head)
{
    return (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
}

/* What is known once its head is: a frame of no length has not even a flag. */
static void read_head(struct s2_stream *s2_stream)
{
    const size_t length = frame_length(s2_stream->head);

    s2_stream->ending = length > 0 && (s2_stream->head[LENGTH_SIZE] & FLAG_TERMINAL) != 0;
    s2_stream->rest = length > 0 ? length - 1 : 0;
    if (s2_stream->fate == UNDECIDED) {
        s2_stream->fate = s2_stream->ending ? HELD : PASSED;
    }
}

/* Goes on to the end of the head or of the frame. Returns how far; `*whole`: the frame is. */
static size_t scan_frame(struct s2_stream *s2_stream, struct weir_text bytes, bool *whole)
{
    size_t taken = 0;

    if (s2_stream->head_length < HEAD_SIZE) {
        size_t wanted = HEAD_SIZE;

        while (taken < bytes.length && s2_stream->head_length < wanted) {
            s2_stream->head[s2_stream->head_length++] = (unsigned char)bytes.bytes[taken++];
            if (s2_stream->head_length == LENGTH_SIZE && frame_length(s2_stream->head) == 0) {
                wanted = LENGTH_SIZE;
            }
        }
        if (s2_stream->head_length < wanted) {
            return taken;
        }
        s2_stream->head_length = HEAD_SIZE;
        read_head(s2_stream);
    } else {
        taken = bytes.length < s2_stream->rest ? bytes.length : s2_stream->rest;
        s2_stream->rest -= taken;
    }
    *whole = s2_stream->rest == 0;
    return taken;
}

/* Whether the frame that begins there can be passed on as it comes. */
static bool is_harmless_frame(struct weir_text bytes)
{
    return bytes.length >= HEAD_SIZE && (frame_length((const unsigned char *)bytes.bytes) == 0 ||
                                         (bytes.bytes[LENGTH_SIZE] & FLAG_TERMINAL) == 0);
}

/* The terminal frame that is held, without the prefix. NULL: no memory. */
static char *remake_frame(const struct s2_stream *s2_stream, size_t *length)
{
    const size_t before = HEAD_SIZE + STATUS_SIZE;
    struct weir_text held = {s2_stream->held, s2_stream->held_length};
    size_t body_length = 0;
    char *body = s2_error_strip(weir_text_from(held, before), s2_stream->prefix, s2_stream->stream,
                                &body_length);
    char *made = body != NULL ? malloc(before + body_length) : NULL;

    if (made != NULL) {
        *length = before + body_length;
        memcpy(made, s2_stream->held, before);
        memcpy(made + before, body, body_length);
        made[0] = (char)((*length - LENGTH_SIZE) >> 16);
        made[1] = (char)((*length - LENGTH_SIZE) >> 8);
        made[2] = (char)(*length - LENGTH_SIZE);
    }
    free(body);
    return made;
}

/*
 * ---- Server-sent events ----
 */

/* How long the line that begins there is, with its end; all bytes, if its end is not among them. */
static size_t line_size(struct weir_text bytes, bool *whole)
{
    const char *feed = memchr(bytes.bytes, '\n', bytes.length);
    size_t length = feed != NULL ? (size_t)(feed - bytes.bytes) : bytes.length;
    const char *back = memchr(bytes.bytes, '\r', length);

    *whole = feed != NULL || back != NULL;
    if (back == NULL) {
        return length + *whole;
    }
    length = (size_t)(back - bytes.bytes) + 1;
    return length + (length < bytes.length && bytes.bytes[length] == '\n');
}

static struct weir_text without_end(struct weir_text line)
{
    while (line.length > 0 &&
           (line.bytes[line.length - 1] == '\n' || line.bytes[line.length - 1] == '\r')) {
        line.length--;
    }
    return line;
}

/* The value of a line, if it is of that field. */
static bool read_field(struct weir_text line, struct weir_text field, struct weir_text *value)
{
    if (!weir_text_begins_with(line, field) ||
        (line.length > field.length && line.bytes[field.length] != ':')) {
        return false;
    }
    *value = weir_text_from(line, line.length > field.length ? field.length + 1 : field.length);
    *value = weir_text_from(*value, value->length > 0 && value->bytes[0] == ' ');
    return true;
}

/* Looks at a line that is whole, of which the beginning is kept. */
static void read_line(struct s2_stream *s2_stream, bool *whole)
{
    struct weir_text line = {s2_stream->line, s2_stream->line_length};
    struct weir_text value = {"", 0};

    if (line.length == 0) {
        *whole = true;
    } else if (read_field(line, WEIR_TEXT("event"), &value)) {
        bool is_error = weir_text_equal(value, WEIR_TEXT("error"));

        s2_stream->ending = s2_stream->ending || is_error;
        if (s2_stream->fate == UNDECIDED) {
            s2_stream->fate = is_error ? HELD : PASSED;
        }
    } else if (read_field(line, WEIR_TEXT("data"), &value)) {
        s2_stream->ending = s2_stream->ending || weir_text_equal(value, WEIR_TEXT("[DONE]"));
    }
    s2_stream->line_length = 0;
}

static void keep_line(struct s2_stream *s2_stream, struct weir_text bytes)
{
    size_t room = LINE_KEPT - s2_stream->line_length;
    size_t length = bytes.length < room ? bytes.length : room;

    memcpy(s2_stream->line + s2_stream->line_length, bytes.bytes, length);
    s2_stream->line_length += length;
}

/* Goes on to the end of the line. Returns how far; `*whole`: the event is. */
static size_t scan_event(struct s2_stream *s2_stream, struct weir_text bytes, bool *whole)
{
    bool line_is_whole = false;
    struct weir_text line = bytes;

    if (s2_stream->after_return) {
        s2_stream->after_return = false;
        if (bytes.bytes[0] == '\n') {
            return 1;
        }
    }
    line.length = line_size(bytes, &line_is_whole);
    keep_line(s2_stream, line_is_whole ? without_end(line) : line);
    if (line_is_whole) {
        s2_stream->after_return = line.bytes[line.length - 1] == '\r';
        read_line(s2_stream, whole);
    }
    return line.length;
}

/* Whether the event that begins there can be passed on as it comes. */
static bool is_harmless_event(struct weir_text bytes)
{
    bool whole = false;
    struct weir_text value = {"", 0};

    bytes.length = line_size(bytes, &whole);
    return whole && read_field(without_end(bytes), WEIR_TEXT("event"), &value) &&
           !weir_text_equal(value, WEIR_TEXT("error"));
}

/* The lines of data that are held, joined, in `room`. */
static struct weir_text join_data(const struct s2_stream *s2_stream, char *room)
{
    struct weir_text rest = {s2_stream->held, s2_stream->held_length};
    struct weir_text data = {room, 0};

    while (rest.length > 0) {
        bool whole = false;
        struct weir_text line = {rest.bytes, line_size(rest, &whole)};
        struct weir_text value = {"", 0};

        if (read_field(without_end(line), WEIR_TEXT("data"), &value)) {
            memcpy(room + data.length, value.bytes, value.length);
            room[data.length + value.length] = '\n';
            data.length += value.length + 1;
        }
        rest = weir_text_from(rest, line.length);
    }
    return data;
}

#define EVENT_BEGIN "event: error\ndata: "
#define EVENT_END "\n\n"

/* The error event that is held, without the prefix. NULL: no memory. */
static char *remake_event(const struct s2_stream *s2_stream, size_t *length)
{
    const size_t begin = sizeof EVENT_BEGIN - 1;
    const size_t end = sizeof EVENT_END - 1;
    char *room = malloc(s2_stream->held_length + 1);
    size_t body_length = 0;
    char *body = room != NULL ? s2_error_strip(join_data(s2_stream, room), s2_stream->prefix,
                                               s2_stream->stream, &body_length)
                              : NULL;
    char *made = body != NULL ? malloc(begin + body_length + end) : NULL;

    if (made != NULL) {
        *length = begin + body_length + end;
        memcpy(made, EVENT_BEGIN, begin);
        memcpy(made + begin, body, body_length);
        memcpy(made + begin + body_length, EVENT_END, end);
    }
    free(room);
    free(body);
    return made;
}

/*
 * ---- Messages of either kind ----
 */

/* Goes on to where more is known about the message. */
static size_t scan(struct s2_stream *s2_stream, struct weir_text bytes, bool *whole)
{
    *whole = false;
    s2_stream->begun = true;
    return s2_stream->kind == S2_STREAM_FRAMES ? scan_frame(s2_stream, bytes, whole)
                                               : scan_event(s2_stream, bytes, whole);
}

static bool is_harmless(const struct s2_stream *s2_stream, struct weir_text bytes)
{
    if (s2_stream->prefix.length == 0) {
        return true;
    }
    return s2_stream->kind == S2_STREAM_FRAMES ? is_harmless_frame(bytes)
                                               : is_harmless_event(bytes);
}

/* Whether something else is passed on instead of the message. */
static bool is_remade(const struct s2_stream *s2_stream)
{
    return s2_stream->fate == HELD || s2_stream->fate == DROPPED;
}

/* A held message that is whole, or is not to be held any longer, is passed on. */
static bool release(struct s2_stream *s2_stream, struct weir_text *out)
{
    const bool is_frame = s2_stream->kind == S2_STREAM_FRAMES;
    size_t length = 0;

    *out = (struct weir_text){s2_stream->held, s2_stream->held_length};
    if (is_remade(s2_stream) && (!is_frame || s2_stream->held_length >= HEAD_SIZE + STATUS_SIZE)) {
        char *made = is_frame ? remake_frame(s2_stream, &length) : remake_event(s2_stream, &length);

        if (made == NULL) {
            return false;
        }
        free(s2_stream->made);
        s2_stream->made = made;
        *out = (struct weir_text){made, length};
    }
    s2_stream->held_length = 0;
    return true;
}

static void end_message(struct s2_stream *s2_stream)
{
    s2_stream->ended = s2_stream->ended || s2_stream->ending;
    s2_stream->ending = false;
    s2_stream->begun = false;
    s2_stream->shown = false;
    s2_stream->head_length = 0;
    s2_stream->drops_feed = s2_stream->after_return && is_remade(s2_stream);
    s2_stream->after_return = false; /* a line feed that is passed on then is an empty event */
}

/* Begins a message. False: what was before it has to be passed on first. */
static bool begin_message(struct s2_stream *s2_stream, struct weir_text bytes, bool is_first)
{
    const bool harmless = is_harmless(s2_stream, bytes);

    if (!harmless && !is_first) {
        return false;
    }
    s2_stream->fate = harmless ? PASSED : UNDECIDED;
    return true;
}

/* Goes on with a message that is held. `*released`: there is something to be passed on. False: no
 * memory. */
static bool take_held(struct s2_stream *s2_stream, struct weir_text bytes, size_t *taken,
                      bool *whole, bool *released, struct weir_text *out)
{
    *taken = scan(s2_stream, bytes, whole);
    if (!hold_part(s2_stream, (struct weir_text){bytes.bytes, *taken})) {
        return false;
    }
    *released = *whole || s2_stream->fate == PASSED;
    return !*released || release(s2_stream, out);
}

/* Passes over the rest of a line's end that is not passed on. Returns its length. */
static size_t skip_feed(struct s2_stream *s2_stream, struct weir_text bytes)
{
    const bool skips = s2_stream->drops_feed && bytes.bytes[0] == '\n';

    s2_stream->drops_feed = false;
    return skips;
}

bool s2_stream_take(struct s2_stream *s2_stream, struct weir_text bytes, bool one, size_t *count,
                    struct weir_text *out)
{
    const size_t skipped = skip_feed(s2_stream, bytes);
    size_t at = skipped;
    bool whole = false;
    bool released = false;

    *out = (struct weir_text){bytes.bytes + skipped, 0};
    while (at < bytes.length && !(one && whole) && !released) {
        struct weir_text rest = weir_text_from(bytes, at);
        size_t taken = 0;

        if (!s2_stream->begun && !begin_message(s2_stream, rest, at == skipped)) {
            break;
        }
        if (s2_stream->fate == PASSED) {
            taken = scan(s2_stream, rest, &whole);
            out->length = at + taken - skipped;
        } else if (!take_held(s2_stream, rest, &taken, &whole, &released, out)) {
            return false;
        }
        at += taken;
        s2_stream->shown = s2_stream->fate == PASSED;
        if (whole) {
            end_message(s2_stream);
        }
    }
    *count = at;
    return true;
}
