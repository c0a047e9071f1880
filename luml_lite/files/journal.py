"""What an upload must remember to go on after a crash: one small file an upload in a state directory.

It holds no URL and no key. It is written whole to a temporary name and renamed, and locked while its upload runs, so
that two processes never continue the same row. Everything here touches the disk: flows call it with `local`.
"""

from __future__ import annotations

import contextlib
import os
import sys
from hashlib import sha256
from typing import IO, Any

import msgspec
from msgspec import Struct

from ..config import Config
from ..errors import FileError
from .locks import try_lock, unlock

_VERSION = 1


class UploadState(Struct, kw_only=True):
    """One upload under way; `etags` maps the numbers of finished parts, `parts` is the layout as half-open ranges."""

    artifact_id: str
    sha256: str
    size: int
    mtime_ns: int
    type: str
    multipart: bool
    bucket_location: str
    bucket_secret_id: str
    upload_id: str | None = None
    parts: list[tuple[int, int]] = []
    etags: dict[int, str] = {}
    version: int = _VERSION


class Journal:
    """The locked journal of one upload; `state` is what an earlier run left behind, if anything."""

    def __init__(self, path: str, lock: IO[bytes]) -> None:
        self.path = path
        self._lock: IO[bytes] | None = lock
        self.state: UploadState | None = None
        with contextlib.suppress(
            OSError, msgspec.DecodeError
        ):  # unreadable or of another version: as if there was none
            with open(path, "rb") as file:
                state = msgspec.json.decode(file.read(), type=UploadState)
            self.state = state if state.version == _VERSION else None

    def write(self, state: UploadState) -> None:
        """Replace the journal, so that a crash leaves the old one or the new one.

        Where the disk refuses, the older one does, which knows of fewer parts; a FileError says that there is none.
        """
        self.state = state
        temporary = f"{self.path}.tmp"
        try:
            with open(temporary, "wb") as file:
                file.write(msgspec.json.encode(state))
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self.path)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            if not os.path.exists(self.path):
                raise _journal_error(self.path, error) from error

    def discard(self) -> None:
        """Forget the upload: it is done, or definitely failed."""
        self.state = None
        with contextlib.suppress(OSError):  # a state that stays is told by the state of its row
            os.unlink(self.path)

    def release(self) -> None:
        """Let others have the journal."""
        lock, self._lock = self._lock, None
        if lock is not None:
            if self.state is None:
                with contextlib.suppress(OSError):
                    os.unlink(lock.name)
            unlock(lock.fileno())
            lock.close()


def open_journal(cfg: Config, collection_id: str, path: str, name: str) -> Journal | None:
    """The journal of uploading this file under this name there, or None where another process has it."""
    directory = state_dir(cfg)
    key = msgspec.json.encode((cfg.base_url, cfg.organization, cfg.orbit, collection_id, path, name))
    place = os.path.join(directory, f"{sha256(key).hexdigest()[:32]}.json")
    try:
        os.makedirs(directory, mode=0o700, exist_ok=True)
        lock = _lock_file(f"{place}.lock")
    except OSError as error:
        raise _journal_error(place, error) from error
    return None if lock is None else Journal(place, lock)


def _journal_error(path: str, error: OSError) -> FileError:
    directory = os.path.dirname(path)
    advice = "choose another place with state_dir or LUML_STATE_DIR, or upload without resume"
    return FileError(f"cannot keep an upload's journal in {directory}: {error.strerror}; {advice}")


def state_dir(cfg: Config) -> str:
    """Where journals live: Config.state_dir, LUML_STATE_DIR, or the platform's place for state."""
    chosen = cfg.state_dir or os.environ.get("LUML_STATE_DIR")
    if chosen:
        return chosen
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or os.path.expanduser("~\\AppData\\Local")
    elif sys.platform == "darwin":
        base = os.path.expanduser("~/Library/Application Support")
    else:
        base = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return os.path.join(base, "luml_lite")


def _lock_file(path: str) -> IO[bytes] | None:
    """An exclusively locked file, or None where another process holds it; the lock ends with the process."""
    while True:
        file: Any = open(path, "ab")  # noqa: SIM115 - held while the upload runs
        if not try_lock(file.fileno()):
            file.close()
            return None
        try:
            if os.stat(path).st_ino == os.fstat(file.fileno()).st_ino:
                return file  # type: ignore[no-any-return]
        except FileNotFoundError:
            pass
        file.close()  # the holder before us has unlinked it meanwhile: lock the one that is there now
