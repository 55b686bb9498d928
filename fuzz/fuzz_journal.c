/*
 * A published directory whose journal and control page hold what the input says: records whose
 * checksums are right or not, headers and pages with bytes changed. Who follows it, from before or
 * from now on, refuses it or is safe to ask.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdalign.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weir/compile.h>
#include <weir/follow.h>
#include <weir/publish.h>

#include "ask.h"
#include "demand.h"
#include "program.h"
#include "publish/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SEGMENT_SIZE = 65536, PATH_SIZE = 400 };

/* ---- The directory, as a publisher leaves it ---- */

struct file {
    char path[PATH_SIZE];
    uint8_t template[SEGMENT_SIZE]; /* what it holds when an input begins */
    alignas(64) uint8_t bytes[SEGMENT_SIZE];
    size_t size;
};

static struct directory {
    char path[64];
    struct file control;
    struct file segment;
} directory;

static void publish(const char *path)
{
    const struct weir_publisher_options options = {.segment_size = SEGMENT_SIZE};
    const uint8_t declarations[] = {2, 0, 3, 0, 3, 0, 3, 0, 63, 0, 4, 32, 1, 1, 9, 2, 2, 1, 1, 20};
    struct weir_publisher *publisher = NULL;
    struct program program;

    program_init(&program, declarations, sizeof declarations);
    demand(weir_publisher_create(path, NULL, &options, &publisher, NULL) == WEIR_OK);
    while (program.left > 0) {
        struct weir_token token = program_token(&program);
        struct weir_compiled_token *compiled = NULL;
        size_t size = 0;

        if (weir_compile_token(&token, NULL, &compiled, &size, NULL) == WEIR_OK) {
            (void)weir_publisher_put(publisher, compiled, NULL, NULL);
            free(compiled);
        }
    }
    demand(weir_publisher_compact(publisher, (struct weir_instant){0, 0}, NULL) == WEIR_OK);
    weir_publisher_heartbeat(publisher);
    weir_publisher_close(publisher);
    program_fini(&program);
}

static void load(struct file *file, const char *name)
{
    int descriptor = -1;
    ssize_t size = 0;

    (void)snprintf(file->path, sizeof file->path, "%s/%s", directory.path, name);
    descriptor = open(file->path, O_RDONLY | O_CLOEXEC);
    demand(descriptor >= 0);
    size = read(descriptor, file->template, sizeof file->template);
    demand(size > 0);
    file->size = (size_t)size;
    (void)close(descriptor);
}

/* Calls `each` with the names in the directory. */
static void list(void (*each)(const char *name))
{
    DIR *entries = opendir(directory.path);
    const struct dirent *entry = NULL;

    demand(entries != NULL);
    while ((entry = readdir(entries)) != NULL) {
        if (entry->d_name[0] != '.') {
            each(entry->d_name);
        }
    }
    (void)closedir(entries);
}

static void load_named(const char *name)
{
    struct file found;

    if (strcmp(name, WEIR_CONTROL_NAME) == 0) {
        load(&directory.control, name);
    } else if (strstr(name, ".journal") != NULL && strstr(name, "spare") == NULL) {
        load(&found, name);
        /* The newest one. */
        if (directory.segment.size == 0 || strcmp(found.path, directory.segment.path) > 0) {
            directory.segment = found;
        }
    }
}

static void remove_named(const char *name)
{
    char path[PATH_SIZE];

    (void)snprintf(path, sizeof path, "%s/%s", directory.path, name);
    (void)unlink(path);
}

static void remove_directory(void)
{
    list(remove_named);
    (void)rmdir(directory.path);
}

