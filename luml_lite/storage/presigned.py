"""Presigned URLs of every vendor: their expiry, their errors, ranged reads and deletes.

A URL is signed for one method and for few headers: nothing here sends HEAD, or a header that needs a signature.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

from msgspec import Struct, structs

from ..core.redaction import clean
from ..core.request import FileSink, Request, Response, raw_response
from ..core.retry import TRANSIENT, parse_date
from ..errors import DecodeError, IntegrityError, LumlError, StorageError

XML = (("Content-Type", "application/xml"),)

# The answers of S3, Azure and Azurite to a Content-MD5 that is not the body's.
_WRONG_MD5 = frozenset({"BadDigest", "Md5Mismatch", "InvalidOperation"})
# The statuses and codes after which, in both directions, the same request is sent again, or a new URL is got; after
# every other answer the call fails: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
_REPEAT = TRANSIENT | {"RequestTimeout", "OperationAborted"}
_RENEW = frozenset({401, 403, "ExpiredToken", "RequestExpired", "RequestTimeTooSkewed", "TokenRefreshRequired"})
_MISSING = frozenset({"NoSuchKey", "BlobNotFound"})
_REQUEST_IDS = frozenset({"x-amz-request-id", "x-ms-request-id"})
_LEAST = 64 * 1024  # bytes of a longer range that an answer must have; a server may send less than the whole range
LIMIT = 1024 * 1024  # bytes of a document of a bucket


def expiry(url: str) -> datetime | None:
    """When a presigned URL expires, read from its query (X-Amz-Date and X-Amz-Expires of S3, se of Azure), or None."""
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    try:
        if "X-Amz-Date" in query:
            start = datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            return start + timedelta(seconds=int(query["X-Amz-Expires"]))
        if "se" in query:
            end = datetime.fromisoformat(query["se"])
            return end if end.tzinfo else end.replace(tzinfo=UTC)
    except (KeyError, ValueError, OverflowError):
        pass
    return None


def has_expired(url: str, date: str) -> bool:
    """Whether a URL had expired by the Date header of an answer; the client's clock is not used."""
    end, time = expiry(url), parse_date(date)
    return end is not None and time is not None and time >= end


def storage_error(request: Request[object], response: Response) -> StorageError:
    """The error for a bucket's answer; S3 and Azure both send `<Code>` and `<Message>`."""
    text = response.body[:4096].decode("utf-8", "replace")
    code = clean(response.header("x-ms-error-code") or element(text, "Code"))
    expired = response.status in (400, 401, 403) and has_expired(request.url, response.header("date"))
    advice = "; the URL had expired" if expired else ""
    words = (str(response.status), code, clean(element(text, "Message").split("\n")[0][:200]))
    message = f"storage answered {' '.join(filter(None, words))}{advice}"
    is_transient = not _REPEAT.isdisjoint((response.status, code))
    return StorageError(message, status_code=response.status, code=code, expired=expired, is_transient=is_transient)


def is_refused(error: LumlError) -> bool:
    """Whether a bucket refused a presigned URL; the vendors' codes do not tell whether it had expired."""
    return isinstance(error, StorageError) and (error.expired or not _RENEW.isdisjoint((error.status_code, error.code)))


def is_missing(error: LumlError) -> bool:
    """Whether the bucket itself says that there is no such object; a proxy's 404 or a missing bucket says nothing."""
    return isinstance(error, StorageError) and error.status_code == 404 and error.code in _MISSING


def is_damaged(error: LumlError) -> bool:
    """Whether the bucket received other bytes than were sent, and did not store them."""
    return isinstance(error, IntegrityError) or (isinstance(error, StorageError) and error.code in _WRONG_MD5)


def element(text: str, name: str) -> str:
    """The text of the first XML element of that name, in any namespace, or an empty string.

    The documents are flat and small; an XML parser would be one more import, and would expand entities. The search
    is linear, because no part of the pattern goes beyond the next `<`.
    """
    found = re.search(rf"<(?:\w+:)?{name}(?:\s[^<>]*)?>([^<]*)</", text)
    return unescape(found[1]).strip() if found else ""


class ContentRange(Struct, frozen=True):
    """The half-open range [start, end) in an answer, of an object of `total` bytes."""

    start: int
    end: int
    total: int


