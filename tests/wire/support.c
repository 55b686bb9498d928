#include "wire/support.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/*
 * ---- Texts ----
 */

struct weir_text text_of(const char *string)
{
    return (struct weir_text){string, strlen(string)};
}

void text_begin(struct printed *text)
{
    text->stream = open_memstream(&text->bytes, &text->length);
    EXPECT(text->stream != NULL);
}

struct weir_text text_done(struct printed *text)
{
    EXPECT(fclose(text->stream) == 0);
    return (struct weir_text){text->bytes, text->length};
}

void text_free(struct printed *text)
{
    free(text->bytes);
    text->bytes = NULL;
}

struct weir_text text_of_file(struct printed *text, const char *path)
{
    FILE *file = fopen(path, "rb");
    char piece[4096];
    size_t count = 0;

    ck_assert_msg(file != NULL, "cannot open %s", path);
    text_begin(text);
    while ((count = fread(piece, 1, sizeof piece, file)) > 0) {
        (void)fwrite(piece, 1, count, text->stream);
    }
    (void)fclose(file);
    return text_done(text);
}

static void describe_text(FILE *out, struct weir_text text)
{
    char quoted[WEIR_QUOTED_MAX(2048)];

    (void)weir_quote(text, quoted, sizeof quoted);
    (void)fputs(quoted, out);
}

static void describe_set(FILE *out, const char *name, const struct weir_set *set)
{
    static const char *const kinds[] = {"nothing", "exact", "prefix"};

    (void)fprintf(out, " %s=%s", name, kinds[set->kind]);
    if (set->kind != WEIR_SET_NOTHING) {
        describe_text(out, set->name);
    }
}

void describe_token(FILE *out, const struct weir_token *token)
{
    (void)fputs("token ", out);
    describe_text(out, token->id);
    if (token->expires) {
        (void)fprintf(out, " expires=%lld.%09u", (long long)token->expires_at.seconds,
                      (unsigned)token->expires_at.nanoseconds);
    }
    if (token->has_credential_digest) {
        (void)fputs(" digest=", out);
        for (size_t i = 0; i < WEIR_DIGEST_SIZE; i++) {
            (void)fprintf(out, "%02x", token->credential_digest[i]);
        }
    }
    (void)fprintf(out, " auto=%d number=%llu\n", token->auto_prefix_streams,
                  (unsigned long long)token->issue_number);
    for (size_t i = 0; i < token->scope_count; i++) {
        const struct weir_scope *scope = &token->scopes[i];

        describe_set(out, "basins", &scope->basins);
        describe_set(out, "streams", &scope->streams);
        describe_set(out, "access_tokens", &scope->access_tokens);
        (void)fprintf(out, " groups=%x ops=%llx\n", scope->op_groups,
                      (unsigned long long)scope->ops);
    }
}

/*
 * ---- Reading token files ----
 */

uint64_t next_random(uint64_t *state)
{
    uint64_t mixed = *state += UINT64_C(0x9e3779b97f4a7c15);

    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ mixed >> 31;
}

struct bytes_source bytes_from(struct weir_text text, size_t most)
{
    return (struct bytes_source){.text = text, .most = most, .fails_from = SIZE_MAX};
}

ptrdiff_t read_bytes(void *context, void *buffer, size_t size)
{
    struct bytes_source *source = context;
    size_t most = source->most > 0 ? source->most : 1 + next_random(&source->random) % 40;
    size_t count = source->text.length - source->given;

    EXPECT(size > 0);
    count = count < most ? count : most;
    count = count < size ? count : size;
    if (source->fails_from != SIZE_MAX && source->given + count >= source->fails_from) {
        count = source->fails_from - source->given;
        if (count == 0) {
            errno = source->fails_with;
            return -1;
        }
    }
    memcpy(buffer, source->text.bytes + source->given, count);
    source->given += count;
    return (ptrdiff_t)count;
}

static enum weir_status describe_visited(void *context, const struct weir_token *token,
                                         uint64_t position, struct weir_error *error)
{
    FILE *out = context;

    EXPECT(error != NULL);
    (void)fprintf(out, "%llu: ", (unsigned long long)position);
    describe_token(out, token);
    return WEIR_OK;
}

