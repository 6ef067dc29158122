// The whole runtime as one unit, so that an access is judged without a call more than needed. The report comes last: it
// begins when everything else is ready.
#include "memory.cpp"

#include "races.cpp"

#include "access.cpp"
#include "atomics.cpp"
#include "counters.cpp"
#include "fibre.cpp"
#include "graphs.cpp"
#include "hooks.cpp"
#include "host_memory.cpp"
#include "launches.cpp"
#include "schedule.cpp"
#include "streams.cpp"
#include "warps.cpp"

#include "report.cpp"
