// dot and saxpy, several floats at a time. simd.h says what both functions promise.
#include "simd.h"

// Vectors by the compiler: + and * work element by element, v[k] is one element. Intrinsics (<immintrin.h>,
// <arm_neon.h>) are as good, where you have them.
#ifdef __AVX__
constexpr std::size_t BYTES = 32;
#else
constexpr std::size_t BYTES = 16;
#endif
constexpr std::size_t W = BYTES / sizeof(float);

typedef float vec __attribute__((vector_size(BYTES)));
typedef float vec_in_memory __attribute__((vector_size(BYTES), aligned(4), may_alias));

float dot(const float *x, const float *y, std::size_t n) {
    vec sums{};
    for (std::size_t i = 0; i + W <= n; i += W) {
        // Load W floats of x and of y through a pointer to vec_in_memory, add their products to `sums`.
        (void)x;
        (void)y;
    }
    // Add up the elements of `sums`; then the floats at the end that fill no vector.
    return sums[0];
}

void saxpy(float a, const float *x, float *y, std::size_t n) {
    (void)a;
    (void)x;
    (void)y;
    (void)n;
}
