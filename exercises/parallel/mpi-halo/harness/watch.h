/* Watches one heat_step: how much of it was done when it first blocked, that is waited for another rank. */
#pragma once

/* where it blocked: nowhere, MPI_Wait*, a blocking send, a blocking receive, MPI_Sendrecv, a collective */
enum { NOWHERE, WAIT, SEND, RECEIVE, SENDRECV, COLLECTIVE };

void watch_begin(const double *next, int count, int cols);

/* seen: the points without halo that were done, their number, where it blocked; unchanged when nothing was watched */
void watch_end(double seen[3]);
