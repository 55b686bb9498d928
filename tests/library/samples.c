#include "library/samples.h"

#include <stdio.h>
#include <string.h>

#include "library/support.h"

static struct weir_set exact(const char *name)
{
    return (struct weir_set){WEIR_SET_EXACT, text_of(name)};
}

static struct weir_set prefix(const char *name)
{
    return (struct weir_set){WEIR_SET_PREFIX, text_of(name)};
}

#define BASIN_AND_STREAM                                                                           \
    (WEIR_GROUP_BIT(WEIR_GROUP_BASIN, WEIR_ACCESS_READ) |                                          \
     WEIR_GROUP_BIT(WEIR_GROUP_BASIN, WEIR_ACCESS_WRITE) |                                         \
     WEIR_GROUP_BIT(WEIR_GROUP_STREAM, WEIR_ACCESS_READ))

static void make_tokens_of_one_scope(struct samples *samples)
{
    static const char longest_id[] = "ninety-six/bytes/"
                                     "0123456789012345678901234567890123456789"
                                     "012345678901234567890123456789012345678";
    struct weir_scope *scopes = samples->scopes;
    struct weir_token *tokens = samples->tokens;

    scopes[0] = (struct weir_scope){
        .basins = prefix(""), .streams = prefix("users/1234/"), .op_groups = BASIN_AND_STREAM};
    scopes[1] = (struct weir_scope){.basins = exact("basin-exact-01"),
                                    .streams = exact("one-stream"),
                                    .access_tokens = exact("exact-child"),
                                    .ops = WEIR_OPERATIONS_ALL};
    scopes[2] = (struct weir_scope){.ops = WEIR_OPERATION_BIT(WEIR_LIST_BASINS) |
                                           WEIR_OPERATION_BIT(WEIR_ACCOUNT_METRICS)};
    scopes[3] = (struct weir_scope){
        .basins = prefix("tenant-"), .streams = prefix("tenant/7/"), .op_groups = BASIN_AND_STREAM};
    scopes[4] = (struct weir_scope){.access_tokens = prefix("secret/"), .ops = WEIR_OPERATIONS_ALL};
    scopes[5] = scopes[0];
    scopes[6] = scopes[1];
    scopes[7] = scopes[0];
    for (size_t i = 0; i < 8; i++) {
        tokens[i] = (struct weir_token){.scopes = &scopes[i], .scope_count = 1};
    }
    tokens[0].id = text_of("plain");
    tokens[1].id = text_of("exact");
    tokens[2].id = text_of("nothing");
    tokens[3].id = text_of("auto");
    tokens[3].auto_prefix_streams = true;
    tokens[3].expires = true;
    tokens[3].expires_at = (struct weir_instant){1798761600, 123456789};
    tokens[4].id = text_of("secret");
    tokens[4].has_credential_digest = true;
    memset(tokens[4].credential_digest, 0x5c, sizeof tokens[4].credential_digest);
    tokens[4].issue_number = UINT64_C(0x1122334455667788);
    tokens[5].id = text_of("expired");
    tokens[5].expires = true;
    tokens[6].id = text_of("\xc3\xa9/\xf0\x9f\x99\x82");
    tokens[7].id = (struct weir_text){longest_id, sizeof longest_id - 1};
}

static void make_token_of_two_scopes(struct samples *samples, struct weir_scope *scopes)
{
    scopes[0] = (struct weir_scope){
        .basins = prefix("first-"), .streams = prefix("logs/"), .op_groups = BASIN_AND_STREAM};
    scopes[1] = (struct weir_scope){.basins = exact("first-basin"),
                                    .streams = exact("logs/audit"),
                                    .access_tokens = prefix("two/"),
                                    .ops = WEIR_OPERATIONS_ALL};
    samples->tokens[8] = (struct weir_token){
        .id = text_of("two"), .scopes = scopes, .scope_count = 2, .has_credential_digest = true};
}

