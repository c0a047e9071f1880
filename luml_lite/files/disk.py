"""System calls on files and folders that differ between platforms or that several modules need.

No function here follows a symbolic link that it writes through, or reads a file as a whole.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator

from ..errors import FileError, IntegrityError
from .buffers import ChunkSizer, buffer

# O_NOFOLLOW: names of partial files can be guessed, and another user of the folder may have left a link there.
_WRITABLE = os.O_RDWR | os.O_CREAT
for _name in ("O_CLOEXEC", "O_BINARY", "O_NOFOLLOW"):
    _WRITABLE |= getattr(os, _name, 0)


def absolute_path(path: str | os.PathLike[str], failure: type[FileError] = FileError) -> str:
    """The absolute path of a path that a caller gave; raises `failure` if it can name no file."""
    with contextlib.suppress(OSError, TypeError, ValueError):  # of bytes, numbers, files and lone surrogates, too
        name = os.fspath(path)
        if "\0" not in name and os.fsencode(name):
            return os.path.abspath(name)
    raise failure(f"{path!r} names no file: give a str or Path without NUL, absolute if the working directory is gone")


@contextlib.contextmanager
def file_errors(verb: str, path: str) -> Iterator[None]:
    """Raise OSErrors as FileError: a transport would take an OSError for trouble with the connection, and try again."""
    try:
        yield
    except OSError as error:
        raise FileError(f"cannot {verb} {path}: {error.strerror} [{errno.errorcode.get(error.errno or 0)}]") from error


def open_writable(path: str, mode: int = 0o666) -> int:
    """Open a file for reading and writing, create it if it is missing, and return its descriptor.

    Raises OSError with errno ELOOP where the path is a symbolic link.
    """
    return os.open(path, _WRITABLE, mode)


def sync(descriptor: int) -> None:
    """Make the bytes of an open file survive a power cut, unless its file system refuses that."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM, errno.EACCES):
            raise


def sync_folder(path: str) -> None:
    """Make new, renamed and removed names in a folder survive a power cut."""
    if os.name != "posix":
        return  # Windows cannot open folders, and its renames need no sync
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_range(path: str, start: int, end: int | None = None, sizer: ChunkSizer | None = None) -> Iterator[memoryview]:
    """Read the bytes [start, end) of a file in chunks, up to its end by default.

    Each chunk is a view of this thread's buffer and holds until the next one is read. `sizer` gives the size of the
    chunks. Raises FileError where the file cannot be read, IntegrityError where it has fewer than `end` bytes.
    """
    view = buffer()
    done = start
    with file_errors("read", path), open(path, "rb", buffering=0) as file:
        file.seek(start)
        while end is None or done < end:
            size = len(view) if sizer is None else sizer.size
            count = file.readinto(view[: size if end is None else min(size, end - done)])
            if not count:
                break
            yield view[:count]
            done += count
    if end is not None and done < end:
        raise IntegrityError(f"{path} became shorter while it was read; use it again when nothing writes to it")
