// Prints where fragments.cuh says that things lie, as rows and columns: A, B and C by lane and value, the swizzle of 16
// rows of 8 pieces, and the rows that lanes name for ldmatrix, of A and of B.
#include <cstdio>

#include <cuda_runtime.h>

#include "fragments.cuh"

static void print(const char *what, int lane, int i, Place place)
{
    printf("%s %d %d %d %d\n", what, lane, i, place.row, place.column);
}

int main()
{
    for (int lane = 0; lane < 32; lane++) {
        for (int i = 0; i < 8; i++)
            print("a", lane, i, a_place(lane, i));
        for (int i = 0; i < 4; i++)
            print("b", lane, i, b_place(lane, i));
        for (int i = 0; i < 4; i++)
            print("c", lane, i, c_place(lane, i));
        print("a_row", lane, 0, a_row(lane));
        print("b_row", lane, 0, b_row(lane));
    }
    for (int row = 0; row < 64; row++)
        for (int piece = 0; piece < 8; piece++)
            printf("swizzled %d %d %d 0\n", row, piece, swizzled(row, piece));
    return 0;
}
