"""Presigned uploads to S3: PUT of an object or a part, initiate, complete.

Limits, 10,000 parts of 5 GiB: https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from hashlib import md5

from msgspec import Struct

from ..core.request import FileSlice, Request, Response
from ..errors import DecodeError, IntegrityError, StorageError
from .presigned import LIMIT, XML, element

_MD5 = re.compile(r"[0-9a-f]{32}")


def put(url: str, body: FileSlice) -> Request[str]:
    """Send the whole object, or a part, and return its ETag, which `complete` needs."""
    return Request(method="PUT", url=url, body=body, presigned=True, reply=etag, limit=LIMIT)


def etag(response: Response) -> str:
    """A reply parser: the ETag of a stored part or object; it must be the MD5 that was sent if both are known."""
    value = unquoted(response.header("etag"))
    if not value:
        raise DecodeError("the storage answered without an ETag; the upload cannot be completed")
    if response.sent_md5 and is_md5(value) and value != response.sent_md5:
        raise IntegrityError("the ETag is not the MD5 of the bytes that were sent: send them again")
    return value


def initiate(url: str) -> Request[str]:
    """Begin a multipart upload and return its upload id. Repeating this begins another upload."""
    return Request(method="POST", url=url, presigned=True, reply=upload_id, idempotent=True, limit=LIMIT)


def upload_id(response: Response) -> str:
    """A reply parser: the UploadId in the answer to `initiate`, with or without S3's XML namespace."""
    value = element(response.body.decode("utf-8", "replace"), "UploadId")
    if not value:
        raise DecodeError("the storage began a multipart upload and answered without its UploadId")
    return value


def complete(url: str, etags: Mapping[int, str]) -> Request[str]:
    """Make the object from its parts and return its ETag; `etags` has all part numbers, ascending."""
    rows = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>&quot;{tag}&quot;</ETag></Part>" for number, tag in etags.items()
    )
    body = f"<CompleteMultipartUpload>{rows}</CompleteMultipartUpload>".encode()
    reply = Completed(composed_etag([*etags.values()]))
    return Request(method="POST", url=url, headers=XML, body=body, presigned=True, reply=reply)


class Completed(Struct, frozen=True):
    """A reply parser for `complete`: the object's ETag; it must be the expected one if both are made of MD5s."""

    expected: str

    def __call__(self, response: Response) -> str:
        text = response.body.decode("utf-8", "replace")
        if not re.search(r"<(?:\w+:)?CompleteMultipartUploadResult[\s>]", text):
            # A 200 may carry an error: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
            code = element(text, "Code") or "an unknown body"
            raise StorageError(
                f"completing the upload failed inside a 200: {code}", status_code=500, code=code, is_transient=True
            )
        value = unquoted(element(text, "ETag"))
        if self.expected and value and _is_composed(value) and value != self.expected:
            raise IntegrityError("the stored object is not made of the parts that were sent; upload the file again")
        return value


def composed_etag(etags: Sequence[str]) -> str:
    """The ETag of an object made of parts with these ETags, or an empty string if one of them is not an MD5."""
    if not all(is_md5(tag) for tag in etags):
        return ""
    return f"{md5(b''.join(map(bytes.fromhex, etags)), usedforsecurity=False).hexdigest()}-{len(etags)}"


def can_be_made_of(etag: str, part_etags: Sequence[str]) -> bool:
    """Whether an object can be made of these parts, by its ETag; without MD5s in the ETags nobody can tell."""
    expected, value = composed_etag(part_etags), unquoted(etag)
    return not part_etags or not expected or "-" not in value or value == expected


def is_md5(value: str) -> bool:
    """Whether an ETag can be an MD5; buckets that encrypt with KMS have other ETags."""
    return _MD5.fullmatch(value) is not None


def unquoted(value: str) -> str:
    """An ETag without its quotes."""
    return value.strip().strip('"')


def _is_composed(value: str) -> bool:
    digest, dash, count = value.partition("-")
    return bool(dash) and is_md5(digest) and count.isdigit()
