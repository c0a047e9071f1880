"""Locks between processes, on open files. The system releases a lock when the process that holds it ends."""

from __future__ import annotations

import contextlib
import errno
import os
import sys

from .disk import open_writable


def open_locked(path: str) -> int | None:
    """Open a file, create it if it is missing, and lock it for this process alone; None if another one has locked it.

    Where the file system has no locks, it is only opened. Raises OSError (ELOOP) where the path is a symbolic link.
    """
    while True:
        descriptor = open_writable(path)
        if try_lock(descriptor) is False:
            os.close(descriptor)
            return None
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.lstat(path), os.fstat(descriptor)):
                return descriptor
        os.close(descriptor)  # renamed or removed before we had the lock: lock the file that has the path now


def try_lock(descriptor: int) -> bool | None:
    """Lock an open file for this process alone; False if another process has locked it, None if nobody can here."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return False if error.errno in (errno.EAGAIN, errno.EACCES) else None  # Lustre, FUSE and some NFS have no locks
    return True


def unlock(descriptor: int) -> None:
    """Release a lock; closing the file is not enough while a forked child has it open, too."""
    if sys.platform != "win32":
        import fcntl

        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)
