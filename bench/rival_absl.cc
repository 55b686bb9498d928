/*
 * rival_absl.cc - absl::flat_hash_map, from the id to its record. Two set-ups, which differ in what
 * a slot holds:
 *
 * absl: XXH3-64 of the id, which is its own hash, and the address of the record, where the id is
 * compared. Records are packed, in one region. Looking for the hash alone tells where the record is
 * without reading it, so a batch hashes and asks for all slots, finds and asks for all records,
 * then decides all. Tried, and slower or no faster, one at a time as in batches: std::string_view
 * or the address of the record as the key, with absl::Hash or XXH3; offsets of four bytes. Two ids
 * of one hash cannot both be in it: they would be refused.
 *
 * absl_in_slot: the record itself, in slots of 88 bytes, so that a look-up reads a line less. It
 * holds only names of 80 bytes in all, and takes 187 bytes a token where the other takes 99.
 *
 * Both: memory in large pages, touched; room reserved for all tokens, which leaves the table half
 * full. Compiling for this very processor changed nothing.
 */
#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <functional>
#include <utility>

extern "C" {
#include "benches.h"
#include "engines.h"
#include "memory.h"
#include "requests.h"
#include "rival_records.h"
#include "rounds.h"
#include "times.h"
#include "tokens.h"
}

namespace
{

constexpr size_t batch = 32;
constexpr XXH64_hash_t hash_seed = 1;
constexpr rounds_effort effort = {200, 800};

template <class T> struct large_pages {
    using value_type = T;

    large_pages() = default;
    template <class U> explicit large_pages(const large_pages<U> &) {}
    T *allocate(size_t count)
    {
        return static_cast<T *>(memory_touched(count * sizeof(T)));
    }
    void deallocate(T *memory, size_t count)
    {
        memory_release(memory, count * sizeof(T));
    }
    template <class U> bool operator==(const large_pages<U> &) const
    {
        return true;
    }
    template <class U> bool operator!=(const large_pages<U> &) const
    {
        return false;
    }
};

size_t hash_of(weir_text id)
{
    return XXH3_64bits_withSeed(id.bytes, id.length, hash_seed);
}

weir_text id_of(const rival_record &record)
{
    return {rival_record_id(&record), record.id_length};
}

/*
 * ---- By hash ----
 */

struct hash_itself {
    size_t operator()(size_t hash) const
    {
        return hash;
    }
};

class by_hash
{
  public:
    by_hash()
    {
        table.reserve(TOKEN_COUNT);
        rival_records_make(0, keep, this);
    }

    bool ask(const weir_question &question) const
    {
        return decide(find(hash_of(question.token_id)), question);
    }

    uint64_t ask_batch(const weir_question *questions) const
    {
        size_t hashes[batch];
        const rival_record *records[batch];
        uint64_t allowed = 0;

        for (size_t i = 0; i < batch; i++) {
            hashes[i] = hash_of(questions[i].token_id);
            table.prefetch(hashes[i]);
        }
        for (size_t i = 0; i < batch; i++) {
            records[i] = find(hashes[i]);
            rival_record_prefetch(records[i]);
        }
        for (size_t i = 0; i < batch; i++) {
            allowed += decide(records[i], questions[i]);
        }
        return allowed;
    }

  private:
    using entry = std::pair<const size_t, const rival_record *>;

    absl::flat_hash_map<size_t, const rival_record *, hash_itself, std::equal_to<>,
                        large_pages<entry>>
        table;

    static void keep(void *rival, rival_record *record)
    {
        auto &table = static_cast<by_hash *>(rival)->table;
        bool is_kept = table.emplace(hash_of(id_of(*record)), record).second;

        engines_must(is_kept ? WEIR_OK : WEIR_ERROR_ARGUMENT, "two ids of one hash");
    }

    const rival_record *find(size_t hash) const
    {
        auto found = table.find(hash);

        return found != table.end() ? found->second : nullptr;
    }

