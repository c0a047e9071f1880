"""Presigned uploads to S3: PUT of an object or a part, initiate, complete.

Limits, 10,000 parts of 5 GiB: https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from warnings import warn

from ..core.redaction import clean
from ..core.request import FileSlice, Request, Response
from ..errors import DecodeError, IntegrityError, StorageError
from .presigned import LIMIT, XML, element

_MD5 = re.compile(r"[0-9a-f]{32}")


def put(url: str, body: FileSlice) -> Request[str]:
    """Send the whole object, or a part, and return its ETag, which `complete` needs."""
    return Request(method="PUT", url=url, body=body, presigned=True, reply=etag, limit=LIMIT)


def etag(response: Response) -> str:
    """A reply parser: the ETag of what was stored, if the bucket tells it; it must be the MD5 sent if it is an MD5."""
    value = unquoted(response.header("etag"))
    if response.body and not value:
        raise DecodeError("the storage answered with a page and without an ETag; is there a proxy between?")
    if response.sent_md5 and value != response.sent_md5:
        mode = "x-amz-server-side-encryption"
        has_key = response.header(mode).startswith("aws:kms") or response.header(f"{mode}-customer-algorithm")
        if _MD5.fullmatch(value) and not has_key:
            error = IntegrityError("the ETag is not the MD5 of the bytes that were sent: send them again")
            error.etag = value
            raise error
        warn("check_parts has no effect in this bucket: the ETags of its parts are no MD5s", stacklevel=1)
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
    return Request(
        method="POST", url=url, headers=XML, body=body, presigned=True, reply=object_etag, limit=LIMIT, patient=True
    )


def object_etag(response: Response) -> str:
    """A reply parser for `complete`: the object's ETag, which proves nothing: not every server makes it of MD5s."""
    text = response.body.decode("utf-8", "replace")
    if not re.search(r"<(?:\w+:)?CompleteMultipartUploadResult[\s>]", text):
        # A 200 may carry an error: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
        code = clean(element(text, "Code")) or "an unknown body"
        raise StorageError(f"storage answered 200 with {code} inside", status_code=500, code=code, is_transient=True)
    return unquoted(element(text, "ETag"))


def unquoted(value: str) -> str:
    """An ETag without its quotes and the mark of a weak one."""
    return value.strip().removeprefix("W/").strip('"')
