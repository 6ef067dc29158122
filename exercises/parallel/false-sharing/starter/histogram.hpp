// A histogram that several threads fill at once: every thread counts into slots of its own, count() adds them up.
// Nothing here is wrong, and yet two threads are slower than one. Lay the slots out so that no two threads write to
// the same cache line.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

class Histogram {
public:
    Histogram(int threads, int bins) : threads_(threads), bins_(bins), slots_(std::size_t(threads) * bins) {}

    // Count one in `bin`. Called from many threads at once, each with its own number in 0..threads-1.
    void add(int thread, int bin) { slot(thread, bin).fetch_add(1, std::memory_order_relaxed); }

    // What all threads have counted in `bin`; may be called while they count.
    std::uint64_t count(int bin) const {
        std::uint64_t sum = 0;
        for (int thread = 0; thread < threads_; thread++) sum += slot(thread, bin).load(std::memory_order_relaxed);
        return sum;
    }

    // The 8 bytes that add(thread, bin) changes.
    const void *address(int thread, int bin) const { return &slot(thread, bin); }

private:
    using Slot = std::atomic<std::uint64_t>;

    Slot &slot(int thread, int bin) { return slots_[std::size_t(bin) * threads_ + thread]; }
    const Slot &slot(int thread, int bin) const { return slots_[std::size_t(bin) * threads_ + thread]; }

    int threads_, bins_;
    std::vector<Slot> slots_;
};
