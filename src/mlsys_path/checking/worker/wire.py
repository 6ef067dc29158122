"""Frames and values between the checker and the sandbox.

A frame is a header of two unsigned 64-bit lengths, a JSON document and a safetensors blob. Values are JSON with
tags for what JSON lacks; arrays travel in the blob with exact dtype and shape. Nothing is ever unpickled or
evaluated, sizes and depth are bounded, and everything malformed raises `ProtocolError`.
"""

from __future__ import annotations

import base64
import json
import select
import socket
import struct
import sys
import time
from collections.abc import Callable
from typing import Any

HEADER = struct.Struct("<QQ")
_SIZE = struct.Struct("<Q")
MAX_JSON = 64 << 20
MAX_BLOB = 2 << 30
SMALL = 1 << 20  # a blob up to this size is copied once more, to be sent with what it belongs to
MAX_DEPTH = 100
MAX_FDS = 4
_SAFE_INT = 1 << 63


class ProtocolError(Exception):
    """The other side broke the protocol: nothing that it says can be trusted."""


class ChannelClosed(ProtocolError):
    """The other side is gone."""


class Timeout(Exception):
    """No complete frame came before the deadline."""


class Channel:
    """A stream socket that carries frames, and file descriptors beside them."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    def fileno(self) -> int:
        """The socket's descriptor, so that a selector takes a channel."""
        return self.sock.fileno()

    def close(self) -> None:
        """Close the socket."""
        self.sock.close()

    def send(self, document: object, blob: bytes = b"", fds: tuple[int, ...] = ()) -> None:
        """Send one frame; `fds` are duplicated into the receiver.

        Raises ChannelClosed when nobody listens.
        """
        text = json.dumps(document, separators=(",", ":")).encode()
        header = HEADER.pack(len(text), len(blob))
        # in one piece, as each piece would wake the other side
        whole = len(blob) <= SMALL
        first = b"".join((header, text, blob)) if whole else header + text
        try:
            sent = socket.send_fds(self.sock, [first], list(fds)) if fds else 0
            if sent < len(first):
                self.sock.sendall(first[sent:] if sent else first)
            if not whole:
                self.sock.sendall(blob)
        except OSError as error:
            raise ChannelClosed("the other side is gone") from error

    def receive(self, deadline: float | None = None) -> tuple[Any, bytes, list[int]]:
        """One frame: its document, its blob and its file descriptors.

        `deadline` is on `time.monotonic`'s clock; Timeout is raised past it. Raises ProtocolError for a frame
        that is too large or is not JSON, ChannelClosed at the end of the stream.
        """
        fds: list[int] = []
        head = bytearray()
        while len(head) < HEADER.size:
            self._wait(deadline)
            try:
                part, more, _, _ = socket.recv_fds(self.sock, HEADER.size - len(head), MAX_FDS)
            except OSError as error:
                raise ChannelClosed("the other side is gone") from error
            fds += more
            if not part:
                raise ChannelClosed("the other side is gone")
            head += part
        json_size, blob_size = HEADER.unpack(head)
        if json_size > MAX_JSON or blob_size > MAX_BLOB:
            raise ProtocolError(f"a message of {json_size + blob_size} bytes is too large")
        if blob_size <= SMALL:
            both = bytes(self._read(json_size + blob_size, deadline))
            text, blob = both[:json_size], both[json_size:]
        else:
            text, blob = bytes(self._read(json_size, deadline)), bytes(self._read(blob_size, deadline))
        try:
            return json.loads(text), blob, fds
        except (ValueError, RecursionError) as error:
            raise ProtocolError("a message is not JSON") from error

    def _read(self, size: int, deadline: float | None) -> bytearray:
        # grows with what arrives: a header that announces 2 GB and sends nothing must not allocate them
        data = bytearray()
        while len(data) < size:
            self._wait(deadline)
            try:
                part = self.sock.recv(min(size - len(data), 1 << 20))
            except OSError as error:
                raise ChannelClosed("the other side is gone") from error
            if not part:
                raise ChannelClosed("the other side stopped in the middle of a message")
            data += part
        return data

    def _wait(self, deadline: float | None) -> None:
        if deadline is None:
            return
        remaining = deadline - time.monotonic()
        if remaining <= 0 or not select.select([self.sock], [], [], remaining)[0]:
            raise Timeout


