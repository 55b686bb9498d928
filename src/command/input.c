#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weir/compile.h>
#include <weir/wire.h>

#include "progress.h"
#include "report.h"

/* An open file. Its first bytes are read ahead, to tell what it is; they are given out again. */
struct input {
    int descriptor;
    const char *path;
    char head[64];
    size_t head_length;
    size_t head_given;
};

static ptrdiff_t read_some(int descriptor, void *buffer, size_t size)
{
    ssize_t length = 0;

    do {
        length = read(descriptor, buffer, size);
    } while (length < 0 && errno == EINTR);
    return length;
}

static bool read_head(struct input *input)
{
    while (input->head_length < sizeof input->head) {
        ptrdiff_t length = read_some(input->descriptor, input->head + input->head_length,
                                     sizeof input->head - input->head_length);

        if (length < 0) {
            return report_errno(input->path, errno);
        }
        if (length == 0) {
            break;
        }
        input->head_length += (size_t)length;
    }
    return true;
}

/* A weir_read_function. */
static ptrdiff_t input_read(void *context, void *buffer, size_t size)
{
    struct input *input = context;
    size_t ahead = input->head_length - input->head_given;

    if (ahead == 0) {
        return read_some(input->descriptor, buffer, size);
    }
    ahead = ahead < size ? ahead : size;
    memcpy(buffer, input->head + input->head_given, ahead);
    input->head_given += ahead;
    return (ptrdiff_t)ahead;
}

/* Whether the file is an image: one that is cut short or damaged still is. If not, `error` says so.
 */
static bool is_image(const struct input *input, struct weir_error *error)
{
    return weir_image_validate(input->head, input->head_length, NULL, error) !=
           WEIR_ERROR_NOT_IMAGE;
}

