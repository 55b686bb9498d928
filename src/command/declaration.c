#include "declaration.h"

#include <stdlib.h>
#include <string.h>

/* Only a set that is not nothing has a name. */
static size_t name_length(const struct weir_set *set)
{
    return set->kind == WEIR_SET_NOTHING ? 0 : set->name.length;
}

static size_t names_length(const struct weir_scope *scope)
{
    return name_length(&scope->basins) + name_length(&scope->streams) +
           name_length(&scope->access_tokens);
}

/* Copies the text to `*place`, moves that past it, and returns the copy. */
static struct weir_text copy_text(struct weir_text text, char **place)
{
    struct weir_text copy = {*place, text.length};

    if (text.length > 0) {
        memcpy(*place, text.bytes, text.length);
    }
    *place += text.length;
    return copy;
}

static struct weir_set copy_set(const struct weir_set *set, char **place)
{
    struct weir_text name = {NULL, 0};

    if (set->kind != WEIR_SET_NOTHING) {
        name = copy_text(set->name, place);
    }
    return (struct weir_set){set->kind, name};
}

struct declaration *declaration_copy(const struct weir_token *token)
{
    size_t scopes_size = token->scope_count * sizeof(struct weir_scope);
    size_t size = sizeof(struct declaration) + scopes_size + token->id.length;
    struct declaration *copy = NULL;
    char *place = NULL;

    for (size_t i = 0; i < token->scope_count; i++) {
        size += names_length(&token->scopes[i]);
    }
    copy = malloc(size);
    if (copy == NULL) {
        return NULL;
    }
    place = (char *)copy + sizeof(struct declaration) + scopes_size;
    copy->token = *token;
    copy->token.scopes = copy->scopes;
    copy->token.id = copy_text(token->id, &place);
    for (size_t i = 0; i < token->scope_count; i++) {
        const struct weir_scope *scope = &token->scopes[i];

        copy->scopes[i] = *scope;
        copy->scopes[i].basins = copy_set(&scope->basins, &place);
        copy->scopes[i].streams = copy_set(&scope->streams, &place);
        copy->scopes[i].access_tokens = copy_set(&scope->access_tokens, &place);
    }
    return copy;
}

void declaration_free(struct declaration *declaration)
{
    free(declaration);
}
