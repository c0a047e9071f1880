"""Reading a request within bounds: a head of limited size, a valid length, and a body in chunks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BufferedIOBase

from ...files.buffers import CHUNK, buffer
from ..responses import BodyLost, HTTPError, Response
from .limits import Deadline

# The standard library ends the headers at a line without a colon, and takes the rest for the next request.
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\r\n\0]*)?\r?\n").fullmatch
_LENGTH = re.compile(r"\s*[0-9]{1,19}\s*").fullmatch


@dataclass
class HeadReader:
    """Reads header lines; an HTTPError if together they exceed `left` bytes, or if one is malformed."""

    file: BufferedIOBase
    left: int

    def readline(self, most: int) -> bytes:
        line = self.file.readline(min(most, self.left + 1))
        self.left -= len(line)
        if self.left < 0:
            raise HTTPError(Response(431))
        if not _FIELD(line):
            raise HTTPError(Response(400))
        return line


@dataclass
class RequestBody:
    """A request body, read from the connection into the thread's buffer; each chunk is also appended to `copy`.

    `invite` is called before the first read. Raises BodyLost if the connection ends before `length` bytes have arrived.
    """

    file: BufferedIOBase
    length: int
    copy: bytearray | None
    deadline: Deadline
    invite: Callable[[], None]

    def __post_init__(self) -> None:
        self.left: int = self.length

    def __iter__(self) -> Iterator[memoryview]:
        self.invite()
        view = buffer()
        with self.deadline.require_progress():
            while self.left:
                count = self.file.readinto1(view[: min(CHUNK, self.left)])
                if not count:
                    raise BodyLost
                self.left -= count
                self.deadline.on_bytes(count)
                if self.copy is not None:
                    self.copy += view[:count]
                yield view[:count]


def body_length(method: str, lengths: list[str], most: int, *, is_chunked: bool) -> int:
    """The length of a request body from its Content-Length headers, at most `most`; an HTTPError refuses others."""
    if lengths and (is_chunked or len(lengths) > 1 or not _LENGTH(lengths[0])):
        raise HTTPError(Response(400))
    if is_chunked or (not lengths and method in ("PUT", "POST", "PATCH")):
        raise HTTPError(Response(411))
    length = int(lengths[0]) if lengths else 0
    if length > most:
        raise HTTPError(Response(413))
    return length
