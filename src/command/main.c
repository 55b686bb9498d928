/* main.c - `weir`: finds the subcommand and runs it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "json_memory.h"
#include "operations.h"
#include "report.h"
#include "token_help.h"

static const struct command *const commands[] = {
    &check_command, &eval_command, &explain_command, &compile_command, &inspect_command,
    &who_command,   &diff_command, &watch_command,   &publish_command,
};

#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i]->name, name) == 0) {
            return commands[i];
        }
    }
    return NULL;
}

static void write_help(struct output *output)
{
    output_string(output, "Usage: weir COMMAND ...\n"
                          "\n"
                          "Decides what access tokens for streams may do.\n"
                          "\n"
                          "Commands:\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        output_format(output, "  %-8s %s\n", commands[i]->name, commands[i]->summary);
    }
    output_string(output,
                  "\n"
                  "  weir help COMMAND, weir COMMAND --help   what a command does\n"
                  "  weir help tokens                         what a token file looks like\n"
                  "  weir help operations                     the table of operations\n"
                  "  weir --version                           which weir this is\n"
                  "\n"
                  "Example:\n"
                  "  weir check --tokens tokens.json -- user-1234 list-basins\n");
}

static int help(int argc, char **argv, struct output *output)
{
    const struct command *command = NULL;

    if (argc > 1) {
        (void)report_usage(NULL, "one argument too many: %s", quoted(argv[1]).text);
        return EXIT_TROUBLE;
    }
    if (argc == 0) {
        write_help(output);
        return EXIT_ALLOWED;
    }
    if (strcmp(argv[0], "operations") == 0) {
        write_operation_table(output);
        return EXIT_ALLOWED;
    }
    if (strcmp(argv[0], "tokens") == 0) {
        output_string(output, token_file_help);
        return EXIT_ALLOWED;
    }
    command = find_command(argv[0]);
    if (command == NULL) {
        (void)report_usage(NULL, "no such command: %s", quoted(argv[0]).text);
        return EXIT_TROUBLE;
    }
    output_string(output, command->help);
    return EXIT_ALLOWED;
}

static int version(int argc, char **argv, struct output *output)
{
    if (argc > 0) {
        (void)report_usage(NULL, "one argument too many: %s", quoted(argv[0]).text);
        return EXIT_TROUBLE;
    }
    output_string(output, "weir " WEIR_VERSION "\n");
    return EXIT_ALLOWED;
}

static int run(int argc, char **argv, struct output *output)
{
    const struct command *command = NULL;
    struct options options;

    if (argc < 2) {
        (void)report_usage(NULL, "COMMAND is missing");
        return EXIT_TROUBLE;
    }
    if (strcmp(argv[1], "help") == 0) {
        return help(argc - 2, argv + 2, output);
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        return help(0, NULL, output);
    }
    if (strcmp(argv[1], "--version") == 0) {
        return version(argc - 2, argv + 2, output);
    }
    command = find_command(argv[1]);
    if (command == NULL) {
        (void)report_usage(NULL, "no such %s: %s", argv[1][0] == '-' ? "flag" : "command",
                           quoted(argv[1]).text);
        return EXIT_TROUBLE;
    }
    if (!options_read(&options, command, argc - 2, argv + 2)) {
        return EXIT_TROUBLE;
    }
    if (options.values[FLAG_HELP] != NULL) {
        output_string(output, command->help);
        return EXIT_ALLOWED;
    }
    return command->run(command, &options, output);
}

/*
 * A file that is opened must not become descriptor 0, 1 or 2, to be read or written by mistake.
 * Those that are closed are taken, opened the wrong way round, so that using them stays an error.
 */
static bool standard_descriptors_taken(void)
{
    for (int descriptor = 0; descriptor <= 2; descriptor++) {
        if (fcntl(descriptor, F_GETFD) < 0 && errno == EBADF &&
            open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY) != descriptor) {
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    static struct output output;
    int status = EXIT_TROUBLE;

    /* What cannot be written, to a pipe or for its size, is an error like any other. */
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
    json_memory_init();
    if (!standard_descriptors_taken()) {
        return EXIT_TROUBLE;
    }
    status = run(argc, argv, &output);
    if (!output_finish(&output, status != EXIT_TROUBLE || output.failure != 0)) {
        return EXIT_TROUBLE;
    }
    return status;
}
