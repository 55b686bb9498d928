/* diff.c - what a change of tokens changes. */
#include <weir/difference.h>

#include "command.h"
#include "input.h"
#include "report.h"
#include "words.h"

static const char help[] =
    "Usage: weir diff [--now T] [--] OLD NEW\n"
    "\n"
    "Says exactly what the tokens of NEW mean that those of OLD do not, and the reverse:\n"
    "nothing where they mean the same, however they are written. A JSON line a difference,\n"
    "in the order of token ids, operations and changes:\n"
    "\n"
    "  gained, lost  what a token may do by NEW and not by OLD, or the reverse, with the\n"
    "                names concerned and one request that the two decide differently\n"
    "  lists_more, lists_less\n"
    "                names that a token that may list by both sees by one only\n"
    "  expires, auto_prefix\n"
    "                what these were and are, of a token that is valid by both\n"
    "\n"
    "A set of names is {\"exact\": [...], \"prefixes\": [...], \"except\": {...}}, in the names\n"
    "that the token's client uses. A token that is absent, or expired at T, may do nothing.\n"
    "Whose credential a token has makes no difference, nor what it may issue beyond what\n"
    "it may do.\n"
    "\n"
    "  --now T       the instant to compare for, RFC 3339; the clock's otherwise\n"
    "  --owner USER  if OLD or NEW is a directory: it may belong to that user, too\n"
    "  -h, --help    this text\n"
    "  --            ends the flags: what follows is OLD and NEW\n"
    "\n"
    "  OLD, NEW      tokens: JSON, NDJSON or a compiled image, told apart by content; may\n"
    "                be pipes. Or a directory that is published, be it stale\n"
    "\n"
    "Exits with 0 if they mean the same, 1 if they differ, 2 after an error.\n"
    "\n"
    "Example:\n"
    "  weir diff -- yesterday.weir tokens.json\n";

enum { EXIT_SAME = EXIT_ALLOWED, EXIT_DIFFERENT = EXIT_DENIED };

struct lines_out {
    struct output *output;
    bool different;
};

static void write_texts(struct output *output, const char *key, const struct weir_text *texts,
                        size_t count)
{
    output_format(output, "\"%s\":[", key);
    for (size_t i = 0; i < count; i++) {
        output_string(output, i == 0 ? "" : ",");
        output_quoted(output, texts[i]);
    }
    output_string(output, "]");
}

static void write_listing(struct output *output, const struct weir_listing *listing)
{
    write_texts(output, "exact", listing->exact, listing->exact_count);
    output_string(output, ",");
    write_texts(output, "prefixes", listing->prefixes, listing->prefix_count);
}

static void write_names(struct output *output, const char *key, const struct weir_name_set *names)
{
    if (names == NULL) {
        return;
    }
    output_format(output, ",\"%s\":{", key);
    write_listing(output, &names->included);
    output_string(output, ",\"except\":{");
    write_listing(output, &names->except);
    output_string(output, "}}");
}

static void write_name(struct output *output, const char *key, struct weir_text name)
{
    output_format(output, ",\"%s\":", key);
    output_quoted(output, name);
}

/* The names that the operation's target needs. */
static void write_request(struct output *output, const struct weir_request *request)
{
    enum weir_target target = weir_operation_target(request->operation);

    output_format(output, ",\"request\":{\"op\":\"%s\"", weir_operation_name(request->operation));
    if (target == WEIR_TARGET_BASIN || target == WEIR_TARGET_STREAM) {
        write_name(output, "basin", request->basin);
    }
    if (target == WEIR_TARGET_STREAM) {
        write_name(output, "stream", request->stream);
    }
    if (target == WEIR_TARGET_ACCESS_TOKEN) {
        write_name(output, "access_token", request->access_token);
    }
    output_string(output, "}");
}

static void write_expiry_of(struct output *output, const struct weir_compiled_token *token)
{
    struct weir_instant expires_at;

    if (!weir_compiled_token_expires(token, &expires_at)) {
        output_string(output, "null");
        return;
    }
    output_string(output, "\"");
    write_instant(output, expires_at);
    output_string(output, "\"");
}

static void write_prefix_of(struct output *output, const struct weir_compiled_token *token)
{
    struct weir_text prefix = weir_compiled_token_stream_prefix(token);

    if (prefix.length == 0) {
        output_string(output, "null");
    } else {
        output_quoted(output, prefix);
    }
}

static void write_terms(struct output *output, const struct weir_difference *difference,
                        void write(struct output *output, const struct weir_compiled_token *token))
{
    output_string(output, ",\"old\":");
    write(output, difference->old_token);
    output_string(output, ",\"new\":");
    write(output, difference->new_token);
}

/* A weir_difference_visitor. */
static void write_difference(void *context, const struct weir_difference *difference)
{
    struct lines_out *lines = context;
    struct output *output = lines->output;

    lines->different = true;
    output_string(output, "{\"token\":");
    output_quoted(output, difference->token_id);
    output_format(output, ",\"change\":\"%s\"", weir_difference_change_name(difference->change));
    if (difference->change == WEIR_EXPIRES_ELSE) {
        write_terms(output, difference, write_expiry_of);
    } else if (difference->change == WEIR_AUTO_PREFIX_ELSE) {
        write_terms(output, difference, write_prefix_of);
    } else {
        output_format(output, ",\"op\":\"%s\"", weir_operation_name(difference->operation));
        write_names(output, "basins", difference->basins);
        write_names(output, "streams", difference->streams);
        write_names(output, "access_tokens", difference->access_tokens);
    }
    if (difference->change == WEIR_GAINED || difference->change == WEIR_LOST) {
        write_request(output, &difference->request);
    }
    output_string(output, "}\n");
}

static const struct weir_image *image_of(struct tokens *tokens, const char *path)
{
    struct weir_error error = {0};
    const struct weir_image *image = tokens_image(tokens, &error);

    if (image == NULL) {
        (void)report_error(path, &error);
    }
    return image;
}

static int compare(struct tokens *old_tokens, struct tokens *new_tokens,
                   const struct options *options, struct output *output)
{
    struct lines_out lines = {.output = output};
    struct weir_error error = {0};
    const struct weir_image *old_image = image_of(old_tokens, options->operands[0]);
    const struct weir_image *new_image =
        old_image != NULL ? image_of(new_tokens, options->operands[1]) : NULL;

    if (new_image == NULL) {
        return EXIT_TROUBLE;
    }
    if (weir_diff(old_image, new_image, options_now(options), NULL, write_difference, &lines,
                  &error) != WEIR_OK) {
        (void)report_error(options->operands[1], &error);
        return EXIT_TROUBLE;
    }
    return lines.different ? EXIT_DIFFERENT : EXIT_SAME;
}

static int run(const struct command *command, const struct options *options, struct output *output)
{
    struct tokens old_tokens;
    struct tokens new_tokens;
    int code = EXIT_TROUBLE;

    (void)command;
    if (!tokens_load_path(&old_tokens, options->operands[0], options)) {
        return EXIT_TROUBLE;
    }
    if (tokens_load_path(&new_tokens, options->operands[1], options)) {
        code = compare(&old_tokens, &new_tokens, options, output);
        tokens_release(&new_tokens);
    }
    tokens_release(&old_tokens);
    return code;
}

const struct command diff_command = {
    .name = "diff",
    .summary = "what a change of tokens changes",
    .help = help,
    .flags = FLAG_BIT(FLAG_NOW) | FLAG_BIT(FLAG_OWNER),
    .required = 0,
    .operands = {"OLD", "NEW"},
    .operands_required = 2,
    .run = run,
};
