"""Paths that callers give, and disks that refuse to sync."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from luml_lite.errors import FileDownloadError, FileError
from luml_lite.files import archive
from luml_lite.files.disk import absolute_path, sync
from luml_lite.files.journal import open_journal
from luml_lite.files.partial import open_partial

from ..operations.flow_player import CFG, artifact, public
from .conftest import refuse

PATHS_OF_NOTHING: list[Any] = ["", "m\0.fnnx", b"m.fnnx", 3, object(), "m\ud800.fnnx"]


@pytest.fixture
def removed_folder(tmp_path: Path) -> Iterator[None]:
    """A working directory that was removed."""
    before = os.getcwd()
    folder = tmp_path / "removed"
    folder.mkdir()
    os.chdir(folder)
    folder.rmdir()
    yield
    os.chdir(before)


@pytest.mark.parametrize("path", PATHS_OF_NOTHING, ids=["empty", "NUL", "bytes", "int", "object", "surrogate"])
def test_what_names_no_file_is_a_file_error(path: Any) -> None:
    with pytest.raises(FileError, match="names no file"):
        absolute_path(path)
    with pytest.raises(FileError, match="names no file"):
        archive.inspect(path)
    with pytest.raises(FileDownloadError, match="names no file"):
        open_partial(path, public(artifact(1)))


def test_a_file_object_is_not_a_path(tmp_path: Path) -> None:
    with (tmp_path / "m.fnnx").open("wb") as file, pytest.raises(FileError, match="give a str or Path"):
        archive.inspect(file)  # type: ignore[arg-type]


@pytest.mark.parametrize("given", [None, "m.fnnx", "new/"])
def test_a_removed_working_directory_is_told(removed_folder: None, given: str | None) -> None:
    with pytest.raises(FileDownloadError, match="working directory is gone"):
        open_partial(given, public(artifact(1)))


def test_an_upload_from_a_removed_working_directory_is_told(removed_folder: None) -> None:
    with pytest.raises(FileError, match="working directory is gone"):
        archive.inspect("m.fnnx")


def test_a_state_directory_that_names_no_file_is_told() -> None:
    with pytest.raises(FileError, match="names no file"):
        open_journal(CFG.replace(state_dir="state\0"), "/m.fnnx", "m")


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM, errno.EACCES])
def test_a_file_system_without_sync_is_no_failure(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", refuse(number))
    sync(1)


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
def test_bytes_that_could_not_be_written_are_a_failure(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", refuse(number))
    with pytest.raises(OSError, match=os.strerror(number)):
        sync(1)
