/* A program may put a function of its own before each of MPI's, which is there under the name PMPI_... too. */
#include "watch.h"

#include <math.h>
#include <mpi.h>

static const double *next;
static int watching, count, cols, where;

static double possible(void) { return count > 2 && cols > 2 ? (double)(count - 2) * (cols - 2) : 0; }

static double done;

static void blocks_in(int call)
{
    if (!watching || where != NOWHERE)
        return;
    where = call;
    for (int i = 2; i < count; i++)
        for (int j = 1; j < cols - 1; j++)
            done += !isnan(next[(long)i * cols + j]);
}

void watch_begin(const double *grid, int rows, int width)
{
    watching = 1, where = NOWHERE, done = 0;
    next = grid, count = rows, cols = width;
}

void watch_end(double seen[3])
{
    if (!watching)
        return;
    watching = 0;
    seen[0] = where == NOWHERE ? possible() : done;
    seen[1] = possible();
    seen[2] = where;
}

int MPI_Wait(MPI_Request *r, MPI_Status *s) { return blocks_in(WAIT), PMPI_Wait(r, s); }

int MPI_Waitall(int n, MPI_Request r[], MPI_Status s[]) { return blocks_in(WAIT), PMPI_Waitall(n, r, s); }

int MPI_Waitany(int n, MPI_Request r[], int *i, MPI_Status *s) { return blocks_in(WAIT), PMPI_Waitany(n, r, i, s); }

int MPI_Waitsome(int n, MPI_Request r[], int *m, int i[], MPI_Status s[])
{
    return blocks_in(WAIT), PMPI_Waitsome(n, r, m, i, s);
}

int MPI_Send(const void *b, int n, MPI_Datatype t, int to, int tag, MPI_Comm c)
{
    return blocks_in(SEND), PMPI_Send(b, n, t, to, tag, c);
}

int MPI_Ssend(const void *b, int n, MPI_Datatype t, int to, int tag, MPI_Comm c)
{
    return blocks_in(SEND), PMPI_Ssend(b, n, t, to, tag, c);
}

int MPI_Recv(void *b, int n, MPI_Datatype t, int from, int tag, MPI_Comm c, MPI_Status *s)
{
    return blocks_in(RECEIVE), PMPI_Recv(b, n, t, from, tag, c, s);
}

int MPI_Sendrecv(const void *b, int n, MPI_Datatype t, int to, int tag, void *b2, int n2, MPI_Datatype t2, int from,
                 int tag2, MPI_Comm c, MPI_Status *s)
{
    return blocks_in(SENDRECV), PMPI_Sendrecv(b, n, t, to, tag, b2, n2, t2, from, tag2, c, s);
}

int MPI_Barrier(MPI_Comm c) { return blocks_in(COLLECTIVE), PMPI_Barrier(c); }

int MPI_Allgather(const void *b, int n, MPI_Datatype t, void *b2, int n2, MPI_Datatype t2, MPI_Comm c)
{
    return blocks_in(COLLECTIVE), PMPI_Allgather(b, n, t, b2, n2, t2, c);
}

int MPI_Allgatherv(const void *b, int n, MPI_Datatype t, void *b2, const int n2[], const int at[], MPI_Datatype t2,
                   MPI_Comm c)
{
    return blocks_in(COLLECTIVE), PMPI_Allgatherv(b, n, t, b2, n2, at, t2, c);
}
