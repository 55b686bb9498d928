#include "image/tries.h"

unsigned char weir_edges_key(const struct weir_edges *edges, unsigned rank)
{
    const struct weir_wide_keys *wide = (const struct weir_wide_keys *)edges->keys;
    unsigned word = 3;
    uint64_t bits = 0;

    if (edges->key_count <= WEIR_FEW_KEYS) {
        return edges->keys[rank];
    }
    while (wide->before[word] > rank) {
        word--;
    }
    bits = wide->bitmap[word];
    for (unsigned skip = rank - wide->before[word]; skip > 0; skip--) {
        bits &= bits - 1;
    }
    return (unsigned char)(64 * word + (unsigned)__builtin_ctzll(bits));
}
