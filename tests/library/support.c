#include "library/support.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int run_cases(const char *name, TCase *const *cases, size_t count)
{
    Suite *suite = suite_create(name);
    SRunner *runner = NULL;
    int failed = 0;

    for (size_t i = 0; i < count; i++) {
        suite_add_tcase(suite, cases[i]);
    }
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* SplitMix64. */
uint64_t random_number(struct random *random)
{
    uint64_t mixed = random->state += UINT64_C(0x9e3779b97f4a7c15);

    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ mixed >> 31;
}

size_t random_below(struct random *random, size_t bound)
{
    return (size_t)(random_number(random) % bound);
}

struct weir_text text_of(const char *string)
{
    return (struct weir_text){string, strlen(string)};
}

static bool printable(const char *text, size_t size)
{
    size_t length = strnlen(text, size);

    for (size_t i = 0; i < length; i++) {
        if (text[i] < ' ' || text[i] > '~') {
            return false;
        }
    }
    return length < size;
}

void expect_error(const struct weir_error *error, enum weir_status status)
{
    if (status == WEIR_OK || error->status != status) {
        ck_abort_msg("status %d, in the error %d", (int)status, (int)error->status);
    }
    if (!printable(error->message, sizeof error->message) || error->message[0] == '\0' ||
        !printable(error->place, sizeof error->place)) {
        ck_abort_msg("an error without a line of printable words");
    }
}

/* Stands before each block; as large as the strictest alignment. */
union block_header {
    size_t size;
    max_align_t alignment;
};

static bool call_fails(struct counting_allocator *counting)
{
    counting->calls++;
    return counting->fails_at != 0 &&
           (counting->calls == counting->fails_at ||
            (counting->fails_ever_after && counting->calls > counting->fails_at));
}

static void *counting_allocate(void *context, size_t size)
{
    struct counting_allocator *counting = context;
    union block_header *header = NULL;

    ck_assert_uint_ne(size, 0);
    if (call_fails(counting)) {
        return NULL;
    }
    header = malloc(sizeof *header + size);
    ck_assert_ptr_nonnull(header);
    header->size = size;
    counting->blocks++;
    counting->bytes += size;
    memset(header + 1, 0xa5, size);
    return header + 1;
}

static void counting_release(void *context, void *memory, size_t size)
{
    struct counting_allocator *counting = context;
    union block_header *header = NULL;

    ck_assert_ptr_nonnull(memory);
    header = (union block_header *)memory - 1;
    counting->size_differed |= header->size != size;
    counting->blocks--;
    counting->bytes -= header->size;
    free(header);
}

/* Always moves, so that whoever keeps a pointer into the old block is found out. */
static void *counting_reallocate(void *context, void *memory, size_t old_size, size_t new_size)
{
    void *moved = counting_allocate(context, new_size);

    ck_assert_ptr_nonnull(memory);
    if (moved != NULL) {
        memcpy(moved, memory, old_size < new_size ? old_size : new_size);
        counting_release(context, memory, old_size);
    }
    return moved;
}

void counting_allocator_start(struct counting_allocator *counting)
{
    *counting = (struct counting_allocator){
        .allocator = {counting_allocate, counting_reallocate, counting_release, counting},
    };
}

void counting_allocator_expect_balance(const struct counting_allocator *counting)
{
    ck_assert_uint_eq(counting->blocks, 0);
    ck_assert_uint_eq(counting->bytes, 0);
    ck_assert(!counting->size_differed);
}

struct guarded guarded_copy(const void *bytes, size_t size, bool at_end)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t inner = (size + page - 1) / page * page + (size == 0 ? page : 0);
    struct guarded guarded = {.size = size, .mapping_size = inner + 2 * page};
    unsigned char *start = NULL;

    guarded.mapping =
        mmap(NULL, guarded.mapping_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert(guarded.mapping != MAP_FAILED);
    start = (unsigned char *)guarded.mapping + page;
    ck_assert_int_eq(mprotect(start, inner, PROT_READ | PROT_WRITE), 0);
    guarded.bytes = at_end ? start + inner - size : start;
    if (size > 0) {
        memcpy(guarded.bytes, bytes, size);
    }
    return guarded;
}

void guarded_free(struct guarded *guarded)
{
    ck_assert_int_eq(munmap(guarded->mapping, guarded->mapping_size), 0);
}

size_t open_files(void)
{
    DIR *folder = opendir("/proc/self/fd");
    size_t count = 0;

    ck_assert_ptr_nonnull(folder);
    while (readdir(folder) != NULL) {
        count++;
    }
    (void)closedir(folder);
    return count;
}

size_t naive_character(const unsigned char *bytes, size_t left)
{
    static const struct {
        unsigned char first_low, first_high, second_low, second_high;
        size_t length;
    } rows[] = {
        {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    size_t row = 0;

    while (row < COUNT(rows) &&
           !(bytes[0] >= rows[row].first_low && bytes[0] <= rows[row].first_high)) {
        row++;
    }
    if (row == COUNT(rows) || rows[row].length > left) {
        return 0;
    }
    for (size_t i = 1; i < rows[row].length; i++) {
        unsigned char low = i == 1 ? rows[row].second_low : 0x80;
        unsigned char high = i == 1 ? rows[row].second_high : 0xbf;

        if (bytes[i] < low || bytes[i] > high) {
            return 0;
        }
    }
    return rows[row].length;
}

size_t random_character(struct random *random, char *bytes, size_t room)
{
    static const char *const samples[] = {"a",
                                          "z",
                                          "/",
                                          ".",
                                          "-",
                                          "0",
                                          "\x01",
                                          "\x7f",
                                          "\xc2\x80",
                                          "\xc3\xa9",
                                          "\xdf\xbf",
                                          "\xe0\xa0\x80",
                                          "\xe2\x82\xac",
                                          "\xed\x9f\xbf",
                                          "\xee\x80\x80",
                                          "\xef\xbf\xbf",
                                          "\xf0\x90\x80\x80",
                                          "\xf0\x9f\x98\x80",
                                          "\xf4\x8f\xbf\xbf"};
    const char *sample = samples[random_below(random, COUNT(samples))];
    size_t length = strlen(sample);

    if (length > room) {
        return 0;
    }
    memcpy(bytes, sample, length);
    return length;
}
