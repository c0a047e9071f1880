"""Locks between processes, on open files: they end with the process that has them."""

from __future__ import annotations

import contextlib
import sys


def try_lock(descriptor: int) -> bool:
    """Lock an open file for this process alone; False where another one has it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def unlock(descriptor: int) -> None:
    """Give a lock up; closing the file does not where a forked child has it open, too."""
    if sys.platform != "win32":
        import fcntl

        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)
