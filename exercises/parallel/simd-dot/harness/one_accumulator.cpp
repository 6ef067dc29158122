// The second baseline: a vector of products at a time, but one running sum that every addition has to wait for.
#include <cstring>

#include "simd.h"

#ifdef __AVX__
typedef float vec __attribute__((vector_size(32)));
#else
typedef float vec __attribute__((vector_size(16)));
#endif
constexpr std::size_t W = sizeof(vec) / sizeof(float);

float dot(const float *x, const float *y, std::size_t n) {
    vec sums{}, vx, vy;
    std::size_t i = 0;
    for (; i + W <= n; i += W) {
        std::memcpy(&vx, x + i, sizeof vx);
        std::memcpy(&vy, y + i, sizeof vy);
        sums += vx * vy;
    }
    float sum = 0;
    for (std::size_t k = 0; k < W; k++) sum += sums[k];
    for (; i < n; i++) sum += x[i] * y[i];
    return sum;
}

void saxpy(float a, const float *x, float *y, std::size_t n) {
    for (std::size_t i = 0; i < n; i++) y[i] += a * x[i];
}
