"""The learner's Ed25519 key: made on first use, and readable by nobody else."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import stat
import tempfile
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from mlsys_path import locations
from mlsys_path.errors import UserError
from mlsys_path.language import _

_BYTES = 32


def key_path() -> Path:
    """The file that holds the key, beside the progress database."""
    return locations.database_path().with_name("learner.key")


def own_key(path: Path | None = None) -> Ed25519PrivateKey:
    """The key of this learner, made when there is none. Raises UserError when it cannot be read or made."""
    path = path or key_path()
    try:
        if not path.exists():
            _make(path)
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            text = _("{path} holds your key and others can read it: run `chmod 600 {path}`")
            raise UserError(text.format(path=path))
        secret = base64.b64decode(path.read_bytes()[:200].strip(), validate=True)
    except OSError as error:
        raise UserError(
            _("{path}: the key cannot be used: {why}").format(path=path, why=error.strerror)
        ) from None
    except ValueError:
        secret = b""
    if len(secret) != _BYTES:
        text = _("{path}: the key is damaged: put a copy back, or move it away to get another")
        raise UserError(text.format(path=path))
    return Ed25519PrivateKey.from_private_bytes(secret)


def _make(path: Path) -> None:
    """Make a key; of two processes that do so at once both use the one that was first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # a file made so can be read and written by its owner alone, from the first moment on
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".learner.key.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(Ed25519PrivateKey.generate().private_bytes_raw()) + b"\n")
            file.flush()
            os.fsync(descriptor)
        with contextlib.suppress(FileExistsError):
            os.link(name, path)
    finally:
        Path(name).unlink(missing_ok=True)


def public_text(key: Ed25519PrivateKey) -> str:
    """The public half, as bundles name it."""
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def fingerprint(public: str) -> str:
    """What two people can compare by voice: 16 digits of a key's hash."""
    digits = hashlib.sha256(public.encode()).hexdigest()[:16]
    return "-".join(digits[at : at + 4] for at in range(0, 16, 4))


def sign(key: Ed25519PrivateKey, message: bytes) -> str:
    """A signature as text."""
    return base64.b64encode(key.sign(message)).decode()


def genuine(public: str, signature: str, message: bytes) -> bool:
    """Whether the owner of a key signed a message."""
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public, validate=True))
        key.verify(base64.b64decode(signature, validate=True), message)
    except (ValueError, InvalidSignature):
        return False
    return True
