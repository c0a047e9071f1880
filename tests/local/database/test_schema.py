"""The version of a directory's database."""

from __future__ import annotations

from pathlib import Path

import pytest

from luml_lite.local.registry import Registry


def test_a_directory_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "r")
    with registry.database.writing() as db:
        db.execute("PRAGMA user_version = 99")
    registry.close()
    with pytest.raises(RuntimeError, match="schema version 99"):
        Registry(tmp_path / "r")
