/* budget.h - memory that bodies are held in, all of them together bounded. */
#ifndef WEIR_S2_BUDGET_H
#define WEIR_S2_BUDGET_H

#include <stdbool.h>
#include <stddef.h>

/* One thread. What is taken is given back with the size that it then had. */
struct s2_budget {
    size_t held;
    size_t most;
    struct s2_budget *whole; /* of which it is a share; or NULL */
};

/* NULL: that would be too much, or there is no memory. */
void *s2_budget_take(struct s2_budget *budget, size_t size);

/* Memory of another size, with as much of what was in it as fits; NULL: as above, and what there
 * was is still there. `memory` may be NULL, its size 0 then. */
void *s2_budget_resize(struct s2_budget *budget, void *memory, size_t size, size_t new_size);

/* `memory` may be NULL, its size 0 then. */
void s2_budget_give(struct s2_budget *budget, void *memory, size_t size);

#endif
