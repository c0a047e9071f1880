"""Model archives of any size that use no disk space: plain tars whose last member is a hole."""

from __future__ import annotations

import io
import json
import os
import tarfile
from typing import NamedTuple

MANIFEST = {
    "variant": "pipeline",
    "name": None,
    "version": None,
    "description": "",
    "producer_name": "benchmark",
    "producer_version": "1.0.0",
    "producer_tags": [],
    "inputs": [{"name": "x", "content_type": "NDJSON", "dtype": "Array[float32]", "tags": None, "shape": ["batch", 2]}],
    "outputs": [{"name": "y", "content_type": "NDJSON", "dtype": "Array[float32]", "tags": None, "shape": ["batch"]}],
    "dynamic_attributes": [],
    "env_vars": [],
}
_SMALL = {
    "manifest.json": json.dumps(MANIFEST).encode(),
    "env.json": b"{}",
    "ops.json": b"[]",
    "meta.json": b"[]",
    "dtypes.json": b"{}",
    "variant_config.json": b"{}",
}


class Sparse(NamedTuple):
    """An archive on disk of `size` bytes; `file_index` maps the names of members to (offset, size)."""

    path: str
    size: int
    file_index: dict[str, tuple[int, int]]


def write_sparse(path: str, size: int) -> Sparse:
    """Write a plain tar of exactly `size` bytes, at least 8 KiB, nearly all of them a hole."""
    index: dict[str, tuple[int, int]] = {}
    with open(path, "wb") as file:
        for name, content in _SMALL.items():
            file.write(_header(name, len(content)))
            index[name] = (file.tell(), len(content))
            file.write(content.ljust(-(-len(content) // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE, b"\0"))
        start = file.tell() + tarfile.BLOCKSIZE
        weights = (size - start) // tarfile.BLOCKSIZE * tarfile.BLOCKSIZE - 2 * tarfile.BLOCKSIZE
        file.write(_header("ops_artifacts/weights.bin", weights))
        index["ops_artifacts/weights.bin"] = (start, weights)
        file.truncate(size)
    assert os.path.getsize(path) == size
    return Sparse(path, size, index)


def _header(name: str, size: int) -> bytes:
    member = tarfile.TarInfo(name)
    member.size = size
    buffer = io.BytesIO()
    buffer.write(member.tobuf(tarfile.USTAR_FORMAT if size < 8**11 else tarfile.GNU_FORMAT))
    return buffer.getvalue()
