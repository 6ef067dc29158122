// Which LLVM a checkout of Triton wants, and how far the one at hand is from it. pin.h says what each function promises.
#include "pin.h"

#include <stdexcept>

std::string read_pin(const std::map<std::string, std::string> &files) {
    // cmake/llvm-info.json since 28 May 2026, cmake/llvm-hash.txt before. Look at one of each: which digits are the pin?
    (void)files;
    throw std::runtime_error("write read_pin in pin.cpp");
}

Distance distance(const std::string &pin, int major, const std::vector<Commit> &log) {
    // Find two commits in the log: the pin, and the one at which the release's branch leaves the main branch.
    // std::chrono::sys_days counts the days between two dates.
    (void)pin;
    (void)major;
    (void)log;
    throw std::runtime_error("write distance in pin.cpp");
}
