// A histogram that several threads fill at once: every thread counts into a row of its own, a whole
// number of cache lines long.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

class Histogram {
    static constexpr std::size_t LINE = 64, SLOTS = LINE / sizeof(std::uint64_t);

    struct Line {
        std::atomic<std::uint64_t> slot[SLOTS]{};
    };

public:
    Histogram(int threads, int bins)
        : threads_(threads), lines_((bins + SLOTS - 1) / SLOTS), rows_(std::size_t(threads) * lines_) {}

    // Only `thread` writes this slot: load and store are enough, no locked read-modify-write. Both are atomic because
    // count() may read it at the same time.
    void add(int thread, int bin) {
        auto &slot = row(thread)[bin / SLOTS].slot[bin % SLOTS];
        slot.store(slot.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }

    std::uint64_t count(int bin) const {
        std::uint64_t sum = 0;
        for (int thread = 0; thread < threads_; thread++)
            sum += row(thread)[bin / SLOTS].slot[bin % SLOTS].load(std::memory_order_relaxed);
        return sum;
    }

    const void *address(int thread, int bin) const { return &row(thread)[bin / SLOTS].slot[bin % SLOTS]; }

private:
    Line *row(int thread) { return &rows_[thread * lines_]; }
    const Line *row(int thread) const { return &rows_[thread * lines_]; }

    int threads_;
    std::size_t lines_;  // of one thread
    std::vector<Line> rows_;
};
