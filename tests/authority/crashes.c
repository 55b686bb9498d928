/*
 * An authority that is killed, over and over, at random moments under load, while a follower in
 * another process asks.
 *
 *     crashes [KILLS [SEED]]
 *
 * Whoever issues and revokes writes down, in memory that outlives it, what it is about to do and
 * what was acknowledged. Each successor compares the store and the engine with that before it goes
 * on: what was acknowledged is there, what was under way is there whole or not at all. What the
 * follower holds the directory against, witness.h says.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <weir/authority.h>

#include "authority/place.h"
#include "authority/witness.h"

#define LEASE UINT64_C(200000000)
#define THREADS 3
#define SLOTS (THREADS * 16)
#define PAUSE_MAX UINT64_C(100000000) /* before a kill */

enum phase { AT_REST, ISSUING, REVOKING };

/* What is known of one id. Its owner is one thread of whoever works. */
struct slot {
    enum phase phase; /* atomic: what goes with it is written before */
    bool alive;
    struct life *life; /* atomic; NULL: the credential is not known */
};

static struct slot *slots; /* shared by all processes */
static struct witness *witness;
static char folder[256];
static char store[320];
static char directory[320];
static struct weir_authority *authority;

static const struct weir_requestor the_operator = {.is_operator = true};
#define wrong(...) (witness_wrong(witness, __VA_ARGS__), _exit(3))

static struct weir_text id_of(unsigned slot, char id[16])
{
    return (struct weir_text){id, (size_t)snprintf(id, 16, "id-%02u", slot)};
}

/*
 * ---- Whoever works, and is killed ----
 */

static void set_phase(struct slot *slot, enum phase phase)
{
    __atomic_store_n(&slot->phase, phase, __ATOMIC_SEQ_CST);
}

static void set_life(struct slot *slot, struct life *life)
{
    __atomic_store_n(&slot->life, life, __ATOMIC_SEQ_CST);
}

static void issue(unsigned index)
{
    struct slot *slot = &slots[index];
    struct weir_issued issued;
    struct weir_error error;
    char id[16];
    char json[128];
    int length = 0;

    (void)id_of(index, id);
    length =
        snprintf(json, sizeof json, "{\"id\":\"%s\",\"scope\":{\"ops\":[\"list-basins\"]}}", id);
    set_life(slot, NULL);
    set_phase(slot, ISSUING);
    if (weir_authority_issue(authority, &the_operator, (struct weir_text){json, (size_t)length},
                             &issued, NULL, &error) != WEIR_OK) {
        wrong("issuing %s: %s", id, error.message);
    }
    set_life(slot, life_begin(witness, &issued.credential));
    life_issued(witness, slot->life);
    slot->alive = true;
    set_phase(slot, AT_REST);
}

static void revoke_slot(unsigned index)
{
    struct slot *slot = &slots[index];
    struct weir_error error;
    char id[16];

    life_revoking(slot->life);
    set_phase(slot, REVOKING);
    if (weir_authority_revoke(authority, &the_operator, id_of(index, id), NULL, &error) !=
        WEIR_OK) {
        wrong("revoking %s: %s", id, error.message);
    }
    life_revoked(witness, slot->life);
    slot->alive = false;
    set_phase(slot, AT_REST);
}

static void *work(void *context)
{
    const unsigned thread = (unsigned)(uintptr_t)context;
    uint64_t state = boot_time() + thread;

    for (;;) {
        unsigned index = thread + THREADS * (unsigned)(draw(&state) % (SLOTS / THREADS));

        if (slots[index].alive) {
            revoke_slot(index);
        } else {
            issue(index);
        }
    }
    return NULL;
}

static void *beat(void *context)
{
    (void)context;
    for (;;) {
        weir_authority_heartbeat(authority);
        pause_for(LEASE / 10);
    }
    return NULL;
}

/*
 * ---- What each successor finds ----
 */

static bool note_id(void *context, const struct weir_token *token)
{
    const char *id = token->id.bytes;
    bool *listed = context;

    if (token->id.length == 5 && memcmp(id, "id-", 3) == 0) {
        listed[(id[3] - '0') * 10 + (id[4] - '0')] = true;
    }
    return true;
}

/* In the engine, by its id and, if that is known, by its credential. */
static bool is_as(const struct slot *slot, struct weir_text id, bool listed)
{
    const struct weir_engine *engine = weir_authority_engine(authority);
    const struct weir_instant now = weir_instant_now();

    return (weir_engine_check(engine, id, &witness_request, now) == WEIR_ALLOWED) == listed &&
           (slot->life == NULL ||
            (weir_engine_check_credential(engine, life_credential(slot->life), &witness_request,
                                          now) == WEIR_ALLOWED) == listed);
}

