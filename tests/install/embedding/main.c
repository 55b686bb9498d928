/* main.c - compiles a token, and asks it; with the whole library, as an engine's as well. */
#include <stdio.h>
#include <stdlib.h>

#include <weir/compile.h>
#include <weir/decision.h>
#ifdef WHOLE
#include <weir/engine.h>
#endif

static struct weir_compiled_token *compile(struct weir_error *error)
{
    struct weir_scope scope = {.basins = {WEIR_SET_PREFIX, WEIR_TEXT("")},
                               .streams = {WEIR_SET_PREFIX, WEIR_TEXT("users/")},
                               .ops = WEIR_OPERATION_BIT(WEIR_READ)};
    struct weir_token token = {.id = WEIR_TEXT("a"), .scopes = &scope, .scope_count = 1};
    struct weir_compiled_token *compiled = NULL;
    size_t size = 0;

    (void)weir_compile_token(&token, NULL, &compiled, &size, error);
    return compiled;
}

#ifdef WHOLE
static enum weir_reason ask(const struct weir_compiled_token *token,
                            const struct weir_request *request)
{
    struct weir_engine *engine = NULL;
    struct weir_error error;
    enum weir_reason reason = WEIR_STALE;

    if (weir_engine_open(NULL, NULL, &engine, &error) == WEIR_OK &&
        weir_engine_issue(engine, token, &error) == WEIR_OK) {
        reason = weir_engine_check(engine, WEIR_TEXT("a"), request, weir_instant_now());
    }
    weir_engine_close(engine);
    return reason;
}
#else
static enum weir_reason ask(const struct weir_compiled_token *token,
                            const struct weir_request *request)
{
    return weir_check_token(token, request, weir_instant_now()).reason;
}
#endif

int main(void)
{
    struct weir_request request = {.operation = WEIR_READ,
                                   .basin = WEIR_TEXT("acme-prod"),
                                   .stream = WEIR_TEXT("users/1/inbox")};
    struct weir_error error = {0};
    struct weir_compiled_token *token = compile(&error);

    if (token == NULL) {
        (void)fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    puts(weir_reason_name(ask(token, &request)));
    free(token);
    return 0;
}
