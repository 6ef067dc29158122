// A histogram that several threads fill at once: every thread counts into a row of its own, which begins and ends at a
// cache line's border, so that no line is ever written by two cores.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

class Histogram {
    static constexpr std::size_t LINE = 64, SLOTS = LINE / sizeof(std::uint64_t);

    struct alignas(LINE) Line {
        std::uint64_t slot[SLOTS]{};
    };

public:
    Histogram(int threads, int bins)
        : threads_(threads), lines_((bins + SLOTS - 1) / SLOTS), rows_(std::size_t(threads) * lines_) {}

    // Only `thread` writes this slot, so nothing needs to be atomic.
    void add(int thread, int bin) {
        row(thread)[bin / SLOTS].slot[bin % SLOTS]++;
    }

    std::uint64_t count(int bin) const {
        std::uint64_t sum = 0;
        for (int thread = 0; thread < threads_; thread++)
            sum += row(thread)[bin / SLOTS].slot[bin % SLOTS];
        return sum;
    }

    const void *address(int thread, int bin) const { return &row(thread)[bin / SLOTS].slot[bin % SLOTS]; }

private:
    Line *row(int thread) { return &rows_[thread * lines_]; }
    const Line *row(int thread) const { return &rows_[thread * lines_]; }

    int threads_;
    std::size_t lines_;       // of one thread
    std::vector<Line> rows_;  // C++17's allocator honours alignas
};
