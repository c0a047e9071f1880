"""Requests' bodies and responses of the registry, without sockets.

A response has a status, headers and a body of bytes or of ranges of files. Code that refuses a request raises an
HTTPError, which carries the response.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Protocol

JSON = {"content-type": "application/json"}


class Body(Protocol):
    """A request body that arrives in chunks; `length` is its size in bytes, or None where the client gave none."""

    @property
    def length(self) -> int | None: ...

    def __iter__(self) -> Iterator[bytes | memoryview]: ...


class BodyLost(Exception):
    """The connection ended before the whole body had arrived."""


@dataclass(frozen=True)
class FileRange:
    """`length` bytes of a stored file from `offset` on; `file` is set where the file is open already."""

    path: str
    offset: int
    length: int
    file: BinaryIO | None = None

    def open(self) -> BinaryIO:
        """The open file, at any position; the caller closes it."""
        return self.file if self.file is not None else open(self.path, "rb", buffering=0)


@dataclass(frozen=True)
class Response:
    """One response; the caller closes it when it has sent the body or will not send it."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | tuple[FileRange, ...] = b""

    @property
    def length(self) -> int:
        """The size of the body in bytes."""
        return len(self.body) if isinstance(self.body, bytes) else sum(part.length for part in self.body)

    def close(self) -> None:
        """Close the open files of the body."""
        if not isinstance(self.body, bytes):
            for part in self.body:
                if part.file is not None:
                    part.file.close()


class HTTPError(Exception):
    """Ends the handling of a request with this response."""

    def __init__(self, reply: Response) -> None:
        super().__init__(reply.status)
        self.reply = reply


def json_response(value: Any, status: int = 200) -> Response:
    """A response with a value as JSON."""
    return Response(status, JSON, json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def http_error(status: int, detail: Any) -> HTTPError:
    """An error in the form of the platform: `{"detail": ...}`."""
    return HTTPError(json_response({"detail": detail}, status))
