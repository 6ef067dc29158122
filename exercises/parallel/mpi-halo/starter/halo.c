// A 2-D heat equation on a grid whose rows are spread over the ranks of a communicator.

#include <mpi.h>

// The rows of `rank` are first, ..., first + count - 1. The first rows % ranks ranks have one row more than the others.
void split_rows(int rows, int ranks, int rank, int *first, int *count)
{
    (void)rows, (void)ranks, (void)rank;
    (void)first, (void)count;  // TODO: set both
}

// One step on a grid of rows x cols. u and next have count + 2 rows: rows 1 to count are this rank's, rows 0 and
// count + 1 of u are the halo, where the neighbours' nearest rows belong; they have yet to be fetched.
//
//   next = u + alpha * (above + below + left + right - 4 * u)
//
// The grid's first and last row and its first and last column keep their values.
void heat_step(double *u, double *next, int rows, int cols, double alpha, MPI_Comm comm)
{
    int rank, ranks;
    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &ranks);
    (void)u, (void)next, (void)rows, (void)cols, (void)alpha;
    // TODO: start the four messages, compute what needs no halo, wait, compute the rest
}
