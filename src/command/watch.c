/* watch.c - the stream of changes in a published directory, for a person or a program. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "command.h"
#include "directory.h"
#include "report.h"
#include "signals.h"
#include "words.h"

static const char help[] =
    "Usage: weir watch [--count N] [--json] [--heartbeats] [--] DIR\n"
    "\n"
    "Follows the directory DIR, which a publisher publishes, and shows each change as it is\n"
    "applied: its number, put (a token is issued or replaced) or revoke, the token's id as a\n"
    "JSON string, and the time from its publishing to its being applied here. Other lines\n"
    "tell how the directory stands: the number of the last change applied and published, the\n"
    "newest heartbeat's age beside the lease, and the snapshot in use. Ends at SIGINT,\n"
    "SIGTERM, or when nobody reads its output any more.\n"
    "\n"
    "  --count N     end after N changes\n"
    "  --json        a JSON object a line\n"
    "  --heartbeats  how the directory stands once a second while nothing else is shown;\n"
    "                always so on a terminal\n"
    "  --owner USER  DIR may belong to that user, too, not only to root and to whoever runs\n"
    "                this\n"
    "  -h, --help    this text\n"
    "  --            ends the flags\n"
    "\n"
    "Each line begins with what it is about; with --json that is \"event\":\n"
    "  open       how it stood when watching began: always the first line\n"
    "  put        a token is there, or another in its place\n"
    "  revoke     there is no such token any more\n"
    "  stale      no heartbeat has been seen for longer than the lease: all is denied\n"
    "  fresh      a heartbeat has been seen again\n"
    "  snapshot   the publisher has a new snapshot\n"
    "  adopted    the newest snapshot was gone over to: many tokens were known beside the\n"
    "             old one, or changes were missed, which are counted and not shown\n"
    "  anew       the directory was created anew; what it holds now is another history\n"
    "  error      the directory cannot be read; it is tried again\n"
    "  heartbeat  nothing has happened\n"
    "The keys of put and revoke:\n"
    "  {\"event\":\"put\",\"sequence\":N,\"id\":ID,\"lag_us\":N}\n"
    "of error, where CODE is a word such as damaged:\n"
    "  {\"event\":\"error\",\"code\":CODE,\"message\":TEXT}\n"
    "and of all others; a heartbeat's age is null until one is seen, published until it is\n"
    "known again, and unseen counts the changes that came unshown, with a snapshot:\n"
    "  {\"event\":\"open\",\"sequence\":N,\"published\":N,\"fresh\":true,\"heartbeat_age_us\":N,\n"
    "   "
    "\"lease_us\":N,\"snapshot\":N,\"newest_snapshot\":N,\"tokens\":N,\"own_tokens\":N,\"unseen\":"
    "N}\n"
    "\n"
    "Exits with 0, or 2 after an error: nothing is published there, or not to be trusted.\n"
    "\n"
    "Example:\n"
    "  weir watch --json -- /run/weir\n";

/* The most changes that are shown before anything else is looked at. */
#define CHANGES_AT_ONCE 1024

/* A signal, a closed pipe and the end of a lease are noticed within that. */
#define WAIT_MAX_NANOSECONDS UINT64_C(100000000)
#define WAIT_MAX_MILLISECONDS 100
#define WAITS_A_LEASE 4

#define NANOSECONDS_BETWEEN_HEARTBEATS UINT64_C(1000000000)

/* Of a directory that was superseded the last number is not known. */
#define UNKNOWN_SEQUENCE UINT64_MAX

struct watch {
    struct directory directory;
    struct output *output;
    int signals;
    bool json;
    bool heartbeats;
    uint64_t limit; /* of changes; 0: none */

    bool opened;      /* what comes while the directory is opened is in the state shown first */
    uint64_t changes; /* shown, and unseen ones */
    uint64_t applied; /* in the poll under way, by the observer's count */
    uint64_t written; /* time since boot of the last line */
    struct standing standing; /* as shown, or found not to be worth a line */
    enum weir_status error;   /* of the last poll */
};

/*
 * ---- Lines ----
 */

static void end_line(struct watch *watch, uint64_t boot)
{
    output_string(watch->output, "\n");
    (void)output_flush(watch->output);
    watch->written = boot;
}

static void write_change_json(struct output *output, const char *event,
                              const struct weir_change *change, uint64_t lag)
{
    output_format(output, "{\"event\":\"%s\",\"sequence\":%" PRIu64 ",\"id\":", event,
                  change->sequence);
    output_quoted(output, change->token_id);
    output_format(output, ",\"lag_us\":%" PRIu64 "}", lag);
}

