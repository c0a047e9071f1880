"""A fresh registry for each test, and a client of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from luml_lite.local.registry import Registry
from luml_lite.local.storage.buckets import Layout

from .client import RegistryClient

SMALL = 1000  # bytes: where uploads split here, and the size of parts


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    """An empty registry that splits uploads above a kilobyte."""
    registry = Registry(tmp_path / "registry", layout=Layout(SMALL, SMALL))
    yield registry
    registry.close()


@pytest.fixture
def client(registry: Registry) -> RegistryClient:
    """A client with the key of the owner."""
    return RegistryClient(registry)
