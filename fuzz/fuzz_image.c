/* An image: whatever it is, it is refused or safe to ask. Its checksum is mended first, or nothing
 * would get past that. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <weir/image.h>

#include "ask.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void mend_checksum(uint8_t *bytes, size_t size)
{
    uint64_t checksum = 0;

    if (size >= 16) {
        memset(bytes + 8, 0, sizeof checksum);
        checksum = XXH3_64bits(bytes, size);
        memcpy(bytes + 8, &checksum, sizeof checksum);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_image *image = NULL;
    uint8_t *bytes = malloc(size > 0 ? size : 1);

    if (bytes == NULL) {
        return 0;
    }
    memcpy(bytes, data, size);
    mend_checksum(bytes, size);
    if (weir_image_open_memory(bytes, size, WEIR_IMAGE_SHARED, NULL, &image, NULL) == WEIR_OK) {
        ask_everything(image, (const char *)data, size);
        weir_image_close(image);
    }
    free(bytes);
    return 0;
}
