// CUDA's vector types, with its alignments. Constructors instead of aggregates, so that `p[i] = float4{a, b, c, d}` is one
// access of 16 bytes, as it is on a GPU.
#pragma once

#include <cstddef>


#define MLSYS_VECTORS(NAME, T, ALIGN2, ALIGN4)                                                                            \
    struct NAME##1 {                                                                                                      \
        T x;                                                                                                              \
    };                                                                                                                    \
    struct alignas(ALIGN2) NAME##2 {                                                                                      \
        T x, y;                                                                                                           \
        NAME##2() = default;                                                                                              \
        constexpr NAME##2(T x, T y = {}) : x(x), y(y) {}                                                                  \
    };                                                                                                                    \
    struct NAME##3 {                                                                                                      \
        T x, y, z;                                                                                                        \
        NAME##3() = default;                                                                                              \
        constexpr NAME##3(T x, T y = {}, T z = {}) : x(x), y(y), z(z) {}                                                  \
    };                                                                                                                    \
    struct alignas(ALIGN4) NAME##4 {                                                                                      \
        T x, y, z, w;                                                                                                     \
        NAME##4() = default;                                                                                              \
        constexpr NAME##4(T x, T y = {}, T z = {}, T w = {}) : x(x), y(y), z(z), w(w) {}                                  \
    };                                                                                                                    \
    constexpr NAME##1 make_##NAME##1(T x) { return {x}; }                                                                 \
    constexpr NAME##2 make_##NAME##2(T x, T y) { return {x, y}; }                                                         \
    constexpr NAME##3 make_##NAME##3(T x, T y, T z) { return {x, y, z}; }                                                 \
    constexpr NAME##4 make_##NAME##4(T x, T y, T z, T w) { return {x, y, z, w}; }

MLSYS_VECTORS(char, signed char, 2, 4)
MLSYS_VECTORS(uchar, unsigned char, 2, 4)
MLSYS_VECTORS(short, short, 4, 8)
MLSYS_VECTORS(ushort, unsigned short, 4, 8)
MLSYS_VECTORS(int, int, 8, 16)
MLSYS_VECTORS(uint, unsigned int, 8, 16)
MLSYS_VECTORS(long, long, 16, 16)
MLSYS_VECTORS(ulong, unsigned long, 16, 16)
MLSYS_VECTORS(longlong, long long, 16, 16)
MLSYS_VECTORS(ulonglong, unsigned long long, 16, 16)
MLSYS_VECTORS(float, float, 8, 16)
MLSYS_VECTORS(double, double, 16, 16)

#undef MLSYS_VECTORS

struct dim3 {
    unsigned int x, y, z;
    constexpr dim3(unsigned int x = 1, unsigned int y = 1, unsigned int z = 1) : x(x), y(y), z(z) {}
    constexpr dim3(uint3 v) : x(v.x), y(v.y), z(v.z) {}
    constexpr operator uint3() const { return {x, y, z}; }
};
