// Operations that the lanes of a warp do together.
#pragma once

#include "machine.h"

namespace mlsys {

// Carry out those calls whose lanes have all come, and let these lanes go on.
void resolve_warp_calls(Warp &warp);

// Nobody can go on, and somebody waits for lanes that do not come.
[[noreturn]] void fail_warp_calls(Block &block);

}  // namespace mlsys
