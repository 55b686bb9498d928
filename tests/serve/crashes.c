/*
 * A `weir serve` that is killed, over and over, at random moments, while clients issue and revoke
 * and followers ask.
 *
 *     crashes WEIR [KILLS [SEED]]
 *
 * Each client has ids of its own and remembers what was answered. Whenever it has found the next
 * server it compares: what was acknowledged is there, or there no more; what was not answered is
 * whole or not at all. And no answer may contradict what was acknowledged before. What the
 * followers hold the directory against, authority/witness.h says.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <weir/authority.h>

#include "authority/place.h"
#include "authority/server.h"
#include "authority/witness.h"
#include "serve/caller.h"

#define TOKENS "/v1/access-tokens"
#define LEASE UINT64_C(200000000)
#define LEASE_SECONDS "0.2"
#define PAUSE_MAX UINT64_C(200000000) /* before a kill */
#define CLIENTS 4
#define FOLLOWERS 2
#define SLOTS 16 /* of a client */

enum phase { AT_REST, ISSUING, REVOKING };

/* What is known of one id. */
struct slot {
    enum phase phase;
    bool alive;
    struct life *life; /* NULL: the credential is not known */
};

struct client {
    unsigned number;
    uint64_t state;
    struct slot slots[SLOTS];
    struct caller caller;
};

static char folder[256];
static char store[320];
static char directory[320];
static char api[320];
static char log_path[320];
static struct server_place place = {NULL, store, directory, LEASE_SECONDS, api, log_path};
static struct weir_credential root;
static struct witness *witness;
static bool clients_end; /* atomic */

static bool is_set(const bool *flag)
{
    return __atomic_load_n(flag, __ATOMIC_SEQ_CST);
}

/*
 * ---- Clients ----
 */

/* Whether an answer came. */
static bool ask(struct client *client, const char *method, const char *path, const char *credential,
                const char *body)
{
    return caller_ask(&client->caller, method, path, credential, body);
}

static void expect(struct client *client, int status, const char *what, unsigned index)
{
    if (client->caller.status != status) {
        witness_wrong(witness, "%s c%u-%02u: %d, not %d: %s", what, client->number, index,
                      client->caller.status, status, client->caller.body);
    }
}

static void issue_slot(struct client *client, unsigned index)
{
    static const char before[] = "{\"access_token\":\"";
    struct slot *slot = &client->slots[index];
    struct weir_credential credential = {""};
    char body[128];

    (void)snprintf(body, sizeof body, "{\"id\":\"c%u-%02u\",\"scope\":{\"ops\":[\"list-basins\"]}}",
                   client->number, index);
    slot->life = NULL;
    slot->phase = ISSUING;
    if (!ask(client, "POST", TOKENS, root.text, body)) {
        return;
    }
    expect(client, 201, "issuing", index);
    if (strncmp(client->caller.body, before, sizeof before - 1) == 0) {
        memcpy(credential.text, client->caller.body + sizeof before - 1, WEIR_CREDENTIAL_LENGTH);
    }
    slot->life = life_begin(witness, &credential);
    life_issued(witness, slot->life);
    slot->alive = true;
    slot->phase = AT_REST;
}

static void revoke_slot(struct client *client, unsigned index)
{
    struct slot *slot = &client->slots[index];
    char path[64];

    (void)snprintf(path, sizeof path, TOKENS "/c%u-%02u", client->number, index);
    life_revoking(slot->life);
    slot->phase = REVOKING;
    if (!ask(client, "DELETE", path, root.text, NULL)) {
        return;
    }
    expect(client, 204, "revoking", index);
    life_revoked(witness, slot->life);
    slot->alive = false;
    slot->phase = AT_REST;
}

/* By its own credential, which may not list tokens, if it may anything. */
static void present(struct client *client, unsigned index)
{
    const struct slot *slot = &client->slots[index];

    if (slot->life != NULL && ask(client, "GET", TOKENS, slot->life->credential.text, NULL)) {
        expect(client, slot->alive ? 403 : 401, "presenting the credential of", index);
    }
}

static void compare_slot(const struct client *client, struct slot *slot, const char *id)
{
    bool listed = strstr(client->caller.body, id) != NULL;

    if (slot->phase == AT_REST && slot->alive != listed) {
        witness_wrong(witness, "%s: acknowledged as %s, and it is not", id,
                      slot->alive ? "issued" : "revoked");
    }
    if (slot->phase == REVOKING && !listed) {
        life_revoked(witness, slot->life); /* at the latest now */
    }
    slot->alive = listed;
    slot->phase = AT_REST;
}

