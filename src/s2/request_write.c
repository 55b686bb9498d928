#include <string.h>

#include "s2/request.h"
#include "vocabulary/text.h"
#include "wire/percent.h"

static char *put(char *out, char byte)
{
    *out = byte;
    return out + 1;
}

static char *put_encoded(char *out, struct weir_text text)
{
    return out + weir_percent_encode(text, out);
}

/* What is before a stream's name, or of a listing before a name that it is asked with. */
static struct weir_text prefix_of(const struct s2_request *request,
                                  const struct s2_parameter *parameter,
                                  struct weir_text stream_prefix)
{
    if (request->call == S2_LIST_STREAMS &&
        (weir_text_equal(parameter->key, WEIR_TEXT("prefix")) ||
         (weir_text_equal(parameter->key, WEIR_TEXT("start_after")) &&
          parameter->value.length > 0))) {
        return stream_prefix;
    }
    return (struct weir_text){"", 0};
}

/* A path that is passed on whatever it is, decoded and encoded again byte by byte. */
static char *put_path(char *out, struct weir_text path)
{
    while (path.length > 0) {
        size_t taken = path.bytes[0] == '%' ? 3 : 1;
        char room[3];
        struct weir_text byte = {"", 0};

        if (path.bytes[0] == '/') {
            out = put(out, '/');
        } else {
            (void)weir_percent_decode((struct weir_text){path.bytes, taken}, false, room, &byte);
            out = put_encoded(out, byte);
        }
        path = weir_text_from(path, taken);
    }
    return out;
}

static char *put_names(char *out, const struct s2_request *request, struct weir_text stream_prefix)
{
    const char *pattern = request->pattern;

    while (*pattern != '\0') {
        if (*pattern != '{') {
            out = put(out, *pattern++);
            continue;
        }
        if (pattern[1] == 'b') {
            out = put_encoded(out, request->basin);
        } else if (pattern[1] == 's') {
            out = put_encoded(put_encoded(out, stream_prefix), request->stream);
        } else {
            out = put_encoded(out, request->access_token);
        }
        pattern += 3;
    }
    return out;
}

static char *put_query(char *out, const struct s2_request *request, struct weir_text stream_prefix)
{
    bool has_prefix = false;

    for (size_t i = 0; i < request->query_count; i++) {
        const struct s2_parameter *parameter = &request->query[i];

        out = put_encoded(put(out, i == 0 ? '?' : '&'), parameter->key);
        has_prefix = has_prefix || weir_text_equal(parameter->key, WEIR_TEXT("prefix"));
        if (parameter->has_value || prefix_of(request, parameter, stream_prefix).length > 0) {
            out = put_encoded(put(out, '='), prefix_of(request, parameter, stream_prefix));
            out = put_encoded(out, parameter->value);
        }
    }
    if (request->call == S2_LIST_STREAMS && !has_prefix && stream_prefix.length > 0) {
        static const char key[] = "prefix=";

        out = put(out, request->query_count == 0 ? '?' : '&');
        memcpy(out, key, sizeof key - 1);
        out = put_encoded(out + sizeof key - 1, stream_prefix);
    }
    return out;
}

size_t s2_request_size(const struct s2_request *request, struct weir_text stream_prefix)
{
    /* Of the query: a mark before each key, and a sign behind it; and a prefix that it lacks. The
     * stream's prefix is before a stream, or before the two names of a listing. */
    size_t marks = 2 * request->query_count + sizeof "?prefix=";
    size_t names = request->path.length + request->basin.length + request->stream.length +
                   request->access_token.length + 2 * stream_prefix.length;
    size_t fixed = request->pattern != NULL ? strlen(request->pattern) : 0;

    for (size_t i = 0; i < request->query_count; i++) {
        names += request->query[i].key.length + request->query[i].value.length;
    }
    return fixed + marks + WEIR_PERCENT_MAX(names);
}

size_t s2_request_write(const struct s2_request *request, struct weir_text stream_prefix,
                        char *buffer)
{
    char *out = request->pattern != NULL ? put_names(buffer, request, stream_prefix)
                                         : put_path(buffer, request->path);

    return (size_t)(put_query(out, request, stream_prefix) - buffer);
}
