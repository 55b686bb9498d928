#include <weir/engine.h>

#include "answer/gather.h"
#include "live/edition.h"
#include "live/find.h"
#include "vocabulary/memory.h"

struct asking {
    const struct weir_engine *engine;
    const struct weir_edition *edition;
    const struct weir_request *request;
    struct weir_instant now;
    struct weir_gathered gathered;
};

static bool ask(void *context, uint32_t offset)
{
    struct asking *asking = context;
    const struct weir_compiled_token *token =
        weir_block_token(weir_live_block(asking->engine, &asking->edition->base, offset));

    return !weir_allowed(weir_check_token(token, asking->request, asking->now)) ||
           weir_gather(&asking->gathered, token);
}

enum weir_status weir_engine_who(const struct weir_engine *engine,
                                 const struct weir_request *request, struct weir_instant now,
                                 const struct weir_allocator *allocator, struct weir_tokens *tokens,
                                 struct weir_error *error)
{
    struct asking asking = {
        .engine = engine,
        .edition = weir_engine_edition(engine),
        .request = request,
        .now = now,
        .gathered = {.allocator = weir_allocator_or_default(allocator)},
    };
    bool complete = weir_edition_each(asking.edition, ask, &asking);

    return weir_gathered_finish(&asking.gathered, complete, tokens, error);
}
