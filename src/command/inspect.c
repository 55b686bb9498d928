/* inspect.c - what is in an image. */
#include <inttypes.h>

#include "command.h"
#include "input.h"
#include "report.h"
#include "words.h"

static const char help[] =
    "Usage: weir inspect [--now T] [--dot] [--] IMAGE [TOKEN]\n"
    "\n"
    "Says what is in a compiled image, or how a directory stands that is published. With\n"
    "TOKEN: what that token is, and its tries.\n"
    "\n"
    "  --now T     the instant for which expired tokens are counted, RFC 3339; the\n"
    "              clock's otherwise\n"
    "  --dot       the token's sets or tries as a graph for Graphviz, and nothing else;\n"
    "              with TOKEN only\n"
    "  --owner USER\n"
    "              if IMAGE is a directory: it may belong to that user, too\n"
    "  -h, --help  this text\n"
    "  --          ends the flags: what follows is IMAGE and TOKEN\n"
    "\n"
    "  IMAGE       an image that weir compile has made; may be a pipe. Or a directory\n"
    "              that is published, be it stale\n"
    "  TOKEN       the id of a token in it\n"
    "\n"
    "Exits with 0, or 2 after an error: the image is none, or has no such token.\n"
    "\n"
    "Example:\n"
    "  weir inspect -- tokens.weir user-1234\n"
    "  weir inspect --dot -- tokens.weir user-1234 | dot -Tsvg > user-1234.svg\n";

/* Sizes are counted up to 2^6, 2^7, … bytes. */
#define SMALLEST_EXPONENT 6
#define SIZE_CLASSES 26

struct census {
    uint64_t expired;
    uint64_t expiring;
    uint64_t eternal;
    uint64_t prefixing;
    uint64_t sizes[SIZE_CLASSES];
    uint64_t bytes;
    size_t largest;
    struct weir_text largest_id;
};

static unsigned size_class(size_t size)
{
    unsigned class = 0;

    while (class + 1 < SIZE_CLASSES && size > (size_t)1 << (class + SMALLEST_EXPONENT)) {
        class ++;
    }
    return class;
}

static void count_token(struct census *census, const struct weir_compiled_token *token,
                        struct weir_instant now)
{
    size_t size = weir_compiled_token_size(token);
    struct weir_text id = weir_compiled_token_id(token);
    struct weir_instant expires_at;

    if (!weir_compiled_token_expires(token, &expires_at)) {
        census->eternal++;
    } else if (now.seconds > expires_at.seconds ||
               (now.seconds == expires_at.seconds && now.nanoseconds >= expires_at.nanoseconds)) {
        census->expired++;
    } else {
        census->expiring++;
    }
    census->prefixing += weir_compiled_token_stream_prefix(token).length > 0;
    census->sizes[size_class(size)]++;
    census->bytes += size;
    if (size > census->largest ||
        (size == census->largest && compare_texts(id, census->largest_id) < 0)) {
        census->largest = size;
        census->largest_id = id;
    }
}

static struct census take_census(const struct weir_image *image, struct weir_instant now)
{
    const struct weir_compiled_token *token = NULL;
    struct census census = {0};

    while ((token = weir_image_next(image, token)) != NULL) {
        count_token(&census, token, now);
    }
    return census;
}

static void write_bar(struct output *output, uint64_t count, uint64_t of)
{
    const uint64_t width = 40;
    uint64_t bar = (uint64_t)((double)count / (double)of * (double)width + 0.5);

    output_string(output, "  ");
    for (uint64_t i = 0; i < (bar > 0 ? bar : 1); i++) {
        output_string(output, "#");
    }
    output_string(output, "\n");
}

static void write_sizes(struct output *output, const struct census *census)
{
    uint64_t most = 0;

    output_string(output, "\ncompiled tokens by size\n");
    for (unsigned class = 0; class < SIZE_CLASSES; class ++) {
        most = census->sizes[class] > most ? census->sizes[class] : most;
    }
    for (unsigned class = 0; class < SIZE_CLASSES; class ++) {
        if (census->sizes[class] > 0) {
            output_format(output, "  up to %8zu bytes %10" PRIu64,
                          (size_t)1 << (class + SMALLEST_EXPONENT), census->sizes[class]);
            write_bar(output, census->sizes[class], most);
        }
    }
    output_format(output, "  the largest, %zu bytes: ", census->largest);
    output_quoted(output, census->largest_id);
    output_string(output, "\n");
}

static void write_image(struct output *output, const struct weir_image *image,
                        struct weir_instant now)
{
    struct census census = take_census(image, now);
    uint64_t count = weir_image_token_count(image);
    size_t size = 0;

    (void)weir_image_bytes(image, &size);
    output_format(output, "bytes        %zu (", size);
    write_size(output, size);
    output_format(output, ")\ntokens       %" PRIu64, count);
    if (count > 0) {
        output_format(output, ", %.1f bytes each, %.1f of them the compiled token",
                      (double)size / (double)count, (double)census.bytes / (double)count);
    }
    output_format(output, "\ndigests      %" PRIu64 " (tokens with a credential digest)\n",
                  weir_image_digest_count(image));
    output_format(output, "sequence     %" PRIu64 "\n", weir_image_sequence(image));
    output_format(output, "auto-prefix  %" PRIu64 " (tokens that prefix their streams)\n",
                  census.prefixing);
    output_format(output,
                  "expiry       %" PRIu64 " expired, %" PRIu64 " will expire, %" PRIu64
                  " never do; at ",
                  census.expired, census.expiring, census.eternal);
    write_instant(output, now);
    output_string(output, "\n");
    if (count > 0) {
        write_sizes(output, &census);
    }
}

