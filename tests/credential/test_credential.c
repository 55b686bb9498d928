/* test_credential.c - what weir/credential.h promises. */
#include "credential/credential_cases.h"
#include "library/support.h"

int main(void)
{
    TCase *const cases[] = {form_cases(),  draw_cases(),     stack_cases(),
                            check_cases(), follower_cases(), spilled_cases()};

    return run_cases("credential", cases, COUNT(cases));
}
