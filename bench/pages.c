/* pages.c - whether images lie in the pages that they were to lie in: the system may have none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "benches.h"
#include "engines.h"
#include "requests.h"

/* Whether the line begins a mapping that has the address; false for one that tells a field. */
static bool begins_mapping_of(const char *line, uintptr_t address, bool *begins)
{
    char *end = NULL;
    uintptr_t from = strtoull(line, &end, 16);

    *begins = end != line && *end == '-';
    return *begins && address >= from && address < strtoull(end + 1, NULL, 16);
}

/* Bytes in large pages of the mapping that has the address. */
static double large_bytes_at(const void *address)
{
    static const char field[] = "AnonHugePages:";
    FILE *stream = fopen("/proc/self/smaps", "re");
    char line[512];
    bool inside = false;
    double bytes = 0;

    engines_must(stream != NULL ? WEIR_OK : WEIR_ERROR_IO, "reading the mappings");
    while (fgets(line, sizeof line, stream) != NULL) {
        bool begins = false;
        bool has = begins_mapping_of(line, (uintptr_t)address, &begins);

        inside = begins ? has : inside;
        if (inside && strncmp(line, field, sizeof field - 1) == 0) {
            bytes = strtod(line + sizeof field - 1, NULL) * 1024;
        }
    }
    (void)fclose(stream);
    return bytes;
}

void image_pages(void *requests, struct bench_round *round)
{
    size_t size = 0;
    const void *bytes = weir_image_bytes(requests_image(requests), &size);
    double large = large_bytes_at(bytes);

    bench_count(round, "image_bytes", (double)size);
    bench_count(round, "in_large_pages_bytes", large < (double)size ? large : (double)size);
}
