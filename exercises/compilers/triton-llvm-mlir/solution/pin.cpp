// Which LLVM a checkout of Triton wants, and how far the one at hand is from it.
#include "pin.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <regex>
#include <stdexcept>

std::string read_pin(const std::map<std::string, std::string> &files) {
    // The newer file first: a tree that was updated may still hold the old one. In the JSON the key decides, as its
    // check sums are hexadecimal digits too.
    static const struct {
        const char *path;
        std::regex pin;
    } places[] = {
        {"cmake/llvm-info.json", std::regex(R"re("llvm_hash"\s*:\s*"([0-9a-f]{40})")re")},
        {"cmake/llvm-hash.txt", std::regex(R"re(^\s*([0-9a-f]{40})\s*$)re")},
    };
    for (const auto &place : places) {
        auto file = files.find(place.path);
        std::smatch found;
        if (file != files.end() && std::regex_search(file->second, found, place.pin)) return found[1];
    }
    throw std::runtime_error("no pin in cmake/llvm-info.json or cmake/llvm-hash.txt");
}

static std::chrono::sys_days day(const std::string &date) {
    int part[3] = {};
    const char *at = date.data(), *end = at + date.size();
    for (int &number : part) at = std::min(std::from_chars(at, end, number).ptr + 1, end);
    return std::chrono::year(part[0]) / part[1] / part[2];
}

Distance distance(const std::string &pin, int major, const std::vector<Commit> &log) {
    // release/22.x leaves the main branch where the main branch becomes 23: at the tag llvmorg-23-init
    const std::string tag = "llvmorg-" + std::to_string(major + 1) + "-init";
    auto pinned = std::ranges::find(log, pin, &Commit::hash);
    auto branched = std::ranges::find_if(log, [&](const Commit &c) { return std::ranges::count(c.tags, tag) > 0; });
    if (pinned == log.end()) throw std::runtime_error("the log does not hold " + pin);
    if (branched == log.end()) throw std::runtime_error("the log does not hold " + tag);
    return {branched - pinned, (day(pinned->date) - day(branched->date)).count()};
}
