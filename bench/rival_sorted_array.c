/*
 * rival_sorted_array.c - a token's prefixes in a sorted array.
 *
 * Its best set-up: what all prefixes begin with is compared once and left out; of the rest the next
 * eight bytes, as a number, lie in an array of their own, which is searched without a branch; each
 * place knows where the run of those equal to it begins, and within that run, names are compared.
 * Then one memcmp tells whether the prefix is one of the name's. No parents are needed, because no
 * prefix begins with another.
 *
 * Tried: comparing names at each step of the search takes twice as long among a hundred prefixes,
 * a fifth longer among ten thousand.
 */
#include <stdlib.h>

#include "benches.h"
#include "engines.h"
#include "rival_rules.h"

/* The array that the passes ask; one at a time is made. */
static struct sorted {
    struct rival_rules rules;
    struct weir_text common;
    uint64_t *heads;
    uint32_t *runs; /* where the run of equal heads begins */
} sorted;

/* The eight bytes after what is common, as a number that is ordered as they are; zeros follow the
 * name. */
static inline uint64_t head_of(struct weir_text name, size_t common)
{
    uint64_t head = 0;

    if (name.length >= common + sizeof head) {
        memcpy(&head, name.bytes + common, sizeof head);
    } else {
        memcpy(&head, name.bytes + common, name.length - common);
    }
    return __builtin_bswap64(head);
}

/* How many heads are at most `head`. */
static inline size_t heads_up_to(const uint64_t *heads, size_t count, uint64_t head)
{
    const uint64_t *base = heads;

    while (count > 1) {
        size_t half = count / 2;

        base += (base[half - 1] <= head) * half;
        count -= half;
    }
    return (size_t)(base - heads) + (*base <= head);
}

static inline bool comes_after(struct weir_text prefix, struct weir_text name)
{
    size_t shorter = prefix.length < name.length ? prefix.length : name.length;
    int order = memcmp(prefix.bytes, name.bytes, shorter);

    return order != 0 ? order > 0 : prefix.length > name.length;
}

/* How many prefixes do not come after the name, all but those in the run from `first` to `end`
 * being known. */
static inline size_t search_run(size_t first, size_t end, struct weir_text name)
{
    while (first < end) {
        size_t middle = first + (end - first) / 2;

        if (comes_after(sorted.rules.prefixes[middle], name)) {
            end = middle;
        } else {
            first = middle + 1;
        }
    }
    return first;
}

static inline bool has_prefix_of(struct weir_text name)
{
    uint64_t head = 0;
    size_t place = 0;

    if (!rival_begins(name, sorted.common)) {
        return false;
    }
    head = head_of(name, sorted.common.length);
    place = heads_up_to(sorted.heads, sorted.rules.count, head);
    if (place > 0 && sorted.heads[place - 1] == head) {
        place = search_run(sorted.runs[place - 1], place, name);
    }
    return place > 0 && rival_begins(name, sorted.rules.prefixes[place - 1]);
}

static uint64_t ask_in_a_loop(const struct chunk *chunk)
{
    uint64_t allowed = 0;

    for (size_t i = 0; i < CHUNK; i++) {
        const struct weir_request *request = &chunk->questions[i].request;

        allowed +=
            rival_rules_allow_basin(&sorted.rules, request) && has_prefix_of(request->stream);
    }
    return allowed;
}

/* What the first and the last of them begin with, and so do all between. */
static struct weir_text common_of(const struct rival_rules *rules)
{
    struct weir_text first = rules->prefixes[0];
    struct weir_text last = rules->prefixes[rules->count - 1];
    size_t length = 0;

    while (length < first.length && length < last.length &&
           first.bytes[length] == last.bytes[length]) {
        length++;
    }
    return (struct weir_text){first.bytes, length};
}

static void sorted_make(struct requests *requests)
{
    rival_rules_of(requests, &sorted.rules);
    sorted.common = common_of(&sorted.rules);
    sorted.heads = calloc(sorted.rules.count, sizeof *sorted.heads);
    sorted.runs = calloc(sorted.rules.count, sizeof *sorted.runs);
    engines_must(sorted.heads != NULL && sorted.runs != NULL ? WEIR_OK : WEIR_ERROR_MEMORY,
                 "a sorted array");
    for (size_t i = 0; i < sorted.rules.count; i++) {
        sorted.heads[i] = head_of(sorted.rules.prefixes[i], sorted.common.length);
        sorted.runs[i] =
            i > 0 && sorted.heads[i] == sorted.heads[i - 1] ? sorted.runs[i - 1] : (uint32_t)i;
    }
}

void rival_sorted_array_in_a_loop(void *requests, struct bench_round *round)
{
    sorted_make(requests);
    rival_rules_run(requests, ask_in_a_loop, round);
    free(sorted.runs);
    free(sorted.heads);
    rival_rules_free(&sorted.rules);
}
