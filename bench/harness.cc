#include "harness.h"

#include <benchmark/benchmark.h>

#include <deque>

struct bench_round {
    benchmark::State *state;
    double nanoseconds;
    bool wrong;
};

namespace
{

struct entry {
    const bench *what;
    void *subject;
    bool is_set_up;
};

bool anything_wrong = false;

/* One repetition is one iteration is one round; its figure is the time that the round tells. */
void run_round(benchmark::State &state, entry *entry)
{
    bench_round round = {&state, 0, false};

    if (!entry->is_set_up) {
        entry->subject = entry->what->setup != nullptr ? entry->what->setup() : nullptr;
        entry->is_set_up = true;
    }
    for (auto iteration : state) {
        (void)iteration;
        entry->what->run(entry->subject, &round);
        state.SetIterationTime(round.nanoseconds * 1e-9);
    }
}

} // namespace

void bench_time(bench_round *round, double nanoseconds)
{
    round->nanoseconds = nanoseconds;
}

void bench_count(bench_round *round, const char *name, double value)
{
    round->state->counters[name] = value;
}

void bench_wrong(bench_round *round, const char *what)
{
    anything_wrong = true;
    round->state->SkipWithError(what);
}

int bench_main(int argc, char **argv, const bench *benches, size_t count)
{
    std::deque<entry> entries;

    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
        return 2;
    }
    for (size_t i = 0; i < count; i++) {
        entries.push_back({&benches[i], nullptr, false});
        benchmark::RegisterBenchmark(benches[i].name, run_round, &entries.back())
            ->UseManualTime()
            ->Iterations(1);
    }
    benchmark::RunSpecifiedBenchmarks();
    for (const entry &entry : entries) {
        if (entry.is_set_up && entry.what->teardown != nullptr) {
            entry.what->teardown(entry.subject);
        }
    }
    benchmark::Shutdown();
    return anything_wrong ? 1 : 0;
}
