// Where things lie: elements of a product in the registers of a warp, and pieces of a row in shared memory.
#pragma once

struct Place {
    int row, column;
};

// ---- mma.sync m16n8k16: C (16 x 8) += A (16 x 16) B (16 x 8), by the 32 lanes of a warp ----------------------

// The element of A whose value the i-th of a lane's eight halves has. Two halves make one register.
__host__ __device__ inline Place a_place(int lane, int i)
{
    return {0, 0};  // TODO: four squares of 8 x 8, one a register
}

// The element of B, row along K and column along N, that the i-th of a lane's four halves is.
__host__ __device__ inline Place b_place(int lane, int i)
{
    return {0, 0};  // TODO
}

// The element of C that the i-th of a lane's four floats is.
__host__ __device__ inline Place c_place(int lane, int i)
{
    return {0, 0};  // TODO: begin here
}

// ---- shared memory: tiles whose rows are 64 halves, eight pieces of 16 bytes ----------------------------------

// The position in its row at which piece `piece` of row `row` is kept, so that eight rows that follow each other have the
// same piece at eight different positions.
__host__ __device__ inline int swizzled(int row, int piece)
{
    return piece;  // TODO
}

// ldmatrix .x4 brings four matrices of 8 rows of 16 bytes: lane 8 j + r names row r of matrix j, and register j of all
// lanes holds matrix j. Below: the row of the tile, and the piece (as its column), that a lane names.

// So that registers 0 to 3 are the fragment of a 16 x 16 part of A, whose rows lie along K.
__host__ __device__ inline Place a_row(int lane)
{
    return {0, 0};  // TODO
}

// So that registers 0 and 1 are the fragment of columns 0 to 7 of B, and registers 2 and 3 that of columns 8 to 15. The
// tile's rows are the columns of B: they lie along K as well.
__host__ __device__ inline Place b_row(int lane)
{
    return {0, 0};  // TODO
}
