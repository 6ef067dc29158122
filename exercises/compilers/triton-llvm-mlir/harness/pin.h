#pragma once

#include <map>
#include <string>
#include <vector>

// A commit of LLVM's main branch: a line of `git log --first-parent --date=short --format='%H %cd %D'`.
struct Commit {
    std::string hash;               // 40 digits
    std::string date;               // "2026-01-13"
    std::vector<std::string> tags;  // most have none; {"llvmorg-23-init"}, say
};

// How far a pin is from where a release left the main branch. Both are negative when the pin is the older one.
struct Distance {
    long commits;
    long days;
};

// The LLVM commit that a checkout of Triton pins, all 40 digits of it. `files` holds the text of some of the checkout's
// files by their paths. Throws std::runtime_error when none of them holds a pin.
std::string read_pin(const std::map<std::string, std::string> &files);

// The distance from release `major` of LLVM to the pin. `log` is the main branch, newest commit first.
// Throws std::runtime_error when the log does not hold the pin, or not the place where the release branched off.
Distance distance(const std::string &pin, int major, const std::vector<Commit> &log);
