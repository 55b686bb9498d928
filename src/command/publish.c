/* publish.c - publishes tokens in a directory, and changes that come on standard input. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <weir/compile.h>
#include <weir/publish.h>

#include "change.h"
#include "command.h"
#include "input.h"
#include "lines.h"
#include "report.h"
#include "signals.h"
#include "ticker.h"

/* Twice as many as a lease needs, so that one may be late. */
#define HEARTBEATS_A_LEASE 8

static const char help[] =
    "Usage: weir publish --tokens FILE [--lease SECONDS] [--until-eof] [--] DIR\n"
    "       weir publish --resume [--until-eof] [--] DIR\n"
    "\n"
    "Publishes the tokens of FILE in the directory DIR, which is made if there is none,\n"
    "for any number of other processes to follow: every command takes DIR in the place of\n"
    "a token file, and weir watch shows the changes. Reads changes from standard input, one\n"
    "a line, and answers each with a line. When the input ends it goes on publishing until\n"
    "SIGINT or SIGTERM. Once it has ended, followers deny everything when the lease ends.\n"
    "\n"
    "It is for operators without an authority of their own, for tests and for trying things\n"
    "out. What it publishes survives the death of any process, and no power cut: after a\n"
    "reboot publish anew. A directory in memory, below /run, is the best place.\n"
    "\n"
    "  --tokens FILE    the tokens: JSON, NDJSON, an image or another directory. What was\n"
    "                   published in DIR before is replaced\n"
    "  --resume         go on with what is published in DIR, changes included\n"
    "  --lease SECONDS  after so long without a heartbeat followers deny, 0.01 to 86400; 2\n"
    "                   unless given. One heartbeat is given eight times as often\n"
    "  --until-eof      end when standard input ends\n"
    "  --owner USER     if FILE is a directory: it may belong to that user, too\n"
    "  -h, --help       this text\n"
    "  --               ends the flags\n"
    "\n"
    "Changes, and what they are answered with once they are published:\n"
    "  {\"issue\": TOKEN}     a new token; its id must have none         {\"sequence\":N}\n"
    "  {\"replace\": TOKEN}   in the place of the token of its id        {\"sequence\":N}\n"
    "  {\"put\": TOKEN}       one or the other                           {\"sequence\":N}\n"
    "  {\"revoke\": ID}       no token of that id any more               {\"sequence\":N}\n"
    "  {\"compact\": true}    a new snapshot, without the tokens that\n"
    "                       expired over an hour ago                   {\"sequence\":N}\n"
    "A change that fails changes nothing, and the next one is read:\n"
    "  {\"error\":{\"code\":\"not_found\",\"message\":\"...\"}}\n"
    "\n"
    "A token that is issued gets the number of its change as its issue number, which no\n"
    "other token of this directory has until it is created anew; one that replaces another\n"
    "keeps that one's. Tokens of a JSON file have none: 0.\n"
    "\n"
    "Exits with 0, or 2 after an error: DIR is published by another process, belongs to\n"
    "somebody else, or may be written by others; or an answer cannot be written.\n"
    "\n"
    "Example:\n"
    "  weir publish --tokens tokens.json -- /run/weir < changes.ndjson\n";

/* A publisher at work. */
struct publishing {
    const char *path;
    struct weir_publisher *publisher;
    struct lines lines;
    int signals;
    bool until_eof;
    uint64_t changes;
    uint64_t errors;
};

/*
 * ---- Changes ----
 */

static uint64_t number_of_holder(const struct weir_publisher *publisher, struct weir_text id,
                                 uint64_t otherwise)
{
    const struct weir_compiled_token *token = NULL;
    uint64_t number = otherwise;

    weir_read_begin();
    token = weir_engine_find(weir_publisher_engine(publisher), id);
    if (token != NULL) {
        number = weir_compiled_token_issue_number(token);
    }
    weir_read_end();
    return number;
}

/* Nobody else makes changes, so the number of the next one is known. */
static void give_issue_number(const struct weir_publisher *publisher, struct change *change)
{
    uint64_t next = weir_publisher_sequence(publisher) + 1;

    change->token->issue_number =
        change->kind == CHANGE_ISSUE ? next : number_of_holder(publisher, change->token->id, next);
}

