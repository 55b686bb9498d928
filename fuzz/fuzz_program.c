/*
 * A program of changes of an engine and questions to it, beside the naive evaluator: each answer,
 * and each change's status, must be what the list of declarations says; and where memory runs out,
 * which the program may have it do, all must be as before.
 */
#include <string.h>

#include <weir/compile.h>
#include <weir/engine.h>
#include <weir/listing.h>

#include "demand.h"
#include "model/naive.h"
#include "program.h"
#include "scarcity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TOKENS_MAX = 16, HANDLES = 4, BATCH_MAX = 70, EXPIRED_KEPT_SECONDS = 3600 };

/* What was resolved, as the model remembers it. */
struct handle {
    struct weir_resolved resolved;
    struct weir_text id;
    bool by_credential;
    bool dead;    /* of no token, for ever */
    bool expired; /* a credential that was seen to be so */
    uint64_t issue_number;
    uint8_t digest[WEIR_DIGEST_SIZE];
};

struct machine {
    struct program program;
    struct scarcity scarcity;
    struct weir_allocator memory; /* what the scarcity leaves */
    struct weir_engine *engine;
    struct weir_image *image; /* that the engine borrows, or NULL */
    struct weir_instant now;
    uint64_t last_issue_number;
    /* The model: no two have one id or one digest. */
    struct weir_token tokens[TOKENS_MAX];
    size_t count;
    struct handle handles[HANDLES];
};

/* ---- The model ---- */

static struct weir_token *model_find(struct machine *machine, struct weir_text id)
{
    for (size_t i = 0; i < machine->count; i++) {
        if (naive_same(machine->tokens[i].id, id)) {
            return &machine->tokens[i];
        }
    }
    return NULL;
}

static struct weir_token *model_find_digest(struct machine *machine, const uint8_t *digest)
{
    for (size_t i = 0; i < machine->count; i++) {
        if (machine->tokens[i].has_credential_digest &&
            memcmp(machine->tokens[i].credential_digest, digest, WEIR_DIGEST_SIZE) == 0) {
            return &machine->tokens[i];
        }
    }
    return NULL;
}

static bool model_digest_taken(struct machine *machine, const struct weir_token *token)
{
    const struct weir_token *holder =
        token->has_credential_digest ? model_find_digest(machine, token->credential_digest) : NULL;

    return holder != NULL && !naive_same(holder->id, token->id);
}

static void model_put(struct machine *machine, const struct weir_token *token)
{
    struct weir_token *old = model_find(machine, token->id);

    demand(old != NULL || machine->count < TOKENS_MAX);
    *(old != NULL ? old : &machine->tokens[machine->count++]) = *token;
}

static void model_remove(struct machine *machine, struct weir_token *token)
{
    *token = machine->tokens[--machine->count];
}

/* What compacting leaves out. */
static bool long_expired(const struct weir_token *token, struct weir_instant now)
{
    struct weir_instant end = token->expires_at;

    end.seconds += EXPIRED_KEPT_SECONDS;
    return token->expires && (end.seconds < now.seconds ||
                              (end.seconds == now.seconds && end.nanoseconds < now.nanoseconds));
}

/* ---- Memory ---- */

/* Whether a call of that status came to nothing for want of memory; it may have wanted none. */
static bool lacked_memory(struct machine *machine, enum weir_status status)
{
    demand(status != WEIR_ERROR_MEMORY || machine->scarcity.lacked);
    return status == WEIR_ERROR_MEMORY;
}

/* What follows is not what memory is to run out in. */
static void have_plenty(struct machine *machine)
{
    machine->scarcity.left = PLENTY;
}

/* ---- Changes ---- */

enum change { ISSUE, REPLACE, PUT };

static enum weir_status expected_status(struct machine *machine, enum change change,
                                        const struct weir_token *token)
{
    bool exists = model_find(machine, token->id) != NULL;

    if (change == REPLACE && !exists) {
        return WEIR_ERROR_NOT_FOUND;
    }
    return (change == ISSUE && exists) || model_digest_taken(machine, token) ? WEIR_ERROR_DUPLICATE
                                                                             : WEIR_OK;
}