# --- values -----------------------------------------------------------------------------------------------


class Encoder:
    """Turns values into a JSON document and a blob.

    `remote(value)` is asked for a document where a value is not plain data; `strided` keeps the strides of
    arrays that are not contiguous.
    """

    def __init__(self, remote: Callable[[object], Any], *, strided: bool) -> None:
        self._remote = remote
        self._strided = strided
        self._arrays: dict[str, dict[str, Any]] = {"numpy": {}, "torch": {}}

    def encode(self, value: object, depth: int = 0) -> Any:
        """The document of one value; raises ProtocolError when it nests too deep."""
        if depth > MAX_DEPTH:
            raise ProtocolError(f"a value is nested deeper than {MAX_DEPTH}")
        if value is None or value is True or value is False:
            return value
        # subclasses of plain scalars travel as the plain value: their overridden methods stay behind
        if isinstance(value, (int, float, complex, str, bytes, bytearray)):
            return _encode_scalar(value)
        down = depth + 1
        if isinstance(value, (list, tuple, set, frozenset, dict)) and not _is_plain_container(value):
            # a container with behaviour of its own is an object, such as a cache that extends OrderedDict
            return self._remote(value)
        if isinstance(value, (list, tuple, set, frozenset)):
            tag = next(t for t, kind in _SEQUENCES.items() if isinstance(value, kind))
            return {"$": tag, "v": [self.encode(v, down) for v in list(value)]}
        if isinstance(value, dict):
            pairs = [[self.encode(k, down), self.encode(v, down)] for k, v in dict.items(value)]
            return {"$": "dict", "v": pairs}
        if isinstance(value, range):
            return {"$": "range", "v": [value.start, value.stop, value.step]}
        if isinstance(value, slice):
            return {"$": "slice", "v": [self.encode(v, down) for v in (value.start, value.stop, value.step)]}
        if value is Ellipsis:
            return {"$": "..."}
        array = self._encode_array(value)
        return array if array is not None else self._remote(value)

    def _encode_array(self, value: object) -> Any:
        kind = type(value).__module__.partition(".")[0]
        if kind not in ("numpy", "torch") and not hasattr(value, "__array_interface__"):
            # a subclass of Tensor or ndarray may live in the learner's module
            kind = _array_kind(value)
        if kind == "torch":
            return self._encode_torch(value)
        if kind == "numpy" or hasattr(value, "__array_interface__"):
            return self._encode_numpy(value)
        return None

    def _add(self, library: str, array: Any) -> str:
        arrays = self._arrays[library]
        name = str(len(arrays))
        arrays[name] = array
        return name

    def _encode_torch(self, value: Any) -> Any:
        import torch

        if isinstance(value, torch.dtype):
            return {"$": "dtype", "v": ["torch", str(value).removeprefix("torch.")]}
        if not isinstance(value, torch.Tensor):
            return None
        tensor = value.detach()
        if tensor.layout is not torch.strided:
            raise ProtocolError(f"a {tensor.layout} tensor cannot be returned: make it dense first")
        tensor = tensor.resolve_conj().resolve_neg().cpu()
        is_complex = tensor.is_complex()
        if is_complex:
            tensor = torch.view_as_real(tensor.contiguous())
        tag: dict[str, Any] = {"$": "torch"}
        if is_complex:
            tag["complex"] = True
        if self._strided and not tensor.is_contiguous() and tensor.numel() and not is_complex:
            span = 1 + sum((n - 1) * s for n, s in zip(tensor.shape, tensor.stride(), strict=True))
            tag["shape"], tag["strides"] = list(tensor.shape), list(tensor.stride())
            tensor = tensor.as_strided((span,), (1,), tensor.storage_offset())
        # bytes, as a copy of booleans makes 1 of whatever is not 0, and hides memory that nobody wrote
        is_bool = tensor.dtype is torch.bool
        tensor = tensor.view(torch.uint8) if is_bool else tensor
        # a clone, as safetensors refuses two tensors that share their memory
        tensor = tensor.contiguous().clone()
        tag["v"] = self._add("torch", tensor.view(torch.bool) if is_bool else tensor)
        if value.requires_grad:
            tag["grad"] = True
        return tag

    def _encode_numpy(self, value: Any) -> Any:
        import numpy as np

        if isinstance(value, np.dtype):
            return {"$": "dtype", "v": ["numpy", value.name]}
        if not isinstance(value, (np.ndarray, np.generic)):
            return None
        scalar = isinstance(value, np.generic)
        array = np.asarray(value)
        is_complex = array.dtype.kind == "c"
        if is_complex:
            array = np.ascontiguousarray(array)
            array = array.view(array.real.dtype).reshape(*array.shape, 2)
        if array.dtype.kind not in "biuf":
            raise ProtocolError(f"an array of dtype {array.dtype} cannot be sent")
        tag: dict[str, Any] = {"$": "scalar" if scalar else "numpy"}
        if is_complex:
            tag["complex"] = True
        if self._strided and array.size and not array.flags.c_contiguous and not is_complex:
            import ctypes

            reach = [(n - 1) * s for n, s in zip(array.shape, array.strides, strict=True)]
            below = sum(r for r in reach if r < 0)
            start, size = array.ctypes.data + below, sum(map(abs, reach)) + array.itemsize
            tag["shape"], tag["strides"], tag["offset"] = list(array.shape), list(array.strides), -below
            array = np.frombuffer(ctypes.string_at(start, size), dtype=array.dtype)
        # byte order is part of the dtype in numpy and not in safetensors
        tag["v"] = self._add("numpy", np.array(array, dtype=array.dtype.newbyteorder("<"), order="C"))
        return tag

    def blob(self) -> bytes:
        """All arrays of the encoded values, as safetensors: the size of numpy's part, that part, torch's part."""
        if not any(self._arrays.values()):
            return b""
        parts = {"numpy": b"", "torch": b""}
        try:
            if self._arrays["numpy"]:
                import safetensors.numpy

                parts["numpy"] = safetensors.numpy.save(self._arrays["numpy"])
            if self._arrays["torch"]:
                import safetensors.torch

                parts["torch"] = safetensors.torch.save(self._arrays["torch"])
        except (KeyError, ValueError, TypeError) as error:
            raise ProtocolError(f"an array cannot be sent: {error}") from error
        return _SIZE.pack(len(parts["numpy"])) + parts["numpy"] + parts["torch"]


