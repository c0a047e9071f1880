"""A file that no socket buffer holds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture
def big(tmp_path: Path) -> Path:
    """A sparse file that is larger than all socket buffers."""
    path = tmp_path / "big"
    path.touch()
    os.truncate(path, 64 * 1024 * 1024)
    return path