static void change(struct machine *machine, enum change change)
{
    static enum weir_status (*const functions[])(
        struct weir_engine *, const struct weir_compiled_token *, struct weir_error *) = {
        [ISSUE] = weir_engine_issue, [REPLACE] = weir_engine_replace, [PUT] = weir_engine_put};
    struct weir_token token = program_token(&machine->program);
    const struct weir_token *old = model_find(machine, token.id);
    struct weir_compiled_token *compiled = NULL;
    enum weir_status expected = expected_status(machine, change, &token);
    enum weir_status status = WEIR_OK;
    size_t size = 0;

    token.issue_number = old != NULL && change == REPLACE && program_number(&machine->program, 2)
                             ? old->issue_number
                             : ++machine->last_issue_number;
    status = weir_compile_token(&token, &machine->memory, &compiled, &size, NULL);
    if (lacked_memory(machine, status)) {
        return;
    }
    demand((status == WEIR_OK) == naive_token_valid(&token));
    if (status != WEIR_OK) {
        return;
    }
    status = functions[change](machine->engine, compiled, NULL);
    machine->memory.release(machine->memory.context, compiled, size);
    if (!lacked_memory(machine, status)) {
        demand(status == expected);
        if (status == WEIR_OK) {
            model_put(machine, &token);
        }
    }
}

static void revoke(struct machine *machine)
{
    struct weir_text id = program_id(&machine->program);
    struct weir_token *token = model_find(machine, id);
    enum weir_status status = weir_engine_revoke(machine->engine, id, NULL);

    demand(status == (token != NULL ? WEIR_OK : WEIR_ERROR_NOT_FOUND));
    if (token != NULL) {
        model_remove(machine, token);
    }
}

/* Each token that memory suffices for is added, and the others are not there. */
static void add_model(struct machine *machine, struct weir_compiler *compiler)
{
    size_t added = 0;

    for (size_t i = 0; i < machine->count; i++) {
        enum weir_status status = weir_compiler_add(compiler, &machine->tokens[i], i, NULL);

        if (lacked_memory(machine, status)) {
            demand(weir_compiler_count(compiler) == added);
            status = weir_compiler_add(compiler, &machine->tokens[i], i, NULL);
        }
        demand(status == WEIR_OK || lacked_memory(machine, status));
        added += status == WEIR_OK;
        demand(weir_compiler_count(compiler) == added);
    }
}

/* An image of the model's tokens, made by the compiler; NULL if memory is short. */
static struct weir_image *compile_model(struct machine *machine)
{
    struct weir_compiler *compiler = NULL;
    struct weir_image *image = NULL;
    enum weir_status status = weir_compiler_new(&machine->memory, &compiler, NULL);

    if (lacked_memory(machine, status)) {
        weir_compiler_free(compiler);
        return NULL;
    }
    add_model(machine, compiler);
    if (weir_compiler_count(compiler) == machine->count) {
        status = weir_compile(compiler, 0, &image, NULL, NULL);
        demand(status == WEIR_OK || lacked_memory(machine, status));
    }
    weir_compiler_free(compiler);
    return image;
}

/* Whether the image, which the machine takes over, is the engine's now. */
static bool swap(struct machine *machine, struct weir_image *image)
{
    enum weir_status status = weir_engine_swap(machine->engine, image, NULL);

    if (lacked_memory(machine, status)) {
        weir_image_close(image);
        return false;
    }
    demand(status == WEIR_OK);
    weir_image_close(machine->image);
    machine->image = image;
    return true;
}

static void remove_long_expired(struct machine *machine)
{
    for (size_t i = machine->count; i > 0; i--) {
        if (long_expired(&machine->tokens[i - 1], machine->now)) {
            model_remove(machine, &machine->tokens[i - 1]);
        }
    }
}

