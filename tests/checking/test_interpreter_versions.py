"""Triton's interpreter of earlier versions, beside a numpy that converts arrays of one element no more."""

from __future__ import annotations

import importlib.util
from types import SimpleNamespace

import numpy as np
import pytest

from mlsys_path.locations import package_dir


@pytest.fixture(scope="module")
def quickening():
    # the worker's modules are no package: in the sandbox they import one another by bare names
    file = package_dir() / "checking" / "worker" / "quickening.py"
    spec = importlib.util.spec_from_file_location("quickening", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Scope:
    def set_attr(self, target, name, value):
        setattr(target, name, value)


@pytest.mark.parametrize("scopes", [(), (Scope(),)], ids=["3.5", "3.6"])
def test_a_number_of_a_kernel_is_an_index_whatever_its_shape(quickening, scopes):
    def refusing(tensor, *_scope):
        tensor.__index__ = lambda self: pytest.fail("the conversion that numpy 2.5 refuses")

    class Tensor:
        handle = SimpleNamespace(data=np.array([3]))

    interpreter = SimpleNamespace(_patch_lang_tensor=refusing)
    quickening._numbers_of_one_element(interpreter)
    interpreter._patch_lang_tensor(Tensor, *scopes)
    assert list(range(Tensor(), 5)) == [3, 4]
