/*
 * crypto_openssl.c - SHA-256 of libcrypto.
 *
 * By the interface of OpenSSL 1.1, which later versions have when it is asked for: that of version
 * 3 allocates a context for each digest, and takes locks to find out what SHA-256 is (SHA256() is
 * made of it). A check may do neither.
 */
#define OPENSSL_API_COMPAT 0x10100000L
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "credential/crypto.h"

_Static_assert(SHA256_DIGEST_LENGTH == WEIR_SHA256_SIZE, "a digest has one size");

bool weir_crypto_sha256(const void *bytes, size_t size, uint8_t digest[WEIR_SHA256_SIZE])
{
    SHA256_CTX context;
    bool hashed = SHA256_Init(&context) == 1 && SHA256_Update(&context, bytes, size) == 1 &&
                  SHA256_Final(digest, &context) == 1;

    OPENSSL_cleanse(&context, sizeof context);
    return hashed;
}
