// dot and saxpy with the compiler's portable vectors: as many floats at a time as one register holds.
#include "simd.h"

#ifdef __AVX__
constexpr std::size_t BYTES = 32;
#else
constexpr std::size_t BYTES = 16;  // SSE, NEON: a wider vector would be cut in pieces and live in memory
#endif
constexpr std::size_t W = BYTES / sizeof(float);
constexpr std::size_t SUMS = 8;  // an addition takes about 4 cycles and 2 can start in each: 8 that need not wait

typedef float vec __attribute__((vector_size(BYTES)));
// the same as it lies in memory: at any address that a float may have, and made of floats as far as aliasing goes
typedef float vec_in_memory __attribute__((vector_size(BYTES), aligned(4), may_alias));

float dot(const float *x, const float *y, std::size_t n) {
    vec sums[SUMS]{};
    std::size_t i = 0;
    for (; i + SUMS * W <= n; i += SUMS * W) {
        for (std::size_t k = 0; k < SUMS; k++) {  // unrolled: every sums[k] lives in a register of its own
            sums[k] += *(const vec_in_memory *)(x + i + k * W) * *(const vec_in_memory *)(y + i + k * W);
        }
    }
    for (; i + W <= n; i += W) sums[0] += *(const vec_in_memory *)(x + i) * *(const vec_in_memory *)(y + i);

    for (std::size_t k = 1; k < SUMS; k++) sums[0] += sums[k];
    float sum = 0;
    for (std::size_t k = 0; k < W; k++) sum += sums[0][k];
    return sum;
}

void saxpy(float a, const float *x, float *y, std::size_t n) {
    std::size_t i = 0;
    for (; i + W <= n; i += W) *(vec_in_memory *)(y + i) += a * *(const vec_in_memory *)(x + i);
    for (; i < n; i++) y[i] += a * x[i];
}
