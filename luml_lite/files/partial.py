"""The file that a download grows in, beside its target, and the rename that makes it the target.

A partial is named after the artifact and its digest, so that what an earlier run left behind belongs to these bytes or
is not found. It is locked while it grows; a second process gets a partial of its own. Flows call this with `local`.
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
from .locks import try_lock, unlock

_UNSAFE = re.compile(r"[\x00-\x1f\x7f<>:\"/\\|?*]")


class PartialFile:
    """A partial file of `size` bytes from an earlier run, or none, that is to become `target`.

    One that is not `resumable` has a name that no later run would look for, and is never left behind.
    """

    def __init__(self, path: str, target: str, descriptor: int, resumable: bool) -> None:
        self.path = path
        self.target = target
        self.resumable = resumable
        self._descriptor = descriptor
        self._digest, self._hashed = sha256(), 0
        self.size = os.fstat(descriptor).st_size

    def sha256_of(self, end: int) -> str:
        """The sha256 of the first `end` bytes; called again with a higher end it reads only what is new."""
        update_digest(self._digest, self.path, self._hashed, end)
        self._hashed = end
        return self._digest.hexdigest()

    def truncate(self, size: int) -> None:
        """Drop what lies behind `size` bytes."""
        os.ftruncate(self._descriptor, size)

    def restart(self) -> None:
        """Drop everything."""
        self.truncate(0)
        self._digest, self._hashed = sha256(), 0

    def publish(self) -> None:
        """Make the partial durable and give it the target's name in one step; the mode of an older file is kept."""
        if os.name == "posix":
            with contextlib.suppress(FileNotFoundError):
                os.fchmod(self._descriptor, stat.S_IMODE(os.stat(self.target).st_mode))
        os.fsync(self._descriptor)
        if os.name != "posix":
            self._close()  # Windows renames no open file
        os.replace(self.path, self.target)
        self._close()
        with contextlib.suppress(OSError, AttributeError):  # not every platform opens directories
            directory = os.open(os.path.dirname(self.target), os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)

    def release(self, keep: bool) -> None:
        """Leave the partial for a later run, or remove it."""
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
    """The partial of an artifact's download to a path, by default to its own name in the working directory."""
    target = os.path.abspath(os.fspath(file_path) if file_path is not None else safe_name(artifact.file_name))
    directory, name = os.path.split(target)
    bare = name.encode(errors="replace")[:80].decode(errors="ignore")
    stem = os.path.join(directory, f".{bare}.{artifact.id[:36]}.{artifact.file_hash[:16]}")
    try:
        _ensure_replaceable(target)
        partial = (
            _try_open(f"{stem}.part", target, artifact.size, resumable=True)
            or _try_open(f"{stem}.{secrets.token_hex(4)}.part", target, artifact.size, resumable=False)
            or _refused(directory)
        )
    except OSError as error:
        problem = f"cannot write {target}: {error.strerror}"
    else:
        _sweep(directory, bare, partial.path)
        return partial
    raise FileDownloadError(problem)


def _sweep(directory: str, name: str, ours: str) -> None:
    """Drop what runs that were killed left of other downloads to this target; what is locked still grows."""
    if os.name != "posix":
        return  # without locks, what still grows cannot be told from what was left
    left = re.compile(re.escape(f".{name}.") + r"[0-9a-f-]{36}\.[^.]*(\.[0-9a-f]{8})?\.part")
    with contextlib.suppress(OSError):
        for path in [os.path.join(directory, found) for found in os.listdir(directory) if left.fullmatch(found)]:
            other = None if path == ours else _try_open(path, path, 0, resumable=False)
            if other is not None:
                other.release(keep=False)


def safe_name(name: str) -> str:
    """A server's file name reduced to a bare name that is safe on every platform."""
    bare = _UNSAFE.sub("_", re.split(r"[/\\]", name)[-1]).strip(" .")
    return bare.encode(errors="replace")[:200].decode(errors="ignore") or "artifact"


def _ensure_replaceable(target: str) -> None:
    """Refuse a target that a rename would replace by something else."""
    try:
        kind = os.stat(target).st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(kind):
        raise FileDownloadError(f"{target} is a directory: give the path of the file to write")
    if not stat.S_ISREG(kind):
        raise FileDownloadError(f"{target} is no regular file: luml_lite.open_download streams to what is not a file")


def _try_open(path: str, target: str, size: int, *, resumable: bool) -> PartialFile | None:
    # No link is followed: the name can be guessed, and another user of the directory may have left one there.
    flags = os.O_RDWR | os.O_CREAT
    for name in ("O_CLOEXEC", "O_BINARY", "O_NOFOLLOW"):
        flags |= getattr(os, name, 0)
    try:
        descriptor = os.open(path, flags, 0o666)
    except OSError as error:
        if error.errno == errno.ELOOP:
            return None
        raise
    # Without locks, partials are still told apart by artifact.
    if os.name == "posix" and not (try_lock(descriptor) and _has_name(path, descriptor)):
        os.close(descriptor)
        return None
    if os.fstat(descriptor).st_size > size:
        os.ftruncate(descriptor, 0)
    return PartialFile(path, target, descriptor, resumable)


def _has_name(path: str, descriptor: int) -> bool:
    """Whether the open file still has the name; its holder may have published or removed it before it was locked."""
    try:
        return os.lstat(path).st_ino == os.fstat(descriptor).st_ino
    except FileNotFoundError:
        return False


def _refused(directory: str) -> PartialFile:
    raise FileDownloadError(f"cannot make a partial file in {directory}")