_SEQUENCES: dict[str, type] = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}


def _is_plain_container(value: object) -> bool:
    kind = type(value)
    return kind.__module__ in ("builtins", "collections", "torch") or hasattr(kind, "_fields")


def plain(value: Any) -> Any:
    """The plain list, tuple, set or dict in a container of a class of its own; other values as they are."""
    if isinstance(value, dict):
        return dict(dict.items(value))
    return next((kind(value) for kind in _SEQUENCES.values() if isinstance(value, kind)), value)


def _encode_scalar(value: object) -> Any:
    if isinstance(value, int):
        number = int.__int__(value)
        return number if -_SAFE_INT <= number < _SAFE_INT else {"$": "int", "v": hex(number)}
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, complex):
        number_c = complex.__complex__(value)
        return {"$": "complex", "v": [number_c.real, number_c.imag]}
    if isinstance(value, str):
        text = str.__str__(value)
        if not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError:  # lone surrogates are no valid UTF-8
                return {"$": "str", "v": base64.b64encode(text.encode("utf-8", "surrogatepass")).decode()}
        return text
    return {"$": "bytes", "v": base64.b64encode(bytes(value)).decode()}  # type: ignore[call-overload]


def _array_kind(value: object) -> str:
    for base in type(value).__mro__:
        root = base.__module__.partition(".")[0]
        if root in ("numpy", "torch"):
            return root
    return ""


