"""Requests and responses as immutable data, with the files that their bodies are read from and written to.

A value here never holds an open file, a socket or a clock, so it can be compared, hashed, pickled and sent again.
Printing one never shows a key or a presigned query.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Generic, TypeAlias, TypeVar
from urllib.parse import unquote

import msgspec
from msgspec import Struct

from ..errors import DecodeError
from .redaction import SECRET_HEADERS, Redacted, redact_headers, redact_url

T = TypeVar("T")
Pairs: TypeAlias = tuple[tuple[str, str], ...]

_SHORTEST_SECRET = 8  # characters of a key or a query value; a shorter one stands in other words by chance
_REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})


class FileSlice(Struct, frozen=True):
    """A request body on disk: `length` bytes of the file at `path`, starting at `offset`; each attempt opens it again.

    With `md5`, the MD5 of the bytes is computed while they are sent and returned as `Response.sent_md5`.
    """

    path: str
    offset: int
    length: int
    md5: bool = False


class FileSink(Struct, frozen=True):
    """The file that the body of a 2xx response is written to, at `path`, starting at `offset`.

    With `digest`, the SHA-256 of the file from byte 0 to the end of the body is returned as `Response.sha256`. With
    `truncate`, the file ends after the body; without it, later bytes stay, so that several ranges of one file can be
    written at the same time. A body of more than `limit` bytes ends the attempt with an IntegrityError.
    """

    path: str
    offset: int = 0
    digest: bool = True
    truncate: bool = True
    limit: int | None = None


class Response(Redacted, Struct, frozen=True):
    """One response: status, headers with lower-case names, and the body unless a FileSink took it."""

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
        # No values: a server may repeat the key, or a presigned URL, in a header of any name.
        return f"Response(status={self.status}, headers={[*self.headers]!r}, body=<{len(self.body)} bytes>)"


class Request(Redacted, Struct, Generic[T], frozen=True, kw_only=True):
    """One HTTP request and the function that turns its 2xx response into a T.

    `url` is a path of the API, or an absolute presigned URL. `idempotent` says whether the request may be sent again
    after its response was lost; None lets the method decide. `limit` is the largest body kept in memory, in bytes: a
    longer one is an error, or, with `drop_surplus`, is not read to its end. With `patient` the response may take as
    long as a byte of it arrives now and then. The driver sets `max_rate`, in bytes per second, since only where bytes
    move can a chunk be small enough for it.
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
    limit: int = 64 * 1024 * 1024
    drop_surplus: bool = False
    patient: bool = False
    secrets: tuple[str | None, ...] = ()
    max_rate: int | None = None

    @property
    def repeatable(self) -> bool:
        """Whether sending the same value twice leaves the same state behind."""
        return self.method in _REPEATABLE if self.idempotent is None else self.idempotent

    def confidential(self) -> list[str]:
        """What no error may repeat: keys in the headers and the body, and the query values of a presigned URL."""
        # Azure's connection string is NAME=VALUE;NAME=VALUE, with an AccountKey or a SharedAccessSignature.
        given = [secret for secret in self.secrets if secret]
        pairs = [part.partition("=") for secret in given for part in secret.split(";")]
        keys = [value for name, _, value in pairs if value and name.lower().endswith(("key", "signature"))]
        sent = [value.rpartition(" ")[2] for name, value in self.headers if name.lower() in SECRET_HEADERS]
        if self.presigned:
            # Azure's comp=blocklist and blocklisttype=uncommitted are no secrets, and stand in the codes of its errors.
            values = re.findall(r"(?<!comp)(?<!type)[=#]([^&#]+)", self.url.partition("?")[2])
            sent += (*values, *map(unquote, values), *(value for _, value in self.query))
        return [*given, *keys, *(value for value in sent if len(value) >= _SHORTEST_SECRET)]

    def __str__(self) -> str:
        query = "&".join(f"{name}={value}" for name, value in self.query)
        url = f"{self.url}{'&' if '?' in self.url else '?'}{query}" if query else self.url
        return f"{self.method} {redact_url(url) if self.presigned else url}"

    def __repr__(self) -> str:
        body = f"<{len(self.body)} bytes>" if isinstance(self.body, bytes) else repr(self.body)
        return f"Request({str(self)!r}, headers={redact_headers(self.headers)!r}, body={body}, into={self.into!r})"


_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}


class Json(Struct, Generic[T], frozen=True):
    """A reply parser that decodes the JSON body as `type`; if that has a `public()` method, its value is the reply.

    With an `id`, a value with another id is a DecodeError: the server answered about another resource.
    """

    type: Any
    id: str | None = None

    def __call__(self, response: Response) -> T:
        decoder = _decoders.get(self.type)
        if decoder is None:
            decoder = _decoders.setdefault(self.type, msgspec.json.Decoder(self.type))
        value = decoder.decode(response.body)
        public = getattr(value, "public", None)
        value = public() if public is not None else value
        if self.id is not None and value.id.lower() != self.id.lower():
            raise DecodeError(f"the server answered about another resource than {self.id}")
        return value  # type: ignore[no-any-return]


def no_content(response: Response) -> None:
    """A reply parser for answers without a body: only a 204 says that it is done, not the page of a proxy."""
    if response.status != 204:
        raise DecodeError(f"the server answered {response.status} instead of 204: it is not known to be done")


def raw_response(response: Response) -> Response:
    """A reply parser that returns the response itself."""
    return response
