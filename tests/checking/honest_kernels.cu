// Kernels as they are written in practice: tiled matmul, scan, histogram, softmax, RMS norm, reduction. None of them is wrong.
#include <cstdio>
#include <cfloat>
#include <vector>
#include <cmath>
#include <cuda_runtime.h>
#include <cuda_fp16.h>
#define CHECK(x) do { cudaError_t e_ = (x); if (e_ != cudaSuccess) { fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, cudaGetErrorString(e_)); exit(2); } } while (0)
#define EXPECT(x) do { if (!(x)) { fprintf(stderr, "line %d: %s\n", __LINE__, #x); exit(1); } } while (0)
#define CEIL_DIV(a, b) (((a) + (b) - 1) / (b))
template <class T> T *up(const std::vector<T> &h) { T *d; CHECK(cudaMalloc(&d, h.size() * sizeof(T))); CHECK(cudaMemcpy(d, h.data(), h.size() * sizeof(T), cudaMemcpyHostToDevice)); return d; }
template <class T> std::vector<T> down(const T *d, size_t n) { std::vector<T> h(n); CHECK(cudaMemcpy(h.data(), d, n * sizeof(T), cudaMemcpyDeviceToHost)); return h; }

// register-tiled matmul with vectorised loads
template <int BM, int BN, int BK, int TM, int TN>
__global__ void __launch_bounds__((BM * BN) / (TM * TN), 1) sgemm(int M, int N, int K, float alpha, const float *A, const float *B, float beta, float *C) {
  const uint cRow = blockIdx.y, cCol = blockIdx.x;
  const int threadCol = threadIdx.x % (BN / TN), threadRow = threadIdx.x / (BN / TN);
  __shared__ float As[BM * BK];
  __shared__ float Bs[BK * BN];
  A += cRow * BM * K; B += cCol * BN; C += cRow * BM * N + cCol * BN;
  const uint innerRowA = threadIdx.x / (BK / 4), innerColA = threadIdx.x % (BK / 4);
  const uint innerRowB = threadIdx.x / (BN / 4), innerColB = threadIdx.x % (BN / 4);
  float threadResults[TM * TN] = {0.0};
  float regM[TM] = {0.0}, regN[TN] = {0.0};
  for (uint bk = 0; bk < K; bk += BK) {
    float4 tmp = reinterpret_cast<const float4 *>(&A[innerRowA * K + innerColA * 4])[0];
    As[(innerColA * 4 + 0) * BM + innerRowA] = tmp.x;
    As[(innerColA * 4 + 1) * BM + innerRowA] = tmp.y;
    As[(innerColA * 4 + 2) * BM + innerRowA] = tmp.z;
    As[(innerColA * 4 + 3) * BM + innerRowA] = tmp.w;
    reinterpret_cast<float4 *>(&Bs[innerRowB * BN + innerColB * 4])[0] = reinterpret_cast<const float4 *>(&B[innerRowB * N + innerColB * 4])[0];
    __syncthreads();
    A += BK; B += BK * N;
    #pragma unroll
    for (uint dot = 0; dot < BK; ++dot) {
      for (uint i = 0; i < TM; ++i) regM[i] = As[dot * BM + threadRow * TM + i];
      for (uint i = 0; i < TN; ++i) regN[i] = Bs[dot * BN + threadCol * TN + i];
      for (uint m = 0; m < TM; ++m) for (uint n = 0; n < TN; ++n) threadResults[m * TN + n] += regM[m] * regN[n];
    }
    __syncthreads();
  }
  for (uint m = 0; m < TM; m += 1) for (uint n = 0; n < TN; n += 4) {
      float4 tmp = reinterpret_cast<float4 *>(&C[(threadRow * TM + m) * N + threadCol * TN + n])[0];
      tmp.x = alpha * threadResults[m * TN + n] + beta * tmp.x; tmp.y = alpha * threadResults[m * TN + n + 1] + beta * tmp.y;
      tmp.z = alpha * threadResults[m * TN + n + 2] + beta * tmp.z; tmp.w = alpha * threadResults[m * TN + n + 3] + beta * tmp.w;
      reinterpret_cast<float4 *>(&C[(threadRow * TM + m) * N + threadCol * TN + n])[0] = tmp;
  }
}
// Blelloch scan
__global__ void blelloch(int *g, int n) {
  extern __shared__ int temp[];
  int t = threadIdx.x, offset = 1;
  temp[2 * t] = g[2 * t]; temp[2 * t + 1] = g[2 * t + 1];
  for (int d = n >> 1; d > 0; d >>= 1) { __syncthreads(); if (t < d) { int ai = offset * (2 * t + 1) - 1, bi = offset * (2 * t + 2) - 1; temp[bi] += temp[ai]; } offset *= 2; }
  if (t == 0) temp[n - 1] = 0;
  for (int d = 1; d < n; d *= 2) { offset >>= 1; __syncthreads(); if (t < d) { int ai = offset * (2 * t + 1) - 1, bi = offset * (2 * t + 2) - 1; int v = temp[ai]; temp[ai] = temp[bi]; temp[bi] += v; } }
  __syncthreads();
  g[2 * t] = temp[2 * t]; g[2 * t + 1] = temp[2 * t + 1];
}
// histogram with privatisation
__global__ void histogram(const unsigned char *in, size_t n, unsigned *bins) {
  __shared__ unsigned local[256];
  for (int i = threadIdx.x; i < 256; i += blockDim.x) local[i] = 0;
  __syncthreads();
  for (size_t i = blockIdx.x * (size_t)blockDim.x + threadIdx.x; i < n; i += (size_t)blockDim.x * gridDim.x) atomicAdd(&local[in[i]], 1u);
  __syncthreads();
  for (int i = threadIdx.x; i < 256; i += blockDim.x) if (local[i]) atomicAdd(&bins[i], local[i]);
}
// online softmax
struct __align__(8) MD { float m, d; };
__device__ __forceinline__ MD merge(MD a, MD b) { bool bigger = a.m > b.m; MD x = bigger ? a : b, y = bigger ? b : a; MD r; r.d = x.d + y.d * __expf(y.m - x.m); r.m = x.m; return r; }
template <int THREADS> __global__ void softmax(const float *x, float *y, int V) {
  int row = blockIdx.x; x += (size_t)row * V; y += (size_t)row * V;
  MD part{-FLT_MAX, 0.0f};
  for (int i = threadIdx.x; i < V; i += THREADS) part = merge(part, MD{x[i], 1.0f});
  for (int o = 16; o > 0; o >>= 1) part = merge(part, MD{__shfl_xor_sync(0xffffffff, part.m, o), __shfl_xor_sync(0xffffffff, part.d, o)});
  __shared__ MD warps[THREADS / 32]; __shared__ MD total;
  if (threadIdx.x % 32 == 0) warps[threadIdx.x / 32] = part;
  __syncthreads();
  if (threadIdx.x < 32) { MD v = threadIdx.x < THREADS / 32 ? warps[threadIdx.x] : MD{-FLT_MAX, 0.0f};
    for (int o = 16; o > 0; o >>= 1) v = merge(v, MD{__shfl_xor_sync(0xffffffff, v.m, o), __shfl_xor_sync(0xffffffff, v.d, o)});
    if (threadIdx.x == 0) total = v; }
  __syncthreads();
  float inv = __fdividef(1.0f, total.d);
  for (int i = threadIdx.x; i < V; i += THREADS) y[i] = __expf(x[i] - total.m) * inv;
}
// half2 rms norm
__global__ void rms(const half *x, const half *w, half *y, int n, float eps) {
  const half2 *x2 = reinterpret_cast<const half2 *>(x) + blockIdx.x * n / 2; half2 *y2 = reinterpret_cast<half2 *>(y) + blockIdx.x * n / 2;
  float s = 0; for (int i = threadIdx.x; i < n / 2; i += blockDim.x) { float2 v = __half22float2(x2[i]); s += v.x * v.x + v.y * v.y; }
  __shared__ float sums[32]; int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
  for (int o = 16; o; o >>= 1) s += __shfl_down_sync(~0u, s, o);
  if (lane == 0) sums[warp] = s; __syncthreads();
  s = threadIdx.x < blockDim.x / 32 ? sums[lane] : 0; if (warp == 0) for (int o = 16; o; o >>= 1) s += __shfl_down_sync(~0u, s, o);
  __shared__ float scale; if (threadIdx.x == 0) scale = rsqrtf(s / n + eps); __syncthreads();
  for (int i = threadIdx.x; i < n / 2; i += blockDim.x) { float2 v = __half22float2(x2[i]), g = __half22float2(reinterpret_cast<const half2 *>(w)[i]); y2[i] = __floats2half2_rn(v.x * scale * g.x, v.y * scale * g.y); }
}
// reduction: interleaved, divergent, sequential, unrolled with templates
template <unsigned B> __device__ void warpReduce(volatile float *s, unsigned t) {
  float v = s[t];
  if (B >= 64) { v += s[t + 32]; __syncwarp(); s[t] = v; __syncwarp(); }
  if (B >= 32) { v += s[t + 16]; __syncwarp(); s[t] = v; __syncwarp(); }
  v += s[t + 8]; __syncwarp(); s[t] = v; __syncwarp();
  v += s[t + 4]; __syncwarp(); s[t] = v; __syncwarp();
  v += s[t + 2]; __syncwarp(); s[t] = v; __syncwarp();
  v += s[t + 1]; __syncwarp(); s[t] = v; __syncwarp(); }
