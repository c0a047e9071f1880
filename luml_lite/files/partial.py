"""The partial file of a download: it is written beside the target and renamed to it when its bytes are verified.

Its name has the artifact's id and digest, so that a file that an earlier run left is continued only for the same bytes.
It is locked while it is written; a second process uses a partial file of another name. Flows call this with `local`.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import stat
from hashlib import sha256

from ..errors import FileDownloadError
from ..models.artifacts import ModelArtifact
from .digests import update_digest
from .disk import open_writable, sync_folder
from .locks import open_locked, unlock

_UNSAFE = re.compile(r"[\x00-\x1f\x7f<>:\"/\\|?*]")


class PartialFile:
    """A locked partial file that becomes `target`; `size` is the number of bytes that an earlier run left in it.

    A later run finds a partial file by its name only if it is `resumable`; any other is removed in the end.
    """

    def __init__(self, path: str, target: str, descriptor: int, resumable: bool) -> None:
        self.path = path
        self.target = target
        self.resumable = resumable
        self._descriptor = descriptor
        self._digest, self._hashed = sha256(), 0
        self.size: int = os.fstat(descriptor).st_size

    def sha256_of(self, end: int) -> str:
        """The hex SHA-256 of the first `end` bytes; a second call with a higher end reads only the new ones."""
        update_digest(self._digest, self.path, self._hashed, end)
        self._hashed = end
        return self._digest.hexdigest()

    def truncate(self, size: int) -> None:
        """Drop all bytes after the first `size`."""
        os.ftruncate(self._descriptor, size)
        self.size = size
        if size < self._hashed:
            self._digest, self._hashed = sha256(), 0

    def publish(self) -> None:
        """Sync the partial file and rename it to the target; the mode of a file that it replaces is kept."""
        if os.name == "posix":
            with contextlib.suppress(FileNotFoundError):
                os.fchmod(self._descriptor, stat.S_IMODE(os.stat(self.target).st_mode))
        os.fsync(self._descriptor)
        if os.name != "posix":
            self._close()  # Windows cannot rename open files
        os.replace(self.path, self.target)
        self._close()
        with contextlib.suppress(OSError):  # the download is complete; a folder may be writable and not readable
            sync_folder(os.path.dirname(self.target))

    def release(self, keep: bool) -> None:
        """Close the partial file; remove it unless `keep` is set and a later run can resume it."""
        if not (keep and self.resumable):
            with contextlib.suppress(OSError):
                os.unlink(self.path)
        self._close()

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            unlock(descriptor)
            os.close(descriptor)

    __del__ = _close


def open_partial(file_path: str | os.PathLike[str] | None, artifact: ModelArtifact) -> PartialFile:
    """Open the partial file of a download to a path, by default to the artifact's file name in the working directory.

    Raises FileDownloadError if the target cannot be written.
    """
    target = os.path.abspath(os.fspath(file_path) if file_path is not None else safe_name(artifact.file_name))
    directory, name = os.path.split(target)
    bare = name.encode(errors="replace")[:80].decode(errors="ignore")
    stem = os.path.join(directory, f".{bare}.{artifact.id[:36]}.{artifact.file_hash[:16]}")
    try:
        _ensure_replaceable(target)
        partial = _try_open(f"{stem}.part", target, artifact.size, resumable=True) or _try_open(
            f"{stem}.{secrets.token_hex(4)}.part", target, artifact.size, resumable=False
        )
    except OSError as error:
        raise FileDownloadError(f"cannot write {target}: {error.strerror}") from error
    if partial is None:
        raise FileDownloadError(f"cannot create and lock a partial file in {directory}")
    _sweep(directory, bare, partial.path)
    return partial


def _sweep(directory: str, name: str, ours: str) -> None:
    """Remove partial files left by killed downloads to the same target; locked ones are still in use."""
    if os.name != "posix":
        return  # without locks, there is no way to tell which are still in use
    pattern = re.compile(re.escape(f".{name}.") + r"[0-9a-f-]{36}\.[^.]*(\.[0-9a-f]{8})?\.part")
    with contextlib.suppress(OSError):
        for path in [os.path.join(directory, each) for each in os.listdir(directory) if pattern.fullmatch(each)]:
            abandoned = None if path == ours else _try_open(path, path, 0, resumable=False)
            if abandoned is not None:
                abandoned.release(keep=False)


def safe_name(name: str) -> str:
    """A file name from a server without folders, and with no character that a platform forbids; at most 200 bytes."""
    bare = _UNSAFE.sub("_", re.split(r"[/\\]", name)[-1]).strip(" .")
    return bare.encode(errors="replace")[:200].decode(errors="ignore") or "artifact"


def _ensure_replaceable(target: str) -> None:
    """Raise FileDownloadError if the target is not a regular file: a rename would replace it."""
    try:
        kind = os.stat(target).st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(kind):
        raise FileDownloadError(f"{target} is a directory: give the path of the file to write")
    if not stat.S_ISREG(kind):
        raise FileDownloadError(f"{target} is not a regular file: use luml_lite.open_download for pipes and devices")


def _try_open(path: str, target: str, size: int, *, resumable: bool) -> PartialFile | None:
    """Open and lock a partial file, emptying one that is too large; None if it is in use or a symbolic link."""
    try:
        # Windows refuses reads and writes of locked bytes; there, names keep different artifacts apart.
        descriptor = open_locked(path) if os.name == "posix" else open_writable(path)
    except OSError as error:
        if error.errno == errno.ELOOP:
            return None
        raise
    if descriptor is None:
        return None
    partial = PartialFile(path, target, descriptor, resumable)
    if partial.size > size:
        partial.truncate(0)
    return partial
