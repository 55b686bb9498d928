#include "program.h"

#include <stddef.h>
#include <string.h>

#include "demand.h"

enum {
    SCOPES_MAX = 24,
    FAMILY_MAX = 240,
    IDS = 12,
    DIGESTS = 6,
    PIECES_MAX = 12,
    LENGTH_MAX = 64 * PIECES_MAX
};

struct program_kept {
    struct program_kept *older;
    max_align_t bytes[];
};

void program_init(struct program *program, const uint8_t *bytes, size_t size)
{
    *program = (struct program){.bytes = bytes, .left = size < PROGRAM_MAX ? size : PROGRAM_MAX};
}

void program_fini(struct program *program)
{
    while (program->kept != NULL) {
        struct program_kept *kept = program->kept;

        program->kept = kept->older;
        free(kept);
    }
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
    struct program_kept *kept = malloc(sizeof *kept + size);

    demand(kept != NULL);
    kept->older = program->kept;
    program->kept = kept;
    memcpy(kept->bytes, bytes, size);
    return kept->bytes;
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
    char name[LENGTH_MAX];
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

/* ---- Scopes that are alike ---- */

/* The name with a number behind it, in digits that any name may have. */
static struct weir_text numbered(struct program *program, struct weir_text name, unsigned number)
{
    static const char digits[] = "0123456789abcdef";
    char longer[LENGTH_MAX + 2];

    if (name.length > 0) {
        memcpy(longer, name.bytes, name.length);
    }
    longer[name.length] = digits[number / 16 % 16];
    longer[name.length + 1] = digits[number % 16];
    return (struct weir_text){keep(program, longer, name.length + 2), name.length + 2};
}

/* So many bytes, the name's over and over. */
static struct weir_text stretched(struct program *program, struct weir_text name, size_t length)
{
    char bytes[FAMILY_MAX];

    for (size_t i = 0; i < length; i++) {
        bytes[i] = name.length == 0 ? 'x' : name.bytes[i % name.length];
    }
    return (struct weir_text){keep(program, bytes, length), length};
}

/* Many scopes made of the first one, `scopes[0]`: with other basins, streams or access tokens, or
 * each with a longer name than the one before. Returns their number. */
static size_t take_family(struct program *program, struct weir_scope *scopes)
{
    unsigned varied = program_number(program, 16);
    size_t count = 1 + program_number(program, FAMILY_MAX);
    struct weir_scope first = scopes[0];

    for (unsigned i = 1; i < count; i++) {
        scopes[i] = first;
        if (varied % 2 != 0) {
            scopes[i].basins.name = numbered(program, first.basins.name, i);
        }
        if (varied / 2 % 2 != 0) {
            scopes[i].streams.name = numbered(program, first.streams.name, i);
        }
        if (varied / 4 % 2 != 0) {
            scopes[i].access_tokens.name = numbered(program, first.access_tokens.name, i);
        }
        if (varied / 8 % 2 != 0) {
            scopes[i].streams.name = stretched(program, first.streams.name, i);
        }
    }
    return count;
}

void program_digest(struct program *program, uint8_t digest[WEIR_DIGEST_SIZE])
{
    memset(digest, 1 + (int)program_number(program, DIGESTS), WEIR_DIGEST_SIZE);
}

struct weir_token program_token(struct program *program)
{
    struct weir_scope scopes[FAMILY_MAX];
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
    if (flags / 64 == 3) {
        count = take_family(program, scopes);
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
