#include "progress.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>

namespace
{

/* Between two lines, in seconds, where each stays. */
constexpr double LINES_APART = 10;

double seconds_now()
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

} // namespace

progress::progress(std::vector<std::string> names, size_t rounds_of_each)
    : rounds(rounds_of_each), began(seconds_now()), told(began), on_terminal(isatty(2) != 0)
{
    for (std::string &name : names) {
        rows.push_back({std::move(name), 0, 0});
    }
}

/* A benchmark that has not been run yet takes as long as the mean of the others. */
double progress::left() const
{
    double known = 0;
    double seconds = 0;
    size_t unknown = 0;

    for (const row &each : rows) {
        known += each.seconds;
        seconds += each.seconds * (double)(rounds - each.done);
        unknown += each.done == 0;
    }
    if (unknown < rows.size()) {
        seconds += known / (double)(rows.size() - unknown) * (double)(unknown * rounds);
    }
    return seconds;
}

void progress::tell(const std::string &what)
{
    double now = seconds_now();
    auto seconds = (unsigned)left();

    if (!on_terminal && now - told < LINES_APART) {
        return;
    }
    told = now;
    (void)fprintf(stderr, "%s%zu of %zu rounds, about %u:%02u left: %s%s", on_terminal ? "\r" : "",
                  done, rows.size() * rounds, seconds / 60, seconds % 60, what.c_str(),
                  on_terminal ? "\033[K" : "\n");
    if (on_terminal && done == rows.size() * rounds) {
        (void)fputc('\n', stderr);
    }
}

void progress::begin(const std::string &name)
{
    began = seconds_now();
    tell(name);
}

void progress::end(const std::string &name)
{
    for (row &each : rows) {
        if (each.name == name && each.done < rounds) {
            each.done++;
            each.seconds = seconds_now() - began;
            done++;
        }
    }
    if (done == rows.size() * rounds) {
        tell("done");
    }
}
