/* Runs the learner's step on grids that arrive on the standard input of process 0, and writes the results there.
 *
 *   split ROWS RANKS
 *       is answered by a line "first count" for each rank
 *   solve ROWS COLS STEPS ALPHA RANKS R0 R1 ... R7, and the numbers of the grid
 *       Process p has rank Rp in the communicator of this problem (-1: it takes no part, or is not there).
 *       Answered by the new grid, a line for each row, and for each rank by a line of three numbers: of the points
 *       that need no halo, how many were done when the last step first blocked, how many there are, and where it
 *       blocked (watch.h).
 *   end
 */
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "watch.h"

void split_rows(int rows, int ranks, int rank, int *first, int *count);
void heat_step(double *u, double *next, int rows, int cols, double alpha, MPI_Comm comm);

enum { END, SPLIT, SOLVE };
enum { PROCESSES = 8, GUARD = 64 };

struct request {
    int kind, rows, cols, steps, ranks;
    int rank_of[PROCESSES];
    double alpha;
};

static int me;

static void stop(const char *why)
{
    fprintf(stderr, "halo: %s\n", why);
    fflush(stderr);
    MPI_Abort(MPI_COMM_WORLD, 3);
}

static struct request read_request(void)
{
    struct request r = {.kind = END};
    char word[16];
    int complete = scanf("%15s", word) == 1;
    if (strcmp(word, "split") == 0) {
        r.kind = SPLIT;
        complete = scanf("%d %d", &r.rows, &r.ranks) == 2;
    } else if (strcmp(word, "solve") == 0) {
        r.kind = SOLVE;
        complete = scanf("%d %d %d %lf %d", &r.rows, &r.cols, &r.steps, &r.alpha, &r.ranks) == 5;
        for (int p = 0; p < PROCESSES; p++)
            complete &= scanf("%d", &r.rank_of[p]) == 1;
    }
    if (!complete)
        stop("the input ended early");
    return r;
}

static double *read_grid(size_t size)
{
    double *grid = malloc(sizeof(double) * size);
    for (size_t i = 0; i < size; i++)
        if (scanf("%lf", &grid[i]) != 1)
            stop("the input ended early");
    return grid;
}

/* A local grid between two guards; everything in it is NaN. */
static double *make_grid(size_t size)
{
    double *block = malloc(sizeof(double) * (size + 2 * GUARD));
    for (size_t i = 0; i < size + 2 * GUARD; i++)
        block[i] = i < GUARD || i >= size + GUARD ? 1e300 : NAN;
    return block + GUARD;
}

static void free_grid(double *grid, size_t size)
{
    for (size_t i = 0; i < GUARD; i++)
        if (grid[-1 - (long)i] != 1e300 || grid[size + i] != 1e300)
            stop("heat_step() wrote outside of the count + 2 rows of u or next");
    free(grid - GUARD);
}

static void fill_nan(double *to, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = NAN;
}

static void part_of(const struct request *r, int rank, int *first, int *count)
{
    *first = *count = -1;
    split_rows(r->rows, r->ranks, rank, first, count);
    if (*first < 0 || *count < 0 || *first + *count > r->rows)
        stop("split_rows() gave rows that the grid does not have");
}

static void answer_split(const struct request *r)
{
    for (int rank = 0; rank < r->ranks; rank++) {
        int first = -1, count = -1;
        split_rows(r->rows, r->ranks, rank, &first, &count);
        printf("%d %d\n", first, count);
    }
}

static size_t bytes_of(const struct request *r, int rows) { return sizeof(double) * (size_t)rows * (size_t)r->cols; }

