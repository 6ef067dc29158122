#include "llvm/ADT/Twine.h"
#include "parts.h"

int four() { return 4 + (llvm::Twine("a") + "b").isTriviallyEmpty(); }
