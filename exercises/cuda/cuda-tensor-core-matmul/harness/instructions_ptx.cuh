// The instructions as a GPU has them, sm_80 or newer. See instructions.cuh.
#pragma once

#include <cstdint>
#include <cuda_fp16.h>

using Shared = uint32_t;

__device__ inline Shared shared_address(const void *pointer) { return (uint32_t)__cvta_generic_to_shared(pointer); }

struct Copies {
    __device__ void start(Shared to, const half *from, bool exists)
    {
        // the last operand is how many of the 16 bytes are read; the others are zeros
        asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(exists ? 16 : 0) : "memory");
    }
    __device__ void commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
    template <int left> __device__ void wait() { asm volatile("cp.async.wait_group %0;" ::"n"(left) : "memory"); }
};

__device__ inline void load_matrices(uint32_t (&registers)[4], Shared row)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(registers[0]), "=r"(registers[1]), "=r"(registers[2]), "=r"(registers[3])
                 : "r"(row)
                 : "memory");
}

__device__ inline void multiply(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1)
{
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
                 "{%0, %1, %2, %3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
