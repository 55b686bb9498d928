#include "lifecycle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <weir/wire.h>

#include "operator_call.h"
#include "report.h"

/* How often, and how many nanoseconds apart, a store is tried that another process owns. */
#define OPEN_TRIES 100
#define OPEN_PAUSE 50000000

/*
 * ---- Who asks ----
 */

static bool read_credential_file(struct lifecycle *lifecycle, const char *path)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = 0;
    size_t end = 0;

    if (file < 0) {
        return report_errno(path, errno);
    }
    do {
        length = read(file, lifecycle->credential + end, sizeof lifecycle->credential - end);
        end += length > 0 ? (size_t)length : 0;
    } while (length > 0 && end < sizeof lifecycle->credential);
    if (length < 0) {
        int number = errno;

        (void)close(file);
        return report_errno(path, number);
    }
    (void)close(file);
    while (end > 0 && strchr(" \t\r\n", lifecycle->credential[end - 1]) != NULL) {
        end--;
    }
    lifecycle->requestor.credential = (struct weir_text){lifecycle->credential, end};
    return (end > 0 && end < sizeof lifecycle->credential) ||
           report(path, "there is no credential");
}

static bool read_requestor(struct lifecycle *lifecycle, const struct options *options)
{
    const char *path = options->values[FLAG_CREDENTIAL];
    const char *variable = getenv(CREDENTIAL_VARIABLE);
    size_t length = variable != NULL ? strlen(variable) : 0;

    if (path != NULL) {
        return read_credential_file(lifecycle, path);
    }
    if (variable == NULL) {
        lifecycle->requestor.is_operator = true;
        return true;
    }
    if (length == 0 || length >= sizeof lifecycle->credential) {
        return report(CREDENTIAL_VARIABLE, "there is no credential");
    }
    memcpy(lifecycle->credential, variable, length);
    lifecycle->requestor.credential = (struct weir_text){lifecycle->credential, length};
    return true;
}

/*
 * ---- Opening ----
 */

static bool name_socket(struct lifecycle *lifecycle, const struct options *options)
{
    const char *given = options->values[FLAG_SOCKET];
    int length = given != NULL ? snprintf(lifecycle->socket, sizeof lifecycle->socket, "%s", given)
                               : snprintf(lifecycle->socket, sizeof lifecycle->socket,
                                          "%s.operator", lifecycle->store);

    return (length > 0 && (size_t)length < sizeof lifecycle->socket) ||
           report(lifecycle->store, "the path of its operator socket is too long");
}

/*
 * Opens the store. WEIR_ERROR_BUSY: another process owns it, and is to be asked. One that does not
 * listen has the store for a moment only, as this command does, or is about to listen.
 */
static enum weir_status open_store(struct lifecycle *lifecycle, struct weir_error *error)
{
    const struct timespec pause = {.tv_nsec = OPEN_PAUSE};
    enum weir_status status = WEIR_OK;

    for (int tries = 0; tries < OPEN_TRIES; tries++) {
        status = weir_authority_open(lifecycle->store, NULL, &lifecycle->authority, error);
        if (status != WEIR_ERROR_BUSY || operator_listens(lifecycle->socket)) {
            break;
        }
        (void)nanosleep(&pause, NULL);
    }
    return status;
}

bool lifecycle_open(struct lifecycle *lifecycle, const struct options *options)
{
    struct weir_error error;
    enum weir_status status = WEIR_OK;

    *lifecycle = (struct lifecycle){.store = options->values[FLAG_STORE]};
    if (!name_socket(lifecycle, options) || !read_requestor(lifecycle, options)) {
        lifecycle_close(lifecycle);
        return false;
    }
    status = open_store(lifecycle, &error);
    if (status != WEIR_OK && status != WEIR_ERROR_BUSY) {
        lifecycle_close(lifecycle);
        return report_error(lifecycle->store, &error);
    }
    return true;
}

void lifecycle_close(struct lifecycle *lifecycle)
{
    weir_authority_close(lifecycle->authority);
    lifecycle->authority = NULL;
    weir_wipe(lifecycle->credential, sizeof lifecycle->credential);
}

static struct operator_call call_of(const struct lifecycle *lifecycle, const char *method,
                                    const char *path)
{
    return (struct operator_call){
        .socket = lifecycle->socket,
        .store = lifecycle->store,
        .method = method,
        .path = path,
        .credential = lifecycle->requestor.credential,
    };
}

/*
 * ---- Issuing ----
 */

static bool issue_by_call(struct lifecycle *lifecycle, struct weir_text json, struct output *output)
{
    struct operator_call call = call_of(lifecycle, "POST", "/v1/access-tokens");
    struct operator_answer answer;

    call.body = json;
    if (!operator_call(&call, &answer)) {
        return false;
    }
    output_bytes(output, answer.bytes, answer.length);
    output_string(output, "\n");
    operator_answer_release(&answer);
    return true;
}

bool lifecycle_issue(struct lifecycle *lifecycle, struct weir_text json, struct output *output)
{
    struct weir_issued issued;
    struct weir_error error;

    if (lifecycle->authority == NULL) {
        return issue_by_call(lifecycle, json, output);
    }
    if (weir_authority_issue(lifecycle->authority, &lifecycle->requestor, json, &issued, NULL,
                             &error) != WEIR_OK) {
        return report_error(lifecycle->store, &error);
    }
    output_format(output, "{\"access_token\":\"%s\"}\n", issued.credential.text);
    weir_wipe(&issued, sizeof issued);
    return true;
}

/*
 * ---- Listing ----
 */

struct page {
    struct output *output;
    bool any;
    bool complete;
};

