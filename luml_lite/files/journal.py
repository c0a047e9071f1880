"""The journal of an upload: a small file in a state directory, from which the upload is resumed after a crash.

It holds no URL and no key. It is written under a temporary name and then renamed. It is locked while its upload runs,
so that no two processes continue one row where the disk has locks. Flows call all functions here with `local`.
"""

from __future__ import annotations

import contextlib
import os
import sys
from hashlib import sha256
from typing import IO

import msgspec
from msgspec import Struct

from ..config import Config
from ..errors import FileError
from .disk import absolute_path, sync
from .locks import open_locked, unlock

_VERSION = 1


class UploadState(Struct, kw_only=True):
    """An unfinished upload; `parts` are half-open byte ranges, `etags` maps numbers of finished parts to ETags.

    `is_doubted` is true once a part or object had an ETag that was not its MD5, however often it was sent.
    """

    artifact_id: str
    sha256: str
    size: int
    type: str
    multipart: bool
    bucket_location: str
    bucket_secret_id: str
    upload_id: str | None = None
    parts: list[tuple[int, int]] = []
    etags: dict[int, str] = {}
    is_doubted: bool = False
    version: int = _VERSION


class Journal:
    """The locked journal of one upload; `state` was left by an earlier run, or is None."""

    def __init__(self, path: str, lock: IO[bytes]) -> None:
        self.path = path
        self._lock = lock
        self.state: UploadState | None = None
        # A journal that is unreadable or of another version counts as missing.
        with contextlib.suppress(OSError, msgspec.DecodeError):
            with open(path, "rb") as file:
                state = msgspec.json.decode(file.read(), type=UploadState)
            self.state = state if state.version == _VERSION else None

    def write(self, state: UploadState) -> None:
        """Replace the journal; a crash leaves the old one or the new one.

        If the disk refuses, an older journal stays in use, which has fewer parts; raises FileError if there is none.
        """
        self.state = state
        temporary = f"{self.path}.tmp"
        try:
            with open(temporary, "wb") as file:
                file.write(msgspec.json.encode(state))
                file.flush()
                sync(file.fileno())
            os.replace(temporary, self.path)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            if not os.path.exists(self.path):
                raise _journal_error(self.path, error) from error

    def discard(self) -> None:
        """Remove the state of an upload that has finished or definitely failed."""
        self.state = None
        with contextlib.suppress(OSError):  # the next run sees by the row that a remaining state is of no use
            os.unlink(self.path)

    def release(self) -> None:
        """Unlock the journal."""
        if self._lock.closed:
            return
        if self.state is None:
            with contextlib.suppress(OSError):
                os.unlink(f"{self.path}.lock")
        unlock(self._lock.fileno())
        self._lock.close()


def open_journal(cfg: Config, path: str, name: str) -> Journal | None:
    """Lock the journal of uploading this file, under this name, to cfg.collection; None if another process has it."""
    directory = absolute_path(state_dir(cfg))
    key = msgspec.json.encode((cfg.base_url, cfg.organization, cfg.orbit, cfg.collection, path, name))
    journal = os.path.join(directory, f"{sha256(key).hexdigest()[:32]}.json")
    try:
        os.makedirs(directory, mode=0o700, exist_ok=True)
        lock = open_locked(f"{journal}.lock")
    except OSError as error:
        raise _journal_error(journal, error) from error
    return None if lock is None else Journal(journal, open(lock, "ab"))


def _journal_error(path: str, error: OSError) -> FileError:
    directory = os.path.dirname(path)
    advice = "choose another directory with state_dir or LUML_STATE_DIR, or upload without resume"
    return FileError(f"cannot keep an upload's journal in {directory}: {error.strerror}; {advice}")


def state_dir(cfg: Config) -> str:
    """The directory of journals: Config.state_dir, LUML_STATE_DIR, or the usual one of the platform."""
    directory = cfg.state_dir or os.environ.get("LUML_STATE_DIR")
    if directory:
        return directory
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or os.path.expanduser("~\\AppData\\Local")
    elif sys.platform == "darwin":
        base = os.path.expanduser("~/Library/Application Support")
    else:
        base = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return os.path.join(base, "luml_lite")
