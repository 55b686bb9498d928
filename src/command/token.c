/* token.c - the lifecycle of tokens: weir token init, issue, list, revoke. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weir/authority.h>
#include <weir/wire.h>

#include "command.h"
#include "lifecycle.h"
#include "report.h"
#include "token_flags.h"

#define HELP_STORE                                                                                 \
    "  --store STORE           the file that keeps the tokens. While weir serve owns it the\n"     \
    "                          command goes through that process\n"                                \
    "  --socket PATH           its operator socket; STORE.operator unless given\n"
#define HELP_CREDENTIAL                                                                            \
    "  --credential-file FILE  ask as the token whose credential is in FILE; else as the one\n"    \
    "                          in the variable " CREDENTIAL_VARIABLE ", if it is set. With\n"      \
    "                          neither, with the operator's authority, which no scope limits\n"
#define HELP_TOKEN_EXIT                                                                            \
    "Exits with 0, or 2 after an error, which has changed nothing unless it says so.\n"

#define FLAGS_STORE (FLAG_BIT(FLAG_STORE) | FLAG_BIT(FLAG_SOCKET) | FLAG_BIT(FLAG_CREDENTIAL))
#define FLAGS_DECLARATION                                                                          \
    (FLAG_BIT(FLAG_BASINS) | FLAG_BIT(FLAG_STREAMS) | FLAG_BIT(FLAG_ACCESS_TOKENS) |               \
     FLAG_BIT(FLAG_OPS) | FLAG_BIT(FLAG_OP_GROUPS) | FLAG_BIT(FLAG_EXPIRES_IN) |                   \
     FLAG_BIT(FLAG_EXPIRES_AT) | FLAG_BIT(FLAG_AUTO_PREFIX))

static struct weir_text optional_text(const char *value)
{
    return value != NULL ? text_of(value) : (struct weir_text){"", 0};
}

/*
 * ---- What is printed of a change, and may not get out ----
 */

/* Whether standard output takes what is buffered. Some file systems say only at a close that they
 * do not: that of a copy is one. */
static bool is_printed(struct output *output)
{
    int copy = output_flush(output) ? dup(STDOUT_FILENO) : -1;

    if (copy >= 0 && close(copy) != 0) {
        output->failure = errno;
    }
    return output->failure == 0;
}

/* Reports that it does not, and what became of the change. False. */
static bool report_unprinted(struct output *output, const char *consequence)
{
    (void)report(STANDARD_OUTPUT, "%s: %s", strerror(output->failure), consequence);
    output->failure = 0; /* it is told */
    return false;
}

/*
 * ---- init ----
 */

static const char init_help[] =
    "Usage: weir token init --store STORE [--id ID]\n"
    "\n"
    "Makes a store of tokens, and in it the first token, which may do everything, and prints\n"
    "its credential, this once: {\"access_token\":\"weir_...\"}. Whoever has it can issue all\n"
    "others.\n"
    "\n"
    "  --store STORE  the file to make; it belongs to whoever runs this, and nobody else may\n"
    "                 read it\n"
    "  --id ID        the token's id; root unless given\n" HELP_HELP "\n" HELP_TOKEN_EXIT "\n"
    "Example:\n"
    "  weir token init --store /var/lib/weir/tokens.db > root.json\n";

/* Whether that is the file that `made` tells of, as it was. */
static bool is_unchanged(const struct stat *made, const struct stat *file)
{
    return made->st_dev == file->st_dev && made->st_ino == file->st_ino &&
           made->st_size == file->st_size && made->st_mtim.tv_sec == file->st_mtim.tv_sec &&
           made->st_mtim.tv_nsec == file->st_mtim.tv_nsec;
}

/* Whether a file of SQLite's lies beside the store: it was not closed as whole. */
static bool has_log(const char *path)
{
    char name[PATH_MAX + 8];
    struct stat file;

    (void)snprintf(name, sizeof name, "%s-wal", path);
    return lstat(name, &file) == 0;
}

/* Removes the store unless somebody has used it since it was `made`. Locked, as whoever opens it
 * locks it (sqlite_open.c), so that nobody begins to meanwhile. */
static bool remove_store(const char *path, const struct stat *made)
{
    char *real = realpath(path, NULL);
    int file = real != NULL ? open(real, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK) : -1;
    struct stat now;
    bool removed = file >= 0 && flock(file, LOCK_EX | LOCK_NB) == 0 && fstat(file, &now) == 0 &&
                   is_unchanged(made, &now) && !has_log(real) && unlink(real) == 0;

    if (file >= 0) {
        (void)close(file);
    }
    free(real);
    return removed;
}

