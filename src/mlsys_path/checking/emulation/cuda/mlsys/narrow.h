// Floats of 16 bits: kept as bits, computed with in float and rounded to nearest even after each operation.
#pragma once

#include <cstdint>

#include "arithmetic.h"
#include "qualifiers.h"
#include "threads.h"

namespace mlsys {

inline uint16_t half_bits(float x)
{
    uint32_t u = bits<uint32_t>(x), sign = u >> 16 & 0x8000, rest = u & 0x7fffffff;
    if (rest > 0x7f800000)
        return (uint16_t)0x7fff;
    if (rest >= 0x477ff000)  // rounds to more than the largest
        return (uint16_t)(sign | 0x7c00);
    if (rest < 0x38800000) {
        // a denormal: as many units of 2^-24
        float units = bits<float>(rest) * 16777216.0f;
        return (uint16_t)(sign | (uint32_t)lrintf(units));
    }
    uint32_t rounded = rest + 0xfff + (rest >> 13 & 1);
    return (uint16_t)(sign | ((rounded - 0x38000000) >> 13));
}

inline float half_value(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, rest = h & 0x7fff;
    if (rest >= 0x7c00)
        return bits<float>(sign | 0x7f800000 | (rest & 0x3ff) << 13);
    if (rest < 0x400) {
        float value = (float)rest / 16777216.0f;
        return sign ? -value : value;
    }
    return bits<float>(sign | ((rest << 13) + 0x38000000));
}

inline uint16_t bfloat_bits(float x)
{
    uint32_t u = bits<uint32_t>(x);
    if ((u & 0x7fffffff) > 0x7f800000)
        return (uint16_t)0x7fff;
    return (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
}

inline float bfloat_value(uint16_t h) { return bits<float>((uint32_t)h << 16); }

}  // namespace mlsys

#define MLSYS_NARROW(NAME, PAIR, TO_BITS, TO_VALUE)                                                                       \
    struct alignas(2) NAME {                                                                                              \
        uint16_t x;                                                                                                       \
        NAME() = default;                                                                                                 \
        NAME(float value) : x(TO_BITS(value)) {}                                                                          \
        NAME(double value) : x(TO_BITS((float)value)) {}                                                                  \
        NAME(int value) : x(TO_BITS((float)value)) {}                                                                     \
        NAME(unsigned value) : x(TO_BITS((float)value)) {}                                                                \
        operator float() const { return TO_VALUE(x); }                                                                    \
        NAME &operator+=(NAME o) { return *this = NAME((float)*this + (float)o); }                                        \
        NAME &operator-=(NAME o) { return *this = NAME((float)*this - (float)o); }                                        \
        NAME &operator*=(NAME o) { return *this = NAME((float)*this * (float)o); }                                        \
        NAME &operator/=(NAME o) { return *this = NAME((float)*this / (float)o); }                                        \
    };                                                                                                                    \
    inline NAME operator+(NAME a, NAME b) { return NAME((float)a + (float)b); }                                           \
    inline NAME operator-(NAME a, NAME b) { return NAME((float)a - (float)b); }                                           \
    inline NAME operator*(NAME a, NAME b) { return NAME((float)a * (float)b); }                                           \
    inline NAME operator/(NAME a, NAME b) { return NAME((float)a / (float)b); }                                           \
    inline NAME operator-(NAME a) { return NAME(-(float)a); }                                                             \
    inline bool operator<(NAME a, NAME b) { return (float)a < (float)b; }                                                 \
    inline bool operator>(NAME a, NAME b) { return (float)a > (float)b; }                                                 \
    inline bool operator<=(NAME a, NAME b) { return (float)a <= (float)b; }                                               \
    inline bool operator>=(NAME a, NAME b) { return (float)a >= (float)b; }                                               \
    inline bool operator==(NAME a, NAME b) { return (float)a == (float)b; }                                               \
    inline bool operator!=(NAME a, NAME b) { return (float)a != (float)b; }                                               \
    struct alignas(4) PAIR {                                                                                              \
        NAME x, y;                                                                                                        \
        PAIR() = default;                                                                                                 \
        PAIR(NAME x, NAME y) : x(x), y(y) {}                                                                              \
    };                                                                                                                    \
    inline PAIR operator+(PAIR a, PAIR b) { return {a.x + b.x, a.y + b.y}; }                                              \
    inline PAIR operator-(PAIR a, PAIR b) { return {a.x - b.x, a.y - b.y}; }                                              \
    inline PAIR operator*(PAIR a, PAIR b) { return {a.x * b.x, a.y * b.y}; }                                              \
    inline NAME __hadd(NAME a, NAME b) { return a + b; }                                                                  \
    inline NAME __hsub(NAME a, NAME b) { return a - b; }                                                                  \
    inline NAME __hmul(NAME a, NAME b) { return a * b; }                                                                  \
    inline NAME __hdiv(NAME a, NAME b) { return a / b; }                                                                  \
    inline NAME __hneg(NAME a) { return -a; }                                                                             \
    inline NAME __habs(NAME a) { return NAME(fabsf(a)); }                                                                 \
    inline NAME __hfma(NAME a, NAME b, NAME c) { return NAME((float)((double)(float)a * (float)b + (float)c)); }          \
    inline NAME __hmax(NAME a, NAME b) { return NAME(fmaxf(a, b)); }                                                      \
    inline NAME __hmin(NAME a, NAME b) { return NAME(fminf(a, b)); }                                                      \
    inline bool __hlt(NAME a, NAME b) { return a < b; }                                                                   \
    inline bool __hgt(NAME a, NAME b) { return a > b; }                                                                   \
    inline bool __heq(NAME a, NAME b) { return a == b; }                                                                  \
    inline bool __hisnan(NAME a) { return isnan((float)a); }                                                              \
    inline PAIR __hadd2(PAIR a, PAIR b) { return a + b; }                                                                 \
    inline PAIR __hsub2(PAIR a, PAIR b) { return a - b; }                                                                 \
    inline PAIR __hmul2(PAIR a, PAIR b) { return a * b; }                                                                 \
    inline PAIR __hmax2(PAIR a, PAIR b) { return {__hmax(a.x, b.x), __hmax(a.y, b.y)}; }                                  \
    inline PAIR __hfma2(PAIR a, PAIR b, PAIR c) { return {__hfma(a.x, b.x, c.x), __hfma(a.y, b.y, c.y)}; }                \
    inline NAME hexp(NAME a) { return NAME(expf(a)); }                                                                    \
    inline NAME hlog(NAME a) { return NAME(logf(a)); }                                                                    \
    inline NAME hsqrt(NAME a) { return NAME(sqrtf(a)); }                                                                  \
    inline NAME hrsqrt(NAME a) { return NAME(rsqrtf(a)); }                                                                \
    inline NAME hrcp(NAME a) { return NAME(1.0f / (float)a); }                                                                     \
    template <> struct mlsys::Moved<NAME> : std::true_type {                                                              \
    };                                                                                                                    \
    template <> struct mlsys::Moved<PAIR> : std::true_type {                                                              \
    };
