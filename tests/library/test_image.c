/* test_image.c - what image.h promises. */
#include "library/image_cases.h"
#include "library/support.h"

int main(void)
{
    TCase *const cases[] = {opening_cases(), damage_cases(),  mutation_cases(),
                            hostile_cases(), finding_cases(), layout_cases(),
                            large_cases(),   saving_cases(),  difference_cases()};

    return run_cases("image", cases, COUNT(cases));
}
