/*
 * A token as a requestor declares it: read for issuing, it is what it is when
 * read as a token of a file, but that no digest may be given, and that what is
 * wrong with permissions alone is put off.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <weir/wire.h>

#include "demand.h"
#include "scarce_json.h"
#include "scarcity.h"
#include "wire/token_declared.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What came of reading a token, for release. */
struct reading {
    enum weir_status status;
    enum weir_status permission;
    struct weir_token *token; /* NULL unless the status is WEIR_OK */
};

static struct reading declared(struct weir_text json, const struct weir_allocator *allocator)
{
    struct reading reading = {.token = NULL};
    struct weir_error permission_error = {.status = WEIR_OK};
    struct weir_error error = {.status = WEIR_OK};

    reading.status = weir_token_parse_declared(json, allocator, &reading.token, &reading.permission,
                                               &permission_error, &error);
    demand(error.status == reading.status);
    demand(permission_error.status == reading.permission);
    demand(reading.permission == WEIR_OK || reading.permission == WEIR_ERROR_PERMISSION);
    demand(reading.status == WEIR_OK || reading.permission == WEIR_OK);
    demand((reading.token != NULL) == (reading.status == WEIR_OK));
    return reading;
}

static struct reading plain(struct weir_text json)
{
    struct reading reading = {.token = NULL};

    reading.status = weir_token_parse(json, NULL, &reading.token, NULL);
    return reading;
}

static void expect_set(const struct weir_set *set, bool (*valid)(struct weir_text),
                       bool (*prefix_valid)(struct weir_text))
{
    demand(set->kind != WEIR_SET_EXACT || valid(set->name));
    demand(set->kind != WEIR_SET_PREFIX || prefix_valid(set->name));
}

/* Whatever is wrong with permissions, no name is. */
static void expect_names(const struct weir_token *token)
{
    demand(weir_token_id_valid(token->id));
    for (size_t i = 0; i < token->scope_count; i++) {
        const struct weir_scope *scope = &token->scopes[i];

        expect_set(&scope->basins, weir_basin_valid, weir_basin_prefix_valid);
        expect_set(&scope->streams, weir_stream_valid, weir_stream_prefix_valid);
        expect_set(&scope->access_tokens, weir_token_id_valid, weir_token_id_prefix_valid);
    }
}

/* The token as JSON, for the caller to free. */
static char *written(const struct weir_token *token, size_t *length)
{
    char *json = NULL;

    *length = weir_token_write(token, NULL, 0);
    json = malloc(*length);
    demand(json != NULL && weir_token_write(token, json, *length) == *length);
    return json;
}

static void expect_same(const struct weir_token *left, const struct weir_token *right)
{
    size_t left_length = 0;
    size_t right_length = 0;
    char *left_json = written(left, &left_length);
    char *right_json = written(right, &right_length);

    demand(left_length == right_length && memcmp(left_json, right_json, left_length) == 0);
    free(left_json);
    free(right_json);
}

static void compare(const struct reading *issued, const struct reading *token)
{
    if (issued->status != WEIR_OK) {
        demand(issued->status == token->status || issued->status == WEIR_ERROR_SCHEMA);
        demand(token->status != WEIR_OK || token->token->has_credential_digest);
        return;
    }
    expect_names(issued->token);
    demand(!issued->token->has_credential_digest);
    demand(token->status == issued->permission);
    if (token->status == WEIR_OK) {
        expect_same(issued->token, token->token);
    }
}

/* Memory runs out, jansson's or the caller's, at the place that the input's
 * size says. */
static void declare_scarcely(struct weir_text json, const struct reading *whole)
{
    struct scarcity scarcity = {.left = json.length % 3};
    const struct weir_allocator scarce = scarce_allocator(&scarcity);
    struct reading reading;

    scarce_json_begin(json.length / 3 % 29, json.length % 2 == 0,
                      whole->status == WEIR_OK ? json.bytes : NULL, json.length);
    reading = declared(json, &scarce);
    scarcity.lacked |= scarce_json_end();
    demand(reading.status == (scarcity.lacked ? WEIR_ERROR_MEMORY : whole->status));
    if (reading.status == WEIR_OK) {
        demand(reading.permission == whole->permission);
        expect_same(reading.token, whole->token);
        weir_token_free(reading.token, &scarce);
    }
    demand(scarcity.blocks == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct weir_text json = {size > 0 ? (const char *)data : NULL, size};
    struct reading issued = declared(json, NULL);
    struct reading token = plain(json);

    compare(&issued, &token);
    declare_scarcely(json, &issued);
    if (issued.token != NULL) {
        weir_token_free(issued.token, NULL);
    }
    if (token.token != NULL) {
        weir_token_free(token.token, NULL);
    }
    return 0;
}
