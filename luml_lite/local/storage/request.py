"""A request to storage, and how its headers and body are read; S3 and Azure share this."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass
from datetime import datetime

from ..responses import Body, BodyLost, HTTPError, Response
from .file_store import StoredFile
from .object_index import AlreadyExists, ObjectIndex, ObjectName

MAX_DOCUMENT = 16 * 1024 * 1024  # bytes of a JSON body or a list of parts; 10,000 parts take about one million
OCTET_STREAM = "application/octet-stream"  # the content type of an object that was sent without one


class VendorError(Exception):
    """Refuses a request with an error code; codes that both vendors share are those of S3."""

    def __init__(self, code: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.headers = headers


@dataclass(frozen=True)
class StorageRequest:
    """One request to storage, and the stores that answer it; `path` and `query` are decoded."""

    method: str
    host: str
    path: str
    url: str
    query: tuple[tuple[str, str], ...]
    headers: dict[str, str]
    body: Body
    bucket: str
    key: str
    moment: datetime
    signer: bytes
    smallest_part: int
    objects: ObjectIndex

    @property
    def name(self) -> ObjectName:
        """The object that the request is for."""
        return ObjectName(self.bucket, self.key)


def receive(request: StorageRequest, most: int) -> StoredFile:
    """Store the body as a file; refuse one above `most` bytes and one that does not match its Content-MD5."""
    if request.body.length is None:
        raise VendorError("MissingContentLength")
    if request.body.length > most:
        raise VendorError("EntityTooLarge")
    expected = md5_header(request, "content-md5")

    def check(digest: bytes) -> None:
        if expected not in (None, digest):
            raise VendorError("BadDigest")

    return request.objects.files.receive(request.body, check)


def md5_header(request: StorageRequest, name: str) -> bytes | None:
    """The MD5 in a header, or None if the header is missing."""
    value = request.headers.get(name)
    if value is None:
        return None
    try:
        digest = b64decode(value, validate=True)
    except ValueError:
        digest = b""
    if len(digest) != 16:
        raise VendorError("InvalidDigest")
    return digest


def is_only_new(request: StorageRequest) -> bool:
    """Whether the request forbids replacing an object; raises AlreadyExists if there is one to replace."""
    only_new = request.headers.get("if-none-match") == "*"
    if only_new and request.objects.find(request.name):
        raise AlreadyExists
    return only_new


def read_whole(body: Body) -> bytes:
    """A small body in memory; 413 if it has more than MAX_DOCUMENT bytes."""
    if body.length is not None and body.length > MAX_DOCUMENT:
        raise HTTPError(Response(413))
    content = bytearray()
    for chunk in body:
        content += chunk
        if len(content) > MAX_DOCUMENT:
            raise HTTPError(Response(413))
    if body.length is not None and len(content) != body.length:
        raise BodyLost
    return bytes(content)
