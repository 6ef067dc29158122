// strength-reduce: a pass of your own, in a library that mlir-opt loads.
#include "llvm/Config/llvm-config.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Tools/Plugins/PassPlugin.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace {

// A pattern: it looks at one operation, and either replaces it or says that it does not match.
struct MulToShift : OpRewritePattern<arith::MulIOp> {
    using OpRewritePattern::OpRewritePattern;

    LogicalResult matchAndRewrite(arith::MulIOp op, PatternRewriter &rewriter) const override {
        // Is op.getRhs() a constant, and a power of two? `matchPattern(value, m_ConstantInt(&apint))` tells.
        // Then make the constant of the shift, and rewriter.replaceOpWithNewOp<arith::ShLIOp>(op, …).
        (void)op;
        (void)rewriter;
        return failure();
    }
};

// The pass: it is given an operation, a function say, and changes what is inside.
struct StrengthReduce : PassWrapper<StrengthReduce, OperationPass<>> {
    MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(StrengthReduce)

    StringRef getArgument() const final { return "strength-reduce"; }  // its name in a pipeline
    StringRef getDescription() const final { return "Turn arithmetic on powers of two into shifts and masks"; }

    void runOnOperation() final {
        // Put the patterns into a RewritePatternSet, and let applyPatternsGreedily work until nothing changes.
    }
};

}  // namespace

// What mlir-opt looks for in a library that is given to --load-pass-plugin. The last member is called once, and is the
// place to register the pass: PassRegistration<…>().
extern "C" LLVM_ATTRIBUTE_WEAK PassPluginLibraryInfo mlirGetPassPluginInfo() {
    return {MLIR_PLUGIN_API_VERSION, "strength", LLVM_VERSION_STRING, [] {}};
}
