#include "requests.h"

#include <stdlib.h>
#include <string.h>

#include "engines.h"
#include "image/image.h"
#include "memory.h"

/* A request as it is kept: its names follow it in the text of all. */
struct kept {
    const struct weir_compiled_token *token;
    const struct floor_token *floor;
    const char *index_line;
    uint32_t size;
    uint8_t operation;
    uint8_t id_length;
    uint8_t basin_length;
    uint8_t stream_length;
    bool allowed;
};

struct requests {
    const struct weir_image *image;
    struct kept *kept;
    char *text;
    size_t *chunk_text; /* where the text of each chunk begins */
    size_t capacity;    /* a multiple of CHUNK */
    size_t count;
    size_t text_size;
    size_t next;
};

struct requests *requests_new(const struct weir_image *image, size_t count)
{
    struct requests *requests = calloc(1, sizeof *requests);

    requests->image = image;
    requests->capacity = count;
    requests->kept = memory_touched(count * sizeof *requests->kept);
    requests->text = memory_touched(count * REQUEST_TEXT + CHUNK_MARGIN);
    requests->chunk_text = calloc(count / CHUNK + 1, sizeof *requests->chunk_text);
    return requests;
}

const struct weir_image *requests_image(const struct requests *requests)
{
    return requests->image;
}

/* The first line of the index that a look-up of the id reads. */
static const char *index_line_of(const struct weir_image *image, struct weir_text id)
{
    const struct weir_view *view = &image->view;
    uint64_t home = weir_hash_home(weir_hash(id, view->hash_key), view->id.bucket_count);

    return (const char *)(view->id.buckets + home);
}

static void add_text(struct requests *requests, struct weir_text text)
{
    memcpy(requests->text + requests->text_size, text.bytes, text.length);
    requests->text_size += text.length;
}

void requests_add(struct requests *requests, const struct kept_request *request)
{
    struct weir_text id = request->question.token_id;
    struct weir_text basin = request->question.request.basin;
    struct weir_text stream = request->question.request.stream;
    struct kept *kept = &requests->kept[requests->count];

    engines_must(requests->count < requests->capacity &&
                         id.length + basin.length + stream.length <= REQUEST_TEXT
                     ? WEIR_OK
                     : WEIR_ERROR_LIMIT,
                 "keeping a request");
    *kept = (struct kept){.token = request->token,
                          .floor = request->floor,
                          .operation = (uint8_t)request->question.request.operation,
                          .id_length = (uint8_t)id.length,
                          .basin_length = (uint8_t)basin.length,
                          .stream_length = (uint8_t)stream.length,
                          .allowed = request->allowed};
    if (requests->image != NULL) {
        kept->token = weir_image_find(requests->image, id);
        kept->index_line = index_line_of(requests->image, id);
    }
    kept->size = kept->token != NULL ? (uint32_t)weir_compiled_token_size(kept->token) : 0;
    add_text(requests, id);
    add_text(requests, basin);
    add_text(requests, stream);
    requests->count++;
    if (requests->count % CHUNK == 0) {
        requests->chunk_text[requests->count / CHUNK] = requests->text_size;
    }
}

static void stage_one(const struct kept *kept, const char *text, size_t place, struct chunk *chunk)
{
    struct weir_question *question = &chunk->questions[place];

    question->token_id = (struct weir_text){text, kept->id_length};
    question->request.operation = (enum weir_operation)kept->operation;
    question->request.basin = (struct weir_text){text + kept->id_length, kept->basin_length};
    question->request.stream =
        (struct weir_text){text + kept->id_length + kept->basin_length, kept->stream_length};
    chunk->tokens[place] = kept->token;
    chunk->floors[place] = kept->floor;
    chunk->index_lines[place] = kept->index_line;
    chunk->sizes[place] = kept->size;
    chunk->allowed += kept->allowed;
}

void requests_stage(struct requests *requests, struct chunk *chunk)
{
    size_t begin = requests->chunk_text[requests->next / CHUNK];
    size_t end = requests->chunk_text[requests->next / CHUNK + 1];
    const char *text = chunk->text;

    memcpy(chunk->text, requests->text + begin, end - begin);
    chunk->image = requests->image;
    chunk->allowed = 0;
    for (size_t i = 0; i < CHUNK; i++) {
        const struct kept *kept = &requests->kept[requests->next + i];

        stage_one(kept, text, i, chunk);
        text += (size_t)kept->id_length + kept->basin_length + kept->stream_length;
    }
    requests->next = (requests->next + CHUNK) % requests->count;
}

enum weir_operation requests_operation(uint64_t random)
{
    static const enum weir_operation operations[] = {WEIR_CREATE_STREAM,
                                                     WEIR_DELETE_STREAM,
                                                     WEIR_GET_STREAM_CONFIG,
                                                     WEIR_RECONFIGURE_STREAM,
                                                     WEIR_CHECK_TAIL,
                                                     WEIR_APPEND,
                                                     WEIR_READ,
                                                     WEIR_TRIM,
                                                     WEIR_FENCE,
                                                     WEIR_STREAM_METRICS};

    return operations[random % (sizeof operations / sizeof operations[0])];
}
