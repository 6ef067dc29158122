// A 2-D heat equation on a grid whose rows are spread over the ranks of a communicator.

#include <mpi.h>
#include <stdlib.h>
#include <string.h>

// The rows of `rank` are first, ..., first + count - 1. The first rows % ranks ranks have one row more than the others.
void split_rows(int rows, int ranks, int rank, int *first, int *count)
{
    int each = rows / ranks, extra = rows % ranks;
    *count = each + (rank < extra);
    *first = rank * each + (rank < extra ? rank : extra);
}

// Rows i, ..., end - 1 of next. Row i of this rank is row `top` + i of the grid, whose edges stay as they are.
static void update(const double *u, double *next, int i, int end, int top, int rows, int cols, double alpha)
{
    for (; i < end; i++) {
        const double *row = u + (size_t)i * cols, *above = row - cols, *below = row + cols;
        double *to = next + (size_t)i * cols;
        memcpy(to, row, sizeof(double) * cols);
        if (top + i == 0 || top + i == rows - 1)
            continue;
        for (int j = 1; j < cols - 1; j++)
            to[j] += alpha * (above[j] + below[j] + row[j - 1] + row[j + 1] - 4 * row[j]);
    }
}

// One step on a grid of rows x cols. u and next have count + 2 rows: rows 1 to count are this rank's, rows 0 and
// count + 1 of u are the halo, where the neighbours' nearest rows belong; they have yet to be fetched.
void heat_step(double *u, double *next, int rows, int cols, double alpha, MPI_Comm comm)
{
    int rank, ranks, first, count;
    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &ranks);
    split_rows(rows, ranks, rank, &first, &count);
    double *grid = malloc(sizeof(double) * (size_t)(rows + 2) * cols);
    int *counts = malloc(sizeof(int) * ranks), *firsts = malloc(sizeof(int) * ranks);
    for (int r = 0; r < ranks; r++) {
        split_rows(rows, ranks, r, &firsts[r], &counts[r]);
        firsts[r] *= cols;
        counts[r] *= cols;
    }
    MPI_Allgatherv(u + cols, count * cols, MPI_DOUBLE, grid + cols, counts, firsts, MPI_DOUBLE, comm);
    // the rows around ours are all there
    update(grid + (size_t)first * cols, next, 1, count + 1, first - 1, rows, cols, alpha);
    free(grid);
    free(counts);
    free(firsts);
}
