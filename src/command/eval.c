/* eval.c - a request a line in, a decision a line out. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <weir/wire.h>

#include "command.h"
#include "decision.h"
#include "input.h"
#include "lines.h"
#include "report.h"

static const char help[] =
    "Usage: weir eval --tokens FILE [--now T] [--] [REQUESTS.ndjson]\n"
    "\n"
    "Answers requests: reads one a line, from a file or from standard input (also -),\n"
    "and prints a decision a line, in the same order. Each answer is written before the\n"
    "next request is waited for, so eval can serve as a coprocess. Stops at the first\n"
    "line that is not a request, an empty line too. A summary goes to standard error.\n"
    "\n" HELP_TOKENS
    "  --now T        the instant to decide for, RFC 3339; otherwise the clock is read\n"
    "                 for each request\n" HELP_HELP "  --             ends the flags\n"
    "\n"
    "A request has the fields that the target of its operation needs, no others:\n"
    "  {\"token\":ID,\"op\":\"read\",\"basin\":NAME,\"stream\":NAME}\n"
    "  {\"token\":ID,\"op\":\"list-streams\",\"basin\":NAME}\n"
    "  {\"token\":ID,\"op\":\"revoke-access-token\",\"access_token\":ID}\n"
    "  {\"token\":ID,\"op\":\"list-basins\"}\n"
    "A decision has the reason, and where a stream is allowed its name at the server;\n"
    "everything but printable ASCII is written as \\u escapes:\n"
    "  {\"allow\":true,\"reason\":\"allowed\",\"stream\":NAME}\n"
    "\n"
    "Where FILE is a directory, every change that was published before a request is read\n"
    "holds in its answer. A directory that can no longer be read is reported, and soon\n"
    "stale.\n"
    "\n" HELP_STALE "\n"
    "Exits with 0, or 2 after an error.\n"
    "\n"
    "Example:\n"
    "  weir eval --tokens tokens.weir -- requests.ndjson > decisions.ndjson\n";

/* What answering takes, and what has been answered. */
struct evaluation {
    const struct options *options;
    struct tokens tokens;
    const char *name; /* of the requests, for messages */
    struct lines lines;
    struct weir_question_buffer *buffer;
    struct decision_lines decision_lines;
    uint64_t counts[WEIR_REASON_COUNT];
};

static bool is_blank(struct weir_text line)
{
    for (size_t i = 0; i < line.length; i++) {
        if (strchr(" \t\r\n", line.bytes[i]) == NULL || line.bytes[i] == '\0') {
            return false;
        }
    }
    return true;
}

/* Fills in why a line is no request: in words about the line, where it holds nothing at all. */
static void explain_bad_line(struct weir_text line, uint64_t number, struct weir_error *error)
{
    if (is_blank(line)) {
        (void)snprintf(error->message, sizeof error->message,
                       "an empty line: each line is a request");
        error->column = 0;
    }
    error->line = number;
    error->place[0] = '\0'; /* the message names the field */
}

static bool answer(struct evaluation *evaluation, struct weir_text line, struct output *output)
{
    struct weir_error error = {0};
    struct weir_question question;
    struct weir_decision decision;

    if (weir_question_parse(line, evaluation->buffer, &question, &error) != WEIR_OK) {
        explain_bad_line(line, evaluation->lines.number, &error);
        return output_flush(output) && report_error(evaluation->name, &error);
    }
    tokens_begin(&evaluation->tokens);
    decision = tokens_check(&evaluation->tokens, question.token_id, &question.request,
                            options_now(evaluation->options));
    decision_write(output, &evaluation->decision_lines, &question.request, decision);
    tokens_end(&evaluation->tokens);
    evaluation->counts[decision.reason]++;
    return true;
}

/*
 * Answers all lines. Before it waits for more of them, all answers are out. On false the error has
 * been reported, unless it is one of `output`, which is for main to report.
 */
