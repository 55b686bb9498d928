#include "s2/budget.h"

#include <stdlib.h>

static bool allows(const struct s2_budget *budget, size_t size, size_t new_size)
{
    const size_t others = budget->held - size;

    return others <= budget->most && new_size <= budget->most - others;
}

static void hold(struct s2_budget *budget, size_t size, size_t new_size)
{
    for (; budget != NULL; budget = budget->whole) {
        budget->held = budget->held - size + new_size;
    }
}

void *s2_budget_take(struct s2_budget *budget, size_t size)
{
    return s2_budget_resize(budget, NULL, 0, size);
}

void *s2_budget_resize(struct s2_budget *budget, void *memory, size_t size, size_t new_size)
{
    void *resized = NULL;

    if (allows(budget, size, new_size) &&
        (budget->whole == NULL || allows(budget->whole, size, new_size))) {
        resized = realloc(memory, new_size);
    }
    if (resized != NULL) {
        hold(budget, size, new_size);
    }
    return resized;
}

void s2_budget_give(struct s2_budget *budget, void *memory, size_t size)
{
    free(memory);
    hold(budget, size, 0);
}
