// The whole runtime as one unit, so that an access is judged without a call more than needed. Its end begins the emulation:
// everything else is ready then.
#include "memory.cpp"

#include "races.cpp"

#include "access.cpp"
#include "async.cpp"
#include "atomics.cpp"
#include "counters.cpp"
#include "describe.cpp"
#include "device_info.cpp"
#include "fibre.cpp"
#include "graphs.cpp"
#include "hooks.cpp"
#include "host_memory.cpp"
#include "launches.cpp"
#include "report.cpp"
#include "schedule.cpp"
#include "stream_api.cpp"
#include "streams.cpp"
#include "warps.cpp"

#include "begin.cpp"
