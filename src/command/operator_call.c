#include "operator_call.h"

#include <curl/curl.h>
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <weir/credential.h>

#include "report.h"

/* A page of the largest tokens, and some. */
#define ANSWER_MAX ((size_t)1 << 30)

bool operator_listens(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int client = -1;
    bool listens = false;

    if (strlen(path) >= sizeof address.sun_path) {
        return false;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (client >= 0) {
        listens = connect(client, (const struct sockaddr *)&address, sizeof address) == 0 ||
                  errno == EACCES;
        (void)close(client);
    }
    return listens;
}

static size_t take_answer(char *bytes, size_t size, size_t count, void *context)
{
    struct operator_answer *answer = context;
    size_t length = size * count;

    if (length > ANSWER_MAX - answer->length) {
        return 0;
    }
    if (answer->length + length > answer->capacity) {
        size_t capacity = 2 * (answer->length + length);
        char *grown = malloc(capacity);

        if (grown == NULL) {
            return 0;
        }
        if (answer->length > 0) {
            memcpy(grown, answer->bytes, answer->length);
            weir_wipe(answer->bytes, answer->length);
        }
        free(answer->bytes);
        answer->bytes = grown;
        answer->capacity = capacity;
    }
    memcpy(answer->bytes + answer->length, bytes, length);
    answer->length += length;
    return length;
}

void operator_answer_release(struct operator_answer *answer)
{
    if (answer->bytes != NULL) {
        weir_wipe(answer->bytes, answer->length);
    }
    free(answer->bytes);
    *answer = (struct operator_answer){NULL, 0, 0};
}

/* Reports what the other process says is wrong. */
static bool report_refusal(const struct operator_call *call, long status,
                           const struct operator_answer *answer)
{
    json_t *value = json_loadb(answer->bytes != NULL ? answer->bytes : "", answer->length, 0, NULL);
    const char *message = json_string_value(json_object_get(value, "message"));

    (void)report(call->store, "%s",
                 message != NULL ? message : "the process that owns it refused, without a reason");
    json_decref(value);
    (void)status;
    return false;
}

static struct curl_slist *make_headers(const struct operator_call *call)
{
    char header[512];
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    struct curl_slist *more = NULL;

    if (headers == NULL || call->credential.length == 0) {
        return headers;
    }
    (void)snprintf(header, sizeof header, "Authorization: Bearer %.*s",
                   (int)call->credential.length, call->credential.bytes);
    more = curl_slist_append(headers, header);
    weir_wipe(header, sizeof header);
    if (more == NULL) {
        curl_slist_free_all(headers);
    }
    return more;
}

static CURLcode perform(CURL *curl, const struct operator_call *call, const char *url,
                        struct curl_slist *headers, struct operator_answer *answer)
{
    (void)curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, call->socket);
    (void)curl_easy_setopt(curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call->method);
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    if (call->body.length > 0) {
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.length);
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->body.bytes);
    }
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_answer);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    return curl_easy_perform(curl);
}

/* Reports that there is no answer. A change that was asked for may have been made. */
static void report_unanswered(const struct operator_call *call, CURLcode code)
{
    if (code == CURLE_COULDNT_CONNECT || code == CURLE_OUT_OF_MEMORY ||
        strcmp(call->method, "GET") == 0) {
        (void)report(call->socket, "the process that owns %s cannot be asked: %s",
                     quoted(call->store).text, curl_easy_strerror(code));
    } else {
        (void)report(call->socket,
                     "the process that owns %s was asked and gave no answer, it may have done it:"
                     " %s",
                     quoted(call->store).text, curl_easy_strerror(code));
    }
}

bool operator_call(const struct operator_call *call, struct operator_answer *answer)
{
    char url[2048];
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = make_headers(call);
    CURLcode code = CURLE_OUT_OF_MEMORY;
    long status = 0;

    *answer = (struct operator_answer){NULL, 0, 0};
    (void)snprintf(url, sizeof url, "http://weir%s", call->path);
    if (curl != NULL && headers != NULL) {
        code = perform(curl, call, url, headers, answer);
        (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    }
    for (struct curl_slist *header = headers; header != NULL; header = header->next) {
        weir_wipe(header->data, strlen(header->data));
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    if (code != CURLE_OK) {
        report_unanswered(call, code);
    } else if (status < 200 || status > 299) {
        (void)report_refusal(call, status, answer);
    } else {
        return true;
    }
    operator_answer_release(answer);
    return false;
}

char *operator_text(struct weir_text text)
{
    /* curl takes a length of 0 for that of a string. */
    char *encoded =
        text.length > INT_MAX / 4
            ? NULL
            : curl_easy_escape(NULL, text.length > 0 ? text.bytes : "", (int)text.length);

    if (encoded == NULL) {
        (void)report("memory", "there is not enough");
    }
    return encoded;
}

void operator_text_free(char *text)
{
    curl_free(text);
}

bool operator_number(const struct operator_answer *answer, const char *store, const char *key,
                     unsigned long long *number)
{
    json_t *value = json_loadb(answer->bytes, answer->length, 0, NULL);
    const json_t *found = json_object_get(value, key);
    bool is_number = json_is_integer(found) && json_integer_value(found) >= 0;

    if (is_number) {
        *number = (unsigned long long)json_integer_value(found);
    } else {
        (void)report(store, "the process that owns it gave an answer that is none");
    }
    json_decref(value);
    return is_number;
}