/* A weir_change_observer. */
static void show_change(void *context, const struct weir_change *change)
{
    struct watch *watch = context;
    const char *event = change->token != NULL ? "put" : "revoke";
    uint64_t boot = weir_clocks_now().boot;
    uint64_t lag = boot > change->published ? (boot - change->published) / 1000 : 0;

    if (!watch->opened) {
        return;
    }
    watch->applied++;
    watch->changes++;
    if (watch->json) {
        write_change_json(watch->output, event, change, lag);
    } else {
        output_format(watch->output, "%-9s %" PRIu64 " ", event, change->sequence);
        output_quoted(watch->output, change->token_id);
        output_format(watch->output, ", %" PRIu64 " us after it was published", lag);
    }
    end_line(watch, boot);
}

static void write_key(struct output *output, const char *key, uint64_t number, bool known)
{
    if (known) {
        output_format(output, ",\"%s\":%" PRIu64, key, number);
    } else {
        output_format(output, ",\"%s\":null", key);
    }
}

static void write_standing_json(struct output *output, const char *event,
                                const struct standing *standing, uint64_t unseen)
{
    const struct weir_follower_standing *status = &standing->status;

    output_format(output, "{\"event\":\"%s\"", event);
    write_key(output, "sequence", status->sequence, true);
    write_key(output, "published", status->published, status->published != UNKNOWN_SEQUENCE);
    output_format(output, ",\"fresh\":%s", standing->fresh ? "true" : "false");
    write_key(output, "heartbeat_age_us", standing->age / 1000, standing->heard);
    write_key(output, "lease_us", status->lease / 1000, true);
    write_key(output, "snapshot", status->snapshot, true);
    write_key(output, "newest_snapshot", status->newest_snapshot, true);
    write_key(output, "tokens", status->usage.tokens, true);
    write_key(output, "own_tokens", status->usage.own_tokens, true);
    write_key(output, "unseen", unseen, true);
    output_string(output, "}");
}

static void write_standing_text(struct output *output, const char *event,
                                const struct standing *standing, uint64_t unseen)
{
    const struct weir_follower_standing *status = &standing->status;

    output_format(output, "%-9s at %" PRIu64, event, status->sequence);
    if (status->published != UNKNOWN_SEQUENCE) {
        output_format(output, " of %" PRIu64, status->published);
    }
    output_string(output, standing->fresh ? ", fresh: " : ", STALE: ");
    if (standing->heard) {
        output_format(output, "heartbeat %.3f s ago", seconds_of(standing->age));
    } else {
        output_string(output, "no heartbeat since the machine last booted");
    }
    output_format(output, ", lease %g s; %" PRIu64 " tokens, %" PRIu64 " beside snapshot %" PRIu64,
                  seconds_of(status->lease), status->usage.tokens, status->usage.own_tokens,
                  status->snapshot);
    if (status->newest_snapshot != status->snapshot) {
        output_format(output, "; the newest is %" PRIu64, status->newest_snapshot);
    }
    if (unseen > 0) {
        output_format(output, "; %" PRIu64 " changes unseen", unseen);
    }
}

static void show_standing(struct watch *watch, const char *event, const struct standing *standing,
                          uint64_t unseen, uint64_t boot)
{
    if (watch->json) {
        write_standing_json(watch->output, event, standing, unseen);
    } else {
        write_standing_text(watch->output, event, standing, unseen);
    }
    end_line(watch, boot);
}

static void show_error(struct watch *watch, const struct weir_error *error)
{
    struct output *output = watch->output;
    const char *separator = error->place[0] != '\0' ? ": " : "";

    if (watch->json) {
        char message[WEIR_PLACE_SIZE + WEIR_MESSAGE_SIZE + 2];

        (void)snprintf(message, sizeof message, "%s%s%s", error->place, separator, error->message);
        output_format(output, "{\"event\":\"error\",\"code\":\"%s\",\"message\":",
                      weir_status_name(error->status));
        output_quoted(output, text_of(message));
        output_string(output, "}");
    } else {
        output_format(output, "error     %s%s%s", error->place, separator, error->message);
    }
    end_line(watch, weir_clocks_now().boot);
}

/*
 * ---- What has happened ----
 */

/* Whether another history has begun: the old one says so before a poll goes over to it, and if its
 * publisher died before it could say so the numbers go back, unless chance has it otherwise. */
static bool is_created_anew(const struct weir_follower_standing *before,
                            const struct weir_follower_standing *after)
{
    return (before->published == UNKNOWN_SEQUENCE && after->published != UNKNOWN_SEQUENCE) ||
           after->sequence < before->sequence || after->snapshot < before->snapshot ||
           after->lease != before->lease;
}

/* Shows how the snapshot or the history has changed, if it has: then other changes than the
 * observer was told of may have come. */
static void show_succession(struct watch *watch, const struct standing *before,
                            const struct standing *after, uint64_t boot)
{
    uint64_t shown = before->status.sequence + watch->applied;
    uint64_t unseen = after->status.sequence > shown ? after->status.sequence - shown : 0;

    if (is_created_anew(&before->status, &after->status)) {
        show_standing(watch, "anew", after, 0, boot);
    } else if (after->status.snapshot != before->status.snapshot) {
        watch->changes += unseen;
        show_standing(watch, "adopted", after, unseen, boot);
    } else if (after->status.newest_snapshot != before->status.newest_snapshot) {
        show_standing(watch, "snapshot", after, 0, boot);
    }
}

