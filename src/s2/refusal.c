#include "s2/refusal.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <weir/name.h>

#include "s2/answer.h"

/* Of a message and its detail. */
#define SENTENCE_SIZE 256

bool s2_refuse(struct s2_refusal *refusal, unsigned status, const char *code, const char *message)
{
    *refusal = (struct s2_refusal){status, code, message};
    return false;
}

size_t s2_refusal_write(const struct s2_refusal *refusal, const char *detail, char *buffer,
                        size_t size)
{
    char sentence[SENTENCE_SIZE];
    char quoted[S2_REFUSAL_SIZE];
    int length = snprintf(sentence, sizeof sentence, "%s%s%s%s", refusal->message,
                          detail != NULL ? " (" : "", detail != NULL ? detail : "",
                          detail != NULL ? ")" : "");
    size_t kept = length < 0 ? 0 : strnlen(sentence, sizeof sentence);

    (void)weir_quote((struct weir_text){sentence, kept}, quoted, S2_REFUSAL_SIZE - 64);
    length = snprintf(buffer, size, "{\"code\":\"%s\",\"message\":%s}", refusal->code, quoted);
    return length < 0 || (size_t)length >= size ? 0 : (size_t)length;
}

size_t s2_terminal_write(const struct s2_refusal *refusal, const char *detail, char *buffer,
                         size_t size)
{
    unsigned char *bytes = (unsigned char *)buffer;
    const size_t head = 6; /* length, flag, status */
    size_t length = size > head ? s2_refusal_write(refusal, detail, buffer + head, size - head) : 0;
    uint32_t counted = (uint32_t)(length + head - 3);

    if (length == 0) {
        return 0;
    }
    bytes[0] = (unsigned char)(counted >> 16);
    bytes[1] = (unsigned char)(counted >> 8);
    bytes[2] = (unsigned char)counted;
    bytes[3] = 0x80;
    bytes[4] = (unsigned char)(refusal->status >> 8);
    bytes[5] = (unsigned char)refusal->status;
    return head + length;
}

size_t s2_event_write(const struct s2_refusal *refusal, const char *detail, char *buffer,
                      size_t size)
{
    char json[S2_REFUSAL_SIZE];
    size_t length = s2_refusal_write(refusal, detail, json, sizeof json);
    int written =
        length == 0 ? 0 : snprintf(buffer, size, "event: error\ndata: %.*s\n\n", (int)length, json);

    return written < 0 || (size_t)written >= size ? 0 : (size_t)written;
}
