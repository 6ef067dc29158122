"""alpha * x + y on an OpenCL device."""

from pathlib import Path

import numpy as np
import pyopencl as cl

KERNEL = Path(__file__).with_name("saxpy.cl")
REAL = {"float32": "float", "float64": "double"}  # numpy's name of a type -> OpenCL's


class BuildError(Exception):
    """A kernel does not build; the message has the compiler's words."""


def devices():
    """What there is to compute on: a dict for each device of each platform."""
    return [
        {
            "name": device.name,
            "compute_units": device.max_compute_units,
            "work_group": device.max_work_group_size,  # the most work-items in one work-group
            "memory": device.global_mem_size,  # bytes
            "double": device.double_fp_config != 0,
        }
        for platform in cl.get_platforms()
        for device in platform.get_devices()
    ]


class Saxpy:
    """Computes alpha * x + y for arrays of one dtype; builds its program once."""

    def __init__(self, dtype="float32", source=None):
        self.dtype = np.dtype(dtype)
        device = cl.get_platforms()[0].get_devices()[0]
        self.context = cl.Context([device])
        self.queue = cl.CommandQueue(self.context)
        self.group = min(64, device.max_work_group_size)
        try:
            program = cl.Program(self.context, source or KERNEL.read_text()).build(f"-D REAL={REAL[dtype]}")
        except cl.RuntimeError as error:
            raise BuildError(str(error)) from None
        self.kernel = cl.Kernel(program, "saxpy")

    def __call__(self, alpha, x, y, start=0, stop=None):
        """A new array: alpha * x + y for the indices start, ..., stop - 1, and y elsewhere."""
        stop = len(y) if stop is None else stop
        if x.dtype != self.dtype or y.dtype != self.dtype:
            raise ValueError(f"x and y should be {self.dtype}, not {x.dtype} and {y.dtype}")
        if x.shape != y.shape or not 0 <= start <= stop <= len(y):
            raise ValueError(f"range {start} to {stop} of arrays of {x.shape} and {y.shape}")
        result = np.array(y, order="C")
        if start == stop:
            return result  # neither a buffer nor a launch may be empty

        READ, WRITE, COPY = cl.mem_flags.READ_ONLY, cl.mem_flags.READ_WRITE, cl.mem_flags.COPY_HOST_PTR
        x_buffer = cl.Buffer(self.context, READ | COPY, hostbuf=np.ascontiguousarray(x))
        y_buffer = cl.Buffer(self.context, WRITE | COPY, hostbuf=result)
        groups = -(-(stop - start) // self.group)  # rounded up
        self.kernel(
            self.queue,
            (groups * self.group,),  # work-items in all
            (self.group,),  # ... and in each work-group
            self.dtype.type(alpha),
            x_buffer,
            y_buffer,
            np.uint64(stop),
            global_offset=(start,),
        )
        cl.enqueue_copy(self.queue, result, y_buffer)  # waits until it is done
        return result