char *describe_file(struct weir_text text, size_t most, uint64_t random)
{
    struct bytes_source source = bytes_from(text, most);
    enum weir_token_file_form form = WEIR_FORM_OBJECT;
    struct weir_error error = {0};
    struct printed description;
    enum weir_status status = WEIR_OK;

    source.random = random;
    text_begin(&description);
    status = weir_token_file_read(read_bytes, &source, NULL, describe_visited, description.stream,
                                  &form, &error);
    (void)fprintf(description.stream, "form %d: %s %llu:%llu %s %s\n", (int)form,
                  weir_status_name(status), (unsigned long long)error.line,
                  (unsigned long long)error.column, error.place, error.message);
    (void)text_done(&description);
    return description.bytes;
}

enum weir_status ignore_token(void *context, const struct weir_token *token, uint64_t position,
                              struct weir_error *error)
{
    (void)context;
    (void)token;
    (void)position;
    (void)error;
    return WEIR_OK;
}

enum weir_status count_token(void *context, const struct weir_token *token, uint64_t position,
                             struct weir_error *error)
{
    size_t *count = context;

    (void)token;
    (void)position;
    (void)error;
    *count += 1;
    return WEIR_OK;
}

enum weir_status read_file(struct weir_text text, const struct weir_allocator *allocator,
                           struct weir_error *error)
{
    struct bytes_source source = bytes_from(text, SIZE_MAX);

    return weir_token_file_read(read_bytes, &source, allocator, ignore_token, NULL, NULL, error);
}

/*
 * ---- Allocators that count, check and fail ----
 */

/* In front of each piece of memory, and as large as malloc's alignment. */
union piece {
    size_t size;
    max_align_t alignment;
};

static bool may_allocate(struct tally *tally)
{
    tally->calls++;
    return tally->fails_at == 0 ||
           (tally->for_good ? tally->calls < tally->fails_at : tally->calls != tally->fails_at);
}

static void *tally_allocate(void *context, size_t size)
{
    struct tally *tally = context;
    union piece *piece = NULL;

    EXPECT(size > 0);
    if (!may_allocate(tally)) {
        errno = ENOMEM;
        return NULL;
    }
    piece = malloc(sizeof *piece + size);
    EXPECT(piece != NULL);
    piece->size = size;
    tally->live += size;
    tally->pieces++;
    tally->peak = tally->peak > tally->live ? tally->peak : tally->live;
    return piece + 1;
}

static void tally_release(void *context, void *memory, size_t size)
{
    struct tally *tally = context;
    union piece *piece = (union piece *)memory - 1;

    EXPECT(memory != NULL && piece->size == size);
    tally->live -= size;
    tally->pieces--;
    free(piece);
}

static void *tally_reallocate(void *context, void *memory, size_t old_size, size_t new_size)
{
    void *moved = tally_allocate(context, new_size);

    if (moved != NULL) {
        memcpy(moved, memory, old_size < new_size ? old_size : new_size);
        tally_release(context, memory, old_size);
    }
    return moved;
}

struct weir_allocator tallying(struct tally *tally)
{
    return (struct weir_allocator){tally_allocate, tally_reallocate, tally_release, tally};
}

/* jansson hands its functions no context. */
static struct tally *jansson_tally;

static void *jansson_allocate(size_t size)
{
    return tally_allocate(jansson_tally, size);
}

static void jansson_release(void *memory)
{
    if (memory != NULL) {
        tally_release(jansson_tally, memory, ((union piece *)memory - 1)->size);
    }
}

void tally_jansson(struct tally *tally)
{
    jansson_tally = tally;
    if (tally != NULL) {
        json_set_alloc_funcs(jansson_allocate, jansson_release);
    } else {
        json_set_alloc_funcs(malloc, free);
    }
}

/*
 * ---- Tables of bad input ----
 */

/* Writes the bytes that a line of a table stands for. */
static void unfold(FILE *out, const char *line)
{
    while (*line != '\0') {
        unsigned byte = 0;
        unsigned long count = 1;
        int taken = 0;

        if (sscanf(line, "<%2x>%n", &byte, &taken) < 1 || taken == 0) {
            taken = 0;
            if (sscanf(line, "<%2x*%lu>%n", &byte, &count, &taken) < 2 || taken == 0) {
                byte = (unsigned char)*line;
                count = 1;
                taken = 1;
            }
        }
        for (; count > 0; count--) {
            (void)fputc((int)byte, out);
        }
        line += taken;
    }
}

