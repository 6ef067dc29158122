// CUDA C++ for a CPU: the language's qualifiers and built-in functions, and the runtime's interface.
#pragma once

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "mlsys/qualifiers.h"

#include "mlsys/arithmetic.h"
#include "mlsys/memory.h"
#include "mlsys/threads.h"

#include "cuda_runtime_api.h"
