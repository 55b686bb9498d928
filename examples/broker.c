/*
 * broker
 *
 * Threads of a broker check the tokens of their connections while the main thread revokes one of
 * them. Each connection resolves its token once; no thread waits for another.
 */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <weir/compile.h>
#include <weir/engine.h>

enum { CONNECTIONS = 4 };

static struct weir_engine *engine;
static atomic_bool revoked; /* the call that revokes has returned */

struct connection {
    pthread_t thread;
    unsigned long messages; /* that were let through */
    bool late;              /* one of them after the revocation had returned */
};

/* Lets messages through until the token may no longer append. */
static void *serve(void *context)
{
    struct connection *connection = context;
    struct weir_resolved resolved;
    const struct weir_request request = {.operation = WEIR_APPEND,
                                         .basin = WEIR_TEXT("acme-prod"),
                                         .stream = WEIR_TEXT("devices/7/telemetry")};

    (void)weir_engine_resolve(engine, WEIR_TEXT("device-7"), &resolved);
    for (;;) {
        bool after = atomic_load(&revoked);

        if (weir_engine_check_resolved(engine, &resolved, &request, weir_instant_now()) !=
            WEIR_ALLOWED) {
            return NULL;
        }
        connection->messages++;
        connection->late |= after;
    }
}

/* A token that may append to all streams of its device. */
static enum weir_status issue(struct weir_error *error)
{
    struct weir_scope scope = {.basins = {WEIR_SET_EXACT, WEIR_TEXT("acme-prod")},
                               .streams = {WEIR_SET_PREFIX, WEIR_TEXT("devices/7/")},
                               .ops = WEIR_OPERATION_BIT(WEIR_APPEND)};
    struct weir_token token = {.id = WEIR_TEXT("device-7"), .scopes = &scope, .scope_count = 1};
    struct weir_compiled_token *compiled = NULL;
    size_t size = 0;
    enum weir_status status = weir_compile_token(&token, NULL, &compiled, &size, error);

    if (status == WEIR_OK) {
        status = weir_engine_issue(engine, compiled, error); /* which takes a copy */
        free(compiled);
    }
    return status;
}

int main(void)
{
    struct connection connections[CONNECTIONS] = {{0}};
    struct weir_error error = {0};
    bool late = false;

    if (weir_engine_open(NULL, NULL, &engine, &error) != WEIR_OK || issue(&error) != WEIR_OK) {
        (void)fprintf(stderr, "broker: %s\n", error.message);
        return 1;
    }
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        if (pthread_create(&connections[i].thread, NULL, serve, &connections[i]) != 0) {
            (void)fprintf(stderr, "broker: no thread\n");
            return 1;
        }
    }
    (void)nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    if (weir_engine_revoke(engine, WEIR_TEXT("device-7"), &error) != WEIR_OK) {
        (void)fprintf(stderr, "broker: %s\n", error.message);
        return 1;
    }
    atomic_store(&revoked, true);
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        (void)pthread_join(connections[i].thread, NULL);
        (void)printf("connection %u: %lu messages\n", i, connections[i].messages);
        late |= connections[i].late;
    }
    weir_engine_close(engine);
    puts(late ? "a message came through late" : "none came through after the revocation");
    return late ? 1 : 0;
}