/* Shows what has become of the directory since it was last looked at. */
static void show_news(struct watch *watch)
{
    uint64_t boot = weir_clocks_now().boot;
    struct standing standing = standing_of(watch->directory.follower, boot);

    show_succession(watch, &watch->standing, &standing, boot);
    if (standing.fresh != watch->standing.fresh) {
        show_standing(watch, standing.fresh ? "fresh" : "stale", &standing, 0, boot);
    }
    if (watch->heartbeats && boot - watch->written >= NANOSECONDS_BETWEEN_HEARTBEATS) {
        show_standing(watch, "heartbeat", &standing, 0, boot);
    }
    watch->standing = standing;
    watch->applied = 0;
}

/*
 * ---- Following ----
 */

static bool is_complete(const struct watch *watch)
{
    return watch->output->failure != 0 || (watch->limit != 0 && watch->changes >= watch->limit);
}

static enum weir_status poll_once(struct watch *watch, struct weir_error *error)
{
    uint64_t left = watch->limit != 0 ? watch->limit - watch->changes : CHANGES_AT_ONCE;

    return weir_follower_poll(watch->directory.follower, weir_clocks_now().boot,
                              left < CHANGES_AT_ONCE ? left : CHANGES_AT_ONCE, error);
}

/* Applies what is new. Nothing is skipped for the sake of a snapshot before it has been shown. */
static void follow(struct watch *watch)
{
    struct weir_error error = {0};
    enum weir_status status = WEIR_OK;

    /* That the directory was superseded is seen before the poll, or not at all. */
    watch->standing.status.published = weir_follower_status(watch->directory.follower).published;
    status = poll_once(watch, &error);
    if (is_complete(watch)) {
        return;
    }
    show_news(watch);
    if (status == WEIR_OK && directory_outgrown(&watch->standing.status) &&
        watch->standing.status.sequence == watch->standing.status.published) {
        status = weir_follower_adopt(watch->directory.follower, &error);
        show_news(watch);
    }
    if (status != WEIR_OK && status != watch->error) {
        show_error(watch, &error);
    }
    watch->error = status;
}

/* Waits for something to follow. False when it is time to end. */
static bool await(struct watch *watch)
{
    uint64_t timeout = watch->standing.status.lease / WAITS_A_LEASE;
    /* What cannot be read is there at once, again and again. */
    int milliseconds = watch->error != WEIR_OK ? WAIT_MAX_MILLISECONDS : 0;

    if (milliseconds == 0) {
        (void)weir_follower_wait(watch->directory.follower,
                                 timeout < WAIT_MAX_NANOSECONDS ? timeout : WAIT_MAX_NANOSECONDS);
    }
    return signals_await_closing(watch->signals, STDOUT_FILENO, milliseconds) == AWAITED_NOTHING;
}

static void run_watch(struct watch *watch)
{
    uint64_t boot = weir_clocks_now().boot;

    watch->standing = standing_of(watch->directory.follower, boot);
    watch->opened = true;
    show_standing(watch, "open", &watch->standing, 0, boot);
    while (!is_complete(watch) && await(watch)) {
        follow(watch);
    }
}

static int run(const struct command *command, const struct options *options, struct output *output)
{
    struct watch watch = {
        .output = output,
        .json = options->values[FLAG_JSON] != NULL,
        .heartbeats = options->values[FLAG_HEARTBEATS] != NULL || isatty(STDOUT_FILENO) != 0,
        .limit = options->changes,
    };

    (void)command;
    if (!directory_open(&watch.directory, options->operands[0], options, show_change, &watch)) {
        return EXIT_TROUBLE;
    }
    watch.signals = signals_open();
    if (watch.signals < 0) {
        directory_close(&watch.directory);
        (void)report_errno(options->operands[0], errno);
        return EXIT_TROUBLE;
    }
    run_watch(&watch);
    directory_close(&watch.directory);
    (void)close(watch.signals);
    /* That nobody reads any more is an end like any other. */
    if (output->failure == EPIPE) {
        output->failure = 0;
    }
    return output->failure == 0 ? EXIT_ALLOWED : EXIT_TROUBLE;
}

const struct command watch_command = {
    .name = "watch",
    .summary = "the changes of a published directory, as they come",
    .help = help,
    .flags = FLAG_BIT(FLAG_CHANGES) | FLAG_BIT(FLAG_JSON) | FLAG_BIT(FLAG_HEARTBEATS) |
             FLAG_BIT(FLAG_OWNER),
    .required = 0,
    .operands = {"DIR"},
    .operands_required = 1,
    .run = run,
};
