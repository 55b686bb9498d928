/*
 * rival_darts.cc - a token's prefixes in Darts, a trie as a double array: one step of eight bytes
 * read for each byte of a name.
 *
 * Its best set-up is its own search for prefixes of a name. It cannot be changed, only built anew.
 *
 * Tried: of Debian's other tries that search so, libmarisa takes three to five times as long,
 * libdatrie four to six times.
 */
#include <darts.h>

#include <vector>

extern "C" {
#include "benches.h"
#include "engines.h"
#include "rival_rules.h"
}

namespace
{

/* The trie that the passes ask; one at a time is made. */
struct trie {
    rival_rules rules;
    Darts::DoubleArray array;
};

const trie *asked;

bool has_prefix_of(weir_text name)
{
    int found = 0;

    return asked->array.commonPrefixSearch(name.bytes, &found, 1, name.length) > 0;
}

uint64_t ask_in_a_loop(const chunk *chunk)
{
    uint64_t allowed = 0;

    for (const weir_question &question : chunk->questions) {
        allowed += rival_rules_allow_basin(&asked->rules, &question.request) &&
                   has_prefix_of(question.request.stream);
    }
    return allowed;
}

void build(trie *trie)
{
    std::vector<const char *> keys;
    std::vector<size_t> lengths;

    for (size_t i = 0; i < trie->rules.count; i++) {
        keys.push_back(trie->rules.prefixes[i].bytes);
        lengths.push_back(trie->rules.prefixes[i].length);
    }
    engines_must(trie->array.build(keys.size(), keys.data(), lengths.data()) == 0
                     ? WEIR_OK
                     : WEIR_ERROR_ARGUMENT,
                 "a trie of Darts");
}

} // namespace

void rival_darts_in_a_loop(void *subject, bench_round *round)
{
    auto *requests = static_cast<struct requests *>(subject);
    trie trie;

    rival_rules_of(requests, &trie.rules);
    build(&trie);
    asked = &trie;
    rival_rules_run(requests, ask_in_a_loop, round);
    asked = nullptr;
    rival_rules_free(&trie.rules);
}
