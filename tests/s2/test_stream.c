/* Answers that last: random ones, cut into pieces anywhere, come out as their makers know. */
#include <stdio.h>
#include <string.h>

#include "library/support.h"
#include "s2/answer.h"
#include "s2/support.h"

#define PREFIX "devices/7/"
#define STREAM "a \"b\"/\xc3\xa9"
#define QUOTED_STREAM "a \\\"b\\\"/\xc3\xa9"
#define UNKNOWN "{\"code\":\"other\",\"message\":\"\"}"
#define NOT_SHOWN "The server's message is not shown, since it may name what is not yours to see."

#define MESSAGES_MAX 6
#define ROOM ((size_t)1 << 20)

/* What a server sends, and what is to come of it. */
struct answer {
    char sent[ROOM];
    size_t sent_length;
    char expected[ROOM];
    size_t expected_length;
    size_t ends[MESSAGES_MAX]; /* of messages, in what is expected */
    size_t count;
    bool ends_in_return_and_feed[MESSAGES_MAX];
    size_t ended; /* with the end of this message the server has; MESSAGES_MAX: with none */
};

static void send(struct answer *answer, const void *bytes, size_t length)
{
    DEMAND(answer->sent_length + length <= ROOM, "no room");
    memcpy(answer->sent + answer->sent_length, bytes, length);
    answer->sent_length += length;
}

static void expect(struct answer *answer, const void *bytes, size_t length)
{
    DEMAND(answer->expected_length + length <= ROOM, "no room");
    memcpy(answer->expected + answer->expected_length, bytes, length);
    answer->expected_length += length;
}

static void end_message(struct answer *answer, bool ends_all)
{
    if (ends_all && answer->ended == MESSAGES_MAX) {
        answer->ended = answer->count;
    }
    answer->ends_in_return_and_feed[answer->count] = false;
    answer->ends[answer->count++] = answer->expected_length;
}

#define FIFTY "01234567890123456789012345678901234567890123456789"
#define LONG FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY

/* Errors: what the server says, and what the client sees. Those without a prefix are as sent. */
static const struct {
    const char *sent;
    const char *seen;
} errors[] = {
    {"{\"code\":\"stream_not_found\",\"message\":\"stream `" PREFIX QUOTED_STREAM
     "` in basin `acme-prod` not found\"}",
     "{\"code\":\"stream_not_found\",\"message\":\"stream `" QUOTED_STREAM
     "` in basin `acme-prod` not found\"}"},
    {"{ \"message\" : \"\\u0064evices\\/7\\/" QUOTED_STREAM "\" , \"n\":[1] }",
     "{\"message\":\"" QUOTED_STREAM "\",\"n\":[1]}"},
    {"{\"code\":\"x\",\"message\":\"of " PREFIX "other\"}",
     "{\"code\":\"x\",\"message\":\"" NOT_SHOWN "\"}"},
    {"{\"code\":\"x\",\"message\":\"of devices%2F7%2Fa\"}",
     "{\"code\":\"x\",\"message\":\"" NOT_SHOWN "\"}"},
    {"{\"message\":\"" LONG PREFIX QUOTED_STREAM "\"}", "{\"message\":\"" LONG QUOTED_STREAM "\"}"},
    {"{\"code\":\"x\",\"message\":\"nothing\"}", "{\"code\":\"x\",\"message\":\"nothing\"}"},
    {"" PREFIX, UNKNOWN},
    {"", UNKNOWN},
    {"[\"" PREFIX "\"]", UNKNOWN},
};

/*
 * ---- Frames ----
 */

static void send_head(struct answer *answer, size_t length, unsigned flag, bool expected)
{
    unsigned char head[] = {(unsigned char)(length >> 16), (unsigned char)(length >> 8),
                            (unsigned char)length, (unsigned char)flag};

    send(answer, head, length > 0 ? 4 : 3);
    if (expected) {
        expect(answer, head, length > 0 ? 4 : 3);
    }
}

