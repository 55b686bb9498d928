/*
 * crypto.h - what Weir needs of a cryptographic library and of the system, all of it. Hashing is in
 * crypto_sodium.c or crypto_openssl.c (CMake: WEIR_CRYPTO), the rest in crypto_system.c.
 */
#ifndef WEIR_CREDENTIAL_CRYPTO_H
#define WEIR_CREDENTIAL_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WEIR_SHA256_SIZE 32

/* SHA-256. Any thread, no allocation. False: the library could not. */
bool weir_crypto_sha256(const void *bytes, size_t size, uint8_t digest[WEIR_SHA256_SIZE]);

/* Fills `bytes` with random bits. False, and errno set: there are none. */
bool weir_crypto_random(void *bytes, size_t size);

/* Overwrites memory in a way that no compiler leaves out. */
void weir_crypto_wipe(void *bytes, size_t size);

#endif
