#include "model/report.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/operation.h>

#include "model/naive.h"

#define DEFAULT_SEED 1

uint64_t model_seed(void)
{
    const char *text = getenv("WEIR_SEED");

    return text != NULL && *text != '\0' ? strtoull(text, NULL, 0) : DEFAULT_SEED;
}

/* How much of the standard amount this build is asked for, in percent. All of it, where it is fast;
 * AddressSanitizer sees the same ways again, and for ThreadSanitizer there is one thread. */
#if defined(__SANITIZE_THREAD__)
#define BUILD_PERCENT 5
#elif defined(__SANITIZE_ADDRESS__) || !defined(__OPTIMIZE__)
#define BUILD_PERCENT 20
#else
#define BUILD_PERCENT 100
#endif

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#undef BUILD_PERCENT
#define BUILD_PERCENT 20
#elif __has_feature(thread_sanitizer)
#undef BUILD_PERCENT
#define BUILD_PERCENT 5
#endif
#endif

uint64_t model_amount(uint64_t full)
{
    const char *text = getenv("WEIR_MODEL_PERCENT");
    uint64_t percent = text != NULL && *text != '\0' ? strtoull(text, NULL, 10) : BUILD_PERCENT;

    return (full * percent + 99) / 100;
}

static void print_code_point(unsigned long value)
{
    if (value > 0xffff) {
        fprintf(stderr, "\\u%04lx\\u%04lx", 0xd800 + ((value - 0x10000) >> 10),
                0xdc00 + ((value - 0x10000) & 0x3ff));
    } else if (value < ' ' || value > '~' || value == '"' || value == '\\') {
        fprintf(stderr, "\\u%04lx", value);
    } else {
        fputc((int)value, stderr);
    }
}

/* The value of a character of that many bytes, which are known to be one. */
static unsigned long code_point(const char *bytes, size_t length)
{
    unsigned long value = (unsigned char)bytes[0];

    if (length > 1) {
        value &= 0x7fu >> length;
    }
    for (size_t i = 1; i < length; i++) {
        value = value << 6 | ((unsigned char)bytes[i] & 0x3f);
    }
    return value;
}

static void print_text(struct weir_text text)
{
    fputc('"', stderr);
    for (size_t at = 0, length = 0; at < text.length; at += length) {
        for (length = 1; length <= 4 && at + length <= text.length; length++) {
            if (text.bytes[at] == '\0' ||
                naive_token_id_prefix_valid((struct weir_text){text.bytes + at, length})) {
                break;
            }
        }
        if (length > 4 || at + length > text.length) {
            length = 1;
            fprintf(stderr, "\\x%02x", (unsigned char)text.bytes[at]);
        } else {
            print_code_point(code_point(text.bytes + at, length));
        }
    }
    fputc('"', stderr);
}

void report_text(const char *label, struct weir_text text)
{
    fprintf(stderr, "  %s (%zu bytes): ", label, text.length);
    print_text(text);
    fputc('\n', stderr);
}

void report_instant(const char *label, struct weir_instant instant)
{
    char text[WEIR_INSTANT_SIZE];

    (void)weir_instant_print(instant, text);
    fprintf(stderr, "  %s: %s (%" PRId64 " s, %" PRIu32 " ns)\n", label, text, instant.seconds,
            instant.nanoseconds);
}

static void print_set(const char *field, const struct weir_set *set)
{
    fprintf(stderr, "\"%s\": ", field);
    if (set->kind == WEIR_SET_NOTHING) {
        fputs("null", stderr);
        return;
    }
    fputs(set->kind == WEIR_SET_EXACT ? "{\"exact\": " : "{\"prefix\": ", stderr);
    print_text(set->name);
    fputc('}', stderr);
}

