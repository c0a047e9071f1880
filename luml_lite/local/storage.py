"""What a request for stored bytes is, before anybody asked which vendor's: `storage_s3.py` or `storage_azure.py`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .blobs import Blobs
from .objects import Objects
from .replies import Body, BodyLost, Refusal, Reply

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
    blobs: Blobs
    objects: Objects


def whole(body: Body) -> bytes:
    """A small body in memory; a large one is a 413."""
    if body.length is not None and body.length > MAX_DOCUMENT:
        raise Refusal(Reply(413))
    content = bytearray()
    for chunk in body:
        content += chunk
        if len(content) > MAX_DOCUMENT:
            raise Refusal(Reply(413))
    if body.length is not None and len(content) != body.length:
        raise BodyLost
    return bytes(content)
