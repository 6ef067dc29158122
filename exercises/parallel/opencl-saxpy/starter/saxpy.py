"""alpha * x + y on an OpenCL device."""

from pathlib import Path

import numpy as np
import pyopencl as cl

KERNEL = Path(__file__).with_name("saxpy.cl")
REAL = {"float32": "float", "float64": "double"}  # numpy's name of a type -> OpenCL's


class BuildError(Exception):
    """A kernel does not build; the message has the compiler's words."""


def devices():
    """What there is to compute on: a dict for each device of each platform.

    name (str), compute_units, work_group (the most work-items in one), memory (bytes): int; double: bool.
    """
    raise NotImplementedError("write devices(): cl.get_platforms(), get_devices(), five attributes of each device")


class Saxpy:
    """Computes alpha * x + y for arrays of one dtype; builds its program once."""

    def __init__(self, dtype="float32", source=None):
        """`source` is OpenCL C with a kernel `saxpy`; the text of saxpy.cl when it is None."""
        self.dtype = np.dtype(dtype)
        raise NotImplementedError("write Saxpy(): device, context, queue, program, kernel")

    def __call__(self, alpha, x, y, start=0, stop=None):
        """A new array: alpha * x + y for the indices start, ..., stop - 1, and y elsewhere.

        Raises ValueError when dtypes or lengths do not fit, or the range is not in the arrays.
        """
        raise NotImplementedError("write Saxpy.__call__(): buffers, launch, copy back")
