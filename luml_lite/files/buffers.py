"""Page-aligned buffers, at most two a thread, and the size of the next chunk.

Memory stays at one or two buffers a thread, whatever the file's size. Buffers are anonymous maps, which start at a
page: receiving into memory that starts a few bytes into a page is several times slower on some processors.
"""

from __future__ import annotations

import mmap
import threading
import time

CHUNK = 1024 * 1024  # bytes: smaller blocks cost up to 3.8 times the CPU
_FIRST = 64 * 1024  # small enough that a slow link shows progress
_LEAST = 4 * 1024
_SLOW = 0.25  # seconds that a chunk may take before the next one is smaller
_thread = threading.local()


def buffer(turn: int = 0) -> memoryview:
    """This thread's page-aligned buffer of CHUNK bytes; `turn` (0 or 1) selects one of two, for double buffering."""
    views: dict[int, memoryview] = _thread.__dict__.setdefault("views", {})
    view = views.get(turn)
    if view is None:
        # Private: by default an anonymous map is shared with forked children, which would write into it.
        view = views[turn] = memoryview(mmap.mmap(-1, CHUNK, access=mmap.ACCESS_COPY))
    return view


class ChunkSizer:
    """The size of the next chunk, in bytes: doubled while the link is fast, halved while it is slow.

    Progress is counted once a chunk; small chunks keep a slow link from looking dead. It is `most` bytes at most.
    """

    __slots__ = ("_most", "_since", "size")

    def __init__(self, first: int = _FIRST, most: int = CHUNK) -> None:
        self._most = most
        self.size: int = min(max(min(_FIRST, first), _LEAST), most)
        self._since = time.monotonic()

    def moved(self) -> None:
        """Note that a chunk of this size was sent or received, and choose the next size."""
        now = time.monotonic()
        size = self.size * 2 if now - self._since < _SLOW else max(self.size // 2, _LEAST)
        self.size = min(size, self._most)
        self._since = now
