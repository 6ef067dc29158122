// y[i] = alpha * x[i] + y[i] for the indices of the launch below `stop`.
// REAL is float or double, given when the program is built: -D REAL=float.

kernel void saxpy(REAL alpha, global const REAL *x, global REAL *y, ulong stop)
{
    size_t i = get_global_id(0);  // counts from the launch's global offset
    if (i < stop)                 // the last work-group may reach beyond the end
        y[i] = alpha * x[i] + y[i];
}
