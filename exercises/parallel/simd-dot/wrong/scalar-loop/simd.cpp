// The loops as one would write them, and trust in the optimiser.
#include "simd.h"

float dot(const float *x, const float *y, std::size_t n) {
    float sum = 0;
    for (std::size_t i = 0; i < n; i++) sum += x[i] * y[i];
    return sum;
}

void saxpy(float a, const float *x, float *y, std::size_t n) {
    for (std::size_t i = 0; i < n; i++) y[i] += a * x[i];
}
