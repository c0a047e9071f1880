"""S3's presigned uploads: single PUT, initiate, part, complete.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html has the limits: 10,000 parts, 5 GiB a part.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import md5

from msgspec import Struct

from ..core.request import FileSlice, Request, Response
from ..errors import DecodeError, IntegrityError, StorageError
from ..models.uploads import Part
from .presigned import element

_MD5 = re.compile(r"[0-9a-f]{32}")


def put(url: str, body: FileSlice) -> Request[str]:
    """Send the whole object; the ETag comes back."""
    return Request(method="PUT", url=url, body=body, presigned=True, reply=etag)


def put_part(part: Part, path: str, *, md5: bool = False) -> Request[str]:
    """Send one part; its ETag comes back and is needed to complete."""
    return put(part.url, FileSlice(path, part.start, part.end - part.start, md5))


def etag(response: Response) -> str:
    """The ETag of a stored part or object, compared with the MD5 of what was sent where both are known."""
    value = unquoted(response.header("etag"))
    if not value:
        raise DecodeError("the storage stored bytes without an ETag; the upload cannot be completed")
    if response.sent_md5 and is_md5(value) and value != response.sent_md5:
        raise IntegrityError("the storage has other bytes than were sent (its ETag is not their MD5); send them again")
    return value


def initiate(url: str) -> Request[str]:
    """Begin a multipart upload; its upload id comes back. Repeating begins another one."""
    return Request(method="POST", url=url, presigned=True, reply=upload_id, idempotent=True)


def upload_id(response: Response) -> str:
    """The UploadId of an initiate answer, with or without S3's namespace."""
    value = element(response.body.decode("utf-8", "replace"), "UploadId")
    if not value:
        raise DecodeError("the storage began a multipart upload without telling its UploadId")
    return value


def complete(url: str, parts: Sequence[Part], etags: Sequence[str]) -> Request[str]:
    """Put all parts together, ascending; the object's ETag comes back. A short list would make a short object."""
    rows = "".join(
        f"<Part><PartNumber>{part.number}</PartNumber><ETag>&quot;{tag}&quot;</ETag></Part>"
        for part, tag in zip(parts, etags, strict=True)
    )
    return Request(
        method="POST",
        url=url,
        headers=(("Content-Type", "application/xml"),),
        body=f"<CompleteMultipartUpload>{rows}</CompleteMultipartUpload>".encode(),
        presigned=True,
        reply=Completed(composed(etags)),
        idempotent=False,
    )


class Completed(Struct, frozen=True):
    """A reply parser for complete: the ETag, compared with the one that the parts compose to, if they do."""

    expected: str

    def __call__(self, response: Response) -> str:
        text = response.body.decode("utf-8", "replace")
        if not re.search(r"<(?:\w+:)?CompleteMultipartUploadResult[\s>]", text):
            # A 200 may carry an error: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
            code = element(text, "Code") or "an unknown body"
            raise StorageError(f"completing the upload failed inside a 200: {code}", status_code=500, code=code)
        value = unquoted(element(text, "ETag"))
        if self.expected and value and _composed(value) and value != self.expected:
            raise IntegrityError("the completed object is not made of the parts that were sent; upload it again")
        return value


def composed(etags: Sequence[str]) -> str:
    """The ETag of an object made of parts whose ETags are MD5s, or an empty string where one is not."""
    if not all(is_md5(tag) for tag in etags):
        return ""
    return f"{md5(b''.join(map(bytes.fromhex, etags)), usedforsecurity=False).hexdigest()}-{len(etags)}"


def is_md5(value: str) -> bool:
    """Whether an ETag can be an MD5; buckets that encrypt with KMS use something else."""
    return _MD5.fullmatch(value) is not None


def unquoted(value: str) -> str:
    """An ETag without its quotes."""
    return value.strip().strip('"')


def _composed(value: str) -> bool:
    digest, dash, count = value.partition("-")
    return bool(dash) and is_md5(digest) and count.isdigit()
