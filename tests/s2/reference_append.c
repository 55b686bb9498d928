#include "s2/reference_append.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Memory of no size has an address, too. */
static void *grown(void *memory, size_t size)
{
    void *larger = realloc(memory, size + 1);

    if (larger == NULL) {
        abort();
    }
    return larger;
}

struct reference_bytes reference_copy(struct weir_text text)
{
    struct reference_bytes copy = {grown(NULL, text.length), text.length};

    if (text.length > 0) {
        memcpy(copy.bytes, text.bytes, text.length);
    }
    return copy;
}

struct reference_header *reference_add_header(struct reference_record *record)
{
    record->headers =
        grown(record->headers, (record->header_count + 1) * sizeof record->headers[0]);
    record->headers[record->header_count] = (struct reference_header){{NULL, 0}, {NULL, 0}};
    return &record->headers[record->header_count++];
}

struct reference_record *reference_add_record(struct reference_batch *batch)
{
    batch->records = grown(batch->records, (batch->record_count + 1) * sizeof batch->records[0]);
    batch->records[batch->record_count] = (struct reference_record){.has_timestamp = false};
    return &batch->records[batch->record_count++];
}

void reference_free(struct reference_batch *batch)
{
    for (size_t i = 0; i < batch->record_count; i++) {
        struct reference_record *record = &batch->records[i];

        for (size_t j = 0; j < record->header_count; j++) {
            free(record->headers[j].name.bytes);
            free(record->headers[j].value.bytes);
        }
        free(record->headers);
        free(record->body.bytes);
    }
    free(batch->records);
    free(batch->fencing_token.bytes);
    *batch = (struct reference_batch){0};
}

static bool bytes_are(struct reference_bytes bytes, const char *word)
{
    return bytes.length == strlen(word) && memcmp(bytes.bytes, word, bytes.length) == 0;
}

weir_operations reference_operations(const struct reference_batch *batch)
{
    weir_operations operations = 0;

    for (size_t i = 0; i < batch->record_count; i++) {
        const struct reference_record *record = &batch->records[i];
        const bool command = record->header_count == 1 && record->headers[0].name.length == 0;

        if (command && bytes_are(record->headers[0].value, "fence")) {
            operations |= WEIR_OPERATION_BIT(WEIR_FENCE);
        } else if (command && bytes_are(record->headers[0].value, "trim")) {
            operations |= WEIR_OPERATION_BIT(WEIR_TRIM);
        } else {
            operations |= WEIR_OPERATION_BIT(WEIR_APPEND);
        }
    }
    return batch->record_count == 0 ? WEIR_OPERATION_BIT(WEIR_APPEND) : operations;
}

static bool same_bytes(struct reference_bytes left, struct reference_bytes right)
{
    return left.length == right.length &&
           (left.length == 0 || memcmp(left.bytes, right.bytes, left.length) == 0);
}

static bool same_record(const struct reference_record *left, const struct reference_record *right)
{
    bool same = left->has_timestamp == right->has_timestamp &&
                left->timestamp == right->timestamp && left->header_count == right->header_count &&
                same_bytes(left->body, right->body);

    for (size_t i = 0; same && i < left->header_count; i++) {
        same = same_bytes(left->headers[i].name, right->headers[i].name) &&
               same_bytes(left->headers[i].value, right->headers[i].value);
    }
    return same;
}

bool reference_same(const struct reference_batch *left, const struct reference_batch *right)
{
    bool same = left->record_count == right->record_count &&
                left->has_match_seq_num == right->has_match_seq_num &&
                left->match_seq_num == right->match_seq_num &&
                left->has_fencing_token == right->has_fencing_token &&
                same_bytes(left->fencing_token, right->fencing_token);

    for (size_t i = 0; same && i < left->record_count; i++) {
        same = same_record(&left->records[i], &right->records[i]);
    }
    return same;
}

static void print_bytes(const char *label, struct reference_bytes bytes, FILE *out)
{
    fprintf(out, " %s ", label);
    for (size_t i = 0; i < bytes.length; i++) {
        fprintf(out, "%02x", (unsigned char)bytes.bytes[i]);
    }
}

void reference_print(const struct reference_batch *batch, FILE *out)
{
    if (batch->has_match_seq_num) {
        fprintf(out, "match_seq_num %" PRIu64 "\n", batch->match_seq_num);
    }
    if (batch->has_fencing_token) {
        print_bytes("fencing_token", batch->fencing_token, out);
        fputc('\n', out);
    }
    for (size_t i = 0; i < batch->record_count; i++) {
        const struct reference_record *record = &batch->records[i];

        fprintf(out, "record");
        if (record->has_timestamp) {
            fprintf(out, " timestamp %" PRIu64, record->timestamp);
        }
        for (size_t j = 0; j < record->header_count; j++) {
            print_bytes("name", record->headers[j].name, out);
            print_bytes("value", record->headers[j].value, out);
        }
        print_bytes("body", record->body, out);
        fputc('\n', out);
    }
}
