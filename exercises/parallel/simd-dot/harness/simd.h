#pragma once

#include <cstddef>

// The sum of x[i] * y[i] over n floats. The pointers are aligned to 4 bytes and no more; n may be anything, 0 too.
float dot(const float *x, const float *y, std::size_t n);

// y[i] += a * x[i] for n floats. x and y do not overlap; nothing outside y[0..n) is written.
void saxpy(float a, const float *x, float *y, std::size_t n);
