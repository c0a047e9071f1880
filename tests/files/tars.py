"""Tar files for tests."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

MANIFEST = b'{"variant": "pyfunc", "producer_tags": []}'


def write_tar(path: Path, members: dict[str, bytes], format: int = tarfile.PAX_FORMAT) -> Path:
    """A plain tar of these members."""
    with tarfile.open(path, "w", format=format) as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def slices(path: Path, index: dict[str, tuple[int, int]]) -> dict[str, bytes]:
    """What one ranged read of each indexed member gives."""
    raw = path.read_bytes()
    return {name: raw[offset : offset + size] for name, (offset, size) in index.items()}