static enum weir_status publish_token(struct weir_publisher *publisher, struct change *change,
                                      uint64_t *sequence, struct weir_error *error)
{
    struct weir_compiled_token *token = NULL;
    size_t size = 0;
    enum weir_status status = WEIR_OK;

    give_issue_number(publisher, change);
    status = weir_compile_token(change->token, NULL, &token, &size, error);
    if (status != WEIR_OK) {
        return status;
    }
    if (change->kind == CHANGE_ISSUE) {
        status = weir_publisher_issue(publisher, token, sequence, error);
    } else if (change->kind == CHANGE_REPLACE) {
        status = weir_publisher_replace(publisher, token, sequence, error);
    } else {
        status = weir_publisher_put(publisher, token, sequence, error);
    }
    free(token);
    return status;
}

static enum weir_status publish_change(struct weir_publisher *publisher, struct change *change,
                                       uint64_t *sequence, struct weir_error *error)
{
    enum weir_status status = WEIR_OK;

    switch (change->kind) {
    case CHANGE_REVOKE:
        return weir_publisher_revoke(publisher, change->id, sequence, error);
    case CHANGE_COMPACT:
        status = weir_publisher_compact(publisher, weir_instant_now(), error);
        *sequence = weir_publisher_sequence(publisher);
        return status;
    case CHANGE_ISSUE:
    case CHANGE_REPLACE:
    case CHANGE_PUT:
    default:
        return publish_token(publisher, change, sequence, error);
    }
}

/* `column 12: scope.streams: ` and the message, with those of the parts that there are. */
static void write_error(struct output *output, const struct weir_error *error)
{
    char message[WEIR_PLACE_SIZE + WEIR_MESSAGE_SIZE + 64];
    char column[40] = "";

    if (error->column != 0) {
        (void)snprintf(column, sizeof column, "column %" PRIu64 ": ", error->column);
    }
    (void)snprintf(message, sizeof message, "%s%s%s%s", column, error->place,
                   error->place[0] != '\0' ? ": " : "", error->message);
    output_format(output,
                  "{\"error\":{\"code\":\"%s\",\"message\":", weir_status_name(error->status));
    output_quoted(output, text_of(message));
    output_string(output, "}}\n");
}

static void answer(struct publishing *publishing, struct weir_text line, struct output *output)
{
    struct change change;
    struct weir_error error = {0};
    uint64_t sequence = 0;
    enum weir_status status = change_read(&change, line, &error);

    if (status == WEIR_OK) {
        status = publish_change(publishing->publisher, &change, &sequence, &error);
        change_release(&change);
    }
    if (status != WEIR_OK) {
        publishing->errors++;
        write_error(output, &error);
        return;
    }
    publishing->changes++;
    output_format(output, "{\"sequence\":%" PRIu64 "}\n", sequence);
}

/*
 * ---- Running ----
 */

/* Reads more of the input, with all answers out. False, with `*ended` set, when a signal comes
 * first; false after an error, which is reported unless it is one of `output`. */
static bool read_more(struct publishing *publishing, struct output *output, bool *ended)
{
    enum awaited awaited = AWAITED_NOTHING;

    if (!output_flush(output)) {
        return false;
    }
    awaited = signals_await_input(publishing->signals, STDIN_FILENO, -1);
    if (awaited == AWAITED_SIGNAL) {
        *ended = true;
        return false;
    }
    return (awaited != AWAITED_ERROR && lines_read(&publishing->lines)) ||
           report_errno(STANDARD_INPUT, errno);
}

/* Answers all changes until a signal comes. */
static bool answer_all(struct publishing *publishing, struct output *output)
{
    bool ended = false;

    for (;;) {
        struct weir_text line;

        switch (lines_next(&publishing->lines, CHANGE_LINE_MAX, &line)) {
        case LINES_LINE:
            if (line.length > CHANGE_LINE_MAX) {
                return report(STANDARD_INPUT, "line %" PRIu64 " is too long",
                              publishing->lines.number);
            }
            answer(publishing, line, output);
            break;
        case LINES_EMPTY:
            if (!read_more(publishing, output, &ended)) {
                return ended;
            }
            break;
        case LINES_END:
        default:
            return output_flush(output) &&
                   (publishing->until_eof ||
                    signals_await_input(publishing->signals, -1, -1) == AWAITED_SIGNAL);
        }
    }
}

