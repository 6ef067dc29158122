// A 2-D heat equation on a grid whose rows are spread over the ranks of a communicator.

#include <mpi.h>
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
    if (count == 0)
        return;
    // ranks without rows come last: whoever has the row below ours is the next rank
    int up = first > 0 ? rank - 1 : MPI_PROC_NULL;
    int down = first + count < rows ? rank + 1 : MPI_PROC_NULL;
    double *highest = u + cols, *lowest = u + (size_t)count * cols;

    enum { UPWARDS, DOWNWARDS };
    MPI_Sendrecv(highest, cols, MPI_DOUBLE, up, UPWARDS, lowest + cols, cols, MPI_DOUBLE, down, UPWARDS, comm,
                 MPI_STATUS_IGNORE);
    MPI_Sendrecv(lowest, cols, MPI_DOUBLE, down, DOWNWARDS, highest - cols, cols, MPI_DOUBLE, up, DOWNWARDS, comm,
                 MPI_STATUS_IGNORE);

    int top = first - 1;
    update(u, next, 1, count + 1, top, rows, cols, alpha);
}