static bool write_listed(void *context, const struct weir_token *token)
{
    struct page *page = context;
    size_t length = weir_token_write(token, NULL, 0);
    char *json = malloc(length);

    output_string(page->output, page->any ? ",\n" : "\n");
    page->any = true;
    page->complete = page->complete && json != NULL;
    if (json != NULL) {
        (void)weir_token_write(token, json, length);
        output_bytes(page->output, json, length);
    }
    free(json);
    return true;
}

/* `&KEY=TEXT` behind what the path holds. */
static bool add_to_query(char *path, size_t size, const char *key, struct weir_text text)
{
    size_t length = strlen(path);
    char *encoded = operator_text(text);
    int added = 0;

    if (encoded == NULL) {
        return false;
    }
    added = snprintf(path + length, size - length, "%c%s=%s", strchr(path, '?') == NULL ? '?' : '&',
                     key, encoded);
    operator_text_free(encoded);
    return (added > 0 && (size_t)added < size - length) || report("flags", "a name is too long");
}

static bool list_by_call(const struct lifecycle *lifecycle, const struct weir_list_query *query,
                         struct output *output)
{
    char path[1024] = "/v1/access-tokens";
    char limit[32];
    struct operator_call call = call_of(lifecycle, "GET", path);
    struct operator_answer answer;

    (void)snprintf(limit, sizeof limit, "%llu", (unsigned long long)query->limit);
    if (!add_to_query(path, sizeof path, "limit", text_of(limit)) ||
        !add_to_query(path, sizeof path, "prefix", query->prefix) ||
        !add_to_query(path, sizeof path, "start_after", query->start_after) ||
        !operator_call(&call, &answer)) {
        return false;
    }
    output_bytes(output, answer.bytes, answer.length);
    output_string(output, "\n");
    operator_answer_release(&answer);
    return true;
}

bool lifecycle_list(struct lifecycle *lifecycle, const struct weir_list_query *query,
                    struct output *output)
{
    struct page page = {.output = output, .complete = true};
    struct weir_error error;
    bool has_more = false;

    if (lifecycle->authority == NULL) {
        return list_by_call(lifecycle, query, output);
    }
    output_string(output, "{\"access_tokens\":[");
    if (weir_authority_list(lifecycle->authority, &lifecycle->requestor, query, write_listed, &page,
                            &has_more, NULL, &error) != WEIR_OK) {
        output_discard(output);
        return report_error(lifecycle->store, &error);
    }
    output_format(output, "%s],\"has_more\":%s}\n", page.any ? "\n" : "",
                  has_more ? "true" : "false");
    return page.complete || report("memory", "there is not enough");
}

/*
 * ---- Revoking ----
 */

static bool revoke_by_call(const struct lifecycle *lifecycle, struct weir_text id)
{
    char path[1024] = "";
    const struct operator_call call = call_of(lifecycle, "DELETE", path);
    struct operator_answer answer;
    char *encoded = operator_text(id);

    if (encoded == NULL) {
        return false;
    }
    (void)snprintf(path, sizeof path, "/v1/access-tokens/%s", encoded);
    operator_text_free(encoded);
    if (!operator_call(&call, &answer)) {
        return false;
    }
    operator_answer_release(&answer);
    return true;
}

bool lifecycle_revoke(struct lifecycle *lifecycle, struct weir_text id)
{
    struct weir_error error;

    if (lifecycle->authority == NULL) {
        return revoke_by_call(lifecycle, id);
    }
    return weir_authority_revoke(lifecycle->authority, &lifecycle->requestor, id, NULL, &error) ==
               WEIR_OK ||
           report_error(lifecycle->store, &error);
}

bool lifecycle_take_back(struct lifecycle *lifecycle, struct weir_text json)
{
    struct weir_token *token = NULL;
    struct weir_error error;
    bool done = false;

    if (weir_token_parse(json, NULL, &token, &error) != WEIR_OK) {
        return report_error(lifecycle->store, &error);
    }
    lifecycle->requestor = (struct weir_requestor){.is_operator = true};
    done = lifecycle_revoke(lifecycle, token->id);
    weir_token_free(token, NULL);
    return done;
}

static bool number_by_call(const struct lifecycle *lifecycle, const char *method, const char *path,
                           const char *key, uint64_t *number)
{
    const struct operator_call call = call_of(lifecycle, method, path);
    struct operator_answer answer;
    unsigned long long found = 0;
    bool done = operator_call(&call, &answer);

    if (done) {
        done = operator_number(&answer, lifecycle->store, key, &found);
        operator_answer_release(&answer);
        *number = found;
    }
    return done;
}

bool lifecycle_count(struct lifecycle *lifecycle, struct weir_text prefix, uint64_t *count)
{
    char path[1024] = "/v1/access-tokens/count";
    struct weir_error error;

    if (lifecycle->authority != NULL) {
        return weir_authority_count(lifecycle->authority, prefix, count, &error) == WEIR_OK ||
               report_error(lifecycle->store, &error);
    }
    return add_to_query(path, sizeof path, "prefix", prefix) &&
           number_by_call(lifecycle, "GET", path, "count", count);
}

bool lifecycle_revoke_prefix(struct lifecycle *lifecycle, struct weir_text prefix, uint64_t *count)
{
    char path[1024] = "/v1/access-tokens?all=true";
    struct weir_error error;

    if (lifecycle->authority == NULL) {
        return add_to_query(path, sizeof path, "prefix", prefix) &&
               number_by_call(lifecycle, "DELETE", path, "revoked", count);
    }
    if (weir_authority_revoke_prefix(lifecycle->authority, &lifecycle->requestor, prefix, count,
                                     NULL, &error) == WEIR_OK) {
        return true;
    }
    if (*count > 0) {
        (void)report(lifecycle->store,
                     "%llu tokens were revoked, and then:", (unsigned long long)*count);
    }
    return report_error(lifecycle->store, &error);
}
