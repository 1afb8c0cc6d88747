"""The versioned file format of detectors and scoring states: named arrays and one JSON document, no code.

Layout, little endian: 4 bytes magic, u16 format version, u32 length of the header, the header (JSON:
`kind`, `meta` and the list of arrays with name, type and shape), the arrays one after the other in C
order, 32 bytes SHA-256 of everything before. Equal content gives equal bytes.
"""

import hashlib
import json
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAGIC = b"L4EA"
VERSION = 3
READABLE = (1, 2, 3)
"""Versions that can be read; what an older one lacks gets a default where it is used."""
_PREFIX = struct.Struct("<4sHI")
_DIGEST = 32
_TYPES: dict[str, np.dtype[Any]] = {code: np.dtype(f"<{code}") for code in ("f4", "f8", "i8", "b1")}
Arrays = dict[str, NDArray[Any]]


class BadArtefact(ValueError):  # noqa: N818 - a name of the engine's published interface
    """Bytes that are not an artefact of a readable version, or are damaged; the message says which."""


_MALFORMED = (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError)


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Turn whatever a document of the wrong form raises inside the context into BadArtefact.

    Args:
        what: the kind of document, for the message.

    """
    try:
        yield
    except BadArtefact:
        raise
    except _MALFORMED as error:
        raise BadArtefact(f"the {what} is malformed: {error}") from error


def pack(kind: str, meta: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return the bytes of an artefact.

    Args:
        kind: what it is, such as `detector`.
        meta: a JSON document.
        arrays: arrays of float32, float64, int64 or bool by name.

    """
    entries, chunks = [], []
    for name, array in sorted(arrays.items()):
        code = array.dtype.str[1:]
        entries.append({"name": name, "type": code, "shape": array.shape})
        chunks.append(array.astype(_TYPES[code], copy=False).tobytes())
    header = json.dumps(
        {"kind": kind, "meta": dict(meta), "arrays": entries},
        sort_keys=True,
        allow_nan=False,
        check_circular=False,
    ).encode()
    body = b"".join((_PREFIX.pack(MAGIC, VERSION, len(header)), header, *chunks))
    return body + hashlib.sha256(body).digest()


def unpack(data: bytes, kind: str) -> tuple[dict[str, Any], Arrays]:
    """Return the document and arrays of an artefact.

    Raises:
        BadArtefact: when the bytes are not an artefact, of another kind or version, truncated, or changed
            since they were written.

    """
    if len(data) < _PREFIX.size + _DIGEST or data[:4] != MAGIC:
        raise BadArtefact(f"these {len(data)} bytes are no engine artefact")
    _, version, length = _PREFIX.unpack_from(data)
    if version not in READABLE:
        raise BadArtefact(
            f"the artefact has format version {version}; this engine reads versions "
            f"{READABLE[0]} to {READABLE[-1]}: train again, or use the release that wrote it"
        )
    if hashlib.sha256(data[:-_DIGEST]).digest() != data[-_DIGEST:]:
        raise BadArtefact("the artefact is damaged: its checksum does not match")
    with reading("artefact"):
        header = json.loads(data[_PREFIX.size : _PREFIX.size + length])
        found, meta, entries = header["kind"], header["meta"], header["arrays"]
        arrays = _arrays(data[_PREFIX.size + length : -_DIGEST], entries)
    if found != kind:
        raise BadArtefact(f"the artefact is a {found!r}, not a {kind!r}")
    return meta, arrays


def check_arrays(arrays: Arrays, expected: Mapping[str, tuple[str, tuple[int, ...]]]) -> None:
    """Check the types and shapes of arrays.

    Args:
        arrays: the arrays of an artefact by name.
        expected: type (such as `f8`) and shape by name.

    Raises:
        BadArtefact: when one is missing, or has another type or shape.

    """
    for name, (code, shape) in expected.items():
        array = arrays.get(name)
        if array is None:
            raise BadArtefact(f"the artefact has no array {name!r}")
        if array.shape != shape or array.dtype != _TYPES[code]:
            raise BadArtefact(
                f"the artefact's {name} is {array.dtype.str[1:]} {array.shape}, not {code} {shape}"
            )


def check_finite(*arrays: NDArray[Any]) -> None:
    """Check that arrays hold neither infinities nor NaN.

    Raises:
        BadArtefact: when one does.

    """
    if not np.isfinite(np.concatenate([array.ravel() for array in arrays])).all():
        raise BadArtefact("the artefact is malformed: it holds values that are no numbers")


def _arrays(data: bytes, entries: list[dict[str, Any]]) -> Arrays:
    arrays, at = {}, 0
    for entry in entries:
        if min(entry["shape"], default=0) < 0:
            raise ValueError(f"array {entry['name']!r} has the shape {entry['shape']}")
        array: NDArray[Any] = np.ndarray(entry["shape"], _TYPES[entry["type"]], data, at)
        arrays[str(entry["name"])] = array
        at += array.nbytes
    if at != len(data):
        raise ValueError(f"{len(data) - at} bytes too many")
    return arrays
