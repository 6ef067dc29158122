"""CUDA C++ on a CPU: the learner's sources rewritten to C++, compiled against our emulation, run, and reported on.

`cuda/` holds the headers that stand in for CUDA's, `runtime/` what runs the kernels and sees every access of theirs.
`docs/cuda-emulation.md` says what is emulated, what is seen, and what cannot be.
"""
