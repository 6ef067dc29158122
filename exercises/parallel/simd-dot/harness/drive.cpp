// Runs the learner's kernels on inputs from stdin and reports what they computed. It judges nothing. All binary, in
// the machine's own byte order.
//
//   once     while there is input: u32 kernel (0 dot, 1 saxpy), n, x's and y's distance in floats from a 64-byte
//            boundary, float a, x[n], y[n] -> dot: one float; saxpy: the n floats of y and the GUARD floats on either
//            side of it. Every array ends where its memory ends.
//   repeat   while there is input: u32 n, repeats, x[n], y[n], value[repeats] -> a float each time: dot after
//            x[r % n] = value[r]
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "simd.h"

constexpr std::size_t GUARD = 8, LINE = 16;  // floats

// n floats that begin `offset` floats after a 64-byte boundary and end with their allocation.
struct Floats {
    void *memory;
    float *data;
    Floats(std::size_t offset, std::size_t n, std::size_t after) {
        std::size_t bytes = sizeof(float) * (LINE + offset + n + after);
        if (posix_memalign(&memory, 64, bytes)) std::abort();
        data = static_cast<float *>(memory) + LINE + offset;
        for (float *p = static_cast<float *>(memory); p < data + n + after; p++) *p = 12345;
    }
    Floats(const Floats &) = delete;
    ~Floats() { std::free(memory); }
};

static bool take(void *to, std::size_t bytes) { return bytes == 0 || std::fread(to, bytes, 1, stdin) == 1; }
static void give(const void *from, std::size_t bytes) { std::fwrite(from, 1, bytes, stdout); }

static void once() {
    struct {
        std::uint32_t kernel, n, x_offset, y_offset;
        float a;
    } job;
    while (take(&job, sizeof job)) {
        Floats x(job.x_offset, job.n, 0), y(job.y_offset, job.n, job.kernel ? GUARD : 0);
        if (!take(x.data, job.n * sizeof(float)) || !take(y.data, job.n * sizeof(float))) std::exit(2);
        if (job.kernel == 0) {
            float result = dot(x.data, y.data, job.n);
            give(&result, sizeof result);
        } else {
            saxpy(job.a, x.data, y.data, job.n);
            give(y.data - GUARD, (job.n + 2 * GUARD) * sizeof(float));
        }
        std::fflush(stdout);
    }
}

static void repeat() {
    std::uint32_t job[2];
    while (take(job, sizeof job)) {
        auto [n, repeats] = job;
        Floats x(0, n, 0), y(0, n, 0);
        Floats value(0, repeats, 0), result(0, repeats, 0);
        if (!take(x.data, n * sizeof(float)) || !take(y.data, n * sizeof(float))) std::exit(2);
        if (!take(value.data, repeats * sizeof(float))) std::exit(2);
        for (std::size_t r = 0; r < repeats; r++) {
            x.data[r % n] = value.data[r];
            result.data[r] = dot(x.data, y.data, n);
        }
        give(result.data, repeats * sizeof(float));
        std::fflush(stdout);
    }
}

int main(int argc, char **argv) {
    if (argc == 2 && !std::strcmp(argv[1], "once")) return once(), 0;
    if (argc == 2 && !std::strcmp(argv[1], "repeat")) return repeat(), 0;
    return 2;
}