class Decoder:
    """Turns a document and a blob back into values.

    `remote(document)` makes what stands for a remote object. `place` gives the memory of a torch tensor its place:
    it takes a contiguous tensor and returns one that holds the same.
    """

    def __init__(
        self,
        blob: bytes,
        remote: Callable[[dict[str, Any]], object],
        place: Callable[[Any], Any] | None = None,
    ) -> None:
        self._remote = remote
        self._place = place
        self._arrays: dict[str, dict[str, Any]] = {"numpy": {}, "torch": {}}
        if blob:
            try:
                self._load(blob)
            except Exception as error:
                raise ProtocolError("the arrays of a message are not safetensors") from error

    def _load(self, blob: bytes) -> None:
        (size,) = _SIZE.unpack_from(blob)
        numpy_part, torch_part = blob[_SIZE.size : _SIZE.size + size], blob[_SIZE.size + size :]
        if numpy_part:
            import safetensors.numpy

            self._arrays["numpy"] = safetensors.numpy.load(numpy_part)
        if torch_part:
            import safetensors.torch

            self._arrays["torch"] = safetensors.torch.load(torch_part)

    def decode(self, document: Any, depth: int = 0) -> Any:
        """The value of a document; raises ProtocolError for anything malformed."""
        try:
            return self._decode(document, depth)
        except ProtocolError:
            raise
        except (KeyError, TypeError, ValueError, IndexError, OverflowError, RuntimeError) as error:
            raise ProtocolError(
                f"a value is malformed: {type(error).__name__}: {str(error)[:300]}"
            ) from error

    def _decode(self, document: Any, depth: int) -> Any:
        if depth > MAX_DEPTH + 1:
            raise ProtocolError(f"a value is nested deeper than {MAX_DEPTH}")
        if not isinstance(document, dict):
            if isinstance(document, list):
                raise ProtocolError("a bare JSON list is no value")
            return document
        tag = document["$"]
        if tag in _SEQUENCES:
            return _SEQUENCES[tag](self._decode(v, depth + 1) for v in document["v"])
        if tag == "dict":
            return {self._decode(k, depth + 1): self._decode(v, depth + 1) for k, v in document["v"]}
        if tag in ("torch", "numpy", "scalar"):
            return self._array(tag, document)
        if tag == "remote":
            return self._remote(document)
        return self._plain(tag, document.get("v"), depth)

    def _plain(self, tag: str, value: Any, depth: int) -> Any:
        match tag:
            case "int":
                return int(value, 16)
            case "complex":
                return complex(*value)
            case "str":
                return base64.b64decode(value).decode("utf-8", "surrogatepass")
            case "bytes":
                return base64.b64decode(value, validate=True)
            case "range":
                return range(*value)
            case "slice":
                return slice(*(self._decode(v, depth + 1) for v in value))
            case "...":
                return Ellipsis
            case "dtype":
                return _dtype(*value)
        raise ProtocolError(f"a value has the unknown tag {str(tag)[:40]!r}")

    def _array(self, kind: str, document: dict[str, Any]) -> Any:
        flat = self._arrays["torch" if kind == "torch" else "numpy"][document["v"]]
        if kind == "torch":
            import torch

            tensor = self._place(flat) if self._place else flat
            if "strides" in document:
                _check_span(document["shape"], document["strides"], flat.numel())
                tensor = tensor.as_strided(document["shape"], document["strides"])
            if document.get("complex"):
                tensor = torch.view_as_complex(tensor)
            return tensor.requires_grad_() if document.get("grad") and tensor.is_floating_point() else tensor
        import numpy as np

        array = flat
        if "strides" in document:
            offset, strides = document["offset"], document["strides"]
            array = np.ndarray(
                document["shape"], flat.dtype, buffer=flat.data, offset=offset, strides=strides
            )
        if document.get("complex"):
            array = array.view(np.complex64 if flat.itemsize == 4 else np.complex128).reshape(
                array.shape[:-1]
            )
        return array[()] if kind == "scalar" else array


def warm_up() -> None:
    """Send one array of each library that is imported to ourselves, so that forks find the lazy parts loaded."""
    for library in ("numpy", "torch"):
        if library in sys.modules:
            encoder = Encoder(repr, strided=True)
            document = encoder.encode(sys.modules[library].zeros((2, 2)).T)
            Decoder(encoder.blob(), repr).decode(document)


def _check_span(shape: list[int], strides: list[int], size: int) -> None:
    last = sum((n - 1) * s for n, s in zip(shape, strides, strict=True))
    if any(s < 0 for s in strides) or any(n < 0 for n in shape) or last >= size:
        raise ProtocolError("an array's strides leave its memory")


def _dtype(library: str, name: str) -> Any:
    if library == "torch":
        import torch

        dtype = getattr(torch, name)
        if not isinstance(dtype, torch.dtype):
            raise ProtocolError("no such dtype")
        return dtype
    import numpy as np

    return np.dtype(name)
