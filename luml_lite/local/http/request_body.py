"""What arrives on a connection: a head of bounded size, a length that makes sense, a body in pieces."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from http.client import LineTooLong
from io import BufferedIOBase
from typing import Protocol

from ...files.buffers import CHUNK, buffer
from ..responses import BodyLost


class Client(Protocol):
    """The connection that a body is read from."""

    @property
    def rfile(self) -> BufferedIOBase: ...

    def send_continue(self) -> None: ...

    def moving(self) -> AbstractContextManager[None]: ...

    def moved(self, count: int, /) -> None: ...


class HeadReader:
    """The lines of a request head; all of them together are at most `left` bytes."""

    def __init__(self, file: BufferedIOBase, left: int) -> None:
        self.file = file
        self.left = left

    def readline(self, most: int) -> bytes:
        line = self.file.readline(min(most, self.left + 1))
        self.left -= len(line)
        if self.left < 0:
            raise LineTooLong("head")
        return line


class RequestBody:
    """A request body, read from the connection through the thread's buffer; `copy` gets what went by."""

    def __init__(self, handler: Client, length: int, copy: bytearray | None) -> None:
        self.handler = handler
        self.length = length
        self.left = length
        self.copy = copy

    def __iter__(self) -> Iterator[memoryview]:
        self.handler.send_continue()
        view = buffer()
        with self.handler.moving():
            while self.left:
                count = self.handler.rfile.readinto1(view[: min(CHUNK, self.left)])
                if not count:
                    raise BodyLost
                self.left -= count
                self.handler.moved(count)
                if self.copy is not None:
                    self.copy += view[:count]
                yield view[:count]


def content_length(values: list[str]) -> int | bool | None:
    """The length that a request gives; None where it gives none, False where it makes no sense."""
    if not values:
        return None
    if len(values) > 1 or not (values[0].isascii() and values[0].strip().isdigit() and len(values[0]) < 20):
        return False
    return int(values[0])
