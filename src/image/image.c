#include "image/image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vocabulary/failure.h"
#include "vocabulary/memory.h"

static uint64_t buckets_size(const struct weir_index_header *index)
{
    return weir_bucket_total(index->bucket_count) * sizeof(struct weir_bucket);
}

static uint64_t overflow_size(const struct weir_index_header *index)
{
    return index->overflow_count * sizeof(struct weir_overflow);
}

struct weir_layout weir_layout_of(const struct weir_image_header *header)
{
    struct weir_layout layout = {.id_buckets = WEIR_PAGE};

    layout.id_overflow = weir_round_up(layout.id_buckets + buckets_size(&header->id), WEIR_PAGE);
    layout.digest_buckets =
        weir_round_up(layout.id_overflow + overflow_size(&header->id), WEIR_PAGE);
    layout.digest_overflow =
        weir_round_up(layout.digest_buckets + buckets_size(&header->digest), WEIR_PAGE);
    layout.blocks =
        weir_round_up(layout.digest_overflow + overflow_size(&header->digest), WEIR_PAGE);
    layout.file_size = layout.blocks + header->blocks_size;
    return layout;
}

uint64_t weir_image_checksum(const void *bytes, size_t size)
{
    static const char zeros[sizeof(uint64_t)];
    const size_t after = offsetof(struct weir_image_header, checksum) + sizeof zeros;
    XXH3_state_t state;

    (void)XXH3_64bits_reset(&state);
    (void)XXH3_64bits_update(&state, bytes, offsetof(struct weir_image_header, checksum));
    (void)XXH3_64bits_update(&state, zeros, sizeof zeros);
    (void)XXH3_64bits_update(&state, (const char *)bytes + after, size - after);
    return XXH3_64bits_digest(&state);
}

static struct weir_index view_index(const void *bytes, uint64_t buckets, uint64_t overflow,
                                    const struct weir_index_header *header)
{
    return (struct weir_index){
        .buckets = (const struct weir_bucket *)((const char *)bytes + buckets),
        .bucket_count = header->bucket_count,
        .overflow = (const struct weir_overflow *)((const char *)bytes + overflow),
        .overflow_count = header->overflow_count,
    };
}

/* What is asked for before a block says how long it is: three lines at most. */
#define BLOCKS_REACH_MAX 191

/* Some more than their mean: they differ, and none but the shortest lies in one cache line. */
static unsigned blocks_reach(const struct weir_image_header *header)
{
    uint64_t size = header->blocks_size - (uint64_t)2 * WEIR_BLOCKS_MARGIN;
    uint64_t reach = header->token_count == 0 ? 0 : size / header->token_count + 16;

    return reach < BLOCKS_REACH_MAX ? (unsigned)reach : BLOCKS_REACH_MAX;
}

struct weir_view weir_view_of(const void *bytes)
{
    const struct weir_image_header *header = bytes;
    struct weir_layout layout = weir_layout_of(header);
    struct weir_index_header id = header->id;
    struct weir_index_header digest = header->digest;

    return (struct weir_view){
        .header = header,
        .id = view_index(bytes, layout.id_buckets, layout.id_overflow, &id),
        .digest = view_index(bytes, layout.digest_buckets, layout.digest_overflow, &digest),
        .blocks = {(const char *)bytes + layout.blocks, header->block_shift, blocks_reach(header)},
        .blocks_end = header->blocks_size - WEIR_BLOCKS_MARGIN,
        .hash_key = header->hash_key,
    };
}

enum weir_status weir_image_wrap(const void *bytes, size_t size, enum weir_ownership ownership,
                                 const struct weir_allocator *allocator, struct weir_image **image,
                                 struct weir_error *error)
{
    struct weir_allocator memory = weir_allocator_or_default(allocator);
    struct weir_image *made = weir_allocate(&memory, sizeof *made);

    if (made == NULL) {
        return weir_fail_memory(error);
    }
    *made = (struct weir_image){
        .view = weir_view_of(bytes),
        .bytes = bytes,
        .size = size,
        .ownership = ownership,
        .file = -1,
        .allocator = memory,
    };
    *image = made;
    return WEIR_OK;
}

static void release_bytes(const void *bytes, size_t size, enum weir_ownership ownership,
                          const struct weir_allocator *allocator)
{
    if (ownership == WEIR_MAPPED) {
        (void)munmap((void *)bytes, size);
    } else if (ownership == WEIR_ALLOCATED) {
        weir_release(allocator, (void *)bytes, size);
    }
}

/* Validates bytes and makes an image of them, or gives them back. */
static enum weir_status validate_and_wrap(const void *bytes, size_t size,
                                          enum weir_ownership ownership,
                                          const struct weir_allocator *allocator,
                                          struct weir_image **image, struct weir_error *error)
{
    enum weir_status status = weir_image_validate(bytes, size, allocator, error);

    if (status == WEIR_OK) {
        status = weir_image_wrap(bytes, size, ownership, allocator, image, error);
    }
    if (status != WEIR_OK) {
        release_bytes(bytes, size, ownership, allocator);
    }
    return status;
}

enum weir_status weir_image_open_memory(const void *bytes, size_t size, enum weir_image_mode mode,
                                        const struct weir_allocator *allocator,
                                        struct weir_image **image, struct weir_error *error)
{
    struct weir_allocator memory = weir_allocator_or_default(allocator);
    void *copy = NULL;

