#include "program.h"

#include <string.h>

#include "demand.h"

enum { SCOPES_MAX = 24, IDS = 12, DIGESTS = 6, PIECES_MAX = 12 };

void program_init(struct program *program, const uint8_t *bytes, size_t size)
{
    size = size < PROGRAM_MAX ? size : PROGRAM_MAX;
    /* A byte becomes a piece of a name, or part of a scope, neither of which takes as much. */
    *program = (struct program){
        .bytes = bytes, .left = size, .room = 256 * size + SCOPES_MAX * sizeof(struct weir_scope)};
    program->memory = malloc(program->room);
    demand(program->memory != NULL);
}

void program_fini(struct program *program)
{
    free(program->memory);
}

unsigned program_number(struct program *program, unsigned bound)
{
    if (program->left == 0) {
        return 0;
    }
    program->left--;
    return *program->bytes++ % bound;
}

static void *keep(struct program *program, const void *bytes, size_t size)
{
    char *kept = program->memory + program->used;

    demand(size <= program->room - program->used);
    memcpy(kept, bytes, size);
    program->used += (size + 15) / 16 * 16;
    return kept;
}

static struct weir_text basin_piece(unsigned number)
{
    static const struct weir_text pieces[] = {
        {"tenant-", 7},   {"a", 1}, {"b", 1}, {"0", 1},        {"-", 1},
        {"acme-prod", 9}, {"A", 1}, {"é", 2}, {"aaaaaaaa", 8}, {"0123456789", 10}};

    return pieces[number % (sizeof pieces / sizeof pieces[0])];
}

static struct weir_text other_piece(unsigned number)
{
    static const char characters[] =
        "!\"#$%&'()*+,-0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`cdefg";
    static const struct weir_text pieces[] = {
        {"users/", 6},
        {"a", 1},
        {"b", 1},
        {"/", 1},
        {".", 1},
        {"é", 2},
        {"ê", 2},
        {"\0", 1},
        {"aaaaaaaa", 8},
        {"\xff", 1},
        {"\xf4\x8f\xbf\xbf", 4},
        {"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", 64}};

    /* The larger numbers are single characters, so that nodes may have many children. */
    if (number < 128) {
        return pieces[number % (sizeof pieces / sizeof pieces[0])];
    }
    return (struct weir_text){&characters[number % 64], 1};
}

struct weir_text program_name(struct program *program, enum weir_set_role role)
{
    char name[64 * PIECES_MAX];
    size_t length = 0;

    for (unsigned pieces = program_number(program, PIECES_MAX); pieces > 0; pieces--) {
        unsigned number = program_number(program, 255);
        struct weir_text piece = role == WEIR_BASINS ? basin_piece(number) : other_piece(number);

        memcpy(name + length, piece.bytes, piece.length);
        length += piece.length;
        if (program->left == 0) {
            break;
        }
    }
    return (struct weir_text){keep(program, name, length), length};
}

struct weir_text program_id(struct program *program)
{
    static const struct weir_text ids[IDS] = {
        {"a", 1},
        {"b", 1},
        {"user-1", 6},
        {"user-12", 7},
        {"user-123", 8},
        {"é", 2},
        {"users/a", 7},
        {"aaaaaaaa", 8},
        {".", 1},
        {"", 0},
        {"...", 3},
        {"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
         "0123456789abcdef",
         96}};

    return ids[program_number(program, IDS)];
}

static struct weir_set take_set(struct program *program, enum weir_set_role role)
{
    unsigned kind = program_number(program, 4);

    if (kind == 0) {
        return (struct weir_set){WEIR_SET_NOTHING, {NULL, 0}};
    }
    return (struct weir_set){kind == 1 ? WEIR_SET_EXACT : WEIR_SET_PREFIX,
                             program_name(program, role)};
}

static struct weir_scope take_scope(struct program *program)
{
    struct weir_scope scope = {.basins = take_set(program, WEIR_BASINS)};

    scope.streams = take_set(program, WEIR_STREAMS);
    scope.access_tokens = take_set(program, WEIR_ACCESS_TOKENS);
    scope.op_groups = program_number(program, WEIR_GROUP_BITS_ALL + 1);
    for (unsigned count = program_number(program, 4); count > 0; count--) {
        scope.ops |= WEIR_OPERATION_BIT(1 + program_number(program, WEIR_OPERATION_COUNT));
    }
    if (scope.ops == 0 && scope.op_groups == 0) {
        scope.op_groups = WEIR_GROUP_BITS_ALL;
    }
    return scope;
}

void program_digest(struct program *program, uint8_t digest[WEIR_DIGEST_SIZE])
{
    memset(digest, 1 + (int)program_number(program, DIGESTS), WEIR_DIGEST_SIZE);
}

struct weir_token program_token(struct program *program)
{
    struct weir_scope scopes[SCOPES_MAX];
    struct weir_token token = {.id = program_id(program)};
    unsigned flags = program_number(program, 255);
    /* Most tokens have one scope. */
    size_t count = flags % 2 == 0 ? 1 : 1 + program_number(program, SCOPES_MAX);

    for (size_t i = 0; i < count; i++) {
        scopes[i] = take_scope(program);
        if (program->left == 0) {
            count = i + 1;
        }
    }
    token.scopes = keep(program, scopes, count * sizeof scopes[0]);
    token.scope_count = count;
    token.expires = flags / 2 % 4 == 0;
    token.expires_at.seconds = 3000 * (int64_t)program_number(program, 8);
    token.expires_at.nanoseconds = program_number(program, 255);
    token.auto_prefix_streams = flags / 8 % 4 == 0;
    token.has_credential_digest = flags / 32 % 2 == 0;
    if (token.has_credential_digest) {
        program_digest(program, token.credential_digest);
    }
    return token;
}

struct weir_request program_request(struct program *program)
{
    struct weir_request request = {
        .operation = (enum weir_operation)program_number(program, WEIR_OPERATION_COUNT + 2)};

    request.basin = program_name(program, WEIR_BASINS);
    request.stream = program_name(program, WEIR_STREAMS);
    request.access_token = program_name(program, WEIR_ACCESS_TOKENS);
    return request;
}
