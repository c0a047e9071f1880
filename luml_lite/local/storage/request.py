"""What a request for stored bytes is, before anybody asked which vendor's: `storage_s3.py` or `storage_azure.py`."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ..responses import Body, BodyLost, HTTPError, Response
from .file_store import FileStore, StoredFile
from .object_index import AlreadyExists, ObjectIndex

Error = Callable[[str, str], HTTPError]  # makes a vendor's refusal of a code and a key; the codes are S3's
MAX_DOCUMENT = 16 * 1024 * 1024  # bytes of a JSON body or a list of parts; 10,000 parts take about one million


@dataclass(frozen=True)
class StorageRequest:
    """One request under a bucket: who it is for, what it asks, and the stores that answer it."""

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
    blobs: ObjectIndex
    objects: FileStore


def receive(request: StorageRequest, most: int, error: Error) -> StoredFile:
    """Keep a body of at most `most` bytes that fits its Content-MD5, where one was given; refuse any other."""
    if request.body.length is None:
        raise error("MissingContentLength", request.key)
    if request.body.length > most:
        raise error("EntityTooLarge", request.key)
    wanted = md5_header(request, "content-md5", error)

    def check(digest: bytes) -> None:
        if wanted not in (None, digest):
            raise error("BadDigest", request.key)

    return request.objects.receive(request.body, check)


def md5_header(request: StorageRequest, name: str, error: Error) -> bytes | None:
    """The digest that a header gives, None where there is none."""
    given = request.headers.get(name)
    if given is None:
        return None
    try:
        digest = b64decode(given, validate=True)
    except ValueError:
        digest = b""
    if len(digest) != 16:
        raise error("InvalidDigest", request.key)
    return digest


def is_only_new(request: StorageRequest) -> bool:
    """Whether the object must not be there; AlreadyThere when it is, before the body is read."""
    wanted = request.headers.get("if-none-match") == "*"
    if wanted and request.blobs.find(request.bucket, request.key):
        raise AlreadyExists
    return wanted


def read_whole(body: Body) -> bytes:
    """A small body in memory; a large one is a 413."""
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