static void make_frame(struct random *random, struct answer *answer)
{
    size_t most = random_below(random, 20) == 0 ? 100000 : 40;
    size_t length = random_below(random, most);

    send_head(answer, length, (unsigned)random_below(random, 128), true);
    for (size_t i = 1; i < length; i++) {
        unsigned char byte = (unsigned char)random_number(random);

        send(answer, &byte, 1);
        expect(answer, &byte, 1);
    }
    end_message(answer, false);
}

static void expect_terminal(struct answer *answer, const char *status, const char *body)
{
    size_t length = 3 + strlen(body);
    unsigned char head[] = {(unsigned char)(length >> 16), (unsigned char)(length >> 8),
                            (unsigned char)length, 0x80};

    expect(answer, head, 4);
    expect(answer, status, 2);
    expect(answer, body, strlen(body));
    end_message(answer, true);
}

static void make_terminal(struct random *random, struct answer *answer, bool altered)
{
    size_t which = random_below(random, COUNT(errors));
    const char *sent = errors[which].sent;

    send_head(answer, 3 + strlen(sent), 0x80, false);
    send(answer, "\x01\x94", 2);
    send(answer, sent, strlen(sent));
    expect_terminal(answer, "\x01\x94", altered ? errors[which].seen : sent);
}

/* Around what may be held at most. */
static void make_long_terminal(struct random *random, struct answer *answer, bool altered)
{
    static char body[2 * S2_MESSAGE_MAX];
    size_t length = S2_MESSAGE_MAX - 6 + random_below(random, 3);
    bool is_long = length + 6 > S2_MESSAGE_MAX;

    memset(body, ' ', length);
    memcpy(body, "{\"message\":\"" PREFIX "\"}", strlen("{\"message\":\"" PREFIX "\"}"));
    body[length] = '\0';
    send_head(answer, 3 + length, 0x80, false);
    send(answer, "\x01\xf4", 2);
    send(answer, body, length);
    expect_terminal(answer, "\x01\xf4",
                    !altered  ? body
                    : is_long ? UNKNOWN
                              : "{\"message\":\"" NOT_SHOWN "\"}");
}

/* Without a whole status. */
static void make_short_terminal(struct random *random, struct answer *answer)
{
    size_t length = 1 + random_below(random, 2);

    send_head(answer, length, 0xff, true);
    send(answer, "x", length - 1);
    expect(answer, "x", length - 1);
    end_message(answer, true);
}

static void make_frames(struct random *random, struct answer *answer, bool altered)
{
    switch (random_below(random, 12)) {
    case 0:
        make_terminal(random, answer, altered);
        break;
    case 1:
        make_short_terminal(random, answer);
        break;
    case 2:
        if (random_below(random, 10) == 0) {
            make_long_terminal(random, answer, altered);
            break;
        }
        make_terminal(random, answer, altered);
        break;
    default:
        make_frame(random, answer);
        break;
    }
}

/*
 * ---- Events ----
 */

/* A line, with the end that lines of this event have. */
static void send_line(struct answer *answer, const char *line, const char *end, bool expected)
{
    send(answer, line, strlen(line));
    send(answer, end, strlen(end));
    if (expected) {
        expect(answer, line, strlen(line));
        expect(answer, end, strlen(end));
    }
}

static void make_event(struct random *random, struct answer *answer, const char *end)
{
    static const char *const events[][4] = {
        {"event: batch", "id: 1,2,3", "data: {\"records\":[\"event: error\"]}"},
        {"event:ping", "data: {}"},
        {"event: errors", "data: error"},
        {"event:  error", "data: error"},
        {"event"},
        {"event:"},
        {": event: error"},
        {"data: event: error", "data: [DONE] "},
        {"data", "data: [DONE]x", "id: [DONE]"},
        {"events: error", "retry: 1"},
        {"id: 1", "event: batch", "data: 0123456789abcdefghijklmnopqrstuvwxyz"},
        {""},
    };
    static char data[ROOM / 8];
    size_t which = random_below(random, COUNT(events));

    for (size_t i = 0; i < 4 && events[which][i] != NULL && events[which][0][0] != '\0'; i++) {
        send_line(answer, events[which][i], end, true);
    }
    if (events[which][0][0] != '\0' && random_below(random, 30) == 0) {
        size_t length = random_below(random, sizeof data - 6);

        memset(data, 'd', length);
        memcpy(data, "data: ", 6);
        data[length < 6 ? 6 : length] = '\0';
        send_line(answer, data, end, true);
    }
    send_line(answer, "", end, true);
    end_message(answer, false);
    answer->ends_in_return_and_feed[answer->count - 1] = strcmp(end, "\r\n") == 0;
}

