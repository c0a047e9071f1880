"""A state directory for each test, and the journal of an upload in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from luml_lite.config import Config
from luml_lite.files.journal import Journal, open_journal

from ..operations.flow_player import CFG


@pytest.fixture
def cfg(tmp_path: Path) -> Config:
    """A Config with a state directory of this test."""
    return CFG.replace(state_dir=str(tmp_path / "state"))


def open_upload_journal(cfg: Config, path: str = "/m.fnnx", name: str = "m") -> Journal:
    """The journal of an upload."""
    journal = open_journal(cfg, path, name)
    assert journal is not None
    return journal
