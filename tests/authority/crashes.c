/*
 * An authority that is killed, over and over, at random moments under load, while a follower in
 * another process asks.
 *
 *     crashes [KILLS [SEED]]
 *
 * Whoever issues and revokes writes down, in memory that outlives it, what it is about to do and
 * what was acknowledged. Each successor compares the store and the engine with that before it goes
 * on: what was acknowledged is there, what was under way is there whole or not at all. The follower
 * asks by credentials whose revocation was acknowledged: none is allowed by a poll that began
 * later, nor, whatever the polls say, once the lease is over.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <weir/authority.h>
#include <weir/follow.h>

#include "authority/place.h"

#define LEASE UINT64_C(200000000)
#define THREADS 3
#define SLOTS (THREADS * 16)
#define REVOKED_MAX (1u << 20)

enum phase { AT_REST, ISSUING, REVOKING };

/* What is known of one id. Its owner is one thread of whoever works. */
struct slot {
    enum phase phase;
    bool alive;
    bool known; /* the credential is */
    struct weir_credential credential;
};

struct revoked {
    struct weir_credential credential;
    uint64_t at; /* boot time when it was acknowledged; 0: it was not yet. Atomic: set last */
};

/* Shared by all processes. */
struct ledger {
    struct slot slots[SLOTS];
    uint64_t acknowledged;
    uint64_t verified; /* openings */
    uint64_t asked;
    uint64_t stale;
    bool ends;
    bool wrong;
    uint32_t revoked_count;
    struct revoked revoked[REVOKED_MAX];
};

static struct ledger *ledger;
static char folder[256];
static char store[320];
static char directory[320];
static struct weir_authority *authority;

static const struct weir_requestor the_operator = {.is_operator = true};
static const struct weir_request request = {.operation = WEIR_LIST_BASINS};

__attribute__((format(printf, 1, 2), noreturn)) static void wrong(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)fprintf(stderr, "wrong: ");
    (void)vfprintf(stderr, format, arguments);
    (void)fprintf(stderr, "\n");
    va_end(arguments);
    __atomic_store_n(&ledger->wrong, true, __ATOMIC_SEQ_CST);
    _exit(3);
}