static void make_done(struct random *random, struct answer *answer, const char *end)
{
    static const char *const done[] = {"data: [DONE]", "data:[DONE]"};

    send_line(answer, done[random_below(random, COUNT(done))], end, true);
    send_line(answer, "", end, true);
    end_message(answer, true);
    answer->ends_in_return_and_feed[answer->count - 1] = strcmp(end, "\r\n") == 0;
}

static void expect_error_event(struct answer *answer, const char *data)
{
    expect(answer, "event: error\ndata: ", 19);
    expect(answer, data, strlen(data));
    expect(answer, "\n\n", 2);
    end_message(answer, true);
}

/* An error's data, in one line or more. */
static void send_data(struct random *random, struct answer *answer, const char *data,
                      const char *end, bool expected)
{
    static char line[1024];
    const char *space = random_below(random, 2) == 0 ? strstr(data, " : ") : NULL;

    if (space != NULL) {
        (void)snprintf(line, sizeof line, "data: %.*s", (int)(space - data), data);
        send_line(answer, line, end, expected);
        data = space;
    }
    (void)snprintf(line, sizeof line, "data: %s", data);
    send_line(answer, line, end, expected);
}

static void make_error_event(struct random *random, struct answer *answer, const char *end,
                             bool altered)
{
    static const char *const fields[] = {"event: error", "event:error"};
    size_t which = random_below(random, COUNT(errors));

    if (random_below(random, 4) == 0) {
        send_line(answer, "id: 1", end, !altered);
    }
    send_line(answer, fields[random_below(random, COUNT(fields))], end, !altered);
    send_data(random, answer, errors[which].sent, end, !altered);
    send_line(answer, "", end, !altered);
    if (altered) {
        expect_error_event(answer, errors[which].seen);
    } else {
        end_message(answer, true);
        answer->ends_in_return_and_feed[answer->count - 1] = strcmp(end, "\r\n") == 0;
    }
}

static void make_long_error(struct answer *answer, bool altered)
{
    static char data[2 * S2_MESSAGE_MAX];

    memset(data, 'x', sizeof data - 1);
    memcpy(data, "data: " PREFIX, strlen("data: " PREFIX));
    send_line(answer, "event: error", "\n", !altered);
    send_line(answer, data, "\n", !altered);
    send_line(answer, data, "\n", !altered);
    send_line(answer, "", "\n", !altered);
    if (altered) {
        expect_error_event(answer, UNKNOWN);
    } else {
        end_message(answer, true);
    }
}

static void make_events(struct random *random, struct answer *answer, const char *end, bool altered)
{
    switch (random_below(random, 10)) {
    case 0:
    case 1:
        make_error_event(random, answer, end, altered);
        break;
    case 2:
        make_done(random, answer, end);
        break;
    case 3:
        if (random_below(random, 40) == 0) {
            make_long_error(answer, altered);
            break;
        }
        make_done(random, answer, end);
        break;
    default:
        make_event(random, answer, end);
        break;
    }
}

/*
 * ---- In pieces ----
 */

/* Whether a message could be put behind so many of the expected bytes. */
static bool is_between(const struct answer *answer, size_t length)
{
    bool is = length == 0;

    for (size_t i = 0; i < answer->count; i++) {
        is = is || answer->ends[i] == length ||
             (answer->ends_in_return_and_feed[i] && answer->ends[i] - 1 == length);
    }
    return is;
}

static bool has_ended(const struct answer *answer, size_t length)
{
    return answer->ended < MESSAGES_MAX &&
           length + answer->ends_in_return_and_feed[answer->ended] >= answer->ends[answer->ended];
}

