"""What the registry answers, free of HTTP: a status, headers and a body of bytes or of ranges of files.

A refusal is an exception that already is the answer, so that no rule has to pass errors along by hand.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Protocol

JSON = {"content-type": "application/json"}


class Body(Protocol):
    """A request body that arrives in chunks: `length` bytes in all, or None where the client did not say."""

    @property
    def length(self) -> int | None: ...

    def __iter__(self) -> Iterator[bytes | memoryview]: ...


class Bytes:
    """A request body that is in memory already."""

    def __init__(self, content: bytes = b"") -> None:
        self.content = content
        self.length = len(content)

    def __iter__(self) -> Iterator[bytes]:
        if self.content:
            yield self.content


class BodyLost(Exception):
    """The client went away, or was cut off, before the whole body had come."""


@dataclass(frozen=True)
class FileRange:
    """`length` bytes of a stored file from `offset` on; opened when its turn comes unless `file` is open already."""

    path: str
    offset: int
    length: int
    file: BinaryIO | None = None

    def open(self) -> BinaryIO:
        """The file, positioned at nothing in particular; who opens a range closes it."""
        return self.file if self.file is not None else open(self.path, "rb", buffering=0)


@dataclass(frozen=True)
class Response:
    """One answer; `close()` it when its body was sent or will not be."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | tuple[FileRange, ...] = b""

    @property
    def length(self) -> int:
        """The size of the body in bytes."""
        return len(self.body) if isinstance(self.body, bytes) else sum(part.length for part in self.body)

    def close(self) -> None:
        """Close the files that are open."""
        if not isinstance(self.body, bytes):
            for part in self.body:
                if part.file is not None:
                    part.file.close()


class HTTPError(Exception):
    """An answer that ends the handling of a request."""

    def __init__(self, reply: Response) -> None:
        super().__init__(reply.status)
        self.reply = reply


def json_response(value: Any, status: int = 200) -> Response:
    """A value as a JSON answer."""
    return Response(status, JSON, json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def http_error(status: int, detail: Any) -> HTTPError:
    """The platform's error shape: `{"detail": ...}`."""
    return HTTPError(json_response({"detail": detail}, status))
