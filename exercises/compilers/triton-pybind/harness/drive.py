"""Uses libtoy as a program in Python would, and reports what it saw. It judges nothing."""

import ctypes
import gc
import sys
import threading

import libtoy
import numpy as np

KINDS = ("Context", "Module", "Operation", "Tensor", "Pipeline")
_library = ctypes.CDLL(libtoy.__file__)
_library.toy_living.restype = _library.toy_ended_twice.restype = ctypes.c_long


def living():
    """How many objects of each kind the library counts as alive."""
    return {kind: _library.toy_living(kind.encode()) for kind in KINDS}


def ended_twice():
    """How many objects of each kind were destroyed twice, ever."""
    return {kind: _library.toy_ended_twice(kind.encode()) for kind in KINDS}


def since(before):
    """What lives more than before."""
    return {kind: now - before[kind] for kind, now in living().items()}


def parsed(names, context):
    return libtoy.ir.parse("\n".join(names), context)


# --- what there is


def names():
    found = {}
    for part in ("ir", "passes"):
        module = getattr(libtoy, part, None)
        public = [name for name in dir(module) if not name.startswith("_")] if module is not None else []
        found[part] = (type(module).__name__, getattr(module, "__name__", ""), public)
    return found


def read(names):
    context = libtoy.ir.context()
    module = parsed(names, context)
    by_index, by_loop = [module[i] for i in range(len(module))], list(module)
    return len(module), [op.name for op in by_index], [op.name for op in by_loop], str(module)


def build(names):
    context = libtoy.ir.context()
    module = libtoy.ir.module(context)
    builder = libtoy.ir.builder(module)
    made = [builder.create(name).name for name in names]
    return made, str(module), module.context is context


# --- errors


def error_of(function):
    """The classes and the text of what a call raises."""
    try:
        function()
    except BaseException as error:
        return (
            [cls.__name__ for cls in type(error).__mro__],
            str(error),
            type(error) is getattr(libtoy.ir, "ParseError", None),
        )
    return [], "", False


def parse_error(text):
    return error_of(lambda: libtoy.ir.parse(text, libtoy.ir.context()))


def index_error(names, at):
    context = libtoy.ir.context()
    module = parsed(names, context)
    return error_of(lambda: module[at])


def name_error(names):
    context = libtoy.ir.context()
    module = parsed(names, context)
    op = module[0]
    return error_of(lambda: setattr(op, "name", ""))


# --- whose are the operations


def rename(names, at, new):
    context = libtoy.ir.context()
    module = parsed(names, context)
    op = module[at]
    op.name = new
    return str(module), module[at] is op, op.module is module, op.tensor is None, ended_twice()


def operation_alone(names, at):
    context = libtoy.ir.context()
    op = parsed(names, context)[at]
    gc.collect()
    return op.name, len(op.module), str(op.module)


def module_alone(names, how):
    if how == "parsed":
        module = parsed(names, libtoy.ir.context())
    else:
        module = libtoy.ir.module(libtoy.ir.context())
        builder = libtoy.ir.builder(module)
        for name in names:
            builder.create(name)
    gc.collect()
    return str(module)


def builder_alone(names):
    builder = libtoy.ir.builder(libtoy.ir.module(libtoy.ir.context()))
    gc.collect()
    ops = [builder.create(name) for name in names]
    del builder
    gc.collect()
    return [op.name for op in ops], str(ops[-1].module)


def many(modules, names):
    """Make modules with all that belongs to them, look, and let go of everything."""
    before = living()
    context = libtoy.ir.context()
    kept = []
    for _ in range(modules):
        module = libtoy.ir.parse("\n".join(names), context)
        builder = libtoy.ir.builder(module)
        constant = builder.constant(np.ones((2, 2), np.float32))
        kept += [module, list(module), builder, constant, constant.tensor, constant.module, module.context]
    during = since(before)
    del kept, module, builder, constant, context
    gc.collect()
    return during, since(before), ended_twice()


# --- numbers


def view(array, row, column, value):
    """Look at a constant through numpy, write into it, let go of all else, and look again."""
    module = libtoy.ir.module(libtoy.ir.context())
    constant = libtoy.ir.builder(module).constant(array)
    first, second = np.asarray(constant.tensor), np.asarray(constant.tensor)
    shape, before = constant.tensor.shape, first.copy()
    first[row, column] = value
    shared = np.shares_memory(first, second)
    seen = second.copy()
    del module, constant, second
    gc.collect()
    return tuple(shape), str(first.dtype), before, shared, seen, np.array(first)


def accepts(array, layout):
    """A constant of the same numbers that lie otherwise in memory, or are of another type."""
    given = {
        "float32": lambda: np.ascontiguousarray(array),
        "column by column": lambda: np.asfortranarray(array),
        "a transposed view": lambda: np.ascontiguousarray(array.T).T,
        "every second row": lambda: np.repeat(array, 2, axis=0)[::2],
        "rows backwards": lambda: np.ascontiguousarray(array[::-1])[::-1],
        "float64": lambda: array.astype(np.float64),
        "int64": lambda: array.astype(np.int64),
        "nested lists": lambda: array.tolist(),
    }[layout]()
    module = libtoy.ir.module(libtoy.ir.context())
    constant = libtoy.ir.builder(module).constant(given)
    return np.array(constant.tensor), str(module)


def refuses(array):
    module = libtoy.ir.module(libtoy.ir.context())
    return error_of(lambda: libtoy.ir.builder(module).constant(array))


# --- passes


def run_passes(names, suffixes):
    """Each pass gives every operation a longer name."""
    context = libtoy.ir.context()
    module = parsed(names, context)
    pipeline = libtoy.passes.pipeline()
    seen = []
    for suffix in suffixes:

        def body(given, suffix=suffix):
            seen.append((given is module, threading.get_ident() != threading.main_thread().ident))
            for op in given:
                op.name = op.name + suffix

        pipeline.add(f"append {suffix}", body)
    pipeline.run(module)
    return [op.name for op in module], seen


class Unusual(Exception):
    """An exception that no library of C++ knows."""


def failing_pass(names, at, number):
    """A pass that raises at one operation: what comes out of run, and how far it got."""
    context = libtoy.ir.context()
    module = parsed(names, context)
    pipeline = libtoy.passes.pipeline()
    raised = Unusual(number)
    visited = []

    def body(given):
        for i, op in enumerate(given):
            visited.append(op.name)
            if i == at:
                raise raised

    pipeline.add("fails", body)
    pipeline.add("never reached", lambda given: visited.append("reached"))
    try:
        pipeline.run(module)
    except BaseException as error:
        return type(error).__name__, str(error), error is raised, visited
    return "", "", False, visited


def functions_of(pipelines, count):
    """References to a function that passes hold: before, while pipelines hold it, and after."""

    def body(_):
        pass

    before = sys.getrefcount(body)
    kept = []
    context = libtoy.ir.context()
    for _ in range(pipelines):
        pipeline = libtoy.passes.pipeline()
        for number in range(count):
            pipeline.add(str(number), body)
        pipeline.run(parsed(["add"], context))
        kept.append(pipeline)
    during = sys.getrefcount(body) - before
    del kept, pipeline
    gc.collect()
    return during, sys.getrefcount(body) - before
