/* crypto_sodium.c - SHA-256 of libsodium: nothing of it needs sodium_init, nothing allocates, and
 * it wipes what it had on the stack. */
#include <sodium/crypto_hash_sha256.h>

#include "credential/crypto.h"

_Static_assert(crypto_hash_sha256_BYTES == WEIR_SHA256_SIZE, "a digest has one size");

bool weir_crypto_sha256(const void *bytes, size_t size, uint8_t digest[WEIR_SHA256_SIZE])
{
    return crypto_hash_sha256(digest, bytes, size) == 0;
}
