#include "machine.h"

#include <benchmark/benchmark.h>

#include <fstream>
#include <string>

namespace
{

/* Of /proc/cpuinfo what tells one model from another, on x86 and on ARM. */
bool tells_the_model(const std::string &line)
{
    for (const char *key : {"model name", "cpu family", "model\t", "stepping", "CPU implementer",
                            "CPU variant", "CPU part", "CPU revision"}) {
        if (line.rfind(key, 0) == 0) {
            return true;
        }
    }
    return false;
}

/* Of the first processor. */
std::string processor()
{
    std::ifstream lines("/proc/cpuinfo");
    std::string line;
    std::string model;

    while (std::getline(lines, line) && !line.empty()) {
        size_t colon = line.find(": ");

        if (tells_the_model(line) && colon != std::string::npos) {
            model += (model.empty() ? "" : ", ") + line.substr(0, line.find('\t')) + " " +
                     line.substr(colon + 2);
        }
    }
    return model;
}

} // namespace

void machine_describe()
{
    benchmark::AddCustomContext("processor", processor());
    benchmark::AddCustomContext("compiler", WEIR_BENCH_COMPILER);
    benchmark::AddCustomContext("flags", WEIR_BENCH_FLAGS);
}