/* What an engine compacts is what compiling its tokens makes, byte for byte (E10). */
static void compact(struct machine *machine)
{
    struct weir_image *compacted = NULL;
    struct weir_image *compiled = NULL;
    const void *left = NULL;
    const void *right = NULL;
    size_t left_size = 0;
    size_t right_size = 0;
    enum weir_status status =
        weir_engine_compact(machine->engine, machine->now, 0, &machine->memory, &compacted, NULL);

    if (lacked_memory(machine, status)) {
        return;
    }
    demand(status == WEIR_OK);
    have_plenty(machine);
    remove_long_expired(machine);
    compiled = compile_model(machine);
    left = weir_image_bytes(compacted, &left_size);
    right = weir_image_bytes(compiled, &right_size);
    demand(left_size == right_size && memcmp(left, right, left_size) == 0);
    weir_image_close(compiled);
    demand(swap(machine, compacted));
}

/* Another engine, with what this one has. */
static void reopen(struct machine *machine)
{
    const struct weir_engine_options options = {.allocator = &machine->memory};
    struct weir_image *image = compile_model(machine);
    struct weir_engine *engine = NULL;
    enum weir_status status =
        image != NULL ? weir_engine_open(image, &options, &engine, NULL) : WEIR_ERROR_MEMORY;

    if (lacked_memory(machine, status)) {
        weir_image_close(image);
        return;
    }
    demand(status == WEIR_OK);
    weir_engine_close(machine->engine);
    weir_image_close(machine->image);
    machine->image = image;
    machine->engine = engine;
    memset(machine->handles, 0, sizeof machine->handles);
    for (size_t i = 0; i < HANDLES; i++) {
        machine->handles[i].dead = true;
    }
}

/* ---- Questions ---- */

static enum weir_reason expect(struct machine *machine, struct weir_text id,
                               const struct weir_request *request)
{
    return naive_decide(machine->tokens, machine->count, id, request, machine->now).reason;
}

static void take_rule(void *context, const struct weir_rule *rule)
{
    *(size_t *)context += rule->set.name.length;
}

/* What is allowed on everything under a prefix is so on the prefix, where that is a name. */
static void check_under(struct machine *machine, struct weir_text id,
                        const struct weir_request *request, enum weir_reason expected)
{
    enum weir_reason under = weir_engine_check_under(machine->engine, id, request, machine->now);
    struct weir_resolved resolved;

    demand(under != WEIR_ALLOWED || expected == WEIR_ALLOWED || expected == WEIR_INVALID_NAME);
    (void)weir_engine_resolve(machine->engine, id, &resolved);
    demand(weir_engine_check_resolved_under(machine->engine, &resolved, request, machine->now) ==
           under);
}

static void check(struct machine *machine)
{
    struct weir_text id = program_id(&machine->program);
    struct weir_request request = program_request(&machine->program);
    enum weir_reason expected = expect(machine, id, &request);
    const struct weir_compiled_token *token = NULL;
    size_t lengths = 0;

    demand(weir_engine_check(machine->engine, id, &request, machine->now) == expected);
    check_under(machine, id, &request, expected);
    weir_read_begin();
    token = weir_engine_find(machine->engine, id);
    demand((token != NULL) == (model_find(machine, id) != NULL));
    demand(weir_check_token(token, &request, machine->now).reason == expected);
    if (token != NULL) {
        demand(weir_explain(token, &request, machine->now, take_rule, &lengths).reason == expected);
    }
    weir_read_end();
}

