#include "publish/stage.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <weir/compile.h>

#include "library/support.h"

/*
 * ---- The stage ----
 */

void stage_make(struct stage *stage)
{
    const char *parent = getenv("TMPDIR");

    memset(stage, 0, sizeof *stage);
    (void)snprintf(stage->folder, sizeof stage->folder, "%s/weir-test-XXXXXX",
                   parent != NULL && parent[0] == '/' ? parent : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(stage->folder));
    (void)snprintf(stage->path, sizeof stage->path, "%s/published", stage->folder);
    stage->options.lease = LEASE;
    stage->options.segment_size = SEGMENT;
}

void stage_end(struct stage *stage)
{
    weir_publisher_close(stage->publisher);
    stage->publisher = NULL;
}

void stage_remove(struct stage *stage)
{
    stage_end(stage);
    shell(stage, "rm -rf \"$F\"");
}

static enum weir_status told(enum weir_status status, const struct weir_error *error)
{
    if (status != WEIR_OK) {
        expect_error(error, status);
    }
    return status;
}

static void demand(enum weir_status status, const struct weir_error *error, const char *what)
{
    if (status != WEIR_OK) {
        ck_abort_msg("%s: %s: %s: %s", what, weir_status_name(status), error->place,
                     error->message);
    }
}

void stage_create_anew(struct stage *stage, const struct recipe *recipes, size_t count,
                       uint64_t sequence)
{
    struct weir_image *image = compile_recipes(recipes, count, sequence);
    struct weir_error error = {0};

    stage_end(stage);
    demand(weir_publisher_create(stage->path, image, &stage->options, &stage->publisher, &error),
           &error, "create");
    weir_publisher_heartbeat(stage->publisher);
    weir_image_close(image);
}

void stage_create(struct stage *stage)
{
    struct weir_error error = {0};

    stage_make(stage);
    demand(weir_publisher_create(stage->path, NULL, &stage->options, &stage->publisher, &error),
           &error, "create");
    weir_publisher_heartbeat(stage->publisher);
}

void stage_resume(struct stage *stage)
{
    struct weir_error error = {0};

    stage_end(stage);
    demand(weir_publisher_resume(stage->path, &stage->options, &stage->publisher, &error), &error,
           "resume");
    weir_publisher_heartbeat(stage->publisher);
}

/*
 * ---- Changes ----
 */

enum weir_status publish_block(struct stage *stage, const struct weir_compiled_token *token)
{
    struct weir_error error = {0};

    return told(weir_publisher_issue(stage->publisher, token, NULL, &error), &error);
}

enum weir_status publish_issue(struct stage *stage, struct recipe recipe)
{
    struct weir_compiled_token *compiled = compile_recipe(recipe);
    enum weir_status status = publish_block(stage, compiled);

    free(compiled);
    return status;
}

enum weir_status publish_put(struct stage *stage, struct recipe recipe)
{
    struct weir_compiled_token *compiled = compile_recipe(recipe);
    struct weir_error error = {0};
    enum weir_status status = weir_publisher_put(stage->publisher, compiled, NULL, &error);

    free(compiled);
    return told(status, &error);
}

enum weir_status publish_revoke(struct stage *stage, const char *id)
{
    struct weir_error error = {0};

    return told(weir_publisher_revoke(stage->publisher, text_of(id), NULL, &error), &error);
}

enum weir_status publish_compact(struct stage *stage)
{
    struct weir_error error = {0};

    return told(weir_publisher_compact(stage->publisher, NOW, &error), &error);
}

/* Names without common beginnings, so that the block is as large as they are. */
struct weir_compiled_token *compile_large(const char *id, size_t scopes)
{
    struct weir_scope *list = calloc(scopes, sizeof *list);
    char(*names)[17] = calloc(scopes, sizeof *names);
    struct weir_token token = {.id = text_of(id), .scopes = list, .scope_count = scopes};
    struct weir_compiled_token *compiled = NULL;
    struct random random = {0};
    size_t size = 0;

    for (size_t i = 0; i < scopes; i++) {
        (void)snprintf(names[i], sizeof names[i], "%016llx",
                       (unsigned long long)random_number(&random));
        list[i] =
            (struct weir_scope){.basins = {WEIR_SET_PREFIX, WEIR_TEXT("")},
                                .streams = {i == 0 ? WEIR_SET_PREFIX : WEIR_SET_EXACT,
                                            i == 0 ? FIRST_VERSION_STREAM : text_of(names[i])},
                                .ops = WEIR_OPERATION_BIT(WEIR_READ)};
    }
    ck_assert_int_eq(weir_compile_token(&token, NULL, &compiled, &size, NULL), WEIR_OK);
    free(list);
    free(names);
    return compiled;
}

