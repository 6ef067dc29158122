// What a warp's accesses cost: 32-byte sectors of device memory, wavefronts of shared memory.
#include "machine.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <sys/mman.h>

namespace mlsys {

namespace {

constexpr uint32_t text_base = 0x400000, text_span = 32 << 20;  // programs are linked to fixed addresses
uint32_t *site_numbers;                                              // of places of the program, from 1
std::map<std::pair<uint32_t, unsigned>, uint32_t> other_numbers;
uint32_t last_number = 0;

// The offsets that lanes touched, in order.
unsigned sorted(const Touched &touched, uint32_t *offsets)
{
    unsigned count = 0;
    bool in_order = true;
    for (uint32_t lanes = touched.lanes; lanes; lanes &= lanes - 1) {
        uint32_t offset = touched.offset[__builtin_ctz(lanes)];
        in_order = in_order && (!count || offsets[count - 1] <= offset);
        offsets[count++] = offset;
    }
    if (!in_order)
        std::sort(offsets, offsets + count);
    return count;
}

void add_global(Totals &totals, const Touched &touched)
{
    uint32_t offsets[warp_threads], size = totals.size;
    unsigned count = sorted(touched, offsets);
    uint64_t sectors = 0, used = 0;
    uint32_t last_sector = 0xffffffff, last_offset = 0xffffffff, alike = 0, most_alike = 0;
    for (unsigned i = 0; i < count; i++) {
        uint32_t from = offsets[i] >> 5, to = (offsets[i] + size - 1) >> 5;
        if (from == last_sector)
            from++;
        if (last_sector == 0xffffffff || to != last_sector)
            sectors += to + 1 - from, last_sector = to;
        alike = offsets[i] == last_offset ? alike + 1 : 1;
        most_alike = std::max(most_alike, alike);
        used += offsets[i] == last_offset ? 0 : size;
        last_offset = offsets[i];
    }
    totals.requests++;
    totals.lanes += count;
    totals.bytes += (uint64_t)count * size;
    totals.used += used;
    totals.sectors += sectors;
    totals.least_sectors += (used + 31) / 32;
    if (totals.access == (uint8_t)Access::atomic)
        totals.ways = std::max(totals.ways, most_alike);
}

// Lanes that are served together: all 32 of up to 4 bytes, halves of 8, quarters of 16.
void add_shared(Totals &totals, const Touched &touched)
{
    unsigned size = totals.size, lanes_at_once = size <= 4 ? 32 : size == 8 ? 16 : 8;
    uint32_t words[warp_threads * 4];
    bool is_atomic = totals.access == (uint8_t)Access::atomic;
    unsigned wavefronts = 0, phases = 0, worst = 0, lanes_count = (unsigned)__builtin_popcount(touched.lanes);
    uint32_t offsets[warp_threads];
    unsigned count = sorted(touched, offsets);
    uint64_t used = 0;
    for (unsigned i = 0; i < count; i++)
        used += i && offsets[i] == offsets[i - 1] ? 0 : size;
    for (unsigned first = 0; first < warp_threads; first += lanes_at_once) {
        unsigned per_bank[32] = {};
        unsigned n = 0, ways = 0;
        uint32_t lanes = touched.lanes & (lanes_at_once == 32 ? ~0u : ((1u << lanes_at_once) - 1) << first);
        if (!lanes)
            continue;
        for (; lanes; lanes &= lanes - 1) {
            uint32_t offset = touched.offset[__builtin_ctz(lanes)];
            for (uint32_t word = offset / 4; word <= (offset + size - 1) / 4; word++)
                words[n++] = word;
        }
        std::sort(words, words + n);
        for (unsigned i = 0; i < n; i++)
            // atomics of one word wait for one another; plain accesses of it are served together
            if (is_atomic || i == 0 || words[i] != words[i - 1])
                ways = std::max(ways, ++per_bank[words[i] & 31]);
        phases++, wavefronts += ways, worst = std::max(worst, ways);
    }
    totals.requests++;
    totals.lanes += lanes_count;
    totals.bytes += (uint64_t)lanes_count * size;
    totals.used += used;
    totals.wavefronts += wavefronts;
    totals.least_wavefronts += phases;
    totals.ways = std::max(totals.ways, worst);
}

}  // namespace

uint32_t site_number(uint32_t pc, unsigned part)
{
    if (!site_numbers)
        site_numbers = (uint32_t *)mmap(nullptr, text_span * sizeof(uint32_t), PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    bool near = part == 0 && pc - text_base < text_span;
    uint32_t &number = near ? site_numbers[pc - text_base] : other_numbers[{pc, part}];
    if (!number)
        number = ++last_number;
    return number;
}

void finish_interval(Warp &warp)
{
    Kernel &kernel = *running->kernel;
    for (uint32_t site : warp.used) {
        AtSite &here = warp.sites[site];
        Totals &totals = kernel.sites[site];
        for (const Touched &touched : here.touched)
            totals.shared ? add_shared(totals, touched) : add_global(totals, touched);
        here.touched.clear();
        memset(here.turns, 0, sizeof here.turns);
        here.listed = false;
    }
    warp.used.clear();
}

}  // namespace mlsys