static void check_batch(struct machine *machine)
{
    struct weir_question questions[BATCH_MAX];
    enum weir_reason reasons[BATCH_MAX];
    unsigned count = program_number(&machine->program, BATCH_MAX + 1);
    struct weir_request request = program_request(&machine->program);

    for (unsigned i = 0; i < count; i++) {
        questions[i] = (struct weir_question){program_id(&machine->program), request};
        questions[i].request.operation =
            (enum weir_operation)program_number(&machine->program, WEIR_OPERATION_COUNT + 2);
    }
    weir_engine_check_batch(machine->engine, questions, count, machine->now, reasons);
    for (unsigned i = 0; i < count; i++) {
        demand(reasons[i] == expect(machine, questions[i].token_id, &questions[i].request));
    }
}

static void resolve(struct machine *machine)
{
    struct handle *handle = &machine->handles[program_number(&machine->program, HANDLES)];
    const struct weir_token *token = NULL;

    *handle = (struct handle){.by_credential = program_number(&machine->program, 2) != 0};
    if (handle->by_credential) {
        program_digest(&machine->program, handle->digest);
        token = model_find_digest(machine, handle->digest);
        handle->dead = token == NULL;
        demand(weir_engine_resolve_by_digest(machine->engine, handle->digest, &handle->resolved) ==
               (token != NULL));
    } else {
        handle->id = program_id(&machine->program);
        token = model_find(machine, handle->id);
        demand(weir_engine_resolve(machine->engine, handle->id, &handle->resolved) ==
               (token != NULL));
    }
    if (token != NULL) {
        handle->issue_number = token->issue_number;
    }
}

/* E6: a credential is its issue number's, and denies for ever once that was revoked or seen
 * expired.
 */
static enum weir_reason expect_resolved(struct machine *machine, struct handle *handle,
                                        const struct weir_request *request)
{
    const struct weir_token *token = model_find_digest(machine, handle->digest);
    enum weir_reason reason = WEIR_UNKNOWN_TOKEN;

    if (handle->dead || handle->expired) {
        return handle->expired ? WEIR_EXPIRED : WEIR_UNKNOWN_TOKEN;
    }
    if (!handle->by_credential) {
        return expect(machine, handle->id, request);
    }
    if (token == NULL || token->issue_number != handle->issue_number) {
        return WEIR_UNKNOWN_TOKEN;
    }
    reason = expect(machine, token->id, request);
    handle->expired = reason == WEIR_EXPIRED;
    return reason;
}

static void check_resolved(struct machine *machine)
{
    struct handle *handle = &machine->handles[program_number(&machine->program, HANDLES)];
    struct weir_request request = program_request(&machine->program);
    enum weir_reason expected = expect_resolved(machine, handle, &request);

    demand(weir_engine_check_resolved(machine->engine, &handle->resolved, &request, machine->now) ==
           expected);
}

static bool same_texts(const struct weir_text *left, size_t left_count,
                       const struct weir_text *right, size_t right_count)
{
    bool same = left_count == right_count;

    for (size_t i = 0; same && i < left_count; i++) {
        same = naive_same(left[i], right[i]);
    }
    return same;
}

static void compare_listing(const struct naive_listing *expected, enum weir_status status,
                            enum weir_reason reason, const struct weir_listing *listing)
{
    demand(reason == expected->reason);
    if (reason != WEIR_ALLOWED) {
        demand(status == WEIR_OK && listing == NULL);
        return;
    }
    if (expected->prefix_invalid) {
        demand(status == WEIR_ERROR_NAME);
        return;
    }
    demand(
        status == WEIR_OK &&
        same_texts(listing->exact, listing->exact_count, expected->exact, expected->exact_count) &&
        same_texts(listing->prefixes, listing->prefix_count, expected->prefixes,
                   expected->prefix_count));
}

