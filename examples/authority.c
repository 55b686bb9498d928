/*
 * authority STORE DIRECTORY
 *
 * Makes a store of tokens and publishes it, issues a token for a device, and revokes it. A
 * follower, as a gateway in another process is one, is asked what the device's credential may do.
 */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <weir/authority.h>
#include <weir/follow.h>

#define LEASE UINT64_C(10000000000) /* nanoseconds: who has not heard of us for so long denies */

static struct weir_authority *authority;
static struct weir_follower *follower;
static atomic_bool ends;

static int complain(const struct weir_error *error)
{
    (void)fprintf(stderr, "authority: %s %s\n", error->place, error->message);
    return 1;
}

/* A thread of its own: it waits for nothing, whatever the store's disk does. */
static void *beat(void *context)
{
    const struct timespec pause = {.tv_nsec = LEASE / 100};

    (void)context;
    while (!atomic_load(&ends)) {
        weir_authority_heartbeat(authority);
        (void)nanosleep(&pause, NULL);
    }
    return NULL;
}

/* What a gateway does for a request. */
static void ask(const struct weir_credential *credential)
{
    const struct weir_request request = {.operation = WEIR_APPEND,
                                         .basin = WEIR_TEXT("acme-prod"),
                                         .stream = WEIR_TEXT("devices/7/telemetry")};
    struct weir_clocks now = weir_clocks_now();

    (void)weir_follower_poll(follower, now.boot, 0, NULL);
    now = weir_clocks_now();
    puts(weir_reason_name(weir_follower_check_credential(
        follower, (struct weir_text){credential->text, WEIR_CREDENTIAL_LENGTH}, &request, now)));
}

/* Issues a token as the holder of the first one, who may do everything, and revokes it. */
static int issue_and_revoke(const struct weir_credential *root)
{
    const struct weir_requestor requestor = {.credential = {root->text, WEIR_CREDENTIAL_LENGTH}};
    const struct weir_text declaration =
        WEIR_TEXT("{\"id\": \"device-7\", \"scope\": {\"basins\": {\"exact\": \"acme-prod\"},"
                  " \"streams\": {\"prefix\": \"devices/7/\"}, \"ops\": [\"append\"]}}");
    struct weir_issued issued;
    struct weir_error error = {0};

    if (weir_authority_issue(authority, &requestor, declaration, &issued, NULL, &error) !=
        WEIR_OK) {
        return complain(&error);
    }
    ask(&issued.credential);
    if (weir_authority_revoke(authority, &requestor, WEIR_TEXT("device-7"), NULL, &error) !=
        WEIR_OK) {
        return complain(&error);
    }
    ask(&issued.credential);
    weir_wipe(&issued, sizeof issued);
    return 0;
}

int main(int count, char **arguments)
{
    struct weir_authority_options options = {.publisher = {.lease = LEASE}};
    struct weir_credential root;
    struct weir_error error = {0};
    pthread_t heart;
    int status = 0;

    if (count != 3) {
        (void)fprintf(stderr, "usage: authority STORE DIRECTORY\n");
        return 2;
    }
    options.directory = arguments[2];
    if (weir_authority_init(arguments[1], WEIR_TEXT("root"), NULL, &root, &error) != WEIR_OK ||
        weir_authority_open(arguments[1], &options, &authority, &error) != WEIR_OK ||
        weir_follower_open(arguments[2], NULL, &follower, &error) != WEIR_OK) {
        return complain(&error);
    }
    weir_authority_heartbeat(authority); /* the first, for whoever asks before the thread runs */
    (void)pthread_create(&heart, NULL, beat, NULL);
    status = issue_and_revoke(&root);
    weir_wipe(&root, sizeof root); /* a real authority hands it to whoever is to issue tokens */
    atomic_store(&ends, true);
    (void)pthread_join(heart, NULL);
    weir_follower_close(follower);
    weir_authority_close(authority);
    return status;
}
