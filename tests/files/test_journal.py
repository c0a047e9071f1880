"""The journal of an upload: written whole, locked, and none at all where it cannot be read."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest
from msgspec import structs

from luml_lite.config import Config
from luml_lite.errors import FileError
from luml_lite.files.journal import UploadState, state_dir

from ..operations.flow_player import CFG, uid
from .conftest import open_upload_journal

RECORD = UploadState(
    artifact_id=uid(1),
    sha256="0" * 64,
    size=10,
    type="s3",
    multipart=True,
    bucket_location="key",
    bucket_secret_id=uid(9),
    upload_id="u",
    parts=[(0, 5), (5, 10)],
    etags={1: "e"},
)


def remembered(cfg: Config, path: str = "/m.fnnx", name: str = "m") -> UploadState | None:
    """What an earlier run left behind."""
    journal = open_upload_journal(cfg, path, name)
    try:
        return journal.state
    finally:
        journal.release()


def test_what_is_written_is_found_again(cfg: Config) -> None:
    """By the same file, name and place only."""
    journal = open_upload_journal(cfg)
    journal.write(RECORD)
    journal.release()
    assert remembered(cfg) == RECORD
    assert remembered(cfg, "/other.fnnx") is None
    assert remembered(cfg, name="other") is None
    assert remembered(cfg.replace(base_url="https://other.example")) is None


def test_a_journal_of_an_earlier_version_is_still_read(cfg: Config) -> None:
    """It has a field more, the time of the file."""
    journal = open_upload_journal(cfg)
    journal.write(RECORD)
    text = json.loads(Path(journal.path).read_bytes())
    Path(journal.path).write_text(json.dumps(text | {"mtime_ns": 1}))
    journal.release()
    assert remembered(cfg) == RECORD


def test_a_finished_journal_leaves_nothing(cfg: Config) -> None:
    """Neither itself nor its lock."""
    journal = open_upload_journal(cfg)
    journal.write(RECORD)
    journal.discard()
    journal.release()
    journal.release()
    assert os.listdir(str(cfg.state_dir)) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"version": 1}', b"\xff\x00"])
def test_an_unreadable_journal_is_none(cfg: Config, content: bytes) -> None:
    """A file of another version or a damaged one never breaks an upload."""
    journal = open_upload_journal(cfg)
    Path(journal.path).write_bytes(content)
    journal.release()
    assert remembered(cfg) is None


def test_a_journal_is_on_the_disk_before_it_replaces_the_old_one(cfg: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a crash leaves the old one or the new one."""
    done: list[str] = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda descriptor: (done.append("file"), fsync(descriptor))[1])
    monkeypatch.setattr(os, "replace", lambda old, new: (done.append("rename"), replace(old, new))[1])
    journal = open_upload_journal(cfg)
    journal.write(RECORD)
    assert done == ["file", "rename"]
    journal.discard()
    journal.release()


def test_a_state_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """Before any request."""
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match="journal"):
        open_upload_journal(CFG.replace(state_dir=str(tmp_path / "file" / "state")))


def test_the_state_directory_is_chosen_by_config_environment_and_platform(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In this order."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    monkeypatch.delenv("LUML_STATE_DIR", raising=False)
    assert state_dir(CFG) == str(tmp_path / "xdg" / "luml_lite")
    monkeypatch.setenv("LUML_STATE_DIR", str(tmp_path / "env"))
    assert state_dir(CFG) == str(tmp_path / "env")
    assert state_dir(CFG.replace(state_dir="/given")) == "/given"


def test_a_full_disk_leaves_the_older_journal(cfg: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """It knows of fewer parts and is as good; that there is none at all is an error that says what to do about it."""
    journal = open_upload_journal(cfg)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(FileError, match=r"No space left.*LUML_STATE_DIR"):
            journal.write(RECORD)
    journal.write(RECORD)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        journal.write(structs.replace(RECORD, etags={1: "e", 2: "f"}))
    journal.release()
    assert remembered(cfg) == RECORD
    assert not [name for name in os.listdir(str(cfg.state_dir)) if name.endswith(".tmp")]
