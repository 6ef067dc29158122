// strength-reduce: multiplications by powers of two become shifts, as do unsigned divisions; remainders become masks.
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

// The constant that `value` is, where that is a power of two; in a tensor or vector each element is.
std::optional<APInt> powerOfTwo(Value value) {
    APInt constant;
    if (matchPattern(value, m_ConstantInt(&constant)) && constant.isPowerOf2()) return constant;
    return std::nullopt;
}

// A constant of a type, which may be shaped: then each element is `number`.
Value constantOf(PatternRewriter &rewriter, Location loc, Type type, const APInt &number) {
    TypedAttr value = rewriter.getIntegerAttr(getElementTypeOrSelf(type), number);
    if (auto shaped = dyn_cast<ShapedType>(type)) value = DenseElementsAttr::get(shaped, value);
    return arith::ConstantOp::create(rewriter, loc, value);
}

// `From %x, 2^k` becomes `To %x, amount(2^k)`.
template <typename From, typename To, APInt (*amount)(const APInt &)>
struct Reduce : OpRewritePattern<From> {
    using OpRewritePattern<From>::OpRewritePattern;

    LogicalResult matchAndRewrite(From op, PatternRewriter &rewriter) const override {
        std::optional<APInt> power = powerOfTwo(op.getRhs());
        if (!power) return rewriter.notifyMatchFailure(op, "the right operand is no constant power of two");
        Value right = constantOf(rewriter, op.getLoc(), op.getType(), amount(*power));
        Value reduced = To::create(rewriter, rewriter.getUnknownLoc(), op.getLhs(), right);
        rewriter.replaceOp(op, reduced);
        return success();
    }
};

APInt exponent(const APInt &power) { return APInt(power.getBitWidth(), power.logBase2()); }
APInt lowBits(const APInt &power) { return power - 1; }

// divsi and remsi are left alone: they round towards zero, and an arithmetic shift rounds down.
using MulToShift = Reduce<arith::MulIOp, arith::ShLIOp, exponent>;
using DivToShift = Reduce<arith::DivUIOp, arith::ShRUIOp, exponent>;
using RemToMask = Reduce<arith::RemUIOp, arith::AndIOp, lowBits>;

// On any operation: Triton's functions are tt.func, and a GPU's are gpu.func.
struct StrengthReduce : PassWrapper<StrengthReduce, OperationPass<>> {
    MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(StrengthReduce)

    StrengthReduce() = default;
    // each thread gets a copy of the pass; options are no plain members, and are copied by the base class
    StrengthReduce(const StrengthReduce &other) : PassWrapper(other) {}

    StringRef getArgument() const final { return "strength-reduce"; }
    StringRef getDescription() const final { return "Turn arithmetic on powers of two into shifts and masks"; }

    void getDependentDialects(DialectRegistry &registry) const final { registry.insert<arith::ArithDialect>(); }

    void runOnOperation() final {
        RewritePatternSet patterns(&getContext());
        patterns.add<DivToShift, RemToMask>(&getContext());
        // the driver moves the constant of a commutative operation to the right before it asks a pattern
        if (!keepMul) patterns.add<MulToShift>(&getContext());
        if (failed(applyPatternsGreedily(getOperation(), std::move(patterns)))) signalPassFailure();
    }

    Option<bool> keepMul{*this, "keep-mul", llvm::cl::desc("Leave multiplications alone"), llvm::cl::init(false)};
};

}  // namespace

extern "C" LLVM_ATTRIBUTE_WEAK PassPluginLibraryInfo mlirGetPassPluginInfo() {
    return {MLIR_PLUGIN_API_VERSION, "strength", LLVM_VERSION_STRING, [] { PassRegistration<StrengthReduce>(); }};
}
