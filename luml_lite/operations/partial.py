"""The file that a download grows in, beside its target, and the rename that makes it the target.

A partial is named after the artifact and its digest, so that what an earlier run left behind belongs to these bytes or
is not found. It is locked while it grows; a second process gets a partial of its own. Flows call this with `local`.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from hashlib import sha256

from ..bodies import hash_on
from ..errors import FileDownloadError
from ..models import ModelArtifact

_UNSAFE = re.compile(r"[\x00-\x1f\x7f<>:\"/\\|?*]")


class Partial:
    """A partial file of `size` bytes from an earlier run, or none, that is to become `target`."""

    def __init__(self, path: str, target: str, descriptor: int) -> None:
        self.path = path
        self.target = target
        self._descriptor = descriptor
        self._digest, self._hashed = sha256(), 0
        self.size = os.fstat(descriptor).st_size

    def hashed(self, end: int) -> str:
        """The sha256 of the first `end` bytes; called again with a higher end it reads only what is new."""
        hash_on(self._digest, self.path, self._hashed, end)
        self._hashed = end
        return self._digest.hexdigest()

    def cut(self, size: int) -> None:
        """Drop what lies behind `size` bytes."""
        os.ftruncate(self._descriptor, size)

    def restart(self) -> None:
        """Drop everything."""
        self.cut(0)
        self._digest, self._hashed = sha256(), 0

    def publish(self) -> None:
        """Make the partial durable and give it the target's name, in one step."""
        os.fsync(self._descriptor)
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
        if not keep:
            with contextlib.suppress(OSError):
                os.unlink(self.path)
        self._close()

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    __del__ = _close


def open_partial(file_path: str | os.PathLike[str] | None, artifact: ModelArtifact) -> Partial:
    """The partial of an artifact's download to a path, by default to its own name in the working directory."""
    target = os.path.abspath(os.fspath(file_path) if file_path is not None else safe_name(artifact.file_name))
    if os.path.isdir(target):
        raise FileDownloadError(f"{target} is a directory: give the path of the file to write")
    directory, name = os.path.split(target)
    stem = os.path.join(directory, f".{name[:100]}.{artifact.id[:36]}.{artifact.file_hash[:16]}")
    try:
        return (
            _opened(f"{stem}.part", target, artifact.size)
            or _opened(f"{stem}.{secrets.token_hex(4)}.part", target, artifact.size)
            or _refused(directory)
        )
    except OSError as error:
        problem = f"cannot write in {directory}: {error.strerror}"
    raise FileDownloadError(problem)


def safe_name(name: str) -> str:
    """A server's file name reduced to a bare name that is safe on every platform."""
    bare = _UNSAFE.sub("_", re.split(r"[/\\]", name)[-1]).strip(" .")
    return bare[:200] or "artifact"


def _opened(path: str, target: str, size: int) -> Partial | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0), 0o666)
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.stat(path).st_ino != os.fstat(descriptor).st_ino:
            raise FileNotFoundError  # its holder has published or removed it meanwhile
    except ImportError:
        pass  # without locks partials are still told apart by artifact
    except (BlockingIOError, FileNotFoundError):
        os.close(descriptor)
        return None
    if os.fstat(descriptor).st_size > size:
        os.ftruncate(descriptor, 0)
    return Partial(path, target, descriptor)


def _refused(directory: str) -> Partial:
    raise FileDownloadError(f"cannot make a partial file in {directory}")
