#include "credential/naive_credential.h"

#include <string.h>

uint32_t naive_crc32(const char *bytes, size_t size)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < size; i++) {
        crc ^= (unsigned char)bytes[i];
        for (unsigned bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ ((crc & 1) != 0 ? UINT32_C(0xedb88320) : 0);
        }
    }
    return crc ^ UINT32_MAX;
}

void naive_write_checksum(char *text, uint64_t number)
{
    for (size_t i = NAIVE_LENGTH; i-- > NAIVE_CHECKED;) {
        text[i] = NAIVE_DIGITS[number % 62];
        number /= 62;
    }
}

bool naive_credential(struct weir_text text)
{
    char whole[NAIVE_LENGTH];

    if (text.length != NAIVE_LENGTH || memcmp(text.bytes, "weir_", NAIVE_PREFIX) != 0) {
        return false;
    }
    for (size_t i = NAIVE_PREFIX; i < NAIVE_LENGTH; i++) {
        if (text.bytes[i] == '\0' || strchr(NAIVE_DIGITS, text.bytes[i]) == NULL) {
            return false;
        }
    }
    memcpy(whole, text.bytes, sizeof whole);
    naive_write_checksum(whole, naive_crc32(whole, NAIVE_CHECKED));
    return memcmp(whole, text.bytes, sizeof whole) == 0;
}
