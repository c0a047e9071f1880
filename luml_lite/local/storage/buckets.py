"""How an artifact's bytes get to a bucket: one URL, or a list of parts; who signs the URLs is the bucket.

A bucket is anything with a `type` ("s3" or "azure") and `presign(method, key, query)`. The registry's own signs URLs of
this registry; one that was external_bucket in signs those of a real store, whose bytes the registry never sees.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

from ..responses import http_error
from .signing import presign_azure, presign_s3, quoted_path

MiB = 1024**2
GiB = 1024**3
SINGLE_UP_TO = 524_288_000  # bytes; one more and the upload is in parts
PART_SIZES = ((1 * GiB, 32 * MiB), (5 * GiB, 64 * MiB), (10 * GiB, 128 * MiB), (100 * GiB, 512 * MiB))
LARGEST_PART = 1 * GiB
MAX_PARTS = 10_000
LIFETIME = 12 * 3600  # seconds a URL is good for
STORAGE = "/storage/"  # what paths of the registry's own buckets start with


class Bucket(Protocol):
    """Signs URLs for the objects of one bucket."""

    @property
    def type(self) -> str: ...

    def presign(self, method: str, key: str, query: Mapping[str, str]) -> str: ...


@dataclass(frozen=True)
class OwnBucket:
    """A bucket that the registry keeps itself, under the address that the client used."""

    type: str
    id: str
    base_url: str
    signer: bytes
    moment: datetime
    lifetime: int

    def presign(self, method: str, key: str, query: Mapping[str, str]) -> str:
        """A URL that allows `method` on the object for a while."""
        path = f"{STORAGE}{self.id}/{key}"
        address = f"{self.base_url}{quoted_path(path)}"
        if self.type == "s3":
            if any(segment in (".", "..") for segment in key.split("/")):
                raise ValueError("object name with '.' or '..' path segment is not supported")
            host = urlsplit(self.base_url).netloc
            presign_or_refuse = presign_s3(self.signer, method, host, path, query.items(), self.moment, self.lifetime)
            return f"{address}?{presign_or_refuse}"
        permissions = {"GET": "r", "PUT": "cw", "DELETE": "d"}[method]
        presign_or_refuse = presign_azure(self.signer, permissions, path, self.moment, self.lifetime)
        return f"{address}?{presign_or_refuse}" + "".join(f"&{name}={value}" for name, value in query.items())


@dataclass(frozen=True)
class Layout:
    """Where a single upload ends and how large parts are, in bytes; `part_size` None is the platform's table."""

    single_up_to: int = SINGLE_UP_TO
    part_size: int | None = None

    def size_of_parts(self, total: int) -> int:
        """The size of every part but the last."""
        if self.part_size is not None:
            return self.part_size
        return next((part for up_to, part in PART_SIZES if total <= up_to), LARGEST_PART)


def upload_details(bucket: Bucket, secret_id: str, key: str, size: int, layout: Layout) -> dict[str, Any]:
    """The `upload_details` of a new artifact."""
    multipart = size > layout.single_up_to
    url: str | None = None
    if not multipart:
        url = presign_or_refuse(bucket, "PUT", key, {}, "upload")
    elif bucket.type == "s3":
        url = presign_or_refuse(bucket, "POST", key, {"uploads": ""}, "upload")
    return {
        "type": bucket.type,
        "url": url,
        "multipart": multipart,
        "bucket_location": key,
        "bucket_secret_id": secret_id,
    }


def part_urls(bucket: Bucket, key: str, size: int, upload_id: str | None, layout: Layout) -> dict[str, Any]:
    """The URLs of every part and of what completes them; the same layout each time it is asked for."""
    # Small parts are for tests; no vendor takes more than this many.
    step = max(layout.size_of_parts(size), -(-size // MAX_PARTS))
    listed = []
    for number, start in enumerate(range(0, size, step), 1):
        if bucket.type == "s3":
            query = {"partNumber": str(number), "uploadId": upload_id or ""}
        else:
            query = {"comp": "block", "blockid": b64encode(b"block-%08d" % number).decode()}
        end = min(start + step, size)
        listed.append(
            {
                "part_number": number,
                "url": presign_or_refuse(bucket, "PUT", key, query, "upload"),
                "start_byte": start,
                "end_byte": end - 1,
                "part_size": end - start,
            }
        )
    if bucket.type == "s3":
        complete = presign_or_refuse(bucket, "POST", key, {"uploadId": upload_id or ""}, "upload")
        return {"type": "s3", "upload_id": upload_id, "parts": listed, "complete_url": complete}
    complete = presign_or_refuse(bucket, "PUT", key, {"comp": "blocklist"}, "upload")
    return {"type": "azure", "parts": listed, "complete_url": complete}


def presign_or_refuse(bucket: Bucket, method: str, key: str, query: Mapping[str, str], purpose: str) -> str:
    """A URL, or the platform's 400 when the bucket cannot make one."""
    try:
        return bucket.presign(method, key, query)
    except Exception as error:
        raise http_error(400, f"Failed to generate {purpose} URL: {error}") from error
