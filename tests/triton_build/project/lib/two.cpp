#include "llvm/ADT/Twine.h"
#include "parts.h"

int two() { return 2 + (llvm::Twine("a") + "b").isTriviallyEmpty(); }
