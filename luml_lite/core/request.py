"""Requests and responses as plain immutable data: what is sent, what is expected back, where bytes come from and go.

A value here never holds an open file, a socket or a clock, so it can be compared, hashed, pickled and sent again.
Printing one never shows a key or a presigned query.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec
from msgspec import Struct

from .redaction import Redacted

T = TypeVar("T")
Pairs: TypeAlias = tuple[tuple[str, str], ...]

_REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})
_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})


class FileSlice(Struct, frozen=True):
    """A request body on disk: `length` bytes of the file at `path` from `offset` on, opened anew for each attempt.

    With `md5` the digest of the bytes is taken while they are sent and returned as `Response.sent_md5`.
    """

    path: str
    offset: int
    length: int
    md5: bool = False


class FileSink(Struct, frozen=True):
    """Where the body of a 2xx response lands: in the file at `path` from `offset` on, replacing what was behind it.

    With `digest` the file's sha256 from byte 0 to the end of the body is returned as `Response.sha256`. With
    `truncate` off, bytes behind the body stay, so that ranges of one file can land side by side. More than
    `limit` bytes end the attempt with an IntegrityError.
    """

    path: str
    offset: int = 0
    digest: bool = True
    truncate: bool = True
    limit: int | None = None


class Response(Redacted, Struct, frozen=True):
    """One answer: status, headers with lower-case names, and the body unless it went into a FileSink."""

    status: int
    headers: dict[str, str] = {}
    body: bytes = b""
    received: int = 0
    sha256: str = ""
    sent_md5: str = ""

    def header(self, name: str) -> str:
        """The value of a header by its lower-case name, or an empty string."""
        return self.headers.get(name, "")

    def __repr__(self) -> str:
        headers = {name: "..." if name in _SECRET_HEADERS else value for name, value in self.headers.items()}
        return f"Response(status={self.status}, headers={headers!r}, body=<{len(self.body)} bytes>)"


class Request(Redacted, Struct, Generic[T], frozen=True, kw_only=True):
    """One HTTP request and the function that turns its good answer into a T.

    `url` is a path of the API, or an absolute presigned URL. `idempotent` says whether the same value may be sent
    again after an answer was lost; None leaves that to the method. `limit` bounds the body kept in memory, in bytes.
    """

    method: str
    url: str
    reply: Callable[[Response], T]
    query: Pairs = ()
    headers: Pairs = ()
    body: bytes | FileSlice = b""
    into: FileSink | None = None
    presigned: bool = False
    idempotent: bool | None = None
    limit: int = 256 * 1024 * 1024

    @property
    def repeatable(self) -> bool:
        """Whether sending the same value twice leaves the same state behind."""
        return self.method in _REPEATABLE if self.idempotent is None else self.idempotent

    def __str__(self) -> str:
        path, mark, _ = self.url.partition("?")
        if mark and not self.presigned:
            path = self.url
        names = "&".join(f"{name}={value}" for name, value in self.query)
        shown = names if not self.presigned else ("..." if mark or names else "")
        return f"{self.method} {path}{'?' if shown else ''}{shown}"

    def __repr__(self) -> str:
        headers = tuple((n, "..." if n.lower() in _SECRET_HEADERS else v) for n, v in self.headers)
        body = f"<{len(self.body)} bytes>" if isinstance(self.body, bytes) else repr(self.body)
        return f"Request({str(self)!r}, headers={headers!r}, body={body}, into={self.into!r})"


_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}


class Json(Struct, Generic[T], frozen=True):
    """A reply parser: the JSON body as a value of `type`; a wire type with a `public()` method is converted by it."""

    type: Any

    def __call__(self, response: Response) -> T:
        decoder = _decoders.get(self.type)
        if decoder is None:
            decoder = _decoders.setdefault(self.type, msgspec.json.Decoder(self.type))
        value = decoder.decode(response.body)
        public = getattr(value, "public", None)
        return public() if public is not None else value  # type: ignore[no-any-return]


def no_content(response: Response) -> None:
    """A reply parser for answers whose body carries nothing."""


def raw_response(response: Response) -> Response:
    """A reply parser that hands on the response itself."""
    return response
