#include "llvm/ADT/Twine.h"
#include "parts.h"

int one() { return 1 + (llvm::Twine("a") + "b").isTriviallyEmpty(); }
