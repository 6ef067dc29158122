"""Launches the learner's kernel by itself, and reports what came of a call's arguments."""

import functools
from pathlib import Path

import numpy as np
import pyopencl as cl
import saxpy


def facts():
    """The raw answers of every device to five questions."""
    return [
        [d.name, d.max_compute_units, d.max_work_group_size, d.global_mem_size, d.double_fp_config]
        for platform in cl.get_platforms()
        for d in platform.get_devices()
    ]


@functools.cache
def context():
    """A context that stays: PoCL unloads its compiler with the last one, and needs a second to load it again."""
    return cl.Context([cl.get_platforms()[0].get_devices()[0]])


def launch(alpha, x, y, start, stop, size, group):
    """All of y after a launch of saxpy.cl on `size` work-items in groups of `group`, counted from `start`."""
    queue = cl.CommandQueue(context())
    source = Path(saxpy.__file__).with_name("saxpy.cl").read_text()
    real = {"float32": "float", "float64": "double"}[x.dtype.name]
    kernel = cl.Kernel(cl.Program(context(), source).build(f"-D REAL={real}"), "saxpy")
    flags = cl.mem_flags.READ_WRITE | cl.mem_flags.COPY_HOST_PTR
    buffers = [cl.Buffer(context(), flags, hostbuf=np.ascontiguousarray(a)) for a in (x, y)]
    kernel(queue, (size,), (group,), x.dtype.type(alpha), *buffers, np.uint64(stop), global_offset=(start,))
    out = np.empty_like(y)
    cl.enqueue_copy(queue, out, buffers[1])
    return out


def call(compute, alpha, x, y):
    """What a Saxpy returned, what x and y hold after the call, and whether the result shares memory with them."""
    result = compute(alpha, x, y)
    return result, x, y, bool(np.shares_memory(result, x) or np.shares_memory(result, y))
