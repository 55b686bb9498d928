/* main.c - `weir`, and the programs beside it: finds the subcommand and runs it. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "commands.h"
#include "operations.h"
#include "report.h"
#include "token_help.h"

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; commands[i] != NULL; i++) {
        if (strcmp(commands[i]->name, name) == 0) {
            return commands[i];
        }
    }
    return NULL;
}

/* The command itself, or, of one that is several, the one that the next argument names. NULL: there
 * is none, which is reported. */
static const struct command *find_subcommand(const struct command *command, const char *name)
{
    const size_t length = strlen(command->name);

    for (size_t i = 0; i < SUBCOMMANDS_MAX && command->subcommands[i] != NULL; i++) {
        if (name != NULL && strcmp(command->subcommands[i]->name + length + 1, name) == 0) {
            return command->subcommands[i];
        }
    }
    if (name == NULL) {
        (void)report_usage(command, "COMMAND is missing");
    } else {
        (void)report_usage(command, "no such command: %s", quoted(name).text);
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
    for (size_t i = 0; commands[i] != NULL; i++) {
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

/* Of a command that is several, of each. */
static void write_command_help(const struct command *command, struct output *output)
{
    output_string(output, command->help);
    for (size_t i = 0; i < SUBCOMMANDS_MAX && command->subcommands[i] != NULL; i++) {
        output_string(output, "\n");
        output_string(output, command->subcommands[i]->help);
    }
}

/* Becomes the program that has the command: it lies beside this one. Returns only after an error.
 */
static int run_program(const struct command *command, char **argv)
{
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path);
    const char *slash = length > 0 ? memrchr(path, '/', (size_t)length) : NULL;
    size_t folder = slash != NULL ? (size_t)(slash - path) + 1 : 0;

    if (folder + strlen(command->program) >= sizeof path) {
        (void)report(command->program, "where it lies cannot be found");
        return EXIT_TROUBLE;
    }
    memcpy(path + folder, command->program, strlen(command->program) + 1);
    (void)execv(path, argv);
    if (errno == ENOENT) {
        (void)report(path, "is not installed: weir %s needs it (Debian's package %s)",
                     command->name, command->program);
    } else {
        (void)report_errno(path, errno);
    }
    return EXIT_TROUBLE;
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
    if (command->program != NULL) {
        return run_program(command, argv - 2);
    }
    write_command_help(command, output);
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
    if (command->program != NULL) {
        return run_program(command, argv);
    }
    argc -= 2;
    argv += 2;
    if (command->subcommands[0] != NULL &&
        !(argc > 0 && (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0))) {
        command = find_subcommand(command, argc > 0 ? argv[0] : NULL);
        if (command == NULL) {
            return EXIT_TROUBLE;
        }
        argc--;
        argv++;
    }
    if (!options_read(&options, command, argc, argv)) {
        return EXIT_TROUBLE;
    }
    if (options.values[FLAG_HELP] != NULL) {
        write_command_help(command, output);
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
    if (!standard_descriptors_taken()) {
        return EXIT_TROUBLE;
    }
    prepare();
    status = run(argc, argv, &output);
    if (!output_finish(&output, status != EXIT_TROUBLE || output.failure != 0)) {
        return EXIT_TROUBLE;
    }
    return status;
}
