"""Locks of a registry's directory: processes that have it open share one, and a process that is alone can see that."""

from __future__ import annotations

import sys
import time

from ..files.locks import try_lock

CAN_SHARE = sys.platform != "win32"  # msvcrt knows exclusive locks only
_RETRY_AFTER = 0.05  # seconds


def lock(descriptor: int) -> None:
    """Lock an open file for this process alone; waits while another process has locked it."""
    if sys.platform == "win32":
        while try_lock(descriptor) is False:
            time.sleep(_RETRY_AFTER)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX)


def share_lock(descriptor: int) -> None:
    """Hold a lock together with other processes, instead of an exclusive one if there was one; needs CAN_SHARE."""
    if sys.platform != "win32":
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_SH)