static void write_digest(struct output *output, const uint8_t *digest)
{
    if (digest == NULL) {
        output_string(output, "none");
        return;
    }
    for (size_t i = 0; i < 32; i++) {
        output_format(output, "%02x", digest[i]);
    }
}

/* A weir_text_sink. */
static void write_piece(void *context, struct weir_text text)
{
    output_bytes(context, text.bytes, text.length);
}

static bool write_token(struct output *output, const char *path,
                        const struct weir_compiled_token *token, struct weir_instant now)
{
    struct weir_error error;
    struct weir_text prefix = weir_compiled_token_stream_prefix(token);

    output_string(output, "token     ");
    output_quoted(output, weir_compiled_token_id(token));
    output_format(output, "\nissue     %" PRIu64 "\nexpires   ",
                  weir_compiled_token_issue_number(token));
    write_expiry(output, token, now);
    output_string(output, "\ndigest    ");
    write_digest(output, weir_compiled_token_digest(token));
    output_string(output, "\nprefix    ");
    output_quoted(output, prefix);
    output_string(output, prefix.length > 0 ? ", put before its streams\n"
                                            : ", its streams are called as they are\n");
    output_format(output, "compiled  %zu bytes\n\n", weir_compiled_token_size(token));
    return weir_compiled_token_dump(token, NULL, write_piece, output, &error) == WEIR_OK ||
           report_error(path, &error);
}

static bool write_graph(struct output *output, const char *path,
                        const struct weir_compiled_token *token)
{
    struct weir_error error;

    return weir_compiled_token_dot(token, NULL, write_piece, output, &error) == WEIR_OK ||
           report_error(path, &error);
}

static void write_directory(struct output *output, const struct weir_follower *follower)
{
    struct standing standing = standing_of(follower, weir_clocks_now().boot);
    const struct weir_follower_standing *status = &standing.status;

    output_format(output, "%s\n", standing.fresh ? "fresh" : "STALE: it denies everything");
    output_format(output, "sequence     %" PRIu64 "\n", status->sequence);
    output_format(output, "snapshot     %" PRIu64 "\n", status->newest_snapshot);
    if (standing.heard) {
        output_format(output, "heartbeat    %.3f s ago\n", seconds_of(standing.age));
    } else {
        output_string(output, "heartbeat    none since the machine last booted\n");
    }
    output_format(output, "lease        %g s\n", seconds_of(status->lease));
    output_format(output, "tokens       %" PRIu64 ", %" PRIu64 " of them not in the snapshot\n",
                  status->usage.tokens, status->usage.own_tokens);
    output_string(output, "memory       ");
    write_size(output, status->usage.own_bytes);
    output_string(output, " beside the snapshot\n");
}

/* In a directory also a token is shown of which nothing may be decided. */
static const struct weir_compiled_token *find_token(struct tokens *tokens, struct weir_text id)
{
    if (tokens_stale(tokens)) {
        tokens->engine = directory_engine_last_fresh(&tokens->directory);
    }
    return tokens_find(tokens, id);
}

static bool inspect_token(struct output *output, struct tokens *tokens,
                          const struct options *options)
{
    const char *path = options->operands[0];
    const char *id = options->operands[1];
    const struct weir_compiled_token *token = find_token(tokens, text_of(id));

    if (token == NULL) {
        return report(path, "no such token: %s", quoted(id).text);
    }
    return options->values[FLAG_DOT] != NULL
               ? write_graph(output, path, token)
               : write_token(output, path, token, options_now(options));
}

static int run(const struct command *command, const struct options *options, struct output *output)
{
    struct tokens tokens;
    bool done = true;

    if (options->values[FLAG_DOT] != NULL && options->operand_count < 2) {
        (void)report_usage(command, "--dot needs a TOKEN");
        return EXIT_TROUBLE;
    }
    if (!tokens_load_image(&tokens, options->operands[0], options)) {
        return EXIT_TROUBLE;
    }
    tokens_begin(&tokens);
    if (options->operand_count > 1) {
        done = inspect_token(output, &tokens, options);
    } else if (tokens_followed(&tokens)) {
        write_directory(output, tokens.directory.follower);
    } else {
        write_image(output, tokens.image, options_now(options));
    }
    tokens_end(&tokens);
    tokens_release(&tokens);
    return done ? EXIT_ALLOWED : EXIT_TROUBLE;
}

const struct command inspect_command = {
    .name = "inspect",
    .summary = "what is in an image or directory; a token's tries as text",
    .help = help,
    .flags = FLAG_BIT(FLAG_NOW) | FLAG_BIT(FLAG_OWNER) | FLAG_BIT(FLAG_DOT),
    .required = 0,
    .operands = {"IMAGE", "TOKEN"},
    .operands_required = 1,
    .run = run,
};
