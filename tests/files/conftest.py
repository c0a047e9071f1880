"""A state directory for each test, the journal of an upload in it, and file systems that refuse a system call."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

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


def refuse(number: int) -> Callable[..., Any]:
    """A system call that fails with this errno."""

    def call(*_: Any) -> Any:
        raise OSError(number, os.strerror(number))

    return call


@pytest.fixture(params=[errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.EBADF], ids=errno.errorcode.get)
def no_locks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that refuses locks, as Lustre, FUSE and NFS may."""
    monkeypatch.setattr(fcntl, "flock", refuse(request.param))
