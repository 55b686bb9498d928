#include <string.h>
#include <strings.h>

#include "s2/request.h"
#include "vocabulary/text.h"

/* What is before the first of these bytes; all of it, if there is none. */
static struct weir_text until(struct weir_text text, char byte)
{
    const char *found = text.length > 0 ? memchr(text.bytes, byte, text.length) : NULL;

    return (struct weir_text){text.bytes,
                              found != NULL ? (size_t)(found - text.bytes) : text.length};
}

/*
 * ---- Media types ----
 */

static bool is_of_token(char byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= 'a' && byte <= 'z') ||
           (byte != '\0' && strchr("!#$%&'*+-.^_`|~", byte) != NULL);
}

static bool is_token(struct weir_text text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (!is_of_token(text.bytes[i])) {
            return false;
        }
    }
    return text.length > 0;
}

/* `type/subtype+suffix; parameters`: the parameters are not looked at. */
struct media {
    struct weir_text type;
    struct weir_text subtype;
    struct weir_text suffix; /* empty: none */
};

/* False: it is none. */
static bool read_media(struct weir_text text, struct media *media)
{
    struct weir_text name = weir_text_trim(until(text, ';'));
    size_t plus = 0;

    media->type = until(name, '/');
    if (media->type.length == name.length) {
        return false;
    }
    media->subtype = weir_text_from(name, media->type.length + 1);
    media->suffix = (struct weir_text){"", 0};
    if (!is_token(media->type) || !is_token(media->subtype)) {
        return false;
    }
    for (size_t i = 1; i < media->subtype.length; i++) {
        plus = media->subtype.bytes[i] == '+' ? i : plus;
    }
    if (plus > 0) {
        media->suffix = weir_text_from(media->subtype, plus + 1);
        media->subtype.length = plus;
    }
    return true;
}

static enum s2_content content_of(const struct media *media)
{
    if (weir_text_is_word(media->type, "application")) {
        if (weir_text_is_word(media->subtype, "json") || weir_text_is_word(media->suffix, "json")) {
            return S2_CONTENT_JSON;
        }
        return weir_text_is_word(media->subtype, "protobuf") ||
                       weir_text_is_word(media->subtype, "x-protobuf")
                   ? S2_CONTENT_PROTOBUF
                   : S2_CONTENT_OTHER;
    }
    return weir_text_is_word(media->type, "s2s") && weir_text_is_word(media->subtype, "proto")
               ? S2_CONTENT_SESSION
               : S2_CONTENT_OTHER;
}

/*
 * ---- Each header ----
 */

static bool refuse(struct s2_refusal *refusal, const char *message)
{
    return s2_refuse(refusal, 400, "bad_header", message);
}

static bool read_authorization(struct s2_headers *headers, struct weir_text value,
                               struct s2_refusal *refusal)
{
    static const char scheme[] = "Bearer";
    const size_t length = sizeof scheme - 1;

    (void)refusal;
    if (value.length > length && strncasecmp(value.bytes, scheme, length) == 0 &&
        weir_is_space_or_tab(value.bytes[length])) {
        headers->credential = weir_text_trim(weir_text_from(value, length));
    }
    return true;
}

static bool read_basin(struct s2_headers *headers, struct weir_text value,
                       struct s2_refusal *refusal)
{
    (void)refusal;
    headers->basin = value;
    return true;
}

/* The server looks at what is before a comma alone; what is behind it could be meant for somebody
 * else. */
static bool read_content_type(struct s2_headers *headers, struct weir_text value,
                              struct s2_refusal *refusal)
{
    struct media media;

    if (until(value, ',').length < value.length || !read_media(value, &media)) {
        return refuse(refusal, "Content-Type is not one media type.");
    }
    headers->content = content_of(&media);
    return true;
}

static bool read_content_encoding(struct s2_headers *headers, struct weir_text value,
                                  struct s2_refusal *refusal)
{
    static const struct {
        const char *word;
        enum s2_encoding encoding;
    } encodings[] = {
        {"identity", S2_ENCODING_IDENTITY},
        {"gzip", S2_ENCODING_GZIP},
        {"zstd", S2_ENCODING_ZSTD},
    };

    (void)refusal;
    headers->encoding = S2_ENCODING_OTHER;
    for (size_t i = 0; i < sizeof encodings / sizeof encodings[0]; i++) {
        if (weir_text_is_word(value, encodings[i].word)) {
            headers->encoding = encodings[i].encoding;
        }
    }
    return true;
}

static bool read_format(struct s2_headers *headers, struct weir_text value,
                        struct s2_refusal *refusal)
{
    headers->base64 = weir_text_equal(value, WEIR_TEXT("base64")) ||
                      weir_text_equal(value, WEIR_TEXT("json-binsafe"));
    if (headers->base64 || weir_text_equal(value, WEIR_TEXT("raw")) ||
        weir_text_equal(value, WEIR_TEXT("json"))) {
        return true;
    }
    return refuse(refusal, "s2-format is neither raw nor base64.");
}

/* There may be several; the server looks at the first media type of the first. */
static bool read_accept(struct s2_headers *headers, struct weir_text value,
                        struct s2_refusal *refusal)
{
    struct media media;

    (void)refusal;
    headers->event_stream = read_media(until(value, ','), &media) &&
                            weir_text_is_word(media.type, "text") &&
                            weir_text_is_word(media.subtype, "event-stream");
    return true;
}

struct header {
    const char *name;
    bool (*read)(struct s2_headers *headers, struct weir_text value, struct s2_refusal *refusal);
    const char *twice; /* what is said of a second one; NULL: it is not looked at */
};

static const struct header known[] = {
    {"authorization", read_authorization, "Authorization is there twice."},
    {"content-type", read_content_type, "Content-Type is there twice."},
    {"content-encoding", read_content_encoding, "Content-Encoding is there twice."},
    {"s2-format", read_format, "s2-format is there twice."},
    {"s2-basin", read_basin, "s2-basin is there twice."},
    {"accept", read_accept, NULL},
};

bool s2_headers_read(struct s2_headers *headers, struct weir_text name, struct weir_text value,
                     struct s2_refusal *refusal)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        const unsigned bit = 1u << i;

        if (!weir_text_is_word(name, known[i].name)) {
            continue;
        }
        if ((headers->seen & bit) != 0) {
            return known[i].twice == NULL || refuse(refusal, known[i].twice);
        }
        headers->seen |= bit;
        return known[i].read(headers, weir_text_trim(value), refusal);
    }
    return true;
}

const char *s2_headers_content_type(const struct s2_headers *headers)
{
    switch (headers->content) {
    case S2_CONTENT_JSON:
        return "application/json";
    case S2_CONTENT_PROTOBUF:
        return "application/protobuf";
    case S2_CONTENT_SESSION:
        return "s2s/proto";
    case S2_CONTENT_NONE:
    case S2_CONTENT_OTHER:
        break;
    }
    return NULL;
}

const char *s2_headers_format(const struct s2_headers *headers)
{
    return headers->base64 ? "base64" : NULL;
}
