#include "live/section.h"

#include <weir/engine.h>

#include "vocabulary/failure.h"

#undef weir_fail_section /* what analyzers see is in the header */

#if WEIR_TSAN
char weir_grace_period;
#endif

enum weir_status weir_fail_section(struct weir_error *error, const char *what)
{
    return weir_fail(error, WEIR_ERROR_ARGUMENT, "%s inside a read section would wait for itself",
                     what);
}

void weir_grace_wait(void)
{
    urcu_bp_synchronize_rcu();
    WEIR_GRACE_PASSED();
}

void weir_thread_register(void)
{
    urcu_bp_register_thread();
}

void weir_read_begin(void)
{
    (void)weir_section_begin();
}

void weir_read_end(void)
{
    weir_section_end(weir_section_innermost());
}

void weir_fork_prepare(void)
{
    urcu_bp_before_fork();
}

void weir_fork_parent(void)
{
    urcu_bp_after_fork_parent();
}

void weir_fork_child(void)
{
    urcu_bp_after_fork_child();
}
