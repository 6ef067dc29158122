// Reductions over tiles.
#pragma once

#include "../cooperative_groups.h"

namespace cooperative_groups {

template <class T> struct plus {
    T operator()(T a, T b) const { return a + b; }
};
template <class T> struct less {
    T operator()(T a, T b) const { return b < a ? b : a; }
};
template <class T> struct greater {
    T operator()(T a, T b) const { return a < b ? b : a; }
};
template <class T> struct bit_and {
    T operator()(T a, T b) const { return a & b; }
};
template <class T> struct bit_or {
    T operator()(T a, T b) const { return a | b; }
};
template <class T> struct bit_xor {
    T operator()(T a, T b) const { return a ^ b; }
};

template <unsigned N, class P, class T, class Op>
inline T reduce(const thread_block_tile<N, P> &tile, T value, Op op, mlsys::Site at = mlsys::here())
{
    for (unsigned with = N / 2; with > 0; with /= 2)
        value = op(value, tile.shfl_xor(value, (int)with, at));
    return value;
}

}  // namespace cooperative_groups
