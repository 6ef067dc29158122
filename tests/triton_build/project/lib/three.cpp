#include "llvm/ADT/Twine.h"
#include "parts.h"

int three() { return 3 + (llvm::Twine("a") + "b").isTriviallyEmpty(); }
