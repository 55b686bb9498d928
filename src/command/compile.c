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
    "                      content; may be a pipe\n"
    "  -o, --output IMAGE  the image. It is written beside the name and then renamed:\n"
    "                      after an error or a crash the old file is still there,\n"
    "                      whole. It may be FILE itself.\n"
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
    struct weir_error error = {0};
    struct tokens tokens;
    int status = EXIT_TROUBLE;

    (void)output;
    if (!tokens_load(&tokens, options->values[FLAG_TOKENS], NULL)) {
        return EXIT_TROUBLE;
    }
    if (weir_image_save(tokens.image, path, &error) == WEIR_OK) {
        summarize(command, tokens.image);
        status = EXIT_ALLOWED;
    } else {
        (void)report_error(path, &error);
    }
    tokens_release(&tokens);
    return status;
}

const struct command compile_command = {
    .name = "compile",
    .summary = "compile tokens to an image",
    .help = help,
    .flags = FLAG_BIT(FLAG_TOKENS) | FLAG_BIT(FLAG_OUTPUT),
    .required = FLAG_BIT(FLAG_TOKENS) | FLAG_BIT(FLAG_OUTPUT),
    .operands = {NULL},
    .operands_required = 0,
    .run = run,
};
