#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <weir/compile.h>

#include "live/stamped.h"
#include "live/torture.h"

/* Small, so that the writer waits for readers often. */
#define RETIRED_MAX ((size_t)32 << 10)

/* Ids whose coming and going makes the second index grow. */
enum { OTHERS = 700 };

struct torture_writer {
    struct torture *torture;
    struct dice dice;
    struct weir_image *image;
    struct weir_image *file; /* open as long as the writer */
    struct version in_file[TORTURE_IDS];
    uint32_t last_stamp; /* always odd or 0 */
    bool others[OTHERS];
    uint64_t counts[TORTURE_CHANGES];
};

/*
 * ---- Memory that shows when it is read too late ----
 */

static void *allocate(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void *reallocate(void *context, void *memory, size_t old_size, size_t new_size)
{
    (void)context;
    (void)old_size;
    return realloc(memory, new_size);
}

static void release(void *context, void *memory, size_t size)
{
    (void)context;
    memset(memory, 0xdd, size);
    free(memory);
}

static const struct weir_allocator poisoning = {allocate, reallocate, release, NULL};

static void must(enum weir_status status, const char *what)
{
    if (status != WEIR_OK) {
        fprintf(stderr, "torture: %s: %s\n", what, weir_status_name(status));
        torture_fail("a change was refused");
    }
}

/*
 * ---- Versions ----
 */

static void note_sum(struct torture *torture, uint32_t stamp,
                     const struct weir_compiled_token *token)
{
    uint64_t word = (uint64_t)stamp << 32 | stamped_sum(token);

    __atomic_store_n(&torture->sums[stamp % TORTURE_SUMS], word, __ATOMIC_RELAXED);
}

/* A token that was never there before, with the pair's credential if it may and luck has it. */
static struct version draw_version(struct torture_writer *writer, bool may_have_credential)
{
    writer->last_stamp += 2;
    return (struct version){.there = true,
                            .has_credential = may_have_credential && dice_chance(&writer->dice, 70),
                            .stamp = writer->last_stamp & ~UINT32_C(1)};
}

static struct weir_compiled_token *compile_version(struct torture_writer *writer, uint32_t id,
                                                   struct version version)
{
    struct stamped stamped;
    struct weir_compiled_token *compiled = NULL;
    size_t size = 0;

    stamped_make(&stamped, TORTURE_KIND, id, version.stamp,
                 version.has_credential ? id / 2 : NO_CREDENTIAL);
    must(weir_compile_token(&stamped.token, NULL, &compiled, &size, NULL), "compiling");
    note_sum(writer->torture, version.stamp, compiled);
    return compiled;
}

/* Whether the id may have its pair's credential: the other has not. */
static bool credential_is_free(const struct torture *torture, uint32_t id)
{
    struct version other = ledger_last(&torture->ids[id ^ 1]);

    return !(other.there && other.has_credential);
}

/* Notes what is about to become of the id, and of its credential if that is concerned. Returns
 * whether it is. */
static bool begin(struct torture *torture, uint32_t id, struct version version)
{
    struct version before = ledger_last(&torture->ids[id]);
    bool had = before.there && before.has_credential;
    bool has = version.there && version.has_credential;

    ledger_begin(&torture->ids[id], version);
    if (had || has) {
        ledger_begin(&torture->credentials[id / 2],
                     (struct version){has, (id & 1) != 0, has ? version.stamp : 0});
    }
    return had || has;
}

static void finish(struct torture *torture, uint32_t id)
{
    ledger_finish(&torture->ids[id]);
    ledger_finish(&torture->credentials[id / 2]);
}

/*
 * ---- Changes of one token ----
 */

static void revoke_id(struct torture_writer *writer, uint32_t id)
{
    struct torture *torture = writer->torture;
    char buffer[16];

    (void)begin(torture, id, (struct version){false, false, 0});
    must(weir_engine_revoke(torture->engine, stamped_id(buffer, TORTURE_KIND, id), NULL), "revoke");
    finish(torture, id);
    writer->counts[CHANGE_REVOKE]++;
}

static void put_id(struct torture_writer *writer, uint32_t id)
{
    struct torture *torture = writer->torture;
    struct version before = ledger_last(&torture->ids[id]);
    struct version version = draw_version(writer, credential_is_free(torture, id));
    enum torture_change change = dice_chance(&writer->dice, 20) ? CHANGE_PUT
                                 : before.there                 ? CHANGE_REPLACE
                                                                : CHANGE_ISSUE;
    struct weir_compiled_token *compiled = NULL;

    /* Now and then under the number that it has. */
    if (before.there && (before.stamp & 1) == 0 && dice_chance(&writer->dice, 30)) {
        version = before;
        version.stamp |= 1;
    }
    compiled = compile_version(writer, id, version);
    (void)begin(torture, id, version);
    must(change == CHANGE_PUT       ? weir_engine_put(torture->engine, compiled, NULL)
         : change == CHANGE_REPLACE ? weir_engine_replace(torture->engine, compiled, NULL)
                                    : weir_engine_issue(torture->engine, compiled, NULL),
         "put");
    finish(torture, id);
    free(compiled);
    writer->counts[change]++;
}

static void change_others(struct torture_writer *writer)
{
    uint32_t id = (uint32_t)dice_below(&writer->dice, OTHERS);
    struct stamped stamped;
    struct weir_compiled_token *compiled = NULL;
    size_t size = 0;

    stamped_make(&stamped, "other", id, id, TORTURE_IDS + id);
    if (writer->others[id]) {
        must(weir_engine_revoke(writer->torture->engine, stamped.token.id, NULL), "revoke");
    } else {
        must(weir_compile_token(&stamped.token, NULL, &compiled, &size, NULL), "compiling");
        must(weir_engine_issue(writer->torture->engine, compiled, NULL), "issue");
        free(compiled);
    }
    writer->others[id] = !writer->others[id];
    writer->counts[CHANGE_OTHERS]++;
}

/*
 * ---- Changes of all ----
 */

/* Draws a version for each id, now and then none. */
static void draw_versions(struct torture_writer *writer, struct version *versions)
{
    bool taken = false;

    for (uint32_t id = 0; id < TORTURE_IDS; id++) {
        versions[id] = (struct version){false, false, 0};
        taken = (id & 1) != 0 && taken;
        if (dice_chance(&writer->dice, 75)) {
            versions[id] = draw_version(writer, !taken);
            taken = versions[id].has_credential;
        }
    }
}

static struct weir_image *compile_versions(struct torture_writer *writer,
                                           const struct version *versions)
{
    struct weir_compiler *compiler = NULL;
    struct weir_image *image = NULL;

    must(weir_compiler_new(&poisoning, &compiler, NULL), "compiler");
    for (uint32_t id = 0; id < TORTURE_IDS; id++) {
        struct stamped stamped;

        if (versions[id].there) {
            stamped_make(&stamped, TORTURE_KIND, id, versions[id].stamp,
                         versions[id].has_credential ? id / 2 : NO_CREDENTIAL);
            must(weir_compiler_add(compiler, &stamped.token, id, NULL), "adding");
            free(compile_version(writer, id, versions[id]));
        }
    }
    must(weir_compile(compiler, 0, &image, NULL, NULL), "compiling an image");
    weir_compiler_free(compiler);
    return image;
}

/* Swaps the image in and closes the old one at once. */
static void swap(struct torture_writer *writer, struct weir_image *image)
{
    must(weir_engine_swap(writer->torture->engine, image, NULL), "swap");
    if (writer->image != writer->file) {
        weir_image_close(writer->image);
    }
    writer->image = image;
}

/* Every id changes, at one moment. A credential that goes from one of its ids to the other does so
 * at that moment, too: it has one new version. */
static void swap_all(struct torture_writer *writer, struct weir_image *image,
                     const struct version *versions)
{
    struct torture *torture = writer->torture;

    for (uint32_t id = 0; id < TORTURE_IDS; id++) {
        ledger_begin(&torture->ids[id], versions[id]);
    }
    for (uint32_t credential = 0; credential < TORTURE_CREDENTIALS; credential++) {
        uint32_t second = versions[2 * credential + 1].has_credential;
        struct version holder = versions[2 * credential + second];

        ledger_begin(
            &torture->credentials[credential],
            (struct version){holder.there && holder.has_credential, second != 0, holder.stamp});
    }
    swap(writer, image);
    for (uint32_t id = 0; id < TORTURE_IDS; id++) {
        finish(torture, id);
    }
    memset(writer->others, 0, sizeof writer->others);
}

static void swap_fresh(struct torture_writer *writer)
{
    struct version versions[TORTURE_IDS];
    struct weir_image *image = NULL;

    draw_versions(writer, versions);
    image = compile_versions(writer, versions);
    swap_all(writer, image, versions);
    writer->counts[CHANGE_SWAP_FRESH]++;
}

static void swap_nothing(struct torture_writer *writer)
{
    static const struct version nothing[TORTURE_IDS];

    swap_all(writer, NULL, nothing);
    writer->counts[CHANGE_SWAP_NOTHING]++;
}

static void swap_file(struct torture_writer *writer)
{
    swap_all(writer, writer->file, writer->in_file);
    writer->counts[CHANGE_SWAP_FILE]++;
}

static struct weir_image *compact(struct torture_writer *writer)
{
    struct weir_image *image = NULL;

    must(weir_engine_compact(writer->torture->engine, STAMPED_NOW, 0, &poisoning, &image, NULL),
         "compact");
    writer->counts[CHANGE_COMPACT]++;
    return image;
}

/*
 * ---- The thread ----
 */

static void change_something(struct torture_writer *writer)
{
    size_t luck = dice_below(&writer->dice, 10000);
    uint32_t id = (uint32_t)dice_below(&writer->dice, TORTURE_IDS);

    if (luck < 10) {
        swap_fresh(writer);
    } else if (luck < 13) {
        swap_file(writer);
    } else if (luck < 15) {
        swap_nothing(writer);
    } else if (luck < 40) {
        swap(writer, compact(writer));
        writer->counts[CHANGE_SWAP_COMPACTED]++;
    } else if (luck < 45) {
        weir_image_close(compact(writer));
    } else if (luck < 65) {
        must(weir_engine_reclaim(writer->torture->engine, NULL), "reclaim");
        writer->counts[CHANGE_RECLAIM]++;
    } else if (luck < 2500) {
        change_others(writer);
    } else if (luck < 5000 && ledger_last(&writer->torture->ids[id]).there) {
        revoke_id(writer, id);
    } else {
        put_id(writer, id);
    }
}

void *torture_write(void *context)
{
    struct torture_writer *writer = context;

    /* Stamps have thirty bits. */
    while (!torture_stops(writer->torture) && writer->last_stamp < (1u << 29)) {
        change_something(writer);
    }
    return NULL;
}

static struct weir_image *image_in_file(struct torture_writer *writer)
{
    struct weir_image *image = compile_versions(writer, writer->in_file);
    struct weir_image *opened = NULL;
    const char *folder = getenv("TMPDIR");
    char path[4096];
    int file = -1;

    (void)snprintf(path, sizeof path, "%s/weir-torture-XXXXXX",
                   folder == NULL || *folder == '\0' ? "/tmp" : folder);
    file = mkstemp(path);
    if (file < 0) {
        torture_fail("no file can be made");
    }
    (void)close(file);
    must(weir_image_save(image, path, NULL), "saving");
    must(weir_image_open(path, WEIR_IMAGE_SHARED, NULL, &opened, NULL), "opening");
    (void)unlink(path);
    weir_image_close(image);
    return opened;
}

struct torture_writer *torture_writer_new(struct torture *torture, uint64_t seed)
{
    const struct weir_engine_options options = {.allocator = &poisoning,
                                                .retired_max = RETIRED_MAX};
    struct torture_writer *writer = calloc(1, sizeof *writer);

    if (writer == NULL) {
        torture_fail("no memory");
    }
    writer->torture = torture;
    writer->dice.state = seed;
    draw_versions(writer, writer->in_file);
    writer->file = image_in_file(writer);
    writer->image = writer->file;
    must(weir_engine_open(writer->file, &options, &torture->engine, NULL), "opening");
    for (uint32_t id = 0; id < TORTURE_IDS; id++) {
        struct version version = writer->in_file[id];

        ledger_start(&torture->ids[id], version);
        if ((id & 1) == 0 || (version.there && version.has_credential)) {
            bool has = version.there && version.has_credential;

            ledger_start(&torture->credentials[id / 2],
                         (struct version){has, (id & 1) != 0, has ? version.stamp : 0});
        }
    }
    return writer;
}

void torture_writer_print(const struct torture_writer *writer)
{
    static const char *const names[TORTURE_CHANGES] = {
        "issue",      "replace",         "put",           "revoke",  "others", "swap, fresh",
        "swap, file", "swap, compacted", "swap, nothing", "compact", "reclaim"};

    for (unsigned change = 0; change < TORTURE_CHANGES; change++) {
        printf("  %-24s %12llu\n", names[change], (unsigned long long)writer->counts[change]);
    }
}

void torture_writer_free(struct torture_writer *writer)
{
    weir_engine_close(writer->torture->engine);
    if (writer->image != writer->file) {
        weir_image_close(writer->image);
    }
    weir_image_close(writer->file);
    free(writer);
}