/* False: it was killed, too. */
static bool compare(struct client *client)
{
    char path[64];
    char id[32];

    (void)snprintf(path, sizeof path, TOKENS "?prefix=c%u-", client->number);
    if (!ask(client, "GET", path, root.text, NULL)) {
        return false;
    }
    expect(client, 200, "listing", 0);
    for (unsigned index = 0; index < SLOTS; index++) {
        (void)snprintf(id, sizeof id, "\"id\":\"c%u-%02u\"", client->number, index);
        compare_slot(client, &client->slots[index], id);
    }
    witness_opened(witness);
    return true;
}

static void step(struct client *client)
{
    unsigned index = (unsigned)(draw(&client->state) % SLOTS);

    if (draw(&client->state) % 4 == 0) {
        present(client, index);
    } else if (client->slots[index].alive) {
        revoke_slot(client, index);
    } else {
        issue_slot(client, index);
    }
}

static bool find_server(struct client *client)
{
    if (caller_connect(&client->caller, api) && compare(client)) {
        return true;
    }
    caller_disconnect(&client->caller);
    pause_for(1000000);
    return false;
}

static void *run_client(void *context)
{
    struct client *client = context;

    while (!is_set(&witness->wrong)) {
        if (client->caller.socket < 0 && !find_server(client)) {
            continue;
        }
        if (is_set(&clients_end)) {
            if (compare(client)) {
                break;
            }
            continue;
        }
        step(client);
    }
    caller_disconnect(&client->caller);
    return NULL;
}

static void *run_follower(void *context)
{
    witness_follow(witness, directory, (uint64_t)(uintptr_t)context);
    return NULL;
}

/*
 * ---- The server ----
 */

/* It has lived until then, and ends as it should. */
static void end_server(pid_t process, int number)
{
    int status = 0;
    bool right = false;

    (void)kill(process, number);
    (void)waitpid(process, &status, 0);
    right = number == SIGKILL ? WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL
                              : WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!right) {
        witness_wrong(witness, "the server has ended, status %#x; see %s", (unsigned)status,
                      log_path);
    }
}

static void kill_over_and_over(uint64_t kills, uint64_t *state)
{
    for (uint64_t i = 0; i < kills && !is_set(&witness->wrong); i++) {
        uint64_t opened = witness->opened;
        pid_t server = server_start(&place);

        witness_pause(witness, opened, PAUSE_MAX, state);
        end_server(server, SIGKILL);
    }
}

/*
 * ---- All of it ----
 */

static bool make_place(void)
{
    struct weir_error error;

    witness = witness_make(LEASE);
    if (witness == NULL || !place_make(folder, store, directory)) {
        (void)fprintf(stderr, "%s: %s\n", folder, strerror(errno));
        return false;
    }
    (void)snprintf(api, sizeof api, "%s/api", folder);
    (void)snprintf(log_path, sizeof log_path, "%s/log", folder);
    if (weir_authority_init(store, WEIR_TEXT("root"), NULL, &root, &error) != WEIR_OK) {
        (void)fprintf(stderr, "%s: %s\n", store, error.message);
        return false;
    }
    return true;
}

static void run_all(struct client clients[CLIENTS], uint64_t kills, uint64_t state)
{
    pthread_t client_threads[CLIENTS];
    pthread_t follower_threads[FOLLOWERS];
    pid_t server = 0;

    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i].number = i;
        clients[i].state = draw(&state);
        caller_init(&clients[i].caller);
        (void)pthread_create(&client_threads[i], NULL, run_client, &clients[i]);
    }
    for (unsigned i = 0; i < FOLLOWERS; i++) {
        (void)pthread_create(&follower_threads[i], NULL, run_follower,
                             (void *)(uintptr_t)draw(&state));
    }
    kill_over_and_over(kills, &state);
    server = server_start(&place);
    __atomic_store_n(&clients_end, true, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < CLIENTS; i++) {
        (void)pthread_join(client_threads[i], NULL);
    }
    end_server(server, SIGTERM);
    __atomic_store_n(&witness->ends, true, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < FOLLOWERS; i++) {
        (void)pthread_join(follower_threads[i], NULL);
    }
}

int main(int argc, char **argv)
{
    static struct client clients[CLIENTS];
    uint64_t kills = argc > 2 ? strtoull(argv[2], NULL, 10) : 20;
    uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 10) : boot_time();

    if (argc < 2) {
        (void)fprintf(stderr, "usage: crashes WEIR [KILLS [SEED]]\n");
        return 2;
    }
    place.program = argv[1];
    if (!make_place()) {
        return 2;
    }
    run_all(clients, kills, seed);
    (void)printf("seed %" PRIu64 ": %" PRIu64 " kills, %u clients; ", seed, kills, CLIENTS);
    witness_print(witness);
    if (witness->wrong || !place_remove(folder)) {
        (void)fprintf(stderr, "%s is left behind\n", folder);
    }
    return witness->wrong ? 1 : 0;
}
