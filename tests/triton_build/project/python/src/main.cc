#include "llvm-c/Core.h"
#include "mlir-c/IR.h"
#include "parts.h"
#include <pybind11/pybind11.h>
#include <string>

namespace {

// MLIR text read and written again: LLVM and MLIR both at work.
std::string roundtrip(const std::string &text) {
  MlirContext context = mlirContextCreate();
  mlirContextSetAllowUnregisteredDialects(context, true);
  MlirModule module =
      mlirModuleCreateParse(context, mlirStringRefCreate(text.data(), text.size()));
  std::string out;
  if (!mlirModuleIsNull(module)) {
    mlirOperationPrint(
        mlirModuleGetOperation(module),
        [](MlirStringRef piece, void *to) {
          static_cast<std::string *>(to)->append(piece.data, piece.length);
        },
        &out);
    mlirModuleDestroy(module);
  }
  mlirContextDestroy(context);
  return out;
}

std::string llvm_module(const std::string &name) {
  LLVMContextRef context = LLVMContextCreate();
  LLVMModuleRef module = LLVMModuleCreateWithNameInContext(name.c_str(), context);
  char *text = LLVMPrintModuleToString(module);
  std::string out = text;
  LLVMDisposeMessage(text);
  LLVMDisposeModule(module);
  LLVMContextDispose(context);
  return out;
}

} // namespace

PYBIND11_MODULE(liblittle, m) {
  m.def("roundtrip", &roundtrip);
  m.def("llvm_module", &llvm_module);
  m.def("sum", [] { return one() + two() + three() + four() + slow(); });
}