static void make_directory(void)
{
    (void)snprintf(directory.path, sizeof directory.path, "%s/weir-fuzz-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    demand(mkdtemp(directory.path) != NULL);
    demand(atexit(remove_directory) == 0);
    publish(directory.path);
    list(load_named);
    demand(directory.control.size == WEIR_CONTROL_SIZE && directory.segment.size == SEGMENT_SIZE);
}

/* ---- What an input makes of it ---- */

struct forgery {
    struct program program;
    uint64_t identity;
    uint64_t sequence; /* of the last record */
    size_t end;        /* behind it */
    bool spoilt;       /* something is there that no publisher writes */
};

static void restore(struct file *file)
{
    memcpy(file->bytes, file->template, file->size);
}

static void write_out(struct file *file)
{
    int descriptor = open(file->path, O_WRONLY | O_CLOEXEC);

    demand(descriptor >= 0);
    demand(pwrite(descriptor, file->bytes, file->size, 0) == (ssize_t)file->size);
    (void)close(descriptor);
}

static struct weir_control *control_page(void)
{
    return (struct weir_control *)(void *)directory.control.bytes;
}

static void set_sequence(uint64_t sequence)
{
    memcpy(directory.control.bytes + offsetof(struct weir_control, sequence), &sequence,
           sizeof sequence);
}

/* Behind the records that the publisher wrote. */
static size_t end_of_records(uint64_t sequence)
{
    size_t end = sizeof(struct weir_segment_header);
    struct weir_segment_header header;
    struct weir_record record;

    memcpy(&header, directory.segment.bytes, sizeof header);
    for (uint64_t number = header.first; number <= sequence; number++) {
        memcpy(&record, directory.segment.bytes + end, sizeof record);
        end += (size_t)weir_record_room(record.size);
    }
    demand(end < SEGMENT_SIZE);
    return end;
}

/* A record behind the last one; its checksum is right. */
static void append(struct forgery *forgery, uint32_t kind, const void *bytes, size_t size)
{
    struct weir_record record = {
        .sequence = forgery->sequence + 1, .published = 1, .kind = kind, .size = (uint32_t)size};
    uint8_t *place = directory.segment.bytes + forgery->end;

    if (weir_record_room(size) > SEGMENT_SIZE - forgery->end) {
        return;
    }
    record.checksum = weir_record_checksum(&record, bytes, forgery->identity);
    memcpy(place, &record, sizeof record);
    memcpy(place + sizeof record, bytes, size);
    forgery->end += (size_t)weir_record_room(size);
    forgery->sequence++;
    set_sequence(forgery->sequence);
}

static void append_put(struct forgery *forgery)
{
    struct weir_token token = program_token(&forgery->program);
    struct weir_compiled_token *compiled = NULL;
    size_t size = 0;

    /* Nothing keeps two tokens here from having one digest, as a publisher does. */
    forgery->spoilt |= token.has_credential_digest;
    token.issue_number = forgery->sequence;
    if (weir_compile_token(&token, NULL, &compiled, &size, NULL) == WEIR_OK) {
        append(forgery, WEIR_RECORD_PUT, compiled, weir_compiled_token_size(compiled));
        free(compiled);
    }
}

static void append_revoke(struct forgery *forgery)
{
    struct weir_text id = program_id(&forgery->program);

    forgery->spoilt = true; /* there may be no such token */
    append(forgery, WEIR_RECORD_REVOKE, id.bytes, id.length);
}

static void append_anything(struct forgery *forgery)
{
    unsigned kind = program_number(&forgery->program, 6);
    struct weir_text bytes = program_name(&forgery->program, WEIR_STREAMS);

    forgery->spoilt = true;
    append(forgery, kind, bytes.bytes, bytes.length);
}

/* A block with a byte changed: with its checksum mended, since a follower looks further then. */
static void append_changed_block(struct forgery *forgery)
{
    size_t start = forgery->end;
    uint64_t before = forgery->sequence;
    struct weir_record record;
    uint8_t *bytes = directory.segment.bytes + start;

    append_put(forgery);
    if (forgery->sequence == before) {
        return;
    }
    forgery->spoilt = true;
    memcpy(&record, bytes, sizeof record);
    for (unsigned changes = 1 + program_number(&forgery->program, 3); changes > 0; changes--) {
        size_t place = (size_t)program_number(&forgery->program, 255);

        bytes[sizeof record + place % record.size] ^=
            (uint8_t)(1u << program_number(&forgery->program, 8));
    }
    record.checksum =
        weir_record_checksum(&record, (const char *)bytes + sizeof record, forgery->identity);
    memcpy(bytes, &record, sizeof record);
}

static void change_byte(struct forgery *forgery)
{
    size_t place = 256 * (size_t)program_number(&forgery->program, 255);

    place += program_number(&forgery->program, 255);
    place %= forgery->end + sizeof(struct weir_record);
    forgery->spoilt = true;
    if (place < SEGMENT_SIZE) {
        directory.segment.bytes[place] ^= (uint8_t)(1u << program_number(&forgery->program, 8));
    }
}

static void change_segment_header(struct forgery *forgery)
{
    struct weir_segment_header header;
    size_t place = program_number(&forgery->program, sizeof header);

    forgery->spoilt = true;
    directory.segment.bytes[place] ^= (uint8_t)(1u << program_number(&forgery->program, 8));
    memcpy(&header, directory.segment.bytes, sizeof header);
    header.checksum = weir_segment_checksum(&header);
    memcpy(directory.segment.bytes, &header, sizeof header);
}

static void change_control_header(struct forgery *forgery)
{
    struct weir_control_header *header = &control_page()->header;
    size_t place = program_number(&forgery->program, sizeof *header);

    forgery->spoilt = true;
    directory.control.bytes[place] ^= (uint8_t)(1u << program_number(&forgery->program, 8));
    if (program_number(&forgery->program, 2) == 0) {
        header->checksum = XXH3_64bits(header, offsetof(struct weir_control_header, checksum));
    }
}

/* S, H or N: a bit more or less than it is, or nonsense. */
static void change_control_word(struct forgery *forgery)
{
    static const size_t words[] = {offsetof(struct weir_control, sequence),
                                   offsetof(struct weir_control, heartbeat),
                                   offsetof(struct weir_control, snapshot)};
    size_t word = words[program_number(&forgery->program, 3)];
    uint64_t value = 0;

    forgery->spoilt = true;
    memcpy(&value, directory.control.bytes + word, sizeof value);
    switch (program_number(&forgery->program, 4)) {
    case 0:
        value = UINT64_MAX - program_number(&forgery->program, 2);
        break;
    case 1:
        value ^= UINT64_C(1) << program_number(&forgery->program, 64);
        break;
    default:
        value += program_number(&forgery->program, 5) - UINT64_C(2);
        break;
    }
    memcpy(directory.control.bytes + word, &value, sizeof value);
}

/* ---- Following it ---- */

static void ask_follower(struct weir_follower *follower, const uint8_t *data, size_t size)
{
    struct weir_follower_standing standing = weir_follower_status(follower);
    const struct weir_engine *engine = weir_follower_engine(follower, standing.heartbeat);

    if (engine != NULL) {
        ask_engine(engine, (const char *)data, size);
    }
}

static void follow(struct forgery *forgery, struct weir_follower *before, const uint8_t *data,
                   size_t size)
{
    struct weir_clocks now = weir_clocks_now();
    struct weir_follower *after = NULL;
    enum weir_status status = weir_follower_poll(before, now.boot, 3, NULL);

    demand(status == WEIR_OK || forgery->spoilt);
    status = weir_follower_poll(before, now.boot, 0, NULL);
    if (!forgery->spoilt) {
        demand(status == WEIR_OK);
        demand(weir_follower_status(before).sequence == forgery->sequence);
    }
    ask_follower(before, data, size);
    (void)weir_follower_adopt(before, NULL);
    status = weir_follower_open(directory.path, NULL, &after, NULL);
    demand(status == WEIR_OK || forgery->spoilt);
    if (status == WEIR_OK) {
        ask_follower(after, data, size);
        weir_follower_close(after);
    }
}

static void forge(struct forgery *forgery)
{
    static void (*const steps[])(struct forgery *) = {
        append_put,           append_put,  append_revoke,         append_anything,
        append_changed_block, change_byte, change_segment_header, change_control_header,
        change_control_word};

    while (forgery->program.left > 0) {
        steps[program_number(&forgery->program, sizeof steps / sizeof steps[0])](forgery);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct forgery forgery = {.end = 0};
    struct weir_follower *before = NULL;

    if (directory.control.size == 0) {
        make_directory();
    }
    restore(&directory.control);
    restore(&directory.segment);
    write_out(&directory.control);
    write_out(&directory.segment);
    demand(weir_follower_open(directory.path, NULL, &before, NULL) == WEIR_OK);
    forgery.identity = control_page()->header.identity;
    forgery.sequence = control_page()->sequence;
    forgery.end = end_of_records(forgery.sequence);
    program_init(&forgery.program, data, size);
    forge(&forgery);
    write_out(&directory.segment);
    write_out(&directory.control);
    follow(&forgery, before, data, size);
    weir_follower_close(before);
    program_fini(&forgery.program);
    return 0;
}
