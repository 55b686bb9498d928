#include "rival_records.h"

#include "memory.h"
#include "tokens.h"

static void add_text(char **end, struct weir_text text)
{
    memcpy(*end, text.bytes, text.length);
    *end += text.length;
}

/* Makes the record at `at`, and returns where the next may begin. */
static char *make_record(char *at, const struct weir_token *token)
{
    const struct weir_scope *scope = token->scopes;
    struct rival_record *record = (struct rival_record *)(void *)at;
    char *end = (char *)(record + 1);

    add_text(&end, token->id);
    add_text(&end, scope->basins.name);
    add_text(&end, scope->streams.name);
    *record = (struct rival_record){
        .operations = (uint32_t)scope->ops,
        .id_length = (uint8_t)token->id.length,
        .basin_length = (uint8_t)scope->basins.name.length,
        .stream_length = (uint8_t)scope->streams.name.length,
    };
    return end + (-(uintptr_t)end & 7);
}

void rival_records_make(size_t room, rival_keep *keep, void *context)
{
    const struct declarations *declarations = declarations_in_random_order();
    size_t most = sizeof(struct rival_record) + sizeof(struct names);
    const char *names_at = declarations->bytes;
    char *at = memory_touched(TOKEN_COUNT * (room + most) + 64);

    for (size_t i = 0; i < TOKEN_COUNT; i++) {
        const struct names *names = (const struct names *)(const void *)names_at;
        struct names_token declared;
        char *next = NULL;

        names_declare(names, &declared);
        next = make_record(at + room, &declared.token);
        keep(context, (struct rival_record *)(void *)(at + room));
        at = next;
        names_at += names_stride(names);
    }
}
