#include "harness.h"

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <regex>

#include "instructions.h"
#include "machine.h"
#include "progress.h"

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

/* NULL: nobody asked for it. */
std::unique_ptr<progress> told;

/* One repetition is one iteration is one round; its figure is the time that the round tells. */
void run_round(benchmark::State &state, entry *entry)
{
    bench_round round = {&state, 0, false};

    if (told != nullptr) {
        told->begin(entry->what->name);
    }
    if (!entry->is_set_up) {
        entry->subject = entry->what->setup != nullptr ? entry->what->setup() : nullptr;
        entry->is_set_up = true;
    }
    for (auto iteration : state) {
        (void)iteration;
        entry->what->run(entry->subject, &round);
        state.SetIterationTime(round.nanoseconds * 1e-9);
    }
    if (size_t operations = instructions_dump(entry->what->name)) {
        state.counters["counted_operations"] = (double)operations;
    }
    if (told != nullptr) {
        told->end(entry->what->name);
    }
}

/* What Google Benchmark was asked for but does not tell. */
size_t repetitions_wanted(int argc, char **argv)
{
    static const char flag[] = "--benchmark_repetitions=";

    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], flag, sizeof flag - 1) == 0) {
            return strtoul(argv[i] + sizeof flag - 1, nullptr, 10);
        }
    }
    return 1;
}

/* The benchmarks that Google Benchmark's filter leaves, by its rules. */
std::vector<std::string> names_wanted(const bench *benches, size_t count)
{
    std::string filter = benchmark::GetBenchmarkFilter();
    bool inverted = !filter.empty() && filter[0] == '-';
    std::regex wanted(filter.empty() || filter == "all" ? "." : filter.substr(inverted),
                      std::regex_constants::extended);
    std::vector<std::string> names;

    for (size_t i = 0; i < count; i++) {
        std::string name = benches[i].name;

        if (std::regex_search(name + "/iterations:1/manual_time", wanted) != inverted) {
            names.push_back(name);
        }
    }
    return names;
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

bool bench_take_flag(int *argc, char **argv, const char *flag)
{
    for (int i = 1; i < *argc; i++) {
        if (strcmp(argv[i], flag) == 0) {
            (void)memmove(argv + i, argv + i + 1, (size_t)(*argc - i) * sizeof *argv);
            (*argc)--;
            return true;
        }
    }
    return false;
}

int bench_main(int argc, char **argv, const bench *benches, size_t count)
{
    std::deque<entry> entries;
    bool tells_progress = bench_take_flag(&argc, argv, "--progress");
    size_t repetitions = repetitions_wanted(argc, argv);

    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
        return 2;
    }
    machine_describe();
    if (tells_progress) {
        told = std::make_unique<progress>(names_wanted(benches, count), repetitions);
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
