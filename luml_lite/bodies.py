"""Bytes between files and transports: slices are read and sinks are written through one reused buffer a thread.

Memory is one buffer a thread, whatever the file's size. Buffers are anonymous maps because those start at a page:
receiving into memory a few bytes into a page is several times slower on some processors.
"""

from __future__ import annotations

import mmap
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import md5, sha256
from typing import TYPE_CHECKING

from .core.cancellation import checkpoint
from .core.request import FileSink, FileSlice
from .errors import FileError, IntegrityError

if TYPE_CHECKING:
    from concurrent.futures import Future
    from hashlib import _Hash

CHUNK = 1024 * 1024
_FIRST = 64 * 1024  # small enough that a slow link shows progress
_LEAST = 4 * 1024
_ASIDE = 256 * 1024  # bytes of a chunk that are worth another thread
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


class Stride:
    """The size of the next chunk, in bytes: doubled while the link is fast, halved while it is slow.

    What moves is counted by the chunk, so that chunks must stay short in time for a slow link not to look dead.
    """

    __slots__ = ("_since", "size")

    def __init__(self, most: int = _FIRST) -> None:
        self.size = max(min(_FIRST, most), _LEAST)
        self._since = time.monotonic()

    def taken(self) -> None:
        """A chunk has moved."""
        now = time.monotonic()
        self.size = min(self.size * 2, CHUNK) if now - self._since < _SLOW else max(self.size // 2, _LEAST)
        self._since = now


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
            stride = Stride()
            while left:
                try:
                    count = file.readinto(view[: min(stride.size, left)])
                except OSError as error:  # left as it is, it would be taken for trouble with the connection
                    raise self._unreadable(error) from error
                if not count:
                    raise IntegrityError(f"{self.body.path} became shorter while it was sent")
                if self.md5 is not None:
                    self.md5.update(view[:count])
                yield view[:count]
                left -= count
                self.moved(count)
                stride.taken()

    def _unreadable(self, error: OSError) -> FileError:
        return FileError(f"cannot read {self.body.path}: {error.strerror}")


# The digests of files that a body is to go on in, so that their bytes are neither read twice nor while a server waits.
_unfinished: OrderedDict[tuple[str, int, int], _Hash] = OrderedDict()
_UNFINISHED_KEPT = 64


class SinkWriter:
    """Writes a body into a FileSink, hashing while it goes; used as a context manager.

    With `aside`, which calls a function in another thread, a large chunk is hashed while the next one arrives: its
    memory must not be filled again before the chunk after it has been written.
    """

    def __init__(
        self,
        sink: FileSink,
        moved: Callable[[int], None],
        aside: Callable[[Callable[[], None]], Future[None]] | None = None,
    ) -> None:
        self.sink = sink
        self.moved = moved
        self.received = 0
        self._aside = aside
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
                self._digest = _resumed(self.sink.path, self.sink.offset)
            if self.sink.truncate and os.fstat(self._file.fileno()).st_size > self.sink.offset:
                self._file.truncate(self.sink.offset)
            self._file.seek(self.sink.offset)
        except BaseException:
            self._file.close()
            raise
        return self

    def __exit__(self, *failure: object) -> None:
        self._settle()
        self._file.close()
        landed = self.received == self._hashed > 0  # what was hashed and could not be written is of no use
        if self._digest is not None and failure[0] is not None and landed:
            _keep(self.sink.path, self.sink.offset + self.received, self._digest)

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
        self._settle()
        self._hashed += len(view)
        if self._digest is None:
            return
        if self._aside is not None and len(view) >= _ASIDE:
            self._hashing = self._aside(partial(self._digest.update, view))
        else:
            self._digest.update(view)

    def _settle(self) -> None:
        """Wait for the chunk that is hashed aside."""
        hashing, self._hashing = self._hashing, None
        if hashing is not None:
            hashing.result()

    def sha256(self) -> str:
        """The digest of the file up to here, or an empty string where none was asked for."""
        self._settle()
        return self._digest.hexdigest() if self._digest is not None else ""


def md5_of(body: FileSlice) -> bytes:
    """The MD5 of a slice, for storages that compare it on arrival and tell nothing afterwards."""
    digest = md5(usedforsecurity=False)
    for view in SliceReader(body, lambda count: checkpoint()):
        digest.update(view)
    return digest.digest()


def hash_file(path: str, end: int | None = None) -> _Hash:
    """The sha256 of a file, or of its first `end` bytes; ends early when the thread's token is set."""
    digest = sha256()
    hash_on(digest, path, 0, end)
    return digest


def hash_on(digest: _Hash, path: str, start: int, end: int | None) -> None:
    """Take the bytes [start, end) of a file into a digest; without `end` all from `start` on."""
    view = buffer()
    done = start
    with open(path, "rb", buffering=0) as file:
        file.seek(start)
        while end is None or done < end:
            count = file.readinto(view if end is None else view[: min(CHUNK, end - done)])
            if not count:
                break
            digest.update(view[:count])
            done += count
            checkpoint()
    if end is not None and done < end:
        raise IntegrityError(f"{path} became shorter while it was read")


def hash_ahead(path: str, offset: int) -> None:
    """Have the digest of a file's first bytes ready for a FileSink that goes on behind them."""
    _keep(path, offset, _resumed(path, offset))


def _resumed(path: str, offset: int) -> _Hash:
    if not offset:
        return sha256()
    found = _unfinished.pop((path, offset, os.stat(path).st_mtime_ns), None)
    return found if found is not None else hash_file(path, offset)


def _keep(path: str, offset: int, digest: _Hash) -> None:
    try:
        _unfinished[path, offset, os.stat(path).st_mtime_ns] = digest
    except FileNotFoundError:
        return
    while len(_unfinished) > _UNFINISHED_KEPT:
        _unfinished.popitem(last=False)
