"""A guard against flows that act: while one runs, nothing may touch a file, a socket, a process or the clock's sleep.

Python reports such calls as audit events. An audit hook cannot be removed, so that one is added once, and a flag of
the thread switches it on and off. Files that an import reads are not the flow's doing.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest

ACTS = ("open", "os.", "shutil.", "socket.", "subprocess.", "tempfile.", "time.")
_thread = threading.local()


@contextmanager
def forbid_io() -> Iterator[None]:
    """Fail the test at the first act inside this block; no `except Exception` of a flow can hide it."""
    _add_hook()
    before = getattr(_thread, "forbidden", False)
    _thread.forbidden = True
    try:
        yield
    finally:
        _thread.forbidden = before


@cache
def _add_hook() -> None:
    def hook(event: str, args: Any) -> None:
        if getattr(_thread, "forbidden", False) and event.startswith(ACTS) and not _is_importing():
            _thread.forbidden = False  # reporting the failure reads files
            raise pytest.fail.Exception(f"a flow acted by itself: {event} {args!r:.200}")

    sys.addaudithook(hook)


def _is_importing() -> bool:
    frame = sys._getframe()
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False
