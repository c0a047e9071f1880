"""The version of a directory's database."""

from __future__ import annotations

from pathlib import Path

import pytest

from luml_lite.local.registry import Registry

from ..client import RegistryClient


def test_a_directory_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "r")
    with registry.database.writing() as db:
        db.execute("PRAGMA user_version = 99")
    registry.close()
    with pytest.raises(RuntimeError, match="schema version 99"):
        Registry(tmp_path / "r")


def test_a_directory_of_the_first_version_is_brought_up_to_date(tmp_path: Path) -> None:
    """Its members have ids, and its buckets keys, without which their URLs would be unsigned."""
    registry = Registry(tmp_path / "r")
    with registry.database.writing() as db:
        for column in ("id", "created_at", "updated_at"):
            db.execute(f"ALTER TABLE orbit_members DROP COLUMN {column}")
        db.execute('UPDATE bucket_secrets SET access = \'{"region":"us-east-1"}\'')
        db.execute("PRAGMA user_version = 1")
    registry.close()
    client = RegistryClient(Registry(tmp_path / "r"))
    assert client.content(client.uploaded(b"bytes")) == b"bytes"
    (member,) = client.ask("GET", client.orbit).body["members"]
    assert (len(member["id"]), len(member["created_at"])) == (36, 27)
    client.registry.close()
