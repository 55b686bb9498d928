#include "s2/budget.h"

#include <stdlib.h>

void *s2_budget_take(struct s2_budget *budget, size_t size)
{
    return s2_budget_resize(budget, NULL, 0, size);
}

void *s2_budget_resize(struct s2_budget *budget, void *memory, size_t size, size_t new_size)
{
    const size_t others = budget->held - size;
    void *resized = NULL;

    if (others <= budget->most && new_size <= budget->most - others) {
        resized = realloc(memory, new_size);
    }
    if (resized != NULL) {
        budget->held = others + new_size;
    }
    return resized;
}

void s2_budget_give(struct s2_budget *budget, void *memory, size_t size)
{
    free(memory);
    budget->held -= size;
}