/* Give each process its rows of the grid, from process 0, which need not take part. */
static void scatter(const struct request *r, const double *grid, double *mine, int count)
{
    if (me != 0) {
        MPI_Recv(mine, count * r->cols, MPI_DOUBLE, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        return;
    }
    for (int p = 0; p < PROCESSES; p++) {
        int first, theirs;
        if (r->rank_of[p] < 0)
            continue;
        part_of(r, r->rank_of[p], &first, &theirs);
        const double *rows = grid + (size_t)first * (size_t)r->cols;
        if (p)
            MPI_Send(rows, theirs * r->cols, MPI_DOUBLE, p, 0, MPI_COMM_WORLD);
        else
            memcpy(mine, rows, bytes_of(r, theirs));
    }
}

/* Bring the rows, and what was seen of the last step, to process 0, which prints them. */
static void gather(const struct request *r, double *grid, const double *mine, int count, const double seen[3])
{
    if (me != 0) {
        MPI_Send(mine, count * r->cols, MPI_DOUBLE, 0, 0, MPI_COMM_WORLD);
        MPI_Send(seen, 3, MPI_DOUBLE, 0, 0, MPI_COMM_WORLD);
        return;
    }
    double all[PROCESSES][3] = {0};
    for (int p = 0; p < PROCESSES; p++) {
        int rank = r->rank_of[p], first, theirs;
        if (rank < 0)
            continue;
        part_of(r, rank, &first, &theirs);
        double *rows = grid + (size_t)first * (size_t)r->cols;
        if (p) {
            MPI_Recv(rows, theirs * r->cols, MPI_DOUBLE, p, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
            MPI_Recv(all[rank], 3, MPI_DOUBLE, p, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        } else {
            memcpy(rows, mine, bytes_of(r, theirs));
            memcpy(all[rank], seen, sizeof all[rank]);
        }
    }
    for (int i = 0; i < r->rows; i++)
        for (int j = 0; j < r->cols; j++)
            printf("%.17g%c", grid[(size_t)i * (size_t)r->cols + (size_t)j], j < r->cols - 1 ? ' ' : '\n');
    for (int rank = 0; rank < r->ranks; rank++)
        printf("%g %g %g\n", all[rank][0], all[rank][1], all[rank][2]);
}

static void solve(const struct request *r, double *grid, MPI_Comm comm)
{
    int first = 0, count = 0;
    if (comm != MPI_COMM_NULL)
        part_of(r, r->rank_of[me], &first, &count);
    size_t width = (size_t)r->cols, size = (size_t)(count + 2) * width;
    double *u = make_grid(size), *next = make_grid(size);
    double seen[3] = {0};
    if (me == 0 || comm != MPI_COMM_NULL)
        scatter(r, grid, u + width, count);
    for (int step = 0; step < r->steps && comm != MPI_COMM_NULL; step++) {
        fill_nan(u, width);  // an old halo must not pass for a new one
        fill_nan(u + (size_t)(count + 1) * width, width);
        fill_nan(next, size);
        if (step == r->steps - 1)
            watch_begin(next, count, r->cols);
        heat_step(u, next, r->rows, r->cols, r->alpha, comm);
        watch_end(seen);
        double *old = u;
        u = next;
        next = old;
    }
    if (me == 0 || comm != MPI_COMM_NULL)
        gather(r, grid, u + width, count, seen);
    free_grid(u, size);
    free_grid(next, size);
}

int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &me);
    for (;;) {
        struct request r;
        if (me == 0)
            r = read_request();
        MPI_Bcast(&r, sizeof r, MPI_BYTE, 0, MPI_COMM_WORLD);
        if (r.kind == END)
            break;
        if (r.kind == SPLIT) {
            if (me == 0)
                answer_split(&r);
            continue;
        }
        double *grid = me == 0 ? read_grid((size_t)r.rows * (size_t)r.cols) : NULL;
        MPI_Comm comm;
        int rank = r.rank_of[me];
        MPI_Comm_split(MPI_COMM_WORLD, rank < 0 ? MPI_UNDEFINED : 0, rank, &comm);
        solve(&r, grid, comm);
        if (comm != MPI_COMM_NULL)
            MPI_Comm_free(&comm);
        free(grid);
    }
    fflush(stdout);
    MPI_Finalize();
    return 0;
}
