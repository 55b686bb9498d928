/* progress.h - on standard error, how many rounds are done, and about how long the others take. */
#ifndef WEIR_BENCH_PROGRESS_H
#define WEIR_BENCH_PROGRESS_H

#include <cstddef>
#include <string>
#include <vector>

class progress
{
  public:
    /* So many rounds of each of these benchmarks. */
    progress(std::vector<std::string> names, size_t rounds);

    /* A round begins or is done. */
    void begin(const std::string &name);
    void end(const std::string &name);

  private:
    struct row {
        std::string name;
        size_t done;
        double seconds; /* what the last round took: the first one may make something ready */
    };

    double left() const;
    void tell(const std::string &what);

    std::vector<row> rows;
    size_t rounds;
    size_t done = 0;
    double began = 0;
    double told = 0;
    bool on_terminal;
};

#endif
