/* compile.c - from a token file to an image. */
#include <inttypes.h>

#include "command.h"
#include "input.h"
#include "report.h"

static const char help[] =
    "Usage: weir compile --tokens FILE -o IMAGE\n"
    "\n"
    "Compiles tokens to an image, which every command reads in place of the tokens, at\n"
    "once. The same tokens give the same bytes, in whatever order they stand.\n"
    "\n"
    "  --tokens FILE       the tokens: JSON, NDJSON or a compiled image, told apart by\n"
    "                      content; may be a pipe. Or a directory that is published: all\n"
    "                      that is in it now, be it stale or not\n"
    "  -o, --output IMAGE  the image. It is written beside the name and then renamed:\n"
    "                      after an error or a crash the old file is still there,\n"
    "                      whole. It may be FILE itself.\n"
    "  --owner USER        if FILE is a directory: it may belong to that user, too\n"
    "  -h, --help          this text\n"
    "\n"
    "Exits with 0, or 2 after an error.\n"
    "\n"
    "Example:\n"
    "  weir compile --tokens tokens.ndjson -o tokens.weir\n"
    "  weir check --tokens tokens.weir -- user-1234 read s2://acme-prod/users/1234/inbox\n";

static void summarize(const struct command *command, const struct weir_image *image)
{
    uint64_t count = weir_image_token_count(image);
    size_t size = 0;

    (void)weir_image_bytes(image, &size);
    if (count == 0) {
        report_summary(command, "0 tokens, %zu bytes", size);
        return;
    }
    report_summary(command, "%" PRIu64 " tokens, %zu bytes, %.1f bytes a token", count, size,
                   (double)size / (double)count);
}

static int run(const struct command *command, const struct options *options, struct output *output)
{
    const char *path = options->values[FLAG_OUTPUT];
    const struct weir_image *image = NULL;
    struct weir_error error = {0};
    struct tokens tokens;
    int status = EXIT_TROUBLE;

    (void)output;
    if (!tokens_load(&tokens, options, NULL)) {
        return EXIT_TROUBLE;
    }
    image = tokens_image(&tokens, &error);
    if (image == NULL) {
        (void)report_error(options->values[FLAG_TOKENS], &error);
    } else if (weir_image_save(image, path, &error) != WEIR_OK) {
        (void)report_error(path, &error);
    } else {
        summarize(command, image);
        status = EXIT_ALLOWED;
    }
    tokens_release(&tokens);
    return status;
}

const struct command compile_command = {
    .name = "compile",
    .summary = "compile tokens to an image",
    .help = help,
    .flags = FLAG_BIT(FLAG_TOKENS) | FLAG_BIT(FLAG_OUTPUT) | FLAG_BIT(FLAG_OWNER),
    .required = FLAG_BIT(FLAG_TOKENS) | FLAG_BIT(FLAG_OUTPUT),
    .operands = {NULL},
    .operands_required = 0,
    .run = run,
};
