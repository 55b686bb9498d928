/*
 * follow DIRECTORY TOKEN BASIN STREAM
 *
 * Follows a directory that another process publishes (`weir publish`), and prints whether the token
 * may read the stream whenever that changes. Ends when the token is no more, or with its publisher.
 */
#include <stdio.h>
#include <string.h>

#include <weir/follow.h>

static struct weir_text text_of(const char *string)
{
    return (struct weir_text){string, strlen(string)};
}

static int follow(struct weir_follower *follower, struct weir_text token_id,
                  const struct weir_request *request)
{
    const uint64_t pause = weir_follower_status(follower).lease / 4;
    enum weir_reason last = WEIR_REASON_COUNT;
    struct weir_error error = {0};

    for (;;) {
        struct weir_clocks now = weir_clocks_now();
        enum weir_reason reason = WEIR_STALE;

        if (weir_follower_poll(follower, now.boot, 0, &error) != WEIR_OK) {
            (void)fprintf(stderr, "follow: %s %s\n", error.place, error.message);
        }
        reason = weir_follower_check(follower, token_id, request, now);
        if (reason != last) {
            puts(weir_reason_name(reason));
            (void)fflush(stdout);
        }
        if (last != WEIR_REASON_COUNT && (reason == WEIR_UNKNOWN_TOKEN || reason == WEIR_STALE)) {
            return 0;
        }
        last = reason;
        (void)weir_follower_wait(follower, pause);
    }
}

int main(int count, char **arguments)
{
    struct weir_follower *follower = NULL;
    struct weir_error error = {0};
    struct weir_request request = {.operation = WEIR_READ};
    int status = 0;

    if (count != 5) {
        (void)fprintf(stderr, "usage: follow DIRECTORY TOKEN BASIN STREAM\n");
        return 2;
    }
    if (weir_follower_open(arguments[1], NULL, &follower, &error) != WEIR_OK) {
        (void)fprintf(stderr, "follow: %s %s\n", error.place, error.message);
        return 2;
    }
    request.basin = text_of(arguments[3]);
    request.stream = text_of(arguments[4]);
    status = follow(follower, text_of(arguments[2]), &request);
    weir_follower_close(follower);
    return status;
}