static bool print_first(const char *path, struct weir_credential *credential, struct output *output)
{
    struct stat made = {0};
    bool known = stat(path, &made) == 0;

    output_format(output, "{\"access_token\":\"%s\"}\n", credential->text);
    weir_wipe(credential, sizeof *credential);
    if (is_printed(output)) {
        return true;
    }
    return report_unprinted(output, known && remove_store(path, &made)
                                        ? "the store is removed again"
                                        : "the store is there, its token's credential is lost");
}

static int run_init(const struct command *command, const struct options *options,
                    struct output *output)
{
    const char *id = options->values[FLAG_ID];
    struct weir_credential credential;
    struct weir_error error;

    (void)command;
    if (weir_authority_init(options->values[FLAG_STORE], text_of(id != NULL ? id : "root"), NULL,
                            &credential, &error) != WEIR_OK) {
        (void)report_error(options->values[FLAG_STORE], &error);
        return EXIT_TROUBLE;
    }
    return print_first(options->values[FLAG_STORE], &credential, output) ? EXIT_ALLOWED
                                                                         : EXIT_TROUBLE;
}

static const struct command init_command = {
    .name = "token init",
    .summary = "makes a store and the first token",
    .help = init_help,
    .flags = FLAG_BIT(FLAG_STORE) | FLAG_BIT(FLAG_ID),
    .required = FLAG_BIT(FLAG_STORE),
    .run = run_init,
};

/*
 * ---- issue ----
 */

static const char issue_help[] =
    "Usage: weir token issue --store STORE [FILE]\n"
    "       weir token issue --store STORE --id ID [FLAG ...]\n"
    "\n"
    "Issues a token and prints its credential, this once: {\"access_token\":\"weir_...\"}.\n"
    "FILE, or standard input, declares it in JSON (weir help tokens), or flags do:\n"
    "\n"
    "  --id ID                 its id\n"
    "  --basins SET            the basins it is for\n"
    "  --streams SET           the streams\n"
    "  --access-tokens SET     the ids of access tokens\n"
    "  --ops OP,...            operations: weir help operations\n"
    "  --op-groups G=A,...     groups of them: account, basin, stream, with r, w or rw\n"
    "  --expires-in TIME       from now: 90s, 30m, 12h, 30d, 4w, 1d12h\n"
    "  --expires-at T          at an instant, RFC 3339\n"
    "  --auto-prefix           put the prefix of --streams before each name its client uses\n"
    "\n" HELP_SET "\n" HELP_STORE HELP_CREDENTIAL "  -h, --help              this text\n"
    "\n"
    "What a token issues lies within its own scope, and expires no later than "
    "itself.\n" HELP_TOKEN_EXIT "\n"
    "Example:\n"
    "  weir token issue --store tokens.db --id user-1234 --basins '' --streams users/1234/ \\\n"
    "      --op-groups stream=rw --expires-in 30d\n";

/* What has been read of a declaration. */
struct reading {
    char *bytes;
    size_t length;
    size_t capacity;
};

/* Reads some more. 1; 0 at the end; -1 on an error, for which errno is set. */
static int read_more(struct reading *reading, int file)
{
    ssize_t count = 0;

    if (reading->length == reading->capacity) {
        size_t capacity = reading->capacity == 0 ? 65536 : 2 * reading->capacity;
        char *grown = realloc(reading->bytes, capacity);

        if (grown == NULL) {
            return -1;
        }
        reading->bytes = grown;
        reading->capacity = capacity;
    }
    count = read(file, reading->bytes + reading->length, reading->capacity - reading->length);
    reading->length += count > 0 ? (size_t)count : 0;
    return count > 0 || (count < 0 && errno == EINTR) ? 1 : (int)count;
}

/* Reads all of the file into memory that is the caller's to free. */
static char *read_all(const char *path, size_t *length)
{
    bool standard = path == NULL || strcmp(path, "-") == 0;
    const char *name = standard ? STANDARD_INPUT : path;
    int file = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    struct reading reading = {NULL, 0, 0};
    int result = file < 0 ? -1 : 1;
    int number = 0;

    while (result > 0 && reading.length <= WEIR_ISSUE_JSON_MAX) {
        result = read_more(&reading, file);
    }
    number = errno;
    if (file >= 0 && !standard) {
        (void)close(file);
    }
    if (result < 0) {
        (void)report_errno(name, number);
        free(reading.bytes);
        return NULL;
    }
    *length = reading.length;
    return reading.bytes;
}

