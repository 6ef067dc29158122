"""What crosses between checker and sandbox arrives exactly, or is refused."""

from __future__ import annotations

import math
import socket
import struct
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys_path.checking.worker.wire import (
    HEADER,
    Channel,
    ChannelClosed,
    Decoder,
    Encoder,
    ProtocolError,
    Timeout,
)

torch = pytest.importorskip("torch")


def refuse(value):
    raise TypeError(type(value).__name__)


def there_and_back(value, *, strided=True):
    encoder = Encoder(refuse, strided=strided)
    document = encoder.encode(value)
    left, right = socket.socketpair()
    with left, right:
        Channel(left).send(document, encoder.blob())
        received, blob, _ = Channel(right).receive(time.monotonic() + 10)
    return Decoder(blob, refuse).decode(received)


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.complex_numbers(allow_nan=False)
    | st.text(st.characters())
    | st.binary()
)
keys = st.integers() | st.text() | st.booleans() | st.none()
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(keys, inner, max_size=4)
        | st.sets(st.integers(), max_size=4)
        | st.frozensets(st.text(), max_size=4)
    ),
    max_leaves=12,
)


def same(a, b):
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return (a == b and math.copysign(1, a) == math.copysign(1, b)) or (math.isnan(a) and math.isnan(b))
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    return a == b


@given(values)
def test_plain_values_arrive_with_their_types(value):
    assert same(there_and_back(value), value)


@given(
    st.sampled_from(
        [
            torch.float32,
            torch.float16,
            torch.bfloat16,
            torch.float64,
            torch.int8,
            torch.int64,
            torch.uint8,
            torch.bool,
            torch.complex64,
        ]
    ),
    st.lists(st.integers(0, 4), max_size=3),
)
@settings(max_examples=60)
def test_tensors_arrive_with_dtype_and_shape(dtype, shape):
    tensor = (torch.rand(shape) * 100).to(dtype)
    got = there_and_back(tensor)
    assert (got.dtype, got.shape) == (tensor.dtype, tensor.shape)
    assert torch.equal(got, tensor)


def test_strides_are_kept_towards_the_learner_only():
    x = torch.arange(24.0).reshape(4, 6).t()[::2]
    assert there_and_back(x).stride() == x.stride()
    assert there_and_back(x, strided=False).is_contiguous()
    a = np.arange(24.0).reshape(4, 6)[::-2, ::3]
    got = there_and_back(a)
    assert got.strides == a.strides
    np.testing.assert_array_equal(got, a)
    assert there_and_back(torch.ones(1).expand(5)).stride() == (0,)


@pytest.mark.parametrize(
    "value", [np.float32(1.5), np.int64(-3), np.bool_(True), np.arange(3, dtype=">i4"), np.zeros((0, 3))]
)
def test_numpy_kinds(value):
    got = there_and_back(value)
    assert type(got) is type(value)
    assert got.dtype == value.dtype.newbyteorder("<")
    np.testing.assert_array_equal(got, value)


def test_the_same_tensor_twice():
    x = torch.arange(3.0)
    a, b = there_and_back((x, x))
    assert torch.equal(a, x)
    assert torch.equal(b, x)


def test_dtypes_and_slices():
    assert there_and_back((torch.float16, np.dtype("int32"), slice(1, None, 2), range(1, 9, 3), ...)) == (
        torch.float16,
        np.dtype("int32"),
        slice(1, None, 2),
        range(1, 9, 3),
        ...,
    )


def test_depth_is_bounded():
    nested = []
    for _ in range(500):
        nested = [nested]
    with pytest.raises(ProtocolError):
        there_and_back(nested)


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["$", "v", "id", "shape", "strides", "offset", "x"]), inner, max_size=4
        )
        | st.builds(
            lambda tag, v: {"$": tag, "v": v},
            st.sampled_from(
                [
                    "list",
                    "tuple",
                    "set",
                    "frozenset",
                    "dict",
                    "torch",
                    "numpy",
                    "scalar",
                    "remote",
                    "int",
                    "complex",
                    "str",
                    "bytes",
                    "range",
                    "slice",
                    "...",
                    "dtype",
                    "what",
                ]
            ),
            inner,
        )
    ),
    max_leaves=10,
)


@given(json_like, st.binary(max_size=60))
@settings(max_examples=400)
def test_a_malformed_answer_is_a_protocol_error_and_nothing_else(document, blob):
    try:
        Decoder(blob, lambda d: d).decode(document)
    except ProtocolError:
        pass


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_no_message(data):
    left, right = socket.socketpair()
    with left, right:
        left.sendall(data)
        left.close()
        with pytest.raises((ProtocolError, Timeout)):
            Channel(right).receive(time.monotonic() + 5)
            Channel(right).receive(time.monotonic() + 5)


def test_sizes_are_bounded_before_memory_is_taken():
    left, right = socket.socketpair()
    with left, right:
        left.sendall(HEADER.pack(1 << 40, 0))
        with pytest.raises(ProtocolError, match="too large"):
            Channel(right).receive(time.monotonic() + 5)


def test_silence_is_a_timeout_and_an_end_is_an_end():
    left, right = socket.socketpair()
    with left, right:
        with pytest.raises(Timeout):
            Channel(right).receive(time.monotonic() + 0.01)
        left.sendall(struct.pack("<Q", 5))
        left.close()
        with pytest.raises(ChannelClosed):
            Channel(right).receive(time.monotonic() + 5)
