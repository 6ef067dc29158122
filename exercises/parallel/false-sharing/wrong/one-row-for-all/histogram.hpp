// A histogram that several threads fill at once: atomic slots that all of them share.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

class Histogram {
public:
    Histogram(int, int bins) : slots_(bins) {}

    // Count one in `bin`. Called from many threads at once, each with its own number in 0..threads-1.
    void add(int, int bin) { slots_[bin].fetch_add(1, std::memory_order_relaxed); }

    // What all threads have counted in `bin`; may be called while they count.
    std::uint64_t count(int bin) const {
        return slots_[bin].load(std::memory_order_relaxed);
    }

    // The 8 bytes that add(thread, bin) changes.
    const void *address(int, int bin) const { return &slots_[bin]; }

private:
    using Slot = std::atomic<std::uint64_t>;

    std::vector<Slot> slots_;
};
