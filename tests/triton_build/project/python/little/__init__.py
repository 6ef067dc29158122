"""The package: its native module, and a version that proves nothing."""

from ._C import liblittle

__version__ = "0.1.0"
roundtrip, llvm_module, sum = liblittle.roundtrip, liblittle.llvm_module, liblittle.sum
