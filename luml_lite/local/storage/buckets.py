"""How clients send the bytes of an artifact to a bucket: the presigned URL of one upload, or the URLs of its parts.

A bucket is any object with a `type` ("s3" or "azure") and a method `presign(method, key, query)`. The registry's own
buckets sign URLs of the registry. An external bucket signs URLs of a real store, and the registry never receives the
bytes.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

from ..responses import http_error
from .signing import presign_azure, presign_s3, quoted_path

MiB = 1024**2
GiB = 1024**3
SINGLE_UP_TO = 524_288_000  # bytes; the platform splits larger uploads into parts
# The platform's table: the size of the largest upload, and that of its parts.
PART_SIZES = ((1 * GiB, 32 * MiB), (5 * GiB, 64 * MiB), (10 * GiB, 128 * MiB), (100 * GiB, 512 * MiB))
LARGEST_PART = 1 * GiB
MAX_PARTS = 10_000  # of S3: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
LIFETIME = 12 * 3600  # seconds until a URL expires
STORAGE = "/storage/"  # prefix of all paths in the registry's own buckets


class Bucket(Protocol):
    """Signs URLs for the objects of one bucket."""

    @property
    def type(self) -> str: ...

    def presign(self, method: str, key: str, query: Mapping[str, str]) -> str: ...


@dataclass(frozen=True)
class OwnBucket:
    """One of the registry's own buckets, at the address that the client uses for the registry."""

    type: str
    id: str
    base_url: str
    signer: bytes
    moment: datetime
    lifetime: int
    is_signed: bool = True

    def presign(self, method: str, key: str, query: Mapping[str, str]) -> str:
        """A URL that allows `method` on the object for `lifetime` seconds, or one without a signature."""
        path = f"{STORAGE}{self.id}/{key}"
        address = f"{self.base_url}{quoted_path(path)}"
        if self.type == "s3":
            if any(segment in (".", "..") for segment in key.split("/")):
                raise ValueError("object name with '.' or '..' path segment is not supported")
            if not self.is_signed:
                return f"{address}?{urlencode(query)}" if query else address
            host = urlsplit(self.base_url).netloc
            signed = presign_s3(self.signer, method, host, path, query.items(), self.moment, self.lifetime)
            return f"{address}?{signed}"
        permissions = {"GET": "r", "PUT": "cw", "DELETE": "d"}[method]
        signed = presign_azure(self.signer, permissions, path, self.moment, self.lifetime)
        return f"{address}?{signed}" + "".join(f"&{name}={value}" for name, value in query.items())


@dataclass(frozen=True)
class Layout:
    """The size in bytes up to which an upload is not split, and that of parts; `part_size` None means PART_SIZES."""

    single_up_to: int = SINGLE_UP_TO
    part_size: int | None = None

    def size_of_parts(self, total: int) -> int:
        """The size of all parts except the last, for an upload of `total` bytes."""
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
    """The URLs of every part and of the completion; the same arguments give the same parts."""
    # Tests set small part sizes, which must not exceed the vendor's number of parts.
    step = max(layout.size_of_parts(size), -(-size // MAX_PARTS))
    s3 = bucket.type == "s3"
    upload = {"uploadId": upload_id or ""}

    def part(number: int, start: int) -> dict[str, Any]:
        if s3:
            query = {"partNumber": str(number), **upload}
        else:
            query = {"comp": "block", "blockid": b64encode(b"block-%08d" % number).decode()}
        url = presign_or_refuse(bucket, "PUT", key, query, "upload")
        end = min(start + step, size)
        return {"part_number": number, "url": url, "start_byte": start, "end_byte": end - 1, "part_size": end - start}

    parts = [part(number, start) for number, start in enumerate(range(0, size, step), 1)]
    if s3:
        complete = presign_or_refuse(bucket, "POST", key, upload, "upload")
        return {"type": "s3", "upload_id": upload_id, "parts": parts, "complete_url": complete}
    complete = presign_or_refuse(bucket, "PUT", key, {"comp": "blocklist"}, "upload")
    return {"type": "azure", "parts": parts, "complete_url": complete}


def presign_or_refuse(bucket: Bucket, method: str, key: str, query: Mapping[str, str], purpose: str) -> str:
    """A presigned URL; the platform's 400 if the bucket raises."""
    try:
        return bucket.presign(method, key, query)
    except Exception as error:
        raise http_error(400, f"Failed to generate {purpose} URL: {error}") from error
