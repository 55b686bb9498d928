#include "publish/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/compile.h>

#include "model/dice.h"

/* More than fit in a segment of 64 KiB, and enough that a segment is soon full. */
#define SCOPES_HUGE 250
#define SCOPES_LARGE 14
#define STREAM_LENGTH 300

unsigned script_largeness;

struct script_id script_id(unsigned number)
{
    struct script_id id;

    (void)snprintf(id.text, sizeof id.text, "id-%u", number);
    return id;
}

static struct weir_text text(const char *string)
{
    return (struct weir_text){string, strlen(string)};
}

static unsigned id_of(uint64_t sequence)
{
    return (unsigned)((sequence - 1) % SCRIPT_IDS);
}

/* How often the id has had its turn. */
static uint64_t turns(unsigned id, uint64_t sequence)
{
    return sequence <= id ? 0 : (sequence - id - 1) / SCRIPT_IDS + 1;
}

uint64_t script_holder(unsigned id, uint64_t sequence)
{
    uint64_t count = turns(id, sequence);

    return count % 3 == 0 ? 0 : id + 1 + (count - 1) * SCRIPT_IDS;
}

/*
 * ---- Changes ----
 */

static size_t scopes_of(uint64_t sequence)
{
    if (script_largeness == 0 || sequence % 7 == 0) {
        return 1;
    }
    return sequence % 31 == 5 ? SCOPES_HUGE : SCOPES_LARGE;
}

static struct weir_scope scope_of(char *name, size_t size)
{
    return (struct weir_scope){
        .basins = {WEIR_SET_PREFIX, WEIR_TEXT("")},
        .streams = {WEIR_SET_EXACT, {name, size}},
        .ops = WEIR_OPERATION_BIT(WEIR_READ),
    };
}

/* The first scope's stream tells the version; the others are there for their length. */
static struct weir_compiled_token *compile(uint64_t sequence)
{
    size_t count = scopes_of(sequence);
    struct weir_scope *scopes = calloc(count, sizeof *scopes);
    char(*names)[STREAM_LENGTH] = malloc(count * sizeof *names);
    struct script_id id = script_id(id_of(sequence));
    struct weir_token token = {
        .id = text(id.text), .scopes = scopes, .scope_count = count, .issue_number = sequence};
    struct weir_compiled_token *compiled = NULL;
    struct dice dice = {sequence};
    size_t size = 0;

    if (scopes == NULL || names == NULL) {
        abort();
    }
    for (size_t i = 0; i < count; i++) {
        int length = snprintf(names[i], sizeof names[i], "v%llu", (unsigned long long)sequence);

        for (size_t at = 0; i > 0 && at < sizeof names[i]; at++) {
            names[i][at] = (char)('a' + (int)dice_below(&dice, 26));
        }
        scopes[i] = scope_of(names[i], i == 0 ? (size_t)length : sizeof names[i]);
    }
    if (weir_compile_token(&token, NULL, &compiled, &size, NULL) != WEIR_OK) {
        abort();
    }
    free(scopes);
    free(names);
    return compiled;
}

enum weir_status script_change(struct weir_publisher *publisher, uint64_t sequence,
                               struct weir_error *error)
{
    unsigned id = id_of(sequence);
    uint64_t given = 0;
    struct weir_compiled_token *token = NULL;
    enum weir_status status = WEIR_OK;

    if (turns(id, sequence) % 3 == 0) {
        status = weir_publisher_revoke(publisher, text(script_id(id).text), &given, error);
    } else {
        token = compile(sequence);
        status = turns(id, sequence) % 3 == 1
                     ? weir_publisher_issue(publisher, token, &given, error)
                     : weir_publisher_replace(publisher, token, &given, error);
        free(token);
    }
    if (status == WEIR_OK && given != sequence) {
        abort();
    }
    return status;
}

/*
 * ---- What there is ----
 */

bool script_agrees(const struct weir_engine *engine, unsigned id, uint64_t sequence)
{
    struct script_id name = script_id(id);
    uint64_t holder = script_holder(id, sequence);
    char stream[24];
    struct weir_request request = {.operation = WEIR_READ, .basin = WEIR_TEXT("basin-of-all")};
    const struct weir_compiled_token *token = NULL;
    bool agrees = false;

    (void)snprintf(stream, sizeof stream, "v%llu", (unsigned long long)holder);
    request.stream = text(stream);
    weir_read_begin();
    token = weir_engine_find(engine, text(name.text));
    agrees = holder == 0 ? token == NULL
                         : token != NULL && weir_compiled_token_issue_number(token) == holder;
    weir_read_end();
    return agrees &&
           weir_engine_check(engine, text(name.text), &request, (struct weir_instant){0, 0}) ==
               (holder == 0 ? WEIR_UNKNOWN_TOKEN : WEIR_ALLOWED);
}

bool script_agrees_in_all(const struct weir_engine *engine, uint64_t sequence)
{
    uint64_t count = 0;

    for (unsigned id = 0; id < SCRIPT_IDS; id++) {
        if (!script_agrees(engine, id, sequence)) {
            return false;
        }
        count += script_holder(id, sequence) != 0;
    }
    return weir_engine_usage(engine).tokens == count;
}
