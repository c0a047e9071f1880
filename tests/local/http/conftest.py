"""Served registries with small limits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from luml_lite.local import Bounds, Seen, Served, serve
from luml_lite.local.storage.buckets import Layout

CALM = Bounds(connections=4, head=100, idle=100, stall=100, body=3_000_000)
QUICK = Bounds(connections=4, head=0.6, idle=0.6, stall=0.8, stall_bytes=1024, body=3_000_000)


@pytest.fixture
def seen() -> list[Seen]:
    """The requests that the server received."""
    return []


@pytest.fixture
def served(tmp_path: Path, seen: list[Seen]) -> Iterator[Served]:
    """A server with low limits of size and long timeouts."""
    with serve(tmp_path / "r", bounds=CALM, seen=seen.append, layout=Layout(1000, 1000)) as served:
        yield served


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[Served]:
    """A server with short timeouts."""
    with serve(tmp_path / "r", bounds=QUICK) as served:
        yield served
