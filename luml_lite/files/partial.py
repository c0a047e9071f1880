"""The partial file of a download: it is written beside the target and renamed to it when its bytes are verified.

Its name has the artifact's id and digest, so that a file that an earlier run left is continued only for the same bytes.
It is locked while it is written; other processes, and all that cannot lock, use random names. Flows use it in `local`.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
import time
from hashlib import sha256

from ..errors import FileDownloadError
from ..models.artifacts import ModelArtifact
from .digests import update_digest
from .disk import absolute_path, open_writable, sync, sync_folder
from .locks import open_locked, try_lock, unlock

_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff<>:\"/\\|?*]")
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(\.|$)", re.IGNORECASE)  # of Windows

_ABANDONED = 24 * 3600.0  # seconds without a write after which, where nobody can lock, a partial file is not in use


class PartialFile:
    """A locked partial file that becomes `target`; `size` is the number of bytes that an earlier run left in it.

    A later run looks for it at `resume_path`; where that is empty, the partial file is removed in the end.
    """

    def __init__(self, path: str, target: str, descriptor: int, resume_path: str) -> None:
        self.path = path
        self.target = target
        self.resume_path = resume_path
        self._descriptor = descriptor
        self.is_locked: bool = os.name == "posix" and bool(try_lock(descriptor))
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
        with contextlib.suppress(OSError, AttributeError):  # no such file, or a file system or platform without modes
            os.fchmod(self._descriptor, stat.S_IMODE(os.stat(self.target).st_mode))
        sync(self._descriptor)
        if os.name != "posix":
            self._close()  # Windows cannot rename open files
        os.replace(self.path, self.target)
        self._close()
        with contextlib.suppress(OSError):  # the download is complete; a folder may be writable and not readable
            sync_folder(os.path.dirname(self.target))

    def release(self, keep: bool) -> None:
        """Close the partial file; remove it unless `keep` is set and a later run can resume it."""
        with contextlib.suppress(OSError):
            if keep and self.resume_path:
                os.replace(self.path, self.resume_path)
            else:
                os.unlink(self.path)
        self._close()

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            unlock(descriptor)
            os.close(descriptor)

    __del__ = _close


def open_partial(file_path: str | os.PathLike[str] | None, artifact: ModelArtifact) -> PartialFile:
    """Open the partial file of a download to a path or folder; raises FileDownloadError where it cannot be written."""
    given = os.curdir if file_path is None else file_path
    target = absolute_path(given, FileDownloadError)
    digest = artifact.file_hash[:16] if re.fullmatch("[0-9a-fA-F]{64}", artifact.file_hash) else ""
    try:
        if os.path.isdir(target) or not os.path.basename(given):
            os.makedirs(target, exist_ok=True)
            target = os.path.join(target, safe_name(artifact.file_name))
        with contextlib.suppress(FileNotFoundError):
            if not stat.S_ISREG(os.stat(target).st_mode):  # a rename would replace it
                raise FileDownloadError(f"{target} is not a file: use luml_lite.open_download for pipes and devices")
        target = os.path.realpath(target)
        directory, bare = os.path.dirname(target), _cut(os.path.basename(target), 80)
        key = artifact.id[:36] or secrets.token_hex(18)  # bytes without an id are never continued
        stem = os.path.join(directory, f".{bare}.{key}.{digest}")
        partial = _try_open(stem, "", target, artifact.size)
        for _ in range(8):  # a process that removes abandoned partial files may lock a new one before this one does
            partial = partial or _try_open(stem, f".{secrets.token_hex(4)}", target, artifact.size)
    except OSError as error:
        raise FileDownloadError(f"cannot write {target}: {error.strerror}") from error
    if partial is None:
        raise FileDownloadError(f"cannot create and lock a partial file in {directory}")
    _sweep(directory, bare, partial.path, partial.is_locked)
    return partial


def _sweep(directory: str, name: str, ours: str, has_locks: bool = True) -> None:
    """Remove partial files left by killed downloads to the same target; locked or young ones are still in use."""
    pattern = re.compile(re.escape(f".{name}.") + r"[0-9a-f-]{36}\.[^.]*(\.[0-9a-f]{8})?\.part")
    with contextlib.suppress(OSError):
        for path in [os.path.join(directory, each) for each in os.listdir(directory) if pattern.fullmatch(each)]:
            with contextlib.suppress(OSError):  # one of another user may be refused
                if path == ours:
                    continue
                if not has_locks:
                    if time.time() - os.stat(path).st_mtime > _ABANDONED:
                        os.unlink(path)
                elif (abandoned := open_locked(path)) is not None:
                    PartialFile(path, path, abandoned, "").release(keep=False)


def safe_name(name: str) -> str:
    """A name from a server as a file name of any platform, without folders; at most 200 bytes with its extension."""
    bare = _UNSAFE.sub("_", re.split(r"[/\\]", name)[-1]).strip(" .")
    stem, extension = os.path.splitext(f"_{bare}" if _DEVICE.match(bare) else bare)
    return _cut(_cut(stem, max(1, 200 - len(extension.encode()))) + extension, 200).strip(" .") or "artifact"


def _cut(text: str, size: int) -> str:
    """The beginning of a text that fits `size` bytes of UTF-8."""
    return text.encode(errors="replace")[:size].decode(errors="ignore")


def _try_open(stem: str, token: str, target: str, size: int) -> PartialFile | None:
    """Open and lock a partial file; None if it is in use, or if others took a name that has no random `token`."""
    path = f"{stem}{token}.part"
    try:
        # Windows refuses reads and writes of locked bytes; there, names keep different artifacts apart.
        descriptor = open_locked(path) if os.name == "posix" else open_writable(path)
        if descriptor is None:
            return None
        partial = PartialFile(path, target, descriptor, "" if token else path)
        if os.name == "posix" and not token:
            facts = os.fstat(descriptor)
            if facts.st_uid != os.geteuid() or facts.st_nlink > 1:
                return None
            if not partial.is_locked:  # then a name that no other process knows keeps two writers apart
                os.rename(path, private := f"{stem}.{secrets.token_hex(4)}.part")
                partial = PartialFile(private, target, open_writable(private), path)
    except OSError:
        if token:
            raise
        return None
    if partial.size > size:
        partial.truncate(0)
    return partial
