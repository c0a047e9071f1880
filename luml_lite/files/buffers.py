"""Page-aligned buffers, one or two a thread, and the size of the next chunk."""

from __future__ import annotations

import mmap
import threading
import time

CHUNK = 1024 * 1024
_FIRST = 64 * 1024  # small enough that a slow link shows progress
_LEAST = 4 * 1024
_SLOW = 0.25  # seconds that a chunk may take before the next one is smaller
_thread = threading.local()


def buffer(turn: int = 0) -> memoryview:
    """This thread's page-aligned buffer of CHUNK bytes; a second one, of turn 1, for who fills them in turn."""
    views: dict[int, memoryview] = _thread.__dict__.setdefault("views", {})
    view = views.get(turn)
    if view is None:
        # Private: by default an anonymous map is shared with forked children, which would write into it.
        view = views[turn] = memoryview(mmap.mmap(-1, CHUNK, access=mmap.ACCESS_COPY))
    return view


class ChunkSizer:
    """The size of the next chunk, in bytes: doubled while the link is fast, halved while it is slow.

    What moves is counted by the chunk, so that chunks must stay short in time for a slow link not to look dead.
    """

    __slots__ = ("_since", "size")

    def __init__(self, most: int = _FIRST) -> None:
        self.size = max(min(_FIRST, most), _LEAST)
        self._since = time.monotonic()

    def moved(self) -> None:
        """A chunk has moved."""
        now = time.monotonic()
        self.size = min(self.size * 2, CHUNK) if now - self._since < _SLOW else max(self.size // 2, _LEAST)
        self._since = now
