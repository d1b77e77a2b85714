"""Canonical bytes for named numpy arrays and a JSON head: frames, checkpoints, decisions and models share this codec.

Layout: magic ``FWC1``, u32 length of the head, head (UTF-8 JSON with sorted keys), then each array's raw
little-endian bytes in the order of the head, each padded to 8 bytes. No pickle, no compression, no clock: equal
content gives equal bytes, so a sha256 of them is an identity.
"""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import CorruptData

MAGIC = b"FWC1"


def pack(head: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Bytes of a JSON-able head and any number of arrays (no object dtypes)."""
    specs = []
    blobs: list[bytes] = []
    for name, array in arrays.items():
        array = np.ascontiguousarray(array)
        specs.append([name, _describe(array.dtype), list(array.shape)])
        raw = array.tobytes()
        blobs.append(raw)
        blobs.append(b"\0" * (-len(raw) % 8))
    text = json.dumps(
        {"head": head, "arrays": specs}, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    ).encode()
    text += b" " * (-(len(text) + 8) % 8)
    return b"".join([MAGIC, len(text).to_bytes(4, "little"), text, *blobs])


def unpack(data: bytes | memoryview) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Head and arrays; the arrays are read-only views on `data`. Raises CorruptData."""
    try:
        view = memoryview(data)
        if bytes(view[:4]) != MAGIC:
            raise CorruptData("not a forewarn column block (bad magic)")
        size = int.from_bytes(view[4:8], "little")
        meta = json.loads(bytes(view[8 : 8 + size]))
        position = 8 + size
        arrays: dict[str, NDArray[Any]] = {}
        for name, spec, shape in meta["arrays"]:
            dtype = np.dtype(
                [tuple(field) if len(field) == 2 else (field[0], field[1], tuple(field[2])) for field in spec]
                if isinstance(spec, list)
                else spec
            )
            count = int(np.prod(shape, dtype=np.int64))
            arrays[name] = np.frombuffer(view, dtype, count, position).reshape(shape)
            position += count * dtype.itemsize
            position += -(count * dtype.itemsize) % 8
        head = meta["head"]
    except CorruptData:
        raise
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptData(f"column block cannot be decoded: {error}") from error
    return head, arrays


def _describe(dtype: np.dtype[Any]) -> Any:
    if dtype.hasobject:
        raise TypeError("object arrays have no canonical bytes")
    return [list(field) for field in dtype.descr] if dtype.names else dtype.str
