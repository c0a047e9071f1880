"""Locks between processes: two descriptors of one file stand for two processes."""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path

import pytest

from luml_lite.config import Config
from luml_lite.files.journal import open_journal
from luml_lite.files.locks import open_locked, try_lock, unlock

from .conftest import open_upload_journal


@pytest.fixture
def path(tmp_path: Path) -> str:
    """The path of a file to lock."""
    return str(tmp_path / "lock")


def test_a_file_is_locked_once(path: str) -> None:
    first = open_locked(path)
    assert first is not None
    assert open_locked(path) is None
    unlock(first)
    second = open_locked(path)
    assert second is not None
    os.close(first)
    os.close(second)


def test_a_file_that_was_removed_while_it_was_opened_is_opened_again(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock of a file without a name excludes nobody."""

    def remove_and_lock(descriptor: int) -> bool:
        monkeypatch.undo()
        os.unlink(path)
        return try_lock(descriptor)

    monkeypatch.setattr("luml_lite.files.locks.try_lock", remove_and_lock)
    descriptor = open_locked(path)
    assert descriptor is not None
    assert os.path.samestat(os.stat(path), os.fstat(descriptor))
    os.close(descriptor)


def test_no_link_is_followed(path: str, tmp_path: Path) -> None:
    os.symlink(tmp_path / "target", path)
    with pytest.raises(OSError) as caught:  # noqa: PT011 - the errno is compared
        open_locked(path)
    assert caught.value.errno == errno.ELOOP
    assert not (tmp_path / "target").exists()


def test_two_never_have_the_same_journal(cfg: Config) -> None:
    """The second does without one, and gets it when the first is through."""
    journal = open_upload_journal(cfg)
    assert open_journal(cfg, "/m.fnnx", "m") is None
    journal.release()
    open_upload_journal(cfg).release()


def test_a_forked_child_does_not_keep_the_lock(cfg: Config) -> None:
    """It has the lock's file open, and may outlive the upload."""
    journal = open_upload_journal(cfg)
    with subprocess.Popen(["sleep", "30"], pass_fds=(journal._lock.fileno(),)) as child:  # type: ignore[union-attr]
        journal.release()
        open_upload_journal(cfg).release()
        child.kill()


@pytest.mark.usefixtures("no_locks")
def test_a_file_system_without_locks_is_told_from_a_locked_file(path: str, cfg: Config) -> None:
    """Files are opened there, and so are the journals of uploads."""
    files = [open_locked(path) for _ in range(2)]
    for descriptor in files:
        assert descriptor is not None
        assert try_lock(descriptor) is None
        os.close(descriptor)
    open_upload_journal(cfg).release()
    assert os.listdir(str(cfg.state_dir)) == []


def test_a_lock_that_another_process_has_is_no_missing_one(path: str) -> None:
    first = open_locked(path)
    second = os.open(path, os.O_RDWR)
    assert first is not None
    assert try_lock(second) is False
    os.close(first)
    os.close(second)
