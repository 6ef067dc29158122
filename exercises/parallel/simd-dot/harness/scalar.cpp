// The baseline: one product at a time, one running sum. Built with -O2 -fno-tree-vectorize.
#include "simd.h"

float dot(const float *x, const float *y, std::size_t n) {
    float sum = 0;
    for (std::size_t i = 0; i < n; i++) sum += x[i] * y[i];
    return sum;
}

void saxpy(float a, const float *x, float *y, std::size_t n) {
    for (std::size_t i = 0; i < n; i++) y[i] += a * x[i];
}
