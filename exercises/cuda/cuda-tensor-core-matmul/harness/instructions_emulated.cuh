// The instructions as a CPU does them: slowly, and as late as a GPU may. See instructions.cuh.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cuda_fp16.h>

using Shared = uintptr_t;

__device__ inline Shared shared_address(const void *pointer) { return (Shared)pointer; }

// A copy may arrive at any time between its start and its wait. Here it does both: from the start on there are NaNs, so
// that nobody may still be reading what was there, and what is copied comes when it is waited for.
struct Copies {
    struct Copy {
        Shared to;
        const half *from;
        int group;
        bool exists;
    };
    static constexpr int room = 256;
    Copy waiting[room];
    int count = 0, groups = 0;

    __device__ void start(Shared to, const half *from, bool exists)
    {
        if (count == room) {
            fprintf(stderr, "a thread has more than %d copies under way: were they ever waited for?\n", room);
            exit(6);
        }
        waiting[count++] = {to, from, groups, exists};
        *(uint4 *)to = uint4{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff};
    }
    __device__ void commit() { groups++; }
    template <int left> __device__ void wait()
    {
        int kept = 0;
        for (int i = 0; i < count; i++) {
            const Copy &copy = waiting[i];
            if (copy.group >= groups - left)
                waiting[kept++] = copy;
            else
                *(uint4 *)copy.to = copy.exists ? *(const uint4 *)copy.from : uint4{0, 0, 0, 0};
        }
        count = kept;
    }
};

namespace warps {

// What the lanes of a warp bring to an instruction. Nobody looks at accesses in here: they are no memory of the kernel's.
struct Lane {
    uint32_t row[4], a[4], b[2];
};
inline Lane lanes[32][32];

#define UNWATCHED __attribute__((noinline, no_sanitize("thread", "bounds", "undefined")))

UNWATCHED inline Lane &lane(unsigned thread) { return lanes[thread / 32][thread % 32]; }

UNWATCHED inline float value(uint32_t two, int which)
{
    uint32_t bits = two >> 16 * which & 0xffff, exponent = bits >> 10 & 31, fraction = bits & 1023;
    float size = exponent == 31  ? (fraction ? NAN : INFINITY)
                 : exponent == 0 ? ldexpf((float)fraction, -24)
                                 : ldexpf((float)(fraction + 1024), (int)exponent - 25);
    return bits >> 15 ? -size : size;
}

using Row = unsigned __int128;  // one access of 16 bytes, and no structure

UNWATCHED inline void put_row(unsigned thread, Row row) { memcpy(lane(thread).row, &row, sizeof row); }

UNWATCHED inline uint32_t matrix_word(unsigned thread, int matrix)
{
    unsigned l = thread % 32;
    return lane(thread - l + 8 * matrix + l / 4).row[l % 4];
}

UNWATCHED inline void put_operands(unsigned thread, const uint32_t *a, uint32_t b0, uint32_t b1)
{
    Lane &mine = lane(thread);
    for (int i = 0; i < 4; i++)
        mine.a[i] = a[i];
    mine.b[0] = b0;
    mine.b[1] = b1;
}

// Sum i of a lane: a row of A, which four lanes hold, times a column of B, which four others do
UNWATCHED inline float product(unsigned thread, int i)
{
    unsigned l = thread % 32, first = thread - l;
    float sum = 0;
    for (int k = 0; k < 16; k++) {
        const Lane &in_a = lane(first + l / 4 * 4 + k % 8 / 2), &in_b = lane(first + (l % 4 * 2 + i % 2) * 4 + k % 8 / 2);
        sum += value(in_a.a[i / 2 + k / 8 * 2], k % 2) * value(in_b.b[k / 8], k % 2);
    }
    return sum;
}

#undef UNWATCHED

__device__ inline unsigned thread() { return threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z); }

}  // namespace warps

__device__ inline void load_matrices(uint32_t (&registers)[4], Shared row)
{
    unsigned thread = warps::thread();
    warps::put_row(thread, *(const warps::Row *)row);
    __syncwarp();
    for (int j = 0; j < 4; j++)
        registers[j] = warps::matrix_word(thread, j);
    __syncwarp();
}

__device__ inline void multiply(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1)
{
    unsigned thread = warps::thread();
    warps::put_operands(thread, a, b0, b1);
    __syncwarp();
    for (int i = 0; i < 4; i++)
        c[i] += warps::product(thread, i);
    __syncwarp();
}
