"""Bytes between files and transports: SliceReader reads request bodies, SinkWriter writes response bodies.

Both move chunks through the buffers of their thread, so that memory does not grow with the file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import md5
from typing import TYPE_CHECKING

from ..core.request import FileSink, FileSlice
from ..errors import IntegrityError
from .buffers import CHUNK, ChunkSizer
from .digests import keep_digest, resume_digest
from .disk import file_errors, open_writable, read_range

if TYPE_CHECKING:
    from concurrent.futures import Future
    from hashlib import _Hash

_WORTH_A_THREAD = 256 * 1024  # bytes: hashing a smaller chunk costs less than handing it to another thread
_RANGE_START = re.compile(r"bytes ([0-9]{1,19})-")


class SliceReader:
    """A FileSlice as an iterable of views, exactly `length` bytes; see `disk.read_range` for what it raises.

    Chunks have at most `most` bytes; `moved(n)` is called when n were taken. `md5` is the digest of what was read, if
    the slice wants one.
    """

    def __init__(self, body: FileSlice, moved: Callable[[int], None], most: int = CHUNK) -> None:
        self.body = body
        self.moved = moved
        self.most = most
        self._md5 = md5(usedforsecurity=False) if body.md5 else None

    def __iter__(self) -> Iterator[memoryview]:
        body, sizer = self.body, ChunkSizer(most=self.most)
        for view in read_range(body.path, body.offset, body.offset + body.length, sizer):
            if self._md5 is not None:
                self._md5.update(view)
            yield view
            self.moved(len(view))
            sizer.moved()

    @property
    def md5(self) -> str:
        """The hex MD5 of what was read, or an empty string where the slice wants none."""
        return self._md5.hexdigest() if self._md5 is not None else ""


def is_for_sink(sink: FileSink, status: int, content_range: str) -> bool:
    """Whether a response's body belongs into the sink: an error's body does not, nor does another range."""
    start = _RANGE_START.match(content_range)
    return status in (200, 206) and (int(start[1]) if start else 0) == sink.offset


class SinkWriter:
    """Writes a body into a FileSink and hashes it meanwhile; a context manager.

    With `hash_in_thread`, which calls a function in another thread, a large chunk is hashed while the next one arrives:
    the caller must not reuse a chunk's memory until the next chunk has been written.
    """

    def __init__(
        self,
        sink: FileSink,
        moved: Callable[[int], None],
        hash_in_thread: Callable[[Callable[[], None]], Future[None]] | None = None,
    ) -> None:
        self.sink = sink
        self.moved = moved
        self.received: int = 0
        self._hash_in_thread = hash_in_thread
        self._hashing: Future[None] | None = None
        self._hashed = 0
        self._digest: _Hash | None = None

    def __enter__(self) -> SinkWriter:
        sink = self.sink
        with file_errors("write", sink.path):
            self._file = open(open_writable(sink.path), "r+b", buffering=0)
        try:
            if sink.digest:
                self._digest = resume_digest(sink.path, sink.offset)
            if sink.truncate and os.fstat(self._file.fileno()).st_size > sink.offset:
                self._file.truncate(sink.offset)
            self._file.seek(sink.offset)
        except BaseException:
            self._file.close()
            raise
        return self

    def __exit__(self, *failure: object) -> None:
        self._join_hashing()
        with file_errors("write", self.sink.path):  # NFS says here that its disk is full
            self._file.close()
        # A digest is ahead of the file where the last chunk was hashed and could not be written.
        is_usable = self.received == self._hashed > 0
        if self._digest is not None and failure[0] is not None and is_usable:
            keep_digest(self.sink.path, self.sink.offset + self.received, self._digest)

    def write(self, view: memoryview | bytes) -> None:
        """Append a chunk of the body."""
        size = len(view)
        limit = self.sink.limit
        if limit is not None and self.received + size > limit:
            raise IntegrityError(f"the storage sent more than the {limit} bytes that belong to the artifact")
        self._hash(view)
        done = 0
        with file_errors("write", self.sink.path):
            while done < size:
                done += self._file.write(view[done:] if done else view) or 0
        self.received += size
        self.moved(size)

    def _hash(self, view: memoryview | bytes) -> None:
        self._join_hashing()
        self._hashed += len(view)
        if self._digest is None:
            return
        if self._hash_in_thread is not None and len(view) >= _WORTH_A_THREAD:
            self._hashing = self._hash_in_thread(partial(self._digest.update, view))
        else:
            self._digest.update(view)

    def _join_hashing(self) -> None:
        """Wait until the other thread has hashed its chunk."""
        hashing, self._hashing = self._hashing, None
        if hashing is not None:
            hashing.result()

    def sha256(self) -> str:
        """The hex digest of the file up to here, or an empty string where the sink wants none."""
        self._join_hashing()
        return self._digest.hexdigest() if self._digest is not None else ""
