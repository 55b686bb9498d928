#include "s2/append.h"

#include "s2/append_read.h"
#include "s2/decompress.h"

/* Beyond what came, for what is looked for before a number is written. */
#define SLACK 32

static bool refuse_memory(struct s2_refusal *refusal)
{
    return s2_refuse(refusal, 503, "unavailable", "Too many bodies are being read. Try again.");
}

static const char *malformed_code(enum s2_content content)
{
    return content == S2_CONTENT_JSON ? "bad_json" : "bad_proto";
}

static bool read_records(struct weir_text body, enum s2_content content, bool base64,
                         struct s2_output *output, weir_operations *operations,
                         struct s2_refusal *refusal)
{
    const char *wrong = NULL;

    if (content == S2_CONTENT_JSON) {
        wrong = s2_json_read(body, base64, output, operations);
    } else {
        wrong = s2_protobuf_read(body, output, operations);
    }
    if (output->lacked) {
        return refuse_memory(refusal);
    }
    return wrong == NULL || s2_refuse(refusal, 400, malformed_code(content), wrong);
}

/* Reads a body that is not compressed. */
static bool read_plain(struct weir_text body, enum s2_content content, bool base64,
                       struct s2_budget *budget, struct s2_batch *batch, struct s2_refusal *refusal)
{
    struct s2_output output;

    if (!s2_output_open(&output, body.length + SLACK, budget)) {
        return refuse_memory(refusal);
    }
    if (!read_records(body, content, base64, &output, &batch->operations, refusal)) {
        s2_output_release(&output);
        return false;
    }
    batch->bytes = (struct weir_text){output.bytes, output.length};
    batch->memory = output.bytes;
    batch->taken = output.size;
    return true;
}

static bool decompress(struct weir_text body, enum s2_content content, enum s2_encoding encoding,
                       struct s2_budget *budget, struct s2_decoded *decoded,
                       struct s2_refusal *refusal)
{
    switch (s2_decompress(body, encoding, S2_BODY_DECODED_MAX, budget, decoded)) {
    case S2_DECOMPRESSED:
        return true;
    case S2_TOO_LARGE:
        return s2_refuse(refusal, 413, "too_large", "The body is too large once it is decoded.");
    case S2_SHORT_OF_MEMORY:
        return refuse_memory(refusal);
    case S2_MALFORMED:
        break;
    }
    return s2_refuse(refusal, 400, malformed_code(content),
                     "The body is not encoded as its Content-Encoding says.");
}

static bool check_kind(struct weir_text body, enum s2_content content, enum s2_encoding encoding,
                       struct s2_refusal *refusal)
{
    if (content != S2_CONTENT_JSON && content != S2_CONTENT_PROTOBUF) {
        return s2_refuse(refusal, 415, "unsupported_media_type",
                         "The body is neither JSON nor protobuf, by its Content-Type.");
    }
    if (encoding == S2_ENCODING_OTHER) {
        return s2_refuse(refusal, 415, "unsupported_media_type",
                         "The body has a Content-Encoding that is not known here.");
    }
    return body.length <= S2_BODY_ENCODED_MAX ||
           s2_refuse(refusal, 413, "too_large", "The body is too large.");
}

bool s2_append_read(struct weir_text body, enum s2_content content, enum s2_encoding encoding,
                    bool base64, struct s2_budget *budget, struct s2_batch *batch,
                    struct s2_refusal *refusal)
{
    struct s2_decoded decoded;
    bool read = false;

    *batch = (struct s2_batch){0};
    if (!check_kind(body, content, encoding, refusal)) {
        return false;
    }
    if (encoding == S2_ENCODING_IDENTITY) {
        read = read_plain(body, content, base64, budget, batch, refusal);
    } else if (decompress(body, content, encoding, budget, &decoded, refusal)) {
        read = read_plain((struct weir_text){decoded.bytes, decoded.length}, content, base64,
                          budget, batch, refusal);
        s2_decoded_release(&decoded, budget);
    }
    return read;
}

void s2_batch_free(struct s2_batch *batch, struct s2_budget *budget)
{
    s2_budget_give(budget, batch->memory, batch->taken);
    *batch = (struct s2_batch){0};
}