    static bool decide(const rival_record *record, const weir_question &question)
    {
        return record != nullptr && rival_record_has_id(record, question.token_id) &&
               rival_record_allows(record, &question.request);
    }
};

/*
 * ---- In the slot ----
 */

struct slot {
    rival_record record;
    char bytes[sizeof(names::bytes)];
};

struct slot_hash {
    using is_transparent = void;

    size_t operator()(weir_text id) const
    {
        return hash_of(id);
    }
    size_t operator()(const slot &slot) const
    {
        return hash_of(id_of(slot.record));
    }
};

struct slot_equal {
    using is_transparent = void;

    bool operator()(const slot &slot, weir_text id) const
    {
        return rival_record_has_id(&slot.record, id);
    }
    bool operator()(const slot &left, const slot &right) const
    {
        return (*this)(left, id_of(right.record));
    }
};

class in_slot
{
  public:
    in_slot()
    {
        table.reserve(TOKEN_COUNT);
        rival_records_make(0, keep, this);
    }

    bool ask(const weir_question &question) const
    {
        auto found = table.find(question.token_id);

        return found != table.end() && rival_record_allows(&found->record, &question.request);
    }

    uint64_t ask_batch(const weir_question *questions) const
    {
        uint64_t allowed = 0;

        for (size_t i = 0; i < batch; i++) {
            table.prefetch(questions[i].token_id);
        }
        for (size_t i = 0; i < batch; i++) {
            allowed += ask(questions[i]);
        }
        return allowed;
    }

  private:
    absl::flat_hash_set<slot, slot_hash, slot_equal, large_pages<slot>> table;

    static void keep(void *rival, rival_record *record)
    {
        slot slot;

        memcpy(&slot, record, rival_record_size(record));
        static_cast<in_slot *>(rival)->table.insert(slot);
    }
};

/*
 * ---- Passes over both ----
 */

template <class T> const T &rival()
{
    static const T rival;

    return rival;
}

template <class T> uint64_t ask_in_a_loop(const chunk *chunk)
{
    const T &asked = rival<T>();
    uint64_t allowed = 0;

    for (const weir_question &question : chunk->questions) {
        allowed += asked.ask(question);
    }
    return allowed;
}

template <class T> uint64_t ask_one_at_a_time(const chunk *chunk)
{
    const T &asked = rival<T>();
    uint64_t allowed = 0;

    for (const weir_question &question : chunk->questions) {
        allowed += asked.ask(question);
        times_fence();
    }
    return allowed;
}

template <class T> uint64_t ask_in_batches(const chunk *chunk)
{
    const T &asked = rival<T>();
    uint64_t allowed = 0;

    for (size_t done = 0; done < CHUNK; done += batch) {
        allowed += asked.ask_batch(chunk->questions + done);
    }
    return allowed;
}

void run(void *requests, rounds_pass *pass, bench_round *round)
{
    rounds_run(static_cast<struct requests *>(requests), effort, pass, true, round);
}

} // namespace

void rival_absl_in_a_loop(void *requests, bench_round *round)
{
    run(requests, ask_in_a_loop<by_hash>, round);
}

void rival_absl_one_at_a_time(void *requests, bench_round *round)
{
    run(requests, ask_one_at_a_time<by_hash>, round);
}

void rival_absl_in_batches(void *requests, bench_round *round)
{
    run(requests, ask_in_batches<by_hash>, round);
}

void rival_absl_in_slot_in_a_loop(void *requests, bench_round *round)
{
    run(requests, ask_in_a_loop<in_slot>, round);
}

void rival_absl_in_slot_one_at_a_time(void *requests, bench_round *round)
{
    run(requests, ask_one_at_a_time<in_slot>, round);
}

void rival_absl_in_slot_in_batches(void *requests, bench_round *round)
{
    run(requests, ask_in_batches<in_slot>, round);
}