/* Where the next record of the newest segment goes. */
static uint64_t end_of_segment(const char *path)
{
    uint64_t offset = sizeof(struct weir_segment_header);
    struct weir_record record;

    for (;;) {
        read_bytes(path, &record, sizeof record, offset);
        if (record.sequence == 0) {
            return offset;
        }
        offset += (sizeof record + record.size + 7) / 8 * 8;
    }
}

size_t fill_segment(struct stage *stage, uint64_t leaving)
{
    struct weir_compiled_token *token = compile_recipe((struct recipe){"fill0000", .version = 1});
    uint64_t room = (sizeof(struct weir_record) + weir_compiled_token_size(token) + 7) / 8 * 8;
    uint64_t end = 0;
    char path[512];
    size_t count = 0;

    free(token);
    (void)find_files(stage, ".journal", path);
    for (end = end_of_segment(path); SEGMENT - end >= leaving + room + sizeof(struct weir_record);
         end += room) {
        char id[16];

        (void)snprintf(id, sizeof id, "fill%04zu", count++ % 10000);
        ck_assert_int_eq(publish_put(stage, (struct recipe){id, .version = 1}), WEIR_OK);
    }
    return count;
}

/*
 * ---- Following ----
 */

enum weir_status try_follow(const struct stage *stage, struct weir_follower **follower)
{
    struct weir_error error = {0};

    return told(weir_follower_open(stage->path, NULL, follower, &error), &error);
}

struct weir_follower *follow(const struct stage *stage)
{
    struct weir_follower *follower = NULL;
    struct weir_error error = {0};

    demand(weir_follower_open(stage->path, NULL, &follower, &error), &error, "follow");
    return follower;
}

enum weir_status poll_later(struct weir_follower *follower, uint64_t later)
{
    struct weir_error error = {0};

    return told(weir_follower_poll(follower, weir_clocks_now().boot + later, 0, &error), &error);
}

enum weir_status poll(struct stage *stage, struct weir_follower *follower)
{
    weir_publisher_heartbeat(stage->publisher);
    return poll_later(follower, 0);
}

enum weir_status poll_some(struct weir_follower *follower, uint64_t limit)
{
    struct weir_error error = {0};

    return told(weir_follower_poll(follower, weir_clocks_now().boot, limit, &error), &error);
}

uint64_t sequence_of(const struct weir_follower *follower)
{
    return weir_follower_status(follower).sequence;
}

const struct weir_engine *engine_of(const struct weir_follower *follower)
{
    const struct weir_engine *engine =
        weir_follower_engine(follower, weir_follower_status(follower).heartbeat);

    ck_assert_ptr_nonnull(engine);
    return engine;
}

/*
 * ---- Asking ----
 */

/* The follower's own functions. */
static enum weir_reason ask_through(struct weir_follower *follower, const char *id,
                                    unsigned version, struct weir_clocks now)
{
    struct version_stream stream = stream_of(version);
    struct weir_question question = {text_of(id),
                                     {.operation = WEIR_READ, .basin = WEIR_TEXT("basin-of-all")}};
    struct weir_question questions[3] = {question, question, question};
    enum weir_reason reasons[3] = {WEIR_ALLOWED, WEIR_ALLOWED, WEIR_ALLOWED};
    enum weir_reason reason = WEIR_ALLOWED;

    for (unsigned i = 0; i < 3; i++) {
        questions[i].request.stream = text_of(stream.name);
    }
    reason = weir_follower_check(follower, questions[0].token_id, &questions[0].request, now);
    weir_follower_check_batch(follower, questions, 3, now, reasons);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_int_eq(reasons[i], reason);
    }
    ck_assert_int_eq(
        weir_follower_check_under(follower, questions[0].token_id, &questions[0].request, now),
        reason);
    return reason;
}

enum weir_reason follower_ask_at(struct weir_follower *follower, const char *id, unsigned version,
                                 uint64_t boot)
{
    const struct weir_engine *engine = weir_follower_engine(follower, boot);
    struct weir_clocks now = {NOW, boot};
    enum weir_reason reason = ask_through(follower, id, version, now);
    struct weir_resolved resolved = {0};
    struct weir_request request = {.operation = WEIR_LIST_BASINS};

    if (engine == NULL) {
        ck_assert_int_eq(reason, WEIR_STALE);
        ck_assert_int_eq(weir_follower_check_resolved(follower, &resolved, &request, now),
                         WEIR_STALE);
        ck_assert_int_eq(weir_follower_check_resolved_under(follower, &resolved, &request, now),
                         WEIR_STALE);
    } else {
        ck_assert_int_eq(reason, ask(engine, id, version));
    }
    return reason;
}