/* The declaration as JSON, to be freed. NULL: an error, which is reported. */
static char *declared(const struct command *command, const struct options *options, size_t *length)
{
    bool by_flags = options->values[FLAG_ID] != NULL;

    for (enum flag flag = 0; flag < FLAG_COUNT && !by_flags; flag++) {
        if ((FLAGS_DECLARATION & FLAG_BIT(flag)) != 0 && options->values[flag] != NULL) {
            (void)report_usage(command, "--id ID is missing");
            return NULL;
        }
    }
    if (by_flags && options->operand_count > 0) {
        (void)report_usage(command, "--id and FILE exclude each other");
        return NULL;
    }
    return by_flags ? token_flags_json(command, options, length)
                    : read_all(options->operand_count > 0 ? options->operands[0] : NULL, length);
}

/* A token whose credential nobody has is not to live. */
static bool issue_and_print(struct lifecycle *lifecycle, struct weir_text json,
                            struct output *output)
{
    if (!lifecycle_issue(lifecycle, json, output)) {
        return false;
    }
    if (is_printed(output)) {
        return true;
    }
    return report_unprinted(output, lifecycle_take_back(lifecycle, json)
                                        ? "the token is revoked again"
                                        : "the token is issued, its credential is lost");
}

static int run_issue(const struct command *command, const struct options *options,
                     struct output *output)
{
    struct lifecycle lifecycle;
    size_t length = 0;
    char *json = declared(command, options, &length);
    bool done = false;

    if (json != NULL && lifecycle_open(&lifecycle, options)) {
        done = issue_and_print(&lifecycle, (struct weir_text){json, length}, output);
        lifecycle_close(&lifecycle);
    }
    free(json);
    return done ? EXIT_ALLOWED : EXIT_TROUBLE;
}

static const struct command issue_command = {
    .name = "token issue",
    .summary = "issues a token",
    .help = issue_help,
    .flags = FLAGS_STORE | FLAG_BIT(FLAG_ID) | FLAGS_DECLARATION,
    .required = FLAG_BIT(FLAG_STORE),
    .operands = {"FILE"},
    .run = run_issue,
};

/*
 * ---- list ----
 */

static const char list_help[] =
    "Usage: weir token list --store STORE [--prefix P] [--start-after ID] [--limit N]\n"
    "\n"
    "Prints a page of tokens, without their secrets, as the list call answers it:\n"
    "{\"access_tokens\":[...],\"has_more\":false}. It is a token file, too.\n"
    "\n"
    "  --prefix P              only those whose ids begin so\n"
    "  --start-after ID        only those whose ids come after that one, in byte order\n"
    "  --limit N               so many, 1 to 1000; 1000 unless given\n" HELP_STORE HELP_CREDENTIAL
        HELP_HELP "\n" HELP_TOKEN_EXIT "\n"
    "Example:\n"
    "  weir token list --store tokens.db --prefix user-\n";

static bool read_limit(const struct command *command, const char *value, uint64_t *limit)
{
    char *end = NULL;

    *limit = 0;
    if (value == NULL) {
        return true;
    }
    errno = 0;
    *limit = strtoull(value, &end, 10);
    return (value[0] >= '0' && value[0] <= '9' && *end == '\0' && errno == 0) ||
           report_usage(command, "--limit is not a number: %s", quoted(value).text);
}

static int run_list(const struct command *command, const struct options *options,
                    struct output *output)
{
    struct weir_list_query query = {
        .prefix = optional_text(options->values[FLAG_PREFIX]),
        .start_after = optional_text(options->values[FLAG_START_AFTER]),
    };
    struct lifecycle lifecycle;
    bool done = false;

    if (read_limit(command, options->values[FLAG_LIMIT], &query.limit) &&
        lifecycle_open(&lifecycle, options)) {
        done = lifecycle_list(&lifecycle, &query, output);
        lifecycle_close(&lifecycle);
    }
    return done ? EXIT_ALLOWED : EXIT_TROUBLE;
}

static const struct command list_command = {
    .name = "token list",
    .summary = "lists tokens",
    .help = list_help,
    .flags =
        FLAGS_STORE | FLAG_BIT(FLAG_PREFIX) | FLAG_BIT(FLAG_START_AFTER) | FLAG_BIT(FLAG_LIMIT),
    .required = FLAG_BIT(FLAG_STORE),
    .run = run_list,
};

/*
 * ---- revoke ----
 */

