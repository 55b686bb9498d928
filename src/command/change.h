/* change.h - a change to be published, read from a line of JSON. */
#ifndef WEIR_COMMAND_CHANGE_H
#define WEIR_COMMAND_CHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/error.h>
#include <weir/name.h>
#include <weir/token.h>
#include <weir/wire.h>

enum change_kind { CHANGE_ISSUE, CHANGE_REPLACE, CHANGE_PUT, CHANGE_REVOKE, CHANGE_COMPACT };

struct change {
    enum change_kind kind;
    struct weir_token *token; /* of the first three */
    struct weir_text id;      /* of a revocation, in `bytes` */
    char bytes[WEIR_TOKEN_ID_MAX];
};

/* The longest line that can be a change. */
#define CHANGE_LINE_MAX (WEIR_TOKEN_JSON_MAX + 64)

/*
 * Reads `{"issue": TOKEN}`, `{"replace": TOKEN}`, `{"put": TOKEN}`, `{"revoke": ID}` or
 * `{"compact": true}`. WEIR_OK, to be followed by change_release; or the codes of weir_token_parse.
 */
enum weir_status change_read(struct change *change, struct weir_text line,
                             struct weir_error *error);
void change_release(struct change *change);

#endif