/* Wide and narrow nodes, labels long and short, exact beside prefix, tries that basins share. */
static void make_token_of_many_scopes(struct samples *samples, struct weir_scope *scopes)
{
    size_t count = 0;

    for (size_t i = 0; i < COUNT(samples->names); i++) {
        (void)snprintf(samples->names[i], sizeof samples->names[i], "%c/%zu/",
                       (char)('0' + 2 * (int)i), i % 3);
        scopes[count++] = (struct weir_scope){.basins = prefix(i % 2 == 0 ? "acme-" : ""),
                                              .streams = prefix(samples->names[i]),
                                              .ops = WEIR_OPERATION_BIT(WEIR_READ) |
                                                     WEIR_OPERATION_BIT(WEIR_LIST_STREAMS)};
    }
    memset(samples->long_name, 'l', sizeof samples->long_name);
    scopes[count++] = (struct weir_scope){
        .basins = exact("acme-production"),
        .streams = {WEIR_SET_PREFIX, {samples->long_name, sizeof samples->long_name}},
        .op_groups = BASIN_AND_STREAM};
    scopes[count++] = (struct weir_scope){
        .basins = prefix("acme-prod"), .streams = exact("0/0/x"), .ops = WEIR_OPERATIONS_ALL};
    scopes[count++] = (struct weir_scope){
        .basins = prefix("beta-"), .access_tokens = prefix("broker/"), .ops = WEIR_OPERATIONS_ALL};
    scopes[count++] = (struct weir_scope){.access_tokens = exact("breaker/one"),
                                          .ops = WEIR_OPERATION_BIT(WEIR_REVOKE_ACCESS_TOKEN)};
    samples->tokens[9] =
        (struct weir_token){.id = text_of("broker"), .scopes = scopes, .scope_count = count};
}

void samples_make(struct samples *samples)
{
    memset(samples, 0, sizeof *samples);
    make_tokens_of_one_scope(samples);
    make_token_of_two_scopes(samples, samples->scopes + 8);
    make_token_of_many_scopes(samples, samples->scopes + 10);
}

struct weir_image *compile_tokens(const struct weir_token *tokens, size_t count,
                                  const struct weir_allocator *allocator)
{
    struct weir_compiler *compiler = NULL;
    struct weir_image *image = NULL;
    struct weir_error error = {0};

    ck_assert_int_eq(weir_compiler_new(allocator, &compiler, &error), WEIR_OK);
    for (size_t i = 0; i < count; i++) {
        ck_assert_msg(weir_compiler_add(compiler, &tokens[i], i, &error) == WEIR_OK, "%s: %s",
                      error.place, error.message);
    }
    ck_assert_msg(weir_compile(compiler, 0, &image, NULL, &error) == WEIR_OK, "%s", error.message);
    weir_compiler_free(compiler);
    return image;
}

void numbered_token_make(struct numbered_token *numbered, uint64_t number)
{
    struct weir_token *token = &numbered->token;

    memset(numbered, 0, sizeof *numbered);
    (void)snprintf(numbered->id, sizeof numbered->id, "token/%07llu", (unsigned long long)number);
    (void)snprintf(numbered->basin, sizeof numbered->basin, "tenant-%04llu-",
                   (unsigned long long)number % 1000);
    (void)snprintf(numbered->stream, sizeof numbered->stream, "users/%07llu/",
                   (unsigned long long)number);
    numbered->scope = (struct weir_scope){.basins = prefix(numbered->basin),
                                          .streams = prefix(numbered->stream),
                                          .ops = WEIR_OPERATION_BIT(WEIR_READ)};
    token->id = text_of(numbered->id);
    token->scopes = &numbered->scope;
    token->scope_count = 1;
    token->issue_number = number;
    token->has_credential_digest = number % 4 == 0;
    memcpy(token->credential_digest, &number, sizeof number);
    token->expires = number % 3 == 0;
    token->expires_at.seconds = (int64_t)number;
}