/* Enough for the whole file and one byte more, which shows its end; a guess for a pipe. */
static size_t first_size(const struct input *input)
{
    struct stat status;

    if (fstat(input->descriptor, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0 &&
        (uintmax_t)status.st_size < SIZE_MAX / 2) {
        return (size_t)status.st_size + sizeof input->head + 1;
    }
    return (size_t)1 << 20;
}

/* Reads all of the file into memory. The copy is private, so that nobody can change the image once
 * it has been validated. */
static char *read_whole(struct input *input, size_t *size)
{
    size_t capacity = first_size(input);
    char *bytes = malloc(capacity);

    *size = 0;
    while (bytes != NULL) {
        ptrdiff_t length = input_read(input, bytes + *size, capacity - *size);

        if (length == 0) {
            return bytes;
        }
        if (length < 0) {
            (void)report_errno(input->path, errno);
            free(bytes);
            return NULL;
        }
        *size += (size_t)length;
        if (*size == capacity) {
            char *larger = capacity > SIZE_MAX / 2 ? NULL : realloc(bytes, capacity * 2);

            if (larger == NULL) {
                free(bytes);
            }
            bytes = larger;
            capacity *= 2;
        }
    }
    (void)report_errno(input->path, ENOMEM);
    return NULL;
}

static bool read_image(struct tokens *tokens, struct input *input)
{
    struct weir_error error = {0};
    size_t size = 0;

    tokens->compiled = true;
    tokens->bytes = read_whole(input, &size);
    if (tokens->bytes == NULL) {
        return false;
    }
    if (weir_image_open_memory(tokens->bytes, size, WEIR_IMAGE_SHARED, NULL, &tokens->image,
                               &error) != WEIR_OK) {
        return report_error(input->path, &error);
    }
    return true;
}

/* What happens to each token of a JSON file. */
struct gathering {
    struct weir_compiler *compiler;
    const struct weir_text *wanted;
    struct declaration *declaration;
    struct progress progress;
};

/* A weir_token_visitor. */
static enum weir_status gather(void *context, const struct weir_token *token, uint64_t position,
                               struct weir_error *error)
{
    struct gathering *gathering = context;
    const struct weir_text *wanted = gathering->wanted;
    enum weir_status status = weir_compiler_add(gathering->compiler, token, position, error);

    progress_step(&gathering->progress);
    if (status != WEIR_OK || wanted == NULL || gathering->declaration != NULL ||
        wanted->length != token->id.length ||
        memcmp(wanted->bytes, token->id.bytes, wanted->length) != 0) {
        return status;
    }
    gathering->declaration = declaration_copy(token);
    if (gathering->declaration == NULL) {
        *error = (struct weir_error){.status = WEIR_ERROR_MEMORY, .message = "out of memory"};
        return WEIR_ERROR_MEMORY;
    }
    return WEIR_OK;
}

static enum weir_status compile_json(struct tokens *tokens, struct gathering *gathering,
                                     struct input *input, struct weir_error *error)
{
    enum weir_token_file_form form = WEIR_FORM_OBJECT;
    uint64_t duplicate = 0;
    enum weir_status status = weir_compiler_new(NULL, &gathering->compiler, error);

    if (status == WEIR_OK) {
        status = weir_token_file_read(input_read, input, NULL, gather, gathering, &form, error);
    }
    progress_end(&gathering->progress);
    if (status != WEIR_OK) {
        return status;
    }
    status = weir_compile(gathering->compiler, 0, &tokens->image, &duplicate, error);
    if (status == WEIR_ERROR_DUPLICATE) {
        weir_token_file_place(form, duplicate, error);
    }
    return status;
}

static bool read_json(struct tokens *tokens, struct input *input, const struct weir_text *wanted)
{
    struct gathering gathering = {.wanted = wanted};
    struct weir_error error = {0};
    enum weir_status status = compile_json(tokens, &gathering, input, &error);

    weir_compiler_free(gathering.compiler);
    tokens->declaration = gathering.declaration;
    return status == WEIR_OK ? true : report_error(input->path, &error);
}

static bool is_directory(const struct input *input)
{
    struct stat status;

    return fstat(input->descriptor, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool load_file(struct tokens *tokens, struct input *input, bool image_only,
                      const struct weir_text *wanted)
{
    struct weir_error error = {0};

    if (!read_head(input)) {
        return false;
    }
    if (is_image(input, &error) && (image_only || input->head_length > 0)) {
        return read_image(tokens, input);
    }
    return image_only ? report_error(input->path, &error) : read_json(tokens, input, wanted);
}

static bool load(struct tokens *tokens, const char *path, const struct options *options,
                 bool image_only, const struct weir_text *wanted)
{
    struct input input = {.descriptor = open(path, O_RDONLY | O_CLOEXEC), .path = path};
    bool loaded = false;

    *tokens = (struct tokens){0};
    if (input.descriptor < 0) {
        return report_errno(path, errno);
    }
    loaded = is_directory(&input) ? directory_open(&tokens->directory, path, options, NULL, NULL)
                                  : load_file(tokens, &input, image_only, wanted);
    (void)close(input.descriptor);
    if (!loaded) {
        tokens_release(tokens);
    }
    return loaded;
}

bool tokens_load(struct tokens *tokens, const struct options *options,
                 const struct weir_text *wanted)
{
    return load(tokens, options->values[FLAG_TOKENS], options, false, wanted);
}

bool tokens_load_path(struct tokens *tokens, const char *path, const struct options *options)
{
    return load(tokens, path, options, false, NULL);
}

bool tokens_load_image(struct tokens *tokens, const char *path, const struct options *options)
{
    return load(tokens, path, options, true, NULL);
}

void tokens_release(struct tokens *tokens)
{
    directory_close(&tokens->directory);
    weir_image_close(tokens->image);
    free(tokens->bytes);
    declaration_free(tokens->declaration);
    *tokens = (struct tokens){0};
}

bool tokens_followed(const struct tokens *tokens)
{
    return tokens->directory.follower != NULL;
}

void tokens_begin(struct tokens *tokens)
{
    uint64_t boot = 0;

    if (!tokens_followed(tokens)) {
        return;
    }
    boot = weir_clocks_now().boot;
    directory_poll(&tokens->directory, boot);
    tokens->engine = weir_follower_engine(tokens->directory.follower, boot);
    weir_read_begin();
}

void tokens_end(struct tokens *tokens)
{
    if (tokens_followed(tokens)) {
        weir_read_end();
        tokens->engine = NULL;
    }
}

bool tokens_stale(const struct tokens *tokens)
{
    return tokens_followed(tokens) && tokens->engine == NULL;
}

const struct weir_compiled_token *tokens_find(const struct tokens *tokens, struct weir_text id)
{
    if (tokens_followed(tokens)) {
        return tokens->engine != NULL ? weir_engine_find(tokens->engine, id) : NULL;
    }
    return weir_image_find(tokens->image, id);
}

struct weir_decision tokens_check(const struct tokens *tokens, struct weir_text id,
                                  const struct weir_request *request, struct weir_instant now)
{
    return tokens_stale(tokens) ? (struct weir_decision){WEIR_STALE, NULL}
                                : weir_check_token(tokens_find(tokens, id), request, now);
}

enum weir_status tokens_who(const struct tokens *tokens, const struct weir_request *request,
                            struct weir_instant now, struct weir_tokens *found,
                            struct weir_error *error)
{
    return tokens_followed(tokens)
               ? weir_engine_who(tokens->engine, request, now, NULL, found, error)
               : weir_who(tokens->image, request, now, NULL, found, error);
}

const struct weir_image *tokens_image(struct tokens *tokens, struct weir_error *error)
{
    const struct weir_instant never = {WEIR_INSTANT_SECONDS_MIN, 0}; /* drops no expired token */
    const struct weir_engine *engine = NULL;

    if (tokens->image != NULL) {
        return tokens->image;
    }
    engine = directory_engine_last_fresh(&tokens->directory);
    if (engine == NULL) {
        *error = (struct weir_error){
            .status = WEIR_ERROR_NOT_FOUND,
            .message = "what is published there is from before the machine last booted",
        };
        return NULL;
    }
    return weir_engine_compact(engine, never,
                               weir_follower_status(tokens->directory.follower).sequence, NULL,
                               &tokens->image, error) == WEIR_OK
               ? tokens->image
               : NULL;
}