def content_range(response: Response) -> ContentRange | None:
    """The range in the Content-Range header; some servers answer a ranged read with a 200 that has one."""
    found = re.fullmatch(r"bytes ([0-9]{1,19})-([0-9]{1,19})/([0-9]{1,19})", response.header("content-range").strip())
    return ContentRange(int(found[1]), int(found[2]) + 1, int(found[3])) if found else None


def read(url: str, into: FileSink, *, etag: str = "", end: int | None = None) -> Request[Response]:
    """The object's bytes from `into.offset` on, up to `end`; with an `etag` only if the object still has it.

    If-Match guards a resumed read, but matches no weak ETag; If-Range does not, since some servers ignore it.
    """
    headers = _range(into.offset, end)
    if etag and headers and not etag.startswith("W/"):
        headers += (("If-Match", etag),)
    return Request(method="GET", url=url, headers=headers, into=into, presigned=True, reply=raw_response)


def read_range(url: str, start: int, end: int, size: int) -> Request[bytes]:
    """Bytes [start, end) of an object of `size` bytes, in memory, or the first of them; see RangeBody."""
    reply = RangeBody(start, end, size)
    headers = _range(start, end)
    return Request(
        method="GET", url=url, headers=headers, presigned=True, reply=reply, limit=end - start, drop_surplus=True
    )


class RangeBody(Struct, frozen=True):
    """A reply parser for a ranged read: the body, which must begin the range [start, end) of an object of that size."""

    start: int
    end: int
    size: int

    def __call__(self, response: Response) -> bytes:
        found, count = content_range(response), len(response.body)
        if found is None and response.status == 200:
            raise DecodeError("the storage reads no ranges: download the artifact, and read its members from the file")
        if found is None or (found.start, found.total) != (self.start, self.size) or found.end > self.end:
            raise DecodeError(f"the storage sent another range than bytes {self.start} to {self.end}; try again")
        if not min(_LEAST, self.end - self.start) <= count <= found.end - found.start:
            raise DecodeError(f"the storage sent {count} of {self.end - self.start} bytes; try again")
        return response.body


class Probe(Struct, frozen=True):
    """The size of an object, its ETag, and whether the storage reads ranges of it."""

    size: int
    etag: str
    is_ranged: bool = True


def probe(url: str) -> Request[Probe]:
    """Size and ETag of the object behind a download URL, by reading its first byte; 404 if there is no object."""
    return Request(
        method="GET", url=url, headers=_range(0, 1), presigned=True, reply=_probe, limit=1, drop_surplus=True
    )


def _probe(response: Response) -> Probe:
    found, length = content_range(response), response.header("content-length")
    if found is not None:
        return Probe(found.total, response.header("etag"))
    if response.status != 200 or not re.fullmatch(r"[0-9]{1,19}", length):
        raise DecodeError("the storage answered a ranged read without Content-Range: the object's size is unknown")
    return Probe(int(length), response.header("etag"), is_ranged=False)


class Proof(Struct, frozen=True):
    """A reply parser for a PUT of a whole object: whether the answer proves that the bucket has what was sent.

    Only the bucket knows the MD5 of the bytes, or has an id for the request; a proxy's page has neither, and a body.
    `reply` is the vendor's own parser, which compares the MD5 strictly if it `is_strict`.
    """

    reply: Callable[[Response], Any]
    is_strict: bool

    def __call__(self, response: Response) -> bool:
        self.reply(response if self.is_strict else structs.replace(response, sent_md5=""))
        if response.body:
            return False
        told = response.header("content-md5")  # of Azure, whose ETags are no MD5s
        stored = b64decode(told).hex() if told else response.header("etag").strip('"')
        if response.sent_md5 and stored:
            return stored == response.sent_md5
        return not _REQUEST_IDS.isdisjoint(response.headers)


def delete(url: str) -> Request[None]:
    """Delete the object; repeating this is harmless."""
    return Request(method="DELETE", url=url, presigned=True, reply=ensure_deleted, limit=LIMIT)


def ensure_deleted(response: Response) -> None:
    """A reply parser for deletions: S3 says 204 and Azure 202, without a body; a page in between says anything."""
    if response.status not in (202, 204) or response.body:
        problem = f"storage answered {response.status} to a deletion; is there a proxy between?"
        raise StorageError(problem, status_code=response.status)


def _range(start: int, end: int | None) -> tuple[tuple[str, str], ...]:
    if end is not None:
        return (("Range", f"bytes={start}-{end - 1}"),)
    return (("Range", f"bytes={start}-"),) if start else ()
