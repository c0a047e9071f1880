"""A real model file for the flows that read one."""

from __future__ import annotations

from pathlib import Path

import pytest

from luml_lite.files.archive import Archive, inspect
from luml_lite.testing import write_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A small model file."""
    path = tmp_path / "model.fnnx"
    write_model(str(path), {"F1": 0.5})
    return path


@pytest.fixture
def archive(model: Path) -> Archive:
    """The facts of the model file."""
    return inspect(model)