static void summarize_beginning(const struct command *command, const struct publishing *publishing)
{
    const struct weir_publisher *publisher = publishing->publisher;
    struct weir_usage usage = weir_engine_usage(weir_publisher_engine(publisher));

    report_summary(command, "publishing %" PRIu64 " tokens, sequence %" PRIu64 ", lease %g s",
                   usage.tokens, weir_publisher_sequence(publisher),
                   (double)weir_publisher_lease(publisher) / 1e9);
}

static void beat(void *context)
{
    weir_publisher_heartbeat(context);
}

static bool run_publisher(const struct command *command, struct publishing *publishing,
                          struct output *output)
{
    struct ticker heartbeat;
    bool complete = false;

    publishing->signals = signals_open();
    if (publishing->signals < 0 ||
        !ticker_start(&heartbeat, weir_publisher_lease(publishing->publisher) / HEARTBEATS_A_LEASE,
                      beat, publishing->publisher)) {
        return report_errno(publishing->path, errno);
    }
    summarize_beginning(command, publishing);
    complete = answer_all(publishing, output);
    if (complete) {
        report_summary(command, "%" PRIu64 " changes, %" PRIu64 " errors, sequence %" PRIu64,
                       publishing->changes, publishing->errors,
                       weir_publisher_sequence(publishing->publisher));
    }
    ticker_stop(&heartbeat);
    lines_release(&publishing->lines);
    (void)close(publishing->signals);
    return complete;
}

/*
 * ---- Beginning ----
 */

static bool resume(struct publishing *publishing)
{
    struct weir_error error = {0};

    if (weir_publisher_resume(publishing->path, NULL, &publishing->publisher, &error) == WEIR_OK) {
        return true;
    }
    return error.status == WEIR_ERROR_NOT_FOUND && error.place[0] != '\0'
               ? report(publishing->path, "nothing is published there that could be resumed")
               : report_error(publishing->path, &error);
}

static bool create(struct publishing *publishing, const struct options *options)
{
    struct weir_publisher_options how = {.lease = options->lease};
    const struct weir_image *image = NULL;
    struct weir_error error = {0};
    struct tokens tokens;
    bool created = false;

    if (!tokens_load(&tokens, options, NULL)) {
        return false;
    }
    image = tokens_image(&tokens, &error);
    if (image == NULL) {
        (void)report_error(options->values[FLAG_TOKENS], &error);
    } else if (weir_publisher_create(publishing->path, image, &how, &publishing->publisher,
                                     &error) != WEIR_OK) {
        (void)report_error(publishing->path, &error);
    } else {
        created = true;
    }
    tokens_release(&tokens);
    return created;
}

static bool check_flags(const struct command *command, const struct options *options)
{
    bool resumes = options->values[FLAG_RESUME] != NULL;

    if (!resumes && options->values[FLAG_TOKENS] == NULL) {
        return report_usage(command, "--tokens FILE is missing");
    }
    if (resumes && options->values[FLAG_TOKENS] != NULL) {
        return report_usage(command, "--resume goes on with the tokens that are published; it "
                                     "takes no --tokens");
    }
    if (resumes && options->values[FLAG_LEASE] != NULL) {
        return report_usage(command, "--resume goes on with the lease that is published; it takes "
                                     "no --lease");
    }
    return true;
}

static int run(const struct command *command, const struct options *options, struct output *output)
{
    struct publishing publishing = {
        .path = options->operands[0],
        .until_eof = options->values[FLAG_UNTIL_EOF] != NULL,
    };
    bool complete = false;

    publishing.lines.descriptor = STDIN_FILENO;
    if (!check_flags(command, options)) {
        return EXIT_TROUBLE;
    }
    if (options->values[FLAG_RESUME] != NULL ? resume(&publishing) : create(&publishing, options)) {
        complete = run_publisher(command, &publishing, output);
        weir_publisher_close(publishing.publisher);
    }
    return complete ? EXIT_ALLOWED : EXIT_TROUBLE;
}

const struct command publish_command = {
    .name = "publish",
    .summary = "publish tokens in a directory, and changes from a pipe",
    .help = help,
    .flags = FLAG_BIT(FLAG_TOKENS) | FLAG_BIT(FLAG_LEASE) | FLAG_BIT(FLAG_RESUME) |
             FLAG_BIT(FLAG_UNTIL_EOF) | FLAG_BIT(FLAG_OWNER),
    .required = 0,
    .operands = {"DIR"},
    .operands_required = 1,
    .run = run,
};
