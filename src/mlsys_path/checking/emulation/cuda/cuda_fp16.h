// half and half2.
#pragma once

#include "cuda_runtime.h"
#include "mlsys/narrow.h"

MLSYS_NARROW(__half, __half2, mlsys::half_bits, mlsys::half_value)
using half = __half;
using half2 = __half2;

inline half __float2half(float x) { return half(x); }
inline half __float2half_rn(float x) { return half(x); }
inline half __double2half(double x) { return half((float)x); }
inline half __int2half_rn(int x) { return half((float)x); }
inline float __half2float(half x) { return x; }
inline int __half2int_rn(half x) { return (int)lrintf(x); }
inline half2 __floats2half2_rn(float x, float y) { return {half(x), half(y)}; }
inline half2 __float2half2_rn(float x) { return {half(x), half(x)}; }
inline half2 __float22half2_rn(float2 v) { return {half(v.x), half(v.y)}; }
inline float2 __half22float2(half2 v) { return {(float)v.x, (float)v.y}; }
inline half2 __halves2half2(half x, half y) { return {x, y}; }
inline half2 __half2half2(half x) { return {x, x}; }
inline half2 make_half2(half x, half y) { return {x, y}; }
inline half __low2half(half2 v) { return v.x; }
inline half __high2half(half2 v) { return v.y; }
inline float __low2float(half2 v) { return v.x; }
inline float __high2float(half2 v) { return v.y; }
inline unsigned short __half_as_ushort(half x) { return x.x; }
inline half __ushort_as_half(unsigned short x)
{
    half made;
    made.x = x;
    return made;
}
