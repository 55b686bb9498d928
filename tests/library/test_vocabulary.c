/* test_vocabulary.c - operations, names, instants and declarations: what everything speaks in. */
#include "library/support.h"
#include "library/vocabulary_cases.h"

int main(void)
{
    TCase *const cases[] = {operation_cases(), name_cases(),        quote_cases(),
                            instant_cases(),   declaration_cases(), word_cases()};

    return run_cases("vocabulary", cases, COUNT(cases));
}