static bool answer_all(struct evaluation *evaluation, struct output *output)
{
    for (;;) {
        struct weir_text line;

        switch (lines_next(&evaluation->lines, WEIR_REQUEST_JSON_MAX, &line)) {
        case LINES_LINE:
            if (!answer(evaluation, line, output)) {
                return false;
            }
            break;
        case LINES_EMPTY:
            if (!output_flush(output)) {
                return false;
            }
            if (!lines_read(&evaluation->lines)) {
                return report_errno(evaluation->name, errno);
            }
            break;
        case LINES_END:
        default:
            return output_flush(output);
        }
    }
}

static double seconds_now(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* `: expired 3, op_not_permitted 4`: each reason that denied something. */
static void list_denials(const uint64_t counts[WEIR_REASON_COUNT], char *text, size_t size)
{
    size_t length = 0;

    text[0] = '\0';
    for (int reason = 0; reason < WEIR_ALLOWED; reason++) {
        if (counts[reason] > 0) {
            length += (size_t)snprintf(text + length, size - length, "%s %s %" PRIu64,
                                       length == 0 ? ":" : ",",
                                       weir_reason_name((enum weir_reason)reason), counts[reason]);
        }
    }
}

static void summarize(const struct command *command, const struct evaluation *evaluation,
                      double seconds)
{
    uint64_t requests = 0;
    uint64_t allowed = evaluation->counts[WEIR_ALLOWED];
    char denials[WEIR_REASON_COUNT * 64];

    for (int reason = 0; reason < WEIR_REASON_COUNT; reason++) {
        requests += evaluation->counts[reason];
    }
    list_denials(evaluation->counts, denials, sizeof denials);
    report_summary(command,
                   "%" PRIu64 " requests, %" PRIu64 " allowed, %" PRIu64
                   " denied%s; %.3f s, %.0f requests/s",
                   requests, allowed, requests - allowed, denials, seconds,
                   seconds > 0 ? (double)requests / seconds : 0.0);
}

static bool evaluate(const struct command *command, struct evaluation *evaluation,
                     struct output *output)
{
    struct weir_error error = {0};
    double started = seconds_now();
    bool complete = false;

    if (weir_question_buffer_new(NULL, &evaluation->buffer, &error) != WEIR_OK) {
        return report_error(evaluation->name, &error);
    }
    decision_lines_init(&evaluation->decision_lines);
    complete = answer_all(evaluation, output);
    if (complete) {
        summarize(command, evaluation, seconds_now() - started);
    }
    weir_question_buffer_free(evaluation->buffer);
    lines_release(&evaluation->lines);
    return complete;
}

/* Standard input, if the requests are not in a file. */
static bool open_requests(struct evaluation *evaluation, const struct options *options)
{
    const char *path = options->operand_count > 0 ? options->operands[0] : "-";

    *evaluation = (struct evaluation){.options = options, .name = STANDARD_INPUT};
    evaluation->lines.descriptor = STDIN_FILENO;
    if (strcmp(path, "-") != 0) {
        evaluation->name = path;
        evaluation->lines.descriptor = open(path, O_RDONLY | O_CLOEXEC);
    }
    return evaluation->lines.descriptor >= 0 || report_errno(path, errno);
}

static int run(const struct command *command, const struct options *options, struct output *output)
{
    struct evaluation evaluation;
    bool complete = false;

    if (!open_requests(&evaluation, options)) {
        return EXIT_TROUBLE;
    }
    if (tokens_load(&evaluation.tokens, options, NULL)) {
        complete = evaluate(command, &evaluation, output);
        tokens_release(&evaluation.tokens);
    }
    (void)close(evaluation.lines.descriptor);
    return complete ? EXIT_ALLOWED : EXIT_TROUBLE;
}

const struct command eval_command = {
    .name = "eval",
    .summary = "many requests, a line each, from a file or a pipe",
    .help = help,
    .flags = FLAG_BIT(FLAG_TOKENS) | FLAG_BIT(FLAG_NOW) | FLAG_BIT(FLAG_OWNER),
    .required = FLAG_BIT(FLAG_TOKENS),
    .operands = {"REQUESTS"},
    .operands_required = 0,
    .run = run,
};
