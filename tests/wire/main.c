#include <stdlib.h>

#include "wire/support.h"

int main(void)
{
    SRunner *runner = srunner_create(token_suite());
    int failed = 0;

    srunner_add_suite(runner, declared_suite());
    srunner_add_suite(runner, write_suite());
    srunner_add_suite(runner, bad_input_suite());
    srunner_add_suite(runner, file_suite());
    srunner_add_suite(runner, question_suite());
    srunner_add_suite(runner, memory_suite());
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