    if (mode != WEIR_IMAGE_COPY || size == 0) {
        return validate_and_wrap(bytes, size, WEIR_BORROWED, &memory, image, error);
    }
    copy = weir_allocate(&memory, size);
    if (copy == NULL) {
        return weir_fail_memory(error);
    }
    memcpy(copy, bytes, size);
    return validate_and_wrap(copy, size, WEIR_ALLOCATED, &memory, image, error);
}

/* A file that ends before is one that somebody is cutting. */
enum weir_status weir_read_at(int file, void *bytes, size_t size, uint64_t offset,
                              struct weir_error *error)
{
    size_t have = 0;

    while (have < size) {
        ssize_t got = pread(file, (char *)bytes + have, size - have, (off_t)(offset + have));

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return weir_fail_errno(error, "read");
        }
        if (got == 0) {
            return weir_fail(error, WEIR_ERROR_TRUNCATED, "the file is shorter than it was");
        }
        have += (size_t)got;
    }
    return WEIR_OK;
}

static enum weir_status open_copy(int file, size_t size, const struct weir_allocator *allocator,
                                  struct weir_image **image, struct weir_error *error)
{
    char *copy = weir_allocate(allocator, size);
    enum weir_status status = WEIR_OK;

    if (copy == NULL) {
        return weir_fail_memory(error);
    }
    status = weir_read_at(file, copy, size, 0, error);
    if (status != WEIR_OK) {
        weir_release(allocator, copy, size);
        return status;
    }
    return validate_and_wrap(copy, size, WEIR_ALLOCATED, allocator, image, error);
}

static enum weir_status open_mapped(int file, size_t size, const struct weir_allocator *allocator,
                                    struct weir_image **image, struct weir_error *error)
{
    void *bytes = mmap(NULL, size, PROT_READ, MAP_SHARED | MAP_POPULATE, file, 0);

    if (bytes == MAP_FAILED) {
        return weir_fail_errno(error, "mmap");
    }
    weir_memory_prefer_large_pages(bytes, size);
    return validate_and_wrap(bytes, size, WEIR_MAPPED, allocator, image, error);
}

static enum weir_status open_regular(int file, enum weir_image_mode mode,
                                     const struct weir_allocator *allocator,
                                     struct weir_image **image, struct weir_error *error)
{
    struct stat status;

    if (fstat(file, &status) != 0) {
        return weir_fail_errno(error, "fstat");
    }
    if (!S_ISREG(status.st_mode)) {
        return weir_fail(error, WEIR_ERROR_IO, "not a regular file");
    }
    if (status.st_size == 0) {
        return weir_fail(error, WEIR_ERROR_NOT_IMAGE, "an empty file is no image");
    }
    return mode == WEIR_IMAGE_COPY
               ? open_copy(file, (size_t)status.st_size, allocator, image, error)
               : open_mapped(file, (size_t)status.st_size, allocator, image, error);
}

enum weir_status weir_image_open_file(int file, enum weir_image_mode mode,
                                      const struct weir_allocator *allocator,
                                      struct weir_image **image, struct weir_error *error)
{
    struct weir_allocator memory = weir_allocator_or_default(allocator);
    enum weir_status status = open_regular(file, mode, &memory, image, error);

    if (status == WEIR_OK && (*image)->ownership == WEIR_MAPPED) {
        (*image)->file = file;
    } else {
        (void)close(file);
    }
    return status;
}

enum weir_status weir_image_open(const char *path, enum weir_image_mode mode,
                                 const struct weir_allocator *allocator, struct weir_image **image,
                                 struct weir_error *error)
{
    /* O_NONBLOCK: opening a FIFO must not wait for a writer. It means nothing to a regular file. */
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (file < 0) {
        return weir_fail_errno(error, "open");
    }
    return weir_image_open_file(file, mode, allocator, image, error);
}

void weir_image_close(struct weir_image *image)
{
    struct weir_allocator allocator;

    if (image == NULL) {
        return;
    }
    allocator = image->allocator;
    release_bytes(image->bytes, image->size, image->ownership, &allocator);
    if (image->file >= 0) {
        (void)close(image->file);
    }
    weir_release(&allocator, image, sizeof *image);
}

const void *weir_image_bytes(const struct weir_image *image, size_t *size)
{
    *size = image->size;
    return image->bytes;
}

uint64_t weir_image_token_count(const struct weir_image *image)
{
    return image->view.header->token_count;
}

uint64_t weir_image_digest_count(const struct weir_image *image)
{
    return image->view.header->digest_count;
}

uint64_t weir_image_sequence(const struct weir_image *image)
{
    return image->view.header->sequence;
}

const struct weir_compiled_token *weir_image_find(const struct weir_image *image,
                                                  struct weir_text id)
{
    return weir_block_token(weir_view_find(&image->view, id));
}

const struct weir_compiled_token *weir_image_find_by_digest(const struct weir_image *image,
                                                            const uint8_t digest[WEIR_DIGEST_SIZE])
{
    return weir_block_token(weir_view_find_by_digest(&image->view, digest));
}

const struct weir_compiled_token *weir_image_next(const struct weir_image *image,
                                                  const struct weir_compiled_token *token)
{
    const struct weir_view *view = &image->view;
    uint64_t start = WEIR_BLOCKS_FIRST;

    if (token != NULL) {
        start = weir_view_next(view, (uint64_t)((const char *)token - view->blocks.section));
    }
    return start < view->blocks_end ? weir_block_token(weir_view_block(view, start)) : NULL;
}