static void print_scope(const struct weir_scope *scope)
{
    const char *comma = "";

    fputs("{", stderr);
    print_set("basins", &scope->basins);
    fputs(", ", stderr);
    print_set("streams", &scope->streams);
    fputs(", ", stderr);
    print_set("access_tokens", &scope->access_tokens);
    fputs(", \"op_groups\": {", stderr);
    for (unsigned group = 0; group < 3; group++) {
        fprintf(stderr, "%s\"%s\": {\"read\": %s, \"write\": %s}", group == 0 ? "" : ", ",
                weir_group_name((enum weir_group)group),
                (scope->op_groups >> (2 * group) & 1) != 0 ? "true" : "false",
                (scope->op_groups >> (2 * group + 1) & 1) != 0 ? "true" : "false");
    }
    fputs("}, \"ops\": [", stderr);
    for (unsigned operation = 1; operation <= 24; operation++) {
        if ((scope->ops >> operation & 1) != 0) {
            fprintf(stderr, "%s\"%s\"", comma, weir_operation_name((enum weir_operation)operation));
            comma = ", ";
        }
    }
    fputs("]}", stderr);
}

void report_token(const struct weir_token *token)
{
    char expiry[WEIR_INSTANT_SIZE];

    fputs("  token: {\"id\": ", stderr);
    print_text(token->id);
    if (token->expires) {
        (void)weir_instant_print(token->expires_at, expiry);
        fprintf(stderr, ", \"expires_at\": \"%s\"", expiry);
    }
    if (token->has_credential_digest) {
        fputs(", \"credential_digest\": \"", stderr);
        for (size_t i = 0; i < WEIR_DIGEST_SIZE; i++) {
            fprintf(stderr, "%02x", token->credential_digest[i]);
        }
        fputc('"', stderr);
    }
    fprintf(stderr, ", \"auto_prefix_streams\": %s, \"scopes\": [",
            token->auto_prefix_streams ? "true" : "false");
    for (size_t i = 0; i < token->scope_count; i++) {
        fputs(i == 0 ? "\n    " : ",\n    ", stderr);
        print_scope(&token->scopes[i]);
    }
    fprintf(stderr, "]}\n  issue number: %" PRIu64 "\n", token->issue_number);
}

void report_request(const struct weir_request *request)
{
    fprintf(stderr, "  operation: %u (%s)\n", (unsigned)request->operation,
            weir_operation_name(request->operation));
    report_text("basin", request->basin);
    report_text("stream", request->stream);
    report_text("access_token", request->access_token);
}

void report_world(const struct world *world, const char *what)
{
    fprintf(stderr, "\n%s\n  world: %s, %zu tokens; WEIR_SEED=%" PRIu64 " makes it the first one\n",
            what, world->shape, world->count, world->seed);
    report_instant("now", world->now);
}

static void without_scopes(const struct weir_token *token, size_t start, size_t count,
                           struct weir_scope *rest)
{
    memcpy(rest, token->scopes, start * sizeof *rest);
    memcpy(rest + start, token->scopes + start + count,
           (token->scope_count - start - count) * sizeof *rest);
}

void model_shrink(struct weir_token *token, model_persists *persists, const void *context)
{
    for (size_t piece = token->scope_count / 2; piece > 0; piece /= 2) {
        size_t start = 0;

        while (start + piece <= token->scope_count && piece < token->scope_count) {
            struct weir_token smaller = *token;
            struct weir_scope *rest = must_allocate(token->scope_count * sizeof *rest);

            without_scopes(token, start, piece, rest);
            smaller.scopes = rest;
            smaller.scope_count -= piece;
            if (persists(context, &smaller)) {
                *token = smaller;
            } else {
                free(rest);
                start += piece;
            }
        }
    }
}

void must_succeed(enum weir_status status, const struct weir_error *error,
                  const struct world *world, const char *what)
{
    if (status != WEIR_OK) {
        report_world(world, what);
        ck_abort_msg("%s: %s: %s%s%s", what, weir_status_name(status), error->place,
                     error->place[0] == '\0' ? "" : ": ", error->message);
    }
}
