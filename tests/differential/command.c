#include "differential/command.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/naive.h"
#include "model/report.h"
#include "wire/generator.h"

/* Room for the name of an allowed stream at the server, all of it escaped. */
#define NAME_ROOM WEIR_QUOTED_MAX(NAIVE_EFFECTIVE_MAX)

struct session {
    const char *weir;
    char folder[256];
    char tokens[300];
    char requests[300];
    char answers[300];
    char expected[300];
};

static FILE *open_file(const char *path, const char *mode)
{
    FILE *file = fopen(path, mode);

    ck_assert_ptr_nonnull(file);
    return file;
}

/* What a request line can say: text that is whole characters and has no NUL. */
static bool sayable(struct weir_text name)
{
    return name.length == 0 || naive_stream_valid(name) ||
           (name.length <= 2 && memcmp(name.bytes, "..", name.length) == 0);
}

static bool question_sayable(const struct weir_question *question)
{
    char target = naive_target(question->request.operation);

    if (target == '?' || !sayable(question->token_id)) {
        return false;
    }
    return target == 't' ? sayable(question->request.access_token)
                         : target == '-' || (sayable(question->request.basin) &&
                                             (target == 'b' || sayable(question->request.stream)));
}

static void print_field(FILE *file, const char *before, struct weir_text value)
{
    char quoted[NAME_ROOM];

    (void)weir_quote(value, quoted, sizeof quoted);
    (void)fprintf(file, "%s%s", before, quoted);
}

static void print_question(FILE *file, const struct weir_question *question)
{
    const struct weir_request *request = &question->request;
    char target = naive_target(request->operation);

    print_field(file, "{\"token\":", question->token_id);
    (void)fprintf(file, ",\"op\":\"%s\"", weir_operation_name(request->operation));
    if (target == 'b' || target == 's') {
        print_field(file, ",\"basin\":", request->basin);
    }
    if (target == 's') {
        print_field(file, ",\"stream\":", request->stream);
    }
    if (target == 't') {
        print_field(file, ",\"access_token\":", request->access_token);
    }
    (void)fputs("}\n", file);
}

static void print_answer(FILE *file, const struct world *world,
                         const struct weir_question *question)
{
    struct naive_answer answer = naive_decide(world->tokens, world->count, question->token_id,
                                              &question->request, world->now);

    (void)fprintf(file, "{\"allow\":%s,\"reason\":\"%s\"",
                  answer.reason == WEIR_ALLOWED ? "true" : "false",
                  weir_reason_name(answer.reason));
    if (answer.reason == WEIR_ALLOWED && naive_target(question->request.operation) == 's') {
        print_field(file, ",\"stream\":", (struct weir_text){answer.stream, answer.stream_length});
    }
    (void)fputs("}\n", file);
}

static uint64_t write_questions(const struct session *session, struct world *world, unsigned count)
{
    FILE *requests = open_file(session->requests, "w");
    FILE *expected = open_file(session->expected, "w");
    uint64_t written = 0;

    for (unsigned i = 0; i < count; i++) {
        struct weir_question question;

        world_question(world, &question);
        if (question_sayable(&question)) {
            print_question(requests, &question);
            print_answer(expected, world, &question);
            written++;
        }
        question_fini(&question);
    }
    ck_assert_int_eq(fclose(requests), 0);
    ck_assert_int_eq(fclose(expected), 0);
    return written;
}

static void write_tokens(const struct session *session, struct world *world,
                         const struct weir_image *image)
{
    struct weir_error error;
    FILE *file = NULL;
    uint64_t random = dice_bits(&world->dice);

    if (random % 2 == 0 || world->count == 0) {
        must_succeed(weir_image_save(image, session->tokens, &error), &error, world, "saving");
        return;
    }
    file = open_file(session->tokens, "w");
    for (size_t i = 0; i < world->count; i++) {
        print_token(file, &world->tokens[i], false, &random);
        (void)fputc('\n', file);
    }
    ck_assert_int_eq(fclose(file), 0);
}

static void run(const struct session *session, struct weir_instant now)
{
    char instant[WEIR_INSTANT_SIZE];
    int status = -1;
    pid_t child = -1;

    (void)weir_instant_print(now, instant);
    child = fork();
    if (child == 0) {
        int answers = open(session->answers, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        int silence = open("/dev/null", O_WRONLY | O_CLOEXEC);

        if (answers >= 0 && dup2(answers, STDOUT_FILENO) >= 0 && silence >= 0 &&
            dup2(silence, STDERR_FILENO) >= 0) {
            (void)execl(session->weir, session->weir, "eval", "--tokens", session->tokens, "--now",
                        instant, session->requests, (char *)NULL);
        }
        _exit(127);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
                  "weir eval ended with %d; its files are in %s", status, session->folder);
}

static void compare(const struct session *session, const struct world *world)
{
    FILE *expected = open_file(session->expected, "r");
    FILE *answers = open_file(session->answers, "r");
    int left = 0;
    int right = 0;

    do {
        left = fgetc(expected);
        right = fgetc(answers);
    } while (left == right && left != EOF);
    if (left != right) {
        report_world(world, "the command's lines differ");
        ck_abort_msg("%s and %s differ", session->expected, session->answers);
    }
    (void)fclose(expected);
    (void)fclose(answers);
}

uint64_t command_expect(const char *weir, struct world *world, const struct weir_image *image,
                        unsigned count)
{
    struct session session = {.weir = weir};
    uint64_t written = 0;

    if (world->now.seconds < WEIR_INSTANT_SECONDS_MIN ||
        world->now.seconds >= WEIR_INSTANT_SECONDS_MAX) {
        return 0; /* an instant that no flag can say */
    }
    folder_make(session.folder, sizeof session.folder);
    (void)snprintf(session.tokens, sizeof session.tokens, "%s/tokens", session.folder);
    (void)snprintf(session.requests, sizeof session.requests, "%s/requests", session.folder);
    (void)snprintf(session.answers, sizeof session.answers, "%s/answers", session.folder);
    (void)snprintf(session.expected, sizeof session.expected, "%s/expected", session.folder);
    written = write_questions(&session, world, count);
    write_tokens(&session, world, image);
    run(&session, world->now);
    compare(&session, world);
    folder_remove(session.folder);
    return written;
}