/* Whether a message ends in between, whose end was not there before but for a line feed. */
static bool goes_too_far(const struct answer *answer, size_t from, size_t to)
{
    for (size_t i = 0; i < answer->count; i++) {
        if (answer->ends[i] < to && answer->ends[i] > from + answer->ends_in_return_and_feed[i]) {
            return true;
        }
    }
    return false;
}

static size_t piece_length(struct random *random, size_t most)
{
    switch (random_below(random, 4)) {
    case 0:
        return 1;
    case 1:
        return 1 + random_below(random, most < 20 ? most : 20);
    case 2:
        return 1 + random_below(random, most);
    default:
        return most;
    }
}

static void pass(struct random *random, const struct answer *answer, enum s2_stream_kind kind,
                 const char *prefix)
{
    struct s2_stream *stream = s2_stream_open(kind, text_of(prefix), text_of(STREAM));
    size_t at = 0;
    size_t out = 0;

    DEMAND(stream != NULL, "no memory");
    DEMAND(s2_stream_between_messages(stream) && !s2_stream_has_ended(stream), "begins otherwise");
    while (at < answer->sent_length) {
        size_t length = piece_length(random, answer->sent_length - at);
        /* Memory of exactly that length, so that a sanitizer sees what is read behind it. */
        char *piece = malloc(length);
        bool one = random_below(random, 2) == 0;
        size_t count = 0;
        struct weir_text got = {"", 0};

        memcpy(piece, answer->sent + at, length);
        DEMAND(s2_stream_take(stream, (struct weir_text){piece, length}, one, &count, &got),
               "no memory");
        DEMAND(count >= 1 && count <= length, "took %zu of %zu", count, length);
        DEMAND(out + got.length <= answer->expected_length &&
                   (got.length == 0 || memcmp(answer->expected + out, got.bytes, got.length) == 0),
               "passed on %.*s\ninstead of %.*s", (int)got.length, got.bytes,
               (int)(answer->expected_length - out), answer->expected + out);
        DEMAND(!one || !goes_too_far(answer, out, out + got.length), "more than one message");
        out += got.length;
        at += count;
        free(piece);
        DEMAND(s2_stream_between_messages(stream) == is_between(answer, out),
               "between messages, or not, after %zu", out);
        DEMAND(s2_stream_has_ended(stream) == has_ended(answer, out), "ended, or not, after %zu",
               out);
    }
    DEMAND(out == answer->expected_length, "something is missing");
    s2_stream_close(stream);
}

static void pass_random(struct random *random, struct answer *answer, enum s2_stream_kind kind,
                        bool altered)
{
    static const char *const line_ends[] = {"\n", "\n", "\n", "\r\n", "\r"};
    const char *end = line_ends[random_below(random, COUNT(line_ends))];
    size_t count = 1 + random_below(random, MESSAGES_MAX);

    answer->sent_length = answer->expected_length = answer->count = 0;
    answer->ended = MESSAGES_MAX;
    while (answer->count < count) {
        if (kind == S2_STREAM_FRAMES) {
            make_frames(random, answer, altered);
        } else {
            make_events(random, answer, end, altered);
        }
    }
    for (int i = 0; i < 4; i++) {
        pass(random, answer, kind, altered ? PREFIX : "");
    }
}

static struct answer answer;

START_TEST(frames_come_out_as_they_came_but_for_errors)
{
    struct random random = {0};

    for (size_t i = 0; i < rounds(20000); i++) {
        pass_random(&random, &answer, S2_STREAM_FRAMES, i % 2 == 0);
    }
}
END_TEST

START_TEST(events_come_out_as_they_came_but_for_errors)
{
    struct random random = {0};

    for (size_t i = 0; i < rounds(20000); i++) {
        pass_random(&random, &answer, S2_STREAM_EVENTS, i % 2 == 0);
    }
}
END_TEST

int main(void)
{
    TCase *cases[1];

    cases[0] = tcase_create("stream");
    tcase_add_test(cases[0], frames_come_out_as_they_came_but_for_errors);
    tcase_add_test(cases[0], events_come_out_as_they_came_but_for_errors);
    return run_cases("streams", cases, COUNT(cases));
}
