"""Bytes between files and transports: slices are read and sinks are written through one reused buffer a thread.

Memory is one buffer a thread, whatever the file's size. Buffers are anonymous maps because those start at a page:
receiving into memory a few bytes into a page is several times slower on some processors.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import md5
from typing import TYPE_CHECKING

from ..core.cancellation import checkpoint
from ..core.request import FileSink, FileSlice
from ..errors import FileError, IntegrityError
from .buffers import ChunkSizer, buffer
from .digests import keep_digest, resume_digest

if TYPE_CHECKING:
    from concurrent.futures import Future
    from hashlib import _Hash

_WORTH_A_THREAD = 256 * 1024  # bytes of a chunk that are worth another thread


class SliceReader:
    """The bytes of a FileSlice as an iterable of views, exactly `length` of them or an IntegrityError."""

    def __init__(self, body: FileSlice, moved: Callable[[int], None]) -> None:
        self.body = body
        self.moved = moved
        self.md5 = md5(usedforsecurity=False) if body.md5 else None

    def __iter__(self) -> Iterator[memoryview]:
        view = buffer()
        left = self.body.length
        try:
            file = open(self.body.path, "rb", buffering=0)  # noqa: SIM115 - closed by the with below
        except OSError as error:
            raise self._unreadable(error) from error
        with file:
            file.seek(self.body.offset)
            sizer = ChunkSizer()
            while left:
                try:
                    count = file.readinto(view[: min(sizer.size, left)])
                except OSError as error:  # left as it is, it would be taken for trouble with the connection
                    raise self._unreadable(error) from error
                if not count:
                    raise IntegrityError(f"{self.body.path} became shorter while it was sent")
                if self.md5 is not None:
                    self.md5.update(view[:count])
                yield view[:count]
                left -= count
                self.moved(count)
                sizer.moved()

    def _unreadable(self, error: OSError) -> FileError:
        return FileError(f"cannot read {self.body.path}: {error.strerror}")


class SinkWriter:
    """Writes a body into a FileSink, hashing while it goes; used as a context manager.

    With `hash_in_thread`, which calls a function in another thread, a large chunk is hashed while the next one arrives.
    The caller must not reuse the chunk's memory until the next chunk has been written.
    """

    def __init__(
        self,
        sink: FileSink,
        moved: Callable[[int], None],
        hash_in_thread: Callable[[Callable[[], None]], Future[None]] | None = None,
    ) -> None:
        self.sink = sink
        self.moved = moved
        self.received = 0
        self._hash_in_thread = hash_in_thread
        self._hashing: Future[None] | None = None
        self._hashed = 0
        self._digest: _Hash | None = None

    def __enter__(self) -> SinkWriter:
        flags = os.O_RDWR | os.O_CREAT
        for name in ("O_CLOEXEC", "O_BINARY", "O_NOFOLLOW"):
            flags |= getattr(os, name, 0)
        self._file = open(os.open(self.sink.path, flags, 0o666), "r+b", buffering=0)
        try:
            if self.sink.digest:
                self._digest = resume_digest(self.sink.path, self.sink.offset)
            if self.sink.truncate and os.fstat(self._file.fileno()).st_size > self.sink.offset:
                self._file.truncate(self.sink.offset)
            self._file.seek(self.sink.offset)
        except BaseException:
            self._file.close()
            raise
        return self

    def __exit__(self, *failure: object) -> None:
        self._join_hashing()
        self._file.close()
        landed = self.received == self._hashed > 0  # what was hashed and could not be written is of no use
        if self._digest is not None and failure[0] is not None and landed:
            keep_digest(self.sink.path, self.sink.offset + self.received, self._digest)

    def write(self, view: memoryview | bytes) -> None:
        """Append a chunk of the body."""
        size = len(view)
        limit = self.sink.limit
        if limit is not None and self.received + size > limit:
            raise IntegrityError(f"the storage sent more than the {limit} bytes that belong to the artifact")
        self._hash(view)
        done = 0
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
        """Wait for the chunk that is hashed hash_in_thread."""
        hashing, self._hashing = self._hashing, None
        if hashing is not None:
            hashing.result()

    def sha256(self) -> str:
        """The digest of the file up to here, or an empty string where none was asked for."""
        self._join_hashing()
        return self._digest.hexdigest() if self._digest is not None else ""


def md5_of(body: FileSlice) -> bytes:
    """The MD5 of a slice, for storages that compare it on arrival and tell nothing afterwards."""
    digest = md5(usedforsecurity=False)
    for view in SliceReader(body, lambda count: checkpoint()):
        digest.update(view)
    return digest.digest()