/* Reads the first line of a case. The status is compared by name. */
static void parse_expectation(const char *line, struct bad_case *bad, char status[16])
{
    char at[32];
    unsigned long long number = 0;
    unsigned long long column = 0;

    ck_assert_msg(
        sscanf(line, "%15s %127s %31s %255[^\n]", status, bad->place, at, bad->fragment) == 4,
        "%s: not an expectation: %s", bad->name, line);
    bad->status = status;
    if (strcmp(bad->place, "-") == 0) {
        bad->place[0] = '\0';
    }
    if (strcmp(at, "-") != 0) {
        ck_assert_msg(sscanf(at, "%llu:%llu", &number, &column) >= 1, "%s: %s", bad->name, at);
    }
    bad->line = number;
    bad->column = column;
}

static bool next_line(FILE *file, char **line, size_t *size, unsigned *number)
{
    ssize_t length = getline(line, size, file);

    if (length < 0) {
        return false;
    }
    (*number)++;
    if (length > 0 && (*line)[length - 1] == '\n') {
        (*line)[length - 1] = '\0';
    }
    return true;
}

size_t each_bad_case(const char *table, void (*test)(const struct bad_case *bad))
{
    char path[512];
    FILE *file = NULL;
    char *line = NULL;
    size_t size = 0;
    size_t cases = 0;
    unsigned number = 0;

    (void)snprintf(path, sizeof path, "%s/%s", WEIR_WIRE_CASES, table);
    file = fopen(path, "r");
    ck_assert_msg(file != NULL, "cannot open %s", path);
    while (next_line(file, &line, &size, &number)) {
        struct bad_case bad = {0};
        struct printed text;
        char status[16];

        if (line[0] == '\0' || line[0] == '#') {
            continue;
        }
        (void)snprintf(bad.name, sizeof bad.name, "%.40s:%u", table, number);
        parse_expectation(line, &bad, status);
        ck_assert_msg(next_line(file, &line, &size, &number), "%s: no text", bad.name);
        text_begin(&text);
        unfold(text.stream, line);
        bad.text = text_done(&text);
        test(&bad);
        text_free(&text);
        cases++;
    }
    free(line);
    (void)fclose(file);
    return cases;
}

static bool is_printable(const char *text, size_t size)
{
    size_t length = strnlen(text, size);

    for (size_t i = 0; i < length; i++) {
        if (text[i] < ' ' || text[i] > '~') {
            return false;
        }
    }
    return length < size;
}

void expect_printable(enum weir_status status, const struct weir_error *error)
{
    EXPECT(status != WEIR_OK && error->status == status);
    EXPECT(strcmp(weir_status_name(status), "unknown") != 0);
    EXPECT(error->message[0] != '\0');
    EXPECT(is_printable(error->message, sizeof error->message));
    EXPECT(is_printable(error->place, sizeof error->place));
}

void expect_bad(const struct bad_case *bad, enum weir_status status, const struct weir_error *error,
                const char *place)
{
    char whole_place[2 * WEIR_PLACE_SIZE];
    const char *dot = place[0] != '\0' && bad->place[0] != '\0' && bad->place[0] != '[' ? "." : "";

    (void)snprintf(whole_place, sizeof whole_place, "%s%s%s", place, dot, bad->place);
    ck_assert_msg(status != WEIR_OK, "%s: accepted", bad->name);
    ck_assert_msg(strcmp(weir_status_name(status), bad->status) == 0 && error->status == status &&
                      strncmp(error->place, whole_place, sizeof error->place - 1) == 0 &&
                      error->line == bad->line && error->column == bad->column &&
                      strstr(error->message, bad->fragment) != NULL,
                  "%s: got %s at \"%s\" %llu:%llu: %s", bad->name, weir_status_name(status),
                  error->place, (unsigned long long)error->line, (unsigned long long)error->column,
                  error->message);
    expect_printable(status, error);
}
