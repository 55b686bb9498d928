/* test_hashing.c - SHA-256, of each cryptographic library that is there, whichever Weir is built
 * with. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "credential/crypto.h"
#include "library/support.h"
#include "model/dice.h"

typedef bool sha256(const void *bytes, size_t size, uint8_t digest[WEIR_SHA256_SIZE]);

/* Those that the build found: weir_link_hashes in src/CMakeLists.txt. */
#define HASH(name) sha256 weir_##name##_sha256;
WEIR_HASHES
#undef HASH

struct backend {
    const char *name;
    sha256 *sha256;
};

#define HASH(name) {#name, weir_##name##_sha256},
static const struct backend backends[] = {WEIR_HASHES};
#undef HASH

static void expect_digest(const struct backend *backend, const void *bytes, size_t size,
                          const char *expected)
{
    uint8_t digest[WEIR_SHA256_SIZE];
    char text[2 * WEIR_SHA256_SIZE + 1];

    ck_assert(backend->sha256(bytes, size, digest));
    for (size_t i = 0; i < sizeof digest; i++) {
        (void)snprintf(text + 2 * i, 3, "%02x", digest[i]);
    }
    if (strcmp(text, expected) != 0) {
        ck_abort_msg("%s: %s, expected %s", backend->name, text, expected);
    }
}

/* Of FIPS 180-2, but for the first, which is of its validation suite. */
static const struct {
    const char *text;
    const char *digest;
} vectors[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
     "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
     "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
};

START_TEST(the_published_vectors_hold)
{
    for (size_t i = 0; i < COUNT(vectors); i++) {
        expect_digest(&backends[_i], vectors[i].text, strlen(vectors[i].text), vectors[i].digest);
    }
}
END_TEST

START_TEST(a_million_times_the_letter_a)
{
    char *text = malloc(1000000);

    ck_assert_ptr_nonnull(text);
    memset(text, 'a', 1000000);
    expect_digest(&backends[_i], text, 1000000,
                  "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(text);
}
END_TEST

/* The digests of the first 0, 1, … 300 bytes of a pattern, one behind the other: their digest, as
 * Python's hashlib has it. */
START_TEST(every_length_around_the_ends_of_blocks)
{
    uint8_t digests[301][WEIR_SHA256_SIZE];
    uint8_t pattern[300];

    for (size_t i = 0; i < sizeof pattern; i++) {
        pattern[i] = (uint8_t)(7 * i + 3);
    }
    for (size_t length = 0; length <= sizeof pattern; length++) {
        ck_assert(backends[_i].sha256(pattern, length, digests[length]));
    }
    expect_digest(&backends[_i], digests, sizeof digests,
                  "7d917fbd2cf49ddff9ad0a8706bba32d204e92e71d2e369c5a03d6af29278c9f");
}
END_TEST

START_TEST(all_libraries_agree_on_texts_as_long_as_credentials)
{
    struct dice dice = {8};

    for (unsigned i = 0; i < 100000; i++) {
        uint64_t text[7];
        uint8_t digests[COUNT(backends)][WEIR_SHA256_SIZE];

        for (size_t word = 0; word < COUNT(text); word++) {
            text[word] = dice_bits(&dice);
        }
        for (size_t backend = 0; backend < COUNT(backends); backend++) {
            ck_assert(backends[backend].sha256(text, 54, digests[backend]));
            ck_assert_mem_eq(digests[backend], digests[0], WEIR_SHA256_SIZE);
        }
    }
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("hashing");
    const int count = (int)COUNT(backends);

    tcase_add_loop_test(cases, the_published_vectors_hold, 0, count);
    tcase_add_loop_test(cases, a_million_times_the_letter_a, 0, count);
    tcase_add_loop_test(cases, every_length_around_the_ends_of_blocks, 0, count);
    tcase_add_test(cases, all_libraries_agree_on_texts_as_long_as_credentials);
    return run_cases("credential_hashing", &cases, 1);
}