static void verify_slot(unsigned index, bool listed)
{
    struct slot *slot = &slots[index];
    char id[16];
    const struct weir_text text = id_of(index, id);

    if (slot->phase == AT_REST && slot->alive != listed) {
        wrong("%s: acknowledged as %s, and it is not", id, slot->alive ? "issued" : "revoked");
    }
    if (!is_as(slot, text, listed)) {
        wrong("%s: in the store it %s, in the engine not so", id, listed ? "lives" : "does not");
    }
    if (slot->phase == REVOKING && !listed) {
        life_revoked(witness, slot->life); /* at the latest now */
    }
    slot->alive = listed;
    set_phase(slot, AT_REST);
}

static void verify(void)
{
    const struct weir_list_query query = {.prefix = WEIR_TEXT("id-")};
    const struct weir_authority_standing standing = weir_authority_status(authority);
    bool listed[100] = {false};
    struct weir_error error;
    bool has_more = false;

    if (weir_authority_list(authority, &the_operator, &query, note_id, listed, &has_more, NULL,
                            &error) != WEIR_OK) {
        wrong("listing: %s", error.message);
    }
    if (standing.sequence != standing.published) {
        wrong("%" PRIu64 " changes, %" PRIu64 " published", standing.sequence, standing.published);
    }
    for (unsigned index = 0; index < SLOTS; index++) {
        verify_slot(index, listed[index]);
    }
    witness_opened(witness);
}

static void open_authority(void)
{
    const struct weir_authority_options options = {
        .directory = directory,
        .publisher = {.lease = LEASE, .segment_size = 65536},
    };
    struct weir_error error;

    if (weir_authority_open(store, &options, &authority, &error) != WEIR_OK) {
        wrong("opening: %s", error.message);
    }
}

__attribute__((noreturn)) static void run_worker(void)
{
    pthread_t thread;

    open_authority();
    verify();
    weir_authority_heartbeat(authority);
    (void)pthread_create(&thread, NULL, beat, NULL);
    for (uintptr_t i = 0; i < THREADS; i++) {
        (void)pthread_create(&thread, NULL, work, (void *)i);
    }
    for (;;) {
        (void)weir_authority_maintain(authority, NULL);
        pause_for(10000000);
    }
}

/*
 * ---- Whoever kills ----
 */

static pid_t start(void run(uint64_t seed), uint64_t seed)
{
    pid_t process = fork();

    if (process == 0) {
        run(seed);
        _exit(0);
    }
    return process;
}

static void run_worker_of(uint64_t seed)
{
    (void)seed;
    run_worker();
}

static void run_follower_of(uint64_t seed)
{
    witness_follow(witness, directory, seed);
}

static void make_store(void)
{
    struct weir_credential root;
    struct weir_error error;

    if (!place_make(folder, store, directory)) {
        wrong("%s: %s", folder, strerror(errno));
    }
    if (weir_authority_init(store, WEIR_TEXT("root"), NULL, &root, &error) != WEIR_OK) {
        wrong("making the store: %s", error.message);
    }
}

static void kill_over_and_over(uint64_t kills, uint64_t *state)
{
    for (uint64_t i = 0; i < kills && !witness->wrong; i++) {
        uint64_t opened = witness->opened;
        pid_t worker = start(run_worker_of, 0);

        witness_pause(witness, opened, PAUSE_MAX, state);
        (void)kill(worker, SIGKILL);
        (void)waitpid(worker, NULL, 0);
    }
}

static bool make_memory(void)
{
    witness = witness_make(LEASE);
    slots = mmap(NULL, SLOTS * sizeof *slots, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                 -1, 0);
    return witness != NULL && slots != MAP_FAILED;
}

int main(int argc, char **argv)
{
    uint64_t kills = argc > 1 ? strtoull(argv[1], NULL, 10) : 60;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : boot_time();
    uint64_t state = seed;
    pid_t follower = 0;

    if (!make_memory()) {
        return 2;
    }
    make_store();
    follower = start(run_follower_of, draw(&state));
    kill_over_and_over(kills, &state);
    __atomic_store_n(&witness->ends, true, __ATOMIC_RELAXED);
    (void)waitpid(follower, NULL, 0);
    if (!witness->wrong) {
        open_authority();
        verify();
        weir_authority_close(authority);
    }
    if (!place_remove(folder)) {
        (void)fprintf(stderr, "%s is left behind\n", folder);
    }
    (void)printf("seed %" PRIu64 ": %" PRIu64 " kills, ", seed, kills);
    witness_print(witness);
    return witness->wrong ? 1 : 0;
}
