/*
 * proxy IMAGE < REQUESTS.ndjson
 *
 * What a proxy does that has read many requests at once: it asks about all of them together, so
 * that looking for one token does not wait until another has been found. IMAGE is of `weir
 * compile`; a request is a line {"token": …, "op": …, "basin": …, "stream": …}.
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>

#include <weir/decision.h>
#include <weir/wire.h>

enum { BATCH = 32 };

/* A line, its question, and the buffer that holds what the question refers to. */
struct slot {
    char *line;
    size_t size;
    struct weir_question_buffer *buffer;
};

/* Reads up to BATCH questions; returns how many, or -1 after an error. */
static int read_batch(struct slot *slots, struct weir_question *questions)
{
    struct weir_error error = {0};

    for (int i = 0; i < BATCH; i++) {
        ssize_t length = getline(&slots[i].line, &slots[i].size, stdin);
        struct weir_text line = {slots[i].line, length < 0 ? 0 : (size_t)length};

        if (length < 0) {
            return i;
        }
        if (weir_question_parse(line, slots[i].buffer, &questions[i], &error) != WEIR_OK) {
            (void)fprintf(stderr, "proxy: %s %s\n", error.place, error.message);
            return -1;
        }
    }
    return BATCH;
}

static int serve(const struct weir_image *image, struct slot *slots)
{
    struct weir_question questions[BATCH];
    struct weir_decision decisions[BATCH];
    int count = 0;

    while ((count = read_batch(slots, questions)) > 0) {
        weir_check_batch(image, questions, (size_t)count, weir_instant_now(), decisions);
        for (int i = 0; i < count; i++) {
            puts(weir_allowed(decisions[i]) ? "forward" : weir_reason_name(decisions[i].reason));
        }
    }
    return count == 0 ? 0 : 2;
}

int main(int count, char **arguments)
{
    static struct slot slots[BATCH];
    struct weir_image *image = NULL;
    struct weir_error error = {0};
    int status = 0;

    if (count != 2) {
        (void)fprintf(stderr, "usage: proxy IMAGE < REQUESTS.ndjson\n");
        return 2;
    }
    if (weir_image_open(arguments[1], WEIR_IMAGE_SHARED, NULL, &image, &error) != WEIR_OK) {
        (void)fprintf(stderr, "proxy: %s %s\n", error.place, error.message);
        return 2;
    }
    for (int i = 0; i < BATCH; i++) {
        if (weir_question_buffer_new(NULL, &slots[i].buffer, &error) != WEIR_OK) {
            (void)fprintf(stderr, "proxy: %s\n", error.message);
            return 2;
        }
    }
    status = serve(image, slots);
    for (int i = 0; i < BATCH; i++) {
        weir_question_buffer_free(slots[i].buffer);
        free(slots[i].line);
    }
    weir_image_close(image);
    return status;
}