static const char revoke_help[] =
    "Usage: weir token revoke --store STORE -- ID\n"
    "       weir token revoke --store STORE --prefix P [--yes] [--all]\n"
    "\n"
    "Revokes a token, or all tokens whose ids begin with P, and prints how many:\n"
    "{\"revoked\":1}. Tokens that they have issued live on.\n"
    "\n"
    "  --prefix P              asks first, if standard input is a terminal\n"
    "  --yes                   does not ask\n"
    "  --all                   needed for an empty P, which is every token\n" HELP_STORE
        HELP_CREDENTIAL "  -h, --help              this text\n"
    "  --                      ends the flags: what follows is ID, whatever it begins with\n"
    "\n" HELP_TOKEN_EXIT "\n"
    "Example:\n"
    "  weir token revoke --store tokens.db -- user-1234\n";

static bool check_target(const struct command *command, const struct options *options)
{
    const char *prefix = options->values[FLAG_PREFIX];

    if ((prefix != NULL) == (options->operand_count > 0)) {
        return report_usage(command, prefix != NULL ? "ID and --prefix exclude each other"
                                                    : "ID or --prefix P is missing");
    }
    return prefix == NULL || prefix[0] != '\0' || options->values[FLAG_ALL] != NULL ||
           report_usage(command, "an empty --prefix is every token: that needs --all");
}

/* Asks whoever sits at the terminal. False: no. */
static bool confirm(struct lifecycle *lifecycle, const char *prefix)
{
    uint64_t count = 0;
    char answer[16];

    if (!lifecycle_count(lifecycle, text_of(prefix), &count)) {
        return false;
    }
    (void)fprintf(stderr, "Revoke %llu token%s whose ids begin with %s? [y/N] ",
                  (unsigned long long)count, count == 1 ? "" : "s", quoted(prefix).text);
    return (fgets(answer, sizeof answer, stdin) != NULL &&
            (answer[0] == 'y' || answer[0] == 'Y')) ||
           report(lifecycle->store, "nothing was revoked");
}

/* An id that none can have is not sent: in a path it could be something else. */
static bool revoke_id(struct lifecycle *lifecycle, const char *id)
{
    return weir_token_id_valid(text_of(id))
               ? lifecycle_revoke(lifecycle, text_of(id))
               : report(lifecycle->store, "not a valid token id: %s", quoted(id).text);
}

static bool revoke_target(struct lifecycle *lifecycle, const struct options *options,
                          uint64_t *count)
{
    const char *prefix = options->values[FLAG_PREFIX];

    *count = 1;
    if (prefix == NULL) {
        return revoke_id(lifecycle, options->operands[0]);
    }
    return (options->values[FLAG_YES] != NULL || isatty(STDIN_FILENO) == 0 ||
            confirm(lifecycle, prefix)) &&
           lifecycle_revoke_prefix(lifecycle, text_of(prefix), count);
}

static bool print_revoked(uint64_t count, struct output *output)
{
    char consequence[64];

    output_format(output, "{\"revoked\":%llu}\n", (unsigned long long)count);
    (void)snprintf(consequence, sizeof consequence, "revoked tokens: %llu",
                   (unsigned long long)count);
    return is_printed(output) || report_unprinted(output, consequence);
}

static int run_revoke(const struct command *command, const struct options *options,
                      struct output *output)
{
    struct lifecycle lifecycle;
    uint64_t count = 0;
    bool done = false;

    if (check_target(command, options) && lifecycle_open(&lifecycle, options)) {
        done = revoke_target(&lifecycle, options, &count);
        lifecycle_close(&lifecycle);
    }
    return done && print_revoked(count, output) ? EXIT_ALLOWED : EXIT_TROUBLE;
}

static const struct command revoke_command = {
    .name = "token revoke",
    .summary = "revokes a token, or all whose ids begin alike",
    .help = revoke_help,
    .flags = FLAGS_STORE | FLAG_BIT(FLAG_PREFIX) | FLAG_BIT(FLAG_ALL) | FLAG_BIT(FLAG_YES),
    .required = FLAG_BIT(FLAG_STORE),
    .operands = {"ID"},
    .run = run_revoke,
};

/*
 * ---- All of them ----
 */

static const char token_help[] =
    "Usage: weir token init|issue|list|revoke --store STORE ...\n"
    "\n"
    "The lifecycle of tokens in a durable store, in which one process at a time works: this\n"
    "command, or weir serve, through which it goes then.\n";

const struct command token_command = {
    .name = "token",
    .summary = "issues, lists and revokes tokens in a store",
    .help = token_help,
    .subcommands = {&init_command, &issue_command, &list_command, &revoke_command},
};
