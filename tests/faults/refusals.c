#include "faults/refusals.h"

#include <errno.h>

const struct manner manners[MANNERS] = {{FAILS_ONCE, EIO}, {FAILS_FOR_GOOD, ENOSPC}};

void demand(bool holds)
{
    if (!holds) {
        system_calls_end();
        ck_abort_msg("a call does not do what it says");
    }
}

static void expect_refused(const struct call *call, enum weir_status status,
                           const struct weir_error *error, size_t fails_at, bool is_the_systems)
{
    if (!is_the_systems) {
        ck_abort_msg("%s, without %s (%zu): %s: %s", call->function, system_calls.failed, fails_at,
                     weir_status_name(status), error->message);
    }
    expect_error(error, status);
}

enum weir_status run_refused(const struct call *call, struct world *world, uint64_t state,
                             size_t fails_at, struct manner manner,
                             const struct expectation *expectation)
{
    struct weir_error error = {0};
    size_t files = open_files();
    enum weir_status status = WEIR_OK;

    system_calls_fail(fails_at, manner.how, manner.number);
    status = call->run(world, &error);
    system_calls_end();
    if (status == WEIR_OK) {
        return status;
    }
    expect_refused(call, status, &error, fails_at, expectation->is_the_systems(status, manner));
    if (open_files() != files) {
        ck_abort_msg("%s, without %s (%zu), leaves a file open", call->function,
                     system_calls.failed, fails_at);
    }
    if (call->peculiarity != GOES_ON && status != WEIR_ERROR_UNPUBLISHED &&
        expectation->state(world) != state) {
        ck_abort_msg("%s, without %s (%zu), changes something", call->function, system_calls.failed,
                     fails_at);
    }
    return status;
}