static void narrow(struct machine *machine)
{
    static const enum weir_operation operations[] = {WEIR_LIST_BASINS, WEIR_LIST_STREAMS,
                                                     WEIR_LIST_ACCESS_TOKENS};
    struct weir_text id = program_id(&machine->program);
    unsigned which = program_number(&machine->program, 3);
    struct weir_text basin = program_name(&machine->program, WEIR_BASINS);
    struct weir_text prefix = program_name(&machine->program, (enum weir_set_role)which);
    const struct weir_token *token = model_find(machine, id);
    struct weir_listing *listing = NULL;
    struct naive_listing expected;
    enum weir_reason reason = WEIR_STALE;
    enum weir_status status = WEIR_OK;

    if (token == NULL) {
        return;
    }
    naive_narrow(token, operations[which], basin, prefix, machine->now, &expected);
    weir_read_begin();
    status = weir_narrow(weir_engine_find(machine->engine, id), operations[which], basin, prefix,
                         machine->now, &machine->memory, &reason, &listing, NULL);
    weir_read_end();
    if (!lacked_memory(machine, status)) {
        compare_listing(&expected, status, reason, listing);
        weir_listing_free(listing);
    }
    naive_listing_fini(&expected);
}

static void who(struct machine *machine)
{
    struct weir_request request = program_request(&machine->program);
    const struct weir_token *able[TOKENS_MAX];
    size_t count = naive_who(machine->tokens, machine->count, &request, machine->now, able);
    struct weir_tokens found;
    enum weir_status status = WEIR_OK;

    weir_read_begin();
    status =
        weir_engine_who(machine->engine, &request, machine->now, &machine->memory, &found, NULL);
    if (!lacked_memory(machine, status)) {
        demand(status == WEIR_OK && found.count == count);
        for (size_t i = 0; i < count; i++) {
            demand(naive_same(weir_compiled_token_id(found.tokens[i]), able[i]->id));
        }
        weir_tokens_free(&found, &machine->memory);
    }
    weir_read_end();
}

/* ---- Running ---- */

static void set_clock(struct machine *machine)
{
    machine->now.seconds = 1000 * (int64_t)program_number(&machine->program, 30);
    machine->now.nanoseconds = program_number(&machine->program, 255);
}

static void change_somehow(struct machine *machine)
{
    change(machine, (enum change)program_number(&machine->program, 3));
}

static void swap_for_compiled(struct machine *machine)
{
    struct weir_image *image = compile_model(machine);

    if (image != NULL) {
        (void)swap(machine, image);
    }
}

static void swap_for_nothing(struct machine *machine)
{
    if (swap(machine, NULL)) {
        machine->count = 0;
    }
}

static void reclaim(struct machine *machine)
{
    demand(weir_engine_reclaim(machine->engine, NULL) == WEIR_OK);
    demand(weir_engine_usage(machine->engine).tokens == machine->count);
}

static void take_step(struct machine *machine)
{
    static void (*const steps[])(struct machine *) = {
        change_somehow, change_somehow,    change_somehow,   revoke,         check,  check,
        check_batch,    resolve,           check_resolved,   check_resolved, narrow, who,
        compact,        swap_for_compiled, swap_for_nothing, reclaim,        reopen, set_clock};
    const unsigned scarce = 234;
    unsigned number = program_number(&machine->program, 255);

    if (number >= scarce) {
        machine->scarcity.left = (number - scarce) / 2;
        machine->scarcity.once = number % 2 == 0;
        number = program_number(&machine->program, scarce);
    }
    steps[number % (sizeof steps / sizeof steps[0])](machine);
    have_plenty(machine);
    machine->scarcity.lacked = false;
}

static void begin(struct machine *machine)
{
    const struct weir_engine_options options = {.allocator = &machine->memory};

    have_plenty(machine);
    machine->memory = scarce_allocator(&machine->scarcity);
    demand(weir_engine_open(NULL, &options, &machine->engine, NULL) == WEIR_OK);
    for (size_t i = 0; i < HANDLES; i++) {
        machine->handles[i].dead = true;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct machine machine = {.now = {10000, 0}};

    program_init(&machine.program, data, size);
    begin(&machine);
    while (machine.program.left > 0) {
        take_step(&machine);
    }
    weir_engine_close(machine.engine);
    weir_image_close(machine.image);
    demand(machine.scarcity.blocks == 0);
    program_fini(&machine.program);
    return 0;
}