enum weir_reason follower_ask(struct weir_follower *follower, const char *id, unsigned version)
{
    return follower_ask_at(follower, id, version, weir_follower_status(follower).heartbeat);
}

void expect_alike(const struct weir_engine *left, const struct weir_engine *right)
{
    struct state one = state_of(left);
    struct state other = state_of(right);

    other.own_tokens = one.own_tokens;
    ck_assert(states_equal(&one, &other));
}

void expect_current(struct stage *stage, struct weir_follower *follower)
{
    ck_assert_uint_eq(sequence_of(follower), weir_publisher_sequence(stage->publisher));
    expect_alike(weir_publisher_engine(stage->publisher), engine_of(follower));
}

/*
 * ---- Files ----
 */

void file_path(const struct stage *stage, const char *name, char path[512])
{
    (void)snprintf(path, 512, "%s/%s", stage->path, name);
}

size_t find_files(const struct stage *stage, const char *ending, char path[512])
{
    DIR *folder = opendir(stage->path);
    const struct dirent *entry = NULL;
    char last[256] = "";
    size_t count = 0;

    ck_assert_ptr_nonnull(folder);
    while ((entry = readdir(folder)) != NULL) {
        size_t length = strlen(entry->d_name);

        if (length > strlen(ending) &&
            strcmp(entry->d_name + length - strlen(ending), ending) == 0 &&
            (strstr(entry->d_name, "spare") == NULL || strstr(ending, "spare") != NULL)) {
            count++;
            if (strcmp(entry->d_name, last) > 0) {
                (void)snprintf(last, sizeof last, "%s", entry->d_name);
            }
        }
    }
    (void)closedir(folder);
    if (path != NULL && count > 0) {
        file_path(stage, last, path);
    }
    return count;
}

uint64_t file_size(const char *path)
{
    struct stat status;

    ck_assert_int_eq(stat(path, &status), 0);
    return (uint64_t)status.st_size;
}

void read_bytes(const char *path, void *bytes, size_t size, uint64_t offset)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);

    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(pread(file, bytes, size, (off_t)offset), (ssize_t)size);
    (void)close(file);
}

void write_bytes(const char *path, const void *bytes, size_t size, uint64_t offset)
{
    int file = open(path, O_WRONLY | O_CLOEXEC);

    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(pwrite(file, bytes, size, (off_t)offset), (ssize_t)size);
    (void)close(file);
}

void invert_bytes(const char *path, size_t size, uint64_t offset)
{
    unsigned char bytes[4096];

    ck_assert_uint_le(size, sizeof bytes);
    read_bytes(path, bytes, size, offset);
    for (size_t i = 0; i < size; i++) {
        bytes[i] ^= 0xff;
    }
    write_bytes(path, bytes, size, offset);
}

void shell(const struct stage *stage, const char *command)
{
    ck_assert_int_eq(setenv("D", stage->path, 1), 0);
    ck_assert_int_eq(setenv("F", stage->folder, 1), 0);
    ck_assert_int_eq(system(command), 0); // NOLINT(cert-env33-c): words of the test's own
}

struct weir_control *map_control(const struct stage *stage)
{
    char path[512];
    int file = -1;
    void *page = NULL;

    file_path(stage, WEIR_CONTROL_NAME, path);
    file = open(path, O_RDWR | O_CLOEXEC);
    ck_assert_int_ge(file, 0);
    page = mmap(NULL, WEIR_CONTROL_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ck_assert(page != MAP_FAILED);
    (void)close(file);
    return page;
}

void unmap_control(struct weir_control *control)
{
    ck_assert_int_eq(munmap(control, WEIR_CONTROL_SIZE), 0);
}

void forge_header(const struct stage *stage, void (*change)(struct weir_control_header *header))
{
    struct weir_control *control = map_control(stage);

    change(&control->header);
    control->header.checksum =
        XXH3_64bits(&control->header, offsetof(struct weir_control_header, checksum));
    unmap_control(control);
}

void reseal_record(const char *path, uint64_t offset)
{
    struct weir_segment_header header;
    struct weir_record record;
    char bytes[4096];
    uint64_t seed = 0;

    read_bytes(path, &header, sizeof header, 0);
    read_bytes(path, &record, sizeof record, offset);
    ck_assert_uint_le(record.size, sizeof bytes);
    read_bytes(path, bytes, record.size, offset + sizeof record);
    seed = XXH3_64bits_withSeed((const char *)&record + sizeof record.checksum,
                                sizeof record - sizeof record.checksum, header.identity);
    record.checksum = XXH3_64bits_withSeed(bytes, record.size, seed);
    write_bytes(path, &record, sizeof record, offset);
}
