/* naive_credential.h - a credential's form, read off its description: one bit of the checksum at a
 * time. Shares nothing with the library. */
#ifndef WEIR_TESTS_CREDENTIAL_NAIVE_H
#define WEIR_TESTS_CREDENTIAL_NAIVE_H

#include <stdbool.h>
#include <stdint.h>

#include <weir/name.h>

#define NAIVE_DIGITS "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

enum { NAIVE_PREFIX = 5, NAIVE_CHECKED = 48, NAIVE_LENGTH = 54 };

/* The CRC-32 of zlib, PNG and Ethernet. */
uint32_t naive_crc32(const char *bytes, size_t size);

/* Writes a number as the six digits that end a credential. */
void naive_write_checksum(char *text, uint64_t number);

bool naive_credential(struct weir_text text);

#endif
