// The instructions of this exercise, given: on a GPU they are one line of PTX each (instructions_ptx.cuh), on a CPU a
// program that does the same and is watched (instructions_emulated.cuh).
//
//     Shared                             an address in shared memory, counted in bytes: `tile + row * 128` is one too
//     Shared shared_address(pointer)
//
//     Copies copies;                     a thread's asynchronous copies from global to shared memory
//     copies.start(to, from, exists)     16 bytes, both addresses multiples of 16; zeros when `exists` is false, and then
//                                        `from` is not read. `to` must not be used before the copy was waited for
//     copies.commit()                    what was started since the last commit is a group, even if it is nothing
//     copies.wait<left>()                until all groups but the newest `left` have arrived: those of this thread
//
//     load_matrices(registers, row)      ldmatrix .x4, by a whole warp: four matrices of 8 rows of 8 halves. Lane 8 j + r
//                                        gives the address of row r of matrix j; register j of lane l gets the halves
//                                        2 (l % 4) and 2 (l % 4) + 1 of row l / 4 of matrix j
//     multiply(c, a, b0, b1)             mma.sync m16n8k16, by a whole warp: c += a b, in float32
#pragma once

#ifdef MLSYS_PATH_EMULATED
#define INSTRUCTIONS "instructions_emulated.cuh"
#else
#define INSTRUCTIONS "instructions_ptx.cuh"
#endif
#include INSTRUCTIONS
