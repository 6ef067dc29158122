// Cooperative groups within a block: the block, tiles of a warp, the lanes that are active together.
#pragma once

#include "cuda_runtime.h"

namespace cooperative_groups {

class thread_block {
  public:
    void sync(mlsys::Site at = mlsys::here()) const { __syncthreads(at); }
    static unsigned thread_rank()
    {
        return (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
    }
    static unsigned size() { return blockDim.x * blockDim.y * blockDim.z; }
    static unsigned num_threads() { return size(); }
    static dim3 group_index() { return blockIdx; }
    static dim3 thread_index() { return threadIdx; }
    static dim3 group_dim() { return blockDim; }
    static dim3 dim_threads() { return blockDim; }
};

inline thread_block this_thread_block() { return {}; }

// Some lanes of a warp: a tile, or those that are active.
class warp_group {
  public:
    explicit warp_group(unsigned mask) : mask(mask) {}
    void sync(mlsys::Site at = mlsys::here()) const { __syncwarp(mask, at); }
    unsigned size() const { return (unsigned)__popc(mask); }
    unsigned num_threads() const { return size(); }
    unsigned thread_rank() const { return (unsigned)__popc(mask & ((1u << lane()) - 1)); }
    int any(int p, mlsys::Site at = mlsys::here()) const { return __any_sync(mask, p, at); }
    int all(int p, mlsys::Site at = mlsys::here()) const { return __all_sync(mask, p, at); }
    unsigned ballot(int p, mlsys::Site at = mlsys::here()) const { return packed(__ballot_sync(mask, p, at)); }
    template <class T> T shfl(T value, int rank, mlsys::Site at = mlsys::here()) const
    {
        return __shfl_sync(mask, value, (int)__fns(mask, 0, rank + 1), 32, at);
    }
    template <class T> unsigned match_any(T value, mlsys::Site at = mlsys::here()) const
    {
        return packed(__match_any_sync(mask, value, at));
    }

  protected:
    unsigned mask;
    static unsigned lane() { return thread_block::thread_rank() % 32; }
    unsigned packed(unsigned lanes) const
    {
        unsigned out = 0;
        for (unsigned i = 0, rank = 0; i < 32; i++)
            if (mask >> i & 1)
                out |= (lanes >> i & 1) << rank++;
        return out;
    }
};

using coalesced_group = warp_group;
inline coalesced_group coalesced_threads(mlsys::Site at = mlsys::here()) { return coalesced_group(__activemask(at)); }

template <unsigned N, class Parent = void> class thread_block_tile : public warp_group {
    static_assert(N > 0 && N <= 32 && (N & (N - 1)) == 0, "the emulation has tiles of 1, 2, 4, 8, 16 and 32 threads");

  public:
    thread_block_tile() : warp_group(N == 32 ? ~0u : ((1u << N % 32) - 1) << lane() / N * N) {}
    static constexpr unsigned size() { return N; }
    static constexpr unsigned num_threads() { return N; }
    static unsigned thread_rank() { return lane() % N; }
    static unsigned meta_group_rank() { return thread_block::thread_rank() / N; }
    static unsigned meta_group_size() { return (thread_block::size() + N - 1) / N; }
    unsigned ballot(int p, mlsys::Site at = mlsys::here()) const { return __ballot_sync(mask, p, at) >> lane() / N * N & tile; }
    template <class T> T shfl(T value, int rank, mlsys::Site at = mlsys::here()) const
    {
        return __shfl_sync(mask, value, rank, N, at);
    }
    template <class T> T shfl_up(T value, unsigned by, mlsys::Site at = mlsys::here()) const
    {
        return __shfl_up_sync(mask, value, by, N, at);
    }
    template <class T> T shfl_down(T value, unsigned by, mlsys::Site at = mlsys::here()) const
    {
        return __shfl_down_sync(mask, value, by, N, at);
    }
    template <class T> T shfl_xor(T value, int with, mlsys::Site at = mlsys::here()) const
    {
        return __shfl_xor_sync(mask, value, with, N, at);
    }

  private:
    static constexpr unsigned tile = N == 32 ? ~0u : (1u << N % 32) - 1;
};

template <unsigned N> inline thread_block_tile<N> tiled_partition(const thread_block &) { return {}; }
template <unsigned N, unsigned M, class P> inline thread_block_tile<N> tiled_partition(const thread_block_tile<M, P> &)
{
    static_assert(N <= M, "a tile is cut into smaller ones");
    return {};
}

template <class G> inline void sync(const G &group, mlsys::Site at = mlsys::here()) { group.sync(at); }

struct grid_group {
    template <class T = void> void sync() const
    {
        static_assert(sizeof(T *) == 0, "synchronisation of a whole grid cannot be emulated on a CPU");
    }
};
inline grid_group this_grid() { return {}; }

}  // namespace cooperative_groups