template <unsigned B> __global__ void reduce6(const float *in, float *out, unsigned n) {
  extern __shared__ float s[]; unsigned t = threadIdx.x, i = blockIdx.x * (B * 2) + t, grid = B * 2 * gridDim.x; float v = 0;
  while (i < n) { v += in[i] + (i + B < n ? in[i + B] : 0); i += grid; }
  s[t] = v; __syncthreads();
  if (B >= 256) { if (t < 128) s[t] += s[t + 128]; __syncthreads(); }
  if (B >= 128) { if (t < 64) s[t] += s[t + 64]; __syncthreads(); }
  if (t < 32) warpReduce<B>(s, t);
  if (t == 0) out[blockIdx.x] = s[0]; }
int main(int argc, char **argv) {
  { int n = 128; std::vector<float> a(n * n), b(n * n); for (int i = 0; i < n * n; i++) a[i] = i % 7, b[i] = i % 5; float *A = up(a), *B = up(b), *C = up(std::vector<float>(n * n, 1));
    sgemm<64, 64, 8, 8, 4><<<dim3(CEIL_DIV(n, 64), CEIL_DIV(n, 64)), 128>>>(n, n, n, 1.0f, A, B, 2.0f, C); CHECK(cudaGetLastError()); auto c = down(C, n * n);
    for (int i = 0; i < n; i += 17) for (int j = 0; j < n; j += 13) { float s = 2; for (int k = 0; k < n; k++) s += a[i * n + k] * b[k * n + j]; EXPECT(s == c[i * n + j]); } }
  { std::vector<int> h(512, 3); int *d = up(h); blelloch<<<1, 256, 512 * sizeof(int)>>>(d, 512); auto g = down(d, 512); for (int i = 0; i < 512; i++) EXPECT(g[i] == 3 * i); }
  { std::vector<unsigned char> h(10000); for (int i = 0; i < 10000; i++) h[i] = i * i; auto *d = up(h); unsigned *b = up(std::vector<unsigned>(256)); histogram<<<7, 96>>>(d, 10000, b); auto g = down(b, 256); std::vector<unsigned> e(256); for (auto c : h) e[c]++; EXPECT(g == e); }
  { int V = 1000; std::vector<float> h(3 * V); for (int i = 0; i < 3 * V; i++) h[i] = sinf(i) * 20; float *x = up(h), *y = up(std::vector<float>(3 * V)); softmax<128><<<3, 128>>>(x, y, V); auto g = down(y, 3 * V); for (int r = 0; r < 3; r++) { double s = 0; for (int i = 0; i < V; i++) s += g[r * V + i]; EXPECT(fabs(s - 1) < 1e-4); } }
  { int n = 256; std::vector<half> h(4 * n), w(n, half(1.0f)); for (int i = 0; i < 4 * n; i++) h[i] = half(float(i % 9 - 4)); half *x = up(h), *g = up(w), *y = up(std::vector<half>(4 * n)); rms<<<4, 64>>>(x, g, y, n, 1e-5f); auto o = down(y, 4 * n); double s = 0; for (int i = 0; i < n; i++) s += (float)o[i] * (float)o[i]; EXPECT(fabs(s / n - 1) < 1e-2); }
  { std::vector<float> h(5001, 1); float *d = up(h), *o = up(std::vector<float>(4)); reduce6<256><<<4, 256, 1024>>>(d, o, 5001); auto g = down(o, 4); EXPECT(g[0] + g[1] + g[2] + g[3] == 5001); }
  puts("fine");
}