static uint64_t boot_time(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static void pause_for(uint64_t nanoseconds)
{
    const struct timespec pause = {
        .tv_sec = (time_t)(nanoseconds / UINT64_C(1000000000)),
        .tv_nsec = (long)(nanoseconds % UINT64_C(1000000000)),
    };

    (void)nanosleep(&pause, NULL);
}

static uint64_t draw(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

static struct weir_text text_of(const struct weir_credential *credential)
{
    return (struct weir_text){credential->text, WEIR_CREDENTIAL_LENGTH};
}

static struct weir_text id_of(unsigned slot, char id[16])
{
    return (struct weir_text){id, (size_t)snprintf(id, 16, "id-%02u", slot)};
}

/*
 * ---- Whoever works, and is killed ----
 */

static void remember_revoked(const struct weir_credential *credential)
{
    uint32_t index = __atomic_fetch_add(&ledger->revoked_count, 1, __ATOMIC_RELAXED);

    if (index < REVOKED_MAX) {
        ledger->revoked[index].credential = *credential;
        __atomic_store_n(&ledger->revoked[index].at, boot_time(), __ATOMIC_RELEASE);
    }
}

static void issue(unsigned index)
{
    struct slot *slot = &ledger->slots[index];
    struct weir_issued issued;
    struct weir_error error;
    char id[16];
    char json[128];
    int length = 0;

    (void)id_of(index, id);
    length =
        snprintf(json, sizeof json, "{\"id\":\"%s\",\"scope\":{\"ops\":[\"list-basins\"]}}", id);
    slot->known = false;
    slot->phase = ISSUING;
    if (weir_authority_issue(authority, &the_operator, (struct weir_text){json, (size_t)length},
                             &issued, NULL, &error) != WEIR_OK) {
        wrong("issuing %s: %s", id, error.message);
    }
    slot->credential = issued.credential;
    slot->known = true;
    slot->alive = true;
    slot->phase = AT_REST;
    (void)__atomic_fetch_add(&ledger->acknowledged, 1, __ATOMIC_RELAXED);
}

static void revoke_slot(unsigned index)
{
    struct slot *slot = &ledger->slots[index];
    struct weir_error error;
    char id[16];

    slot->phase = REVOKING;
    if (weir_authority_revoke(authority, &the_operator, id_of(index, id), NULL, &error) !=
        WEIR_OK) {
        wrong("revoking %s: %s", id, error.message);
    }
    if (slot->known) {
        remember_revoked(&slot->credential);
    }
    slot->alive = false;
    slot->phase = AT_REST;
    (void)__atomic_fetch_add(&ledger->acknowledged, 1, __ATOMIC_RELAXED);
}

static void *work(void *context)
{
    const unsigned thread = (unsigned)(uintptr_t)context;
    uint64_t state = boot_time() + thread;

    for (;;) {
        unsigned index = thread + THREADS * (unsigned)(draw(&state) % (SLOTS / THREADS));

        if (ledger->slots[index].alive) {
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

static bool allowed(const struct slot *slot)
{
    return weir_engine_check_credential(weir_authority_engine(authority),
                                        text_of(&slot->credential), &request,
                                        weir_instant_now()) == WEIR_ALLOWED;
}

static void verify_slot(unsigned index, bool listed)
{
    struct slot *slot = &ledger->slots[index];
    char id[16];

    (void)id_of(index, id);
    if (slot->phase == AT_REST && slot->alive != listed) {
        wrong("%s: acknowledged as %s, and it is not", id, slot->alive ? "issued" : "revoked");
    }
    if (slot->phase != ISSUING && slot->known && allowed(slot) != listed) {
        wrong("%s: in the store it %s, in the engine not so", id, listed ? "lives" : "does not");
    }
    if (slot->phase == REVOKING && !listed && slot->known) {
        remember_revoked(&slot->credential); /* at the latest now */
    }
    slot->known = slot->known && slot->phase != ISSUING;
    slot->alive = listed;
    slot->phase = AT_REST;
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
    ledger->verified++;
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
 * ---- Whoever follows ----
 */

/* Asks by some credentials that were revoked. `polled`: when the last poll that succeeded began. */
static void ask(const struct weir_follower *follower, uint64_t polled, uint64_t *state)
{
    uint32_t count = __atomic_load_n(&ledger->revoked_count, __ATOMIC_RELAXED);

    count = count < REVOKED_MAX ? count : REVOKED_MAX;
    for (unsigned i = 0; i < 64 && count > 0; i++) {
        /* Half of them of the newest few. */
        uint32_t back = (uint32_t)(draw(state) % (i % 2 == 0 && count > 32 ? 32 : count));
        const struct revoked *revoked = &ledger->revoked[count - 1 - back];
        uint64_t at = __atomic_load_n(&revoked->at, __ATOMIC_ACQUIRE);
        struct weir_clocks now = weir_clocks_now();
        enum weir_reason reason =
            weir_follower_check_credential(follower, text_of(&revoked->credential), &request, now);

        ledger->asked++;
        ledger->stale += reason == WEIR_STALE ? 1 : 0;
        if (at != 0 && reason == WEIR_ALLOWED && (polled > at || now.boot >= at + LEASE)) {
            wrong("a credential is allowed %" PRIu64 " us after its revocation was acknowledged",
                  (now.boot - at) / 1000);
        }
    }
}

__attribute__((noreturn)) static void run_follower(uint64_t seed)
{
    struct weir_follower *follower = NULL;
    uint64_t polled = 0;
    uint64_t state = seed;

    while (!__atomic_load_n(&ledger->ends, __ATOMIC_RELAXED)) {
        uint64_t begun = boot_time();

        if (follower == NULL) {
            if (weir_follower_open(directory, NULL, &follower, NULL) != WEIR_OK) {
                pause_for(1000000);
                continue;
            }
            polled = begun;
        } else if (draw(&state) % 4 != 0 && /* at times it is late */
                   weir_follower_poll(follower, begun, 0, NULL) == WEIR_OK) {
            polled = begun;
        }
        ask(follower, polled, &state);
        if (draw(&state) % 500 == 0) {
            weir_follower_close(follower);
            follower = NULL;
        }
    }
    weir_follower_close(follower);
    _exit(0);
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
    run_follower(seed);
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

int main(int argc, char **argv)
{
    uint64_t kills = argc > 1 ? strtoull(argv[1], NULL, 10) : 60;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : boot_time();
    uint64_t state = seed;
    pid_t follower = 0;

    ledger = mmap(NULL, sizeof *ledger, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (ledger == MAP_FAILED) {
        return 2;
    }
    make_store();
    follower = start(run_follower_of, draw(&state));
    for (uint64_t kill_count = 0; kill_count < kills && !ledger->wrong; kill_count++) {
        pid_t worker = start(run_worker_of, 0);
        int status = 0;

        pause_for(draw(&state) % 100000000);
        (void)kill(worker, SIGKILL);
        (void)waitpid(worker, &status, 0);
    }
    __atomic_store_n(&ledger->ends, true, __ATOMIC_RELAXED);
    (void)waitpid(follower, NULL, 0);
    if (!ledger->wrong) {
        open_authority();
        verify();
        weir_authority_close(authority);
    }
    if (!place_remove(folder)) {
        (void)fprintf(stderr, "%s is left behind\n", folder);
    }
    (void)printf("seed %" PRIu64 ": %" PRIu64 " kills, %" PRIu64 " openings compared, %" PRIu64
                 " changes acknowledged, %u credentials revoked; the follower asked %" PRIu64
                 " times, stale %" PRIu64 "\n",
                 seed, kills, ledger->verified, ledger->acknowledged, ledger->revoked_count,
                 ledger->asked, ledger->stale);
    return ledger->wrong ? 1 : 0;
}
