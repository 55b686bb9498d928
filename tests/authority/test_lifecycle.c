/* The lifecycle of tokens, sentence by sentence, and the promises of authority.h. */
#include "authority_cases.h"
#include "library/support.h"

int main(void)
{
    TCase *const cases[] = {admit_cases(), issue_cases(), list_cases(), revoke_cases(),
                            publication_cases()};

    return run_cases("lifecycle", cases, COUNT(cases));
}
