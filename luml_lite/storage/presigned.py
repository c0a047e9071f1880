"""What every vendor's presigned URL has in common: its expiry, its refusals, and ranged reads.

A presigned GET URL is signed for GET, so nothing here sends HEAD, and no header that would need a signature.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from html import unescape
from urllib.parse import parse_qs, urlsplit

from msgspec import Struct

from ..core.request import FileSink, Request, Response, raw_response
from ..errors import DecodeError, LumlError, StorageError


def expiry(url: str) -> datetime | None:
    """When a presigned URL ends by its own words (S3's X-Amz-Date and X-Amz-Expires, Azure's se), or None."""
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
    """Whether a URL was over at the time of an answer's Date header; the client's clock does not matter."""
    end = expiry(url)
    try:
        return end is not None and parsedate_to_datetime(date) >= end
    except (TypeError, ValueError, OverflowError):
        return False


def storage_error(request: Request[object], response: Response) -> StorageError:
    """The error that a bucket's answer stands for; S3 and Azure both say `<Code>` and `<Message>`."""
    text = response.body[:4096].decode("utf-8", "replace")
    code = response.header("x-ms-error-code") or element(text, "Code")
    over = response.status in (400, 401, 403) and has_expired(request.url, response.header("date"))
    advice = "; the URL had expired" if over else ""
    said = " ".join(
        word for word in (str(response.status), code, element(text, "Message").split("\n")[0][:200]) if word
    )
    return StorageError(f"storage answered {said}{advice}", status_code=response.status, code=code, expired=over)


def element(text: str, name: str) -> str:
    """The text of the first XML element of that name, in any namespace, or an empty string.

    The documents are flat and small; a full parser would cost an import and bring entity expansion with it.
    """
    found = re.search(rf"<(?:\w+:)?{name}(?:\s[^>]*)?>([^<]*)</", text)
    return unescape(found[1]).strip() if found else ""


class ContentRange(Struct, frozen=True):
    """The half-open range [start, end) that an answer carries, of an object of `total` bytes."""

    start: int
    end: int
    total: int


def content_range(response: Response) -> ContentRange | None:
    """The range that a 206, or a 200 from a server that answers ranges so, says it carries."""
    found = re.fullmatch(r"bytes ([0-9]{1,19})-([0-9]{1,19})/([0-9]{1,19})", response.header("content-range").strip())
    return ContentRange(int(found[1]), int(found[2]) + 1, int(found[3])) if found else None


def read(url: str, into: FileSink, *, etag: str = "", end: int | None = None) -> Request[Response]:
    """The object's bytes from `into.offset` on, up to `end`; with an etag only if the object is still that one.

    If-Match guards a resumed read; If-Range does not, since servers answer 206 to one that does not match.
    """
    headers = _range(into.offset, end)
    if etag and headers:
        headers += (("If-Match", etag),)
    return Request(method="GET", url=url, headers=headers, into=into, presigned=True, reply=raw_response)


def read_range(url: str, start: int, end: int) -> Request[bytes]:
    """The object's bytes [start, end), in memory; anything else than exactly these is a DecodeError."""
    reply = RangeBody(start, end)
    return Request(method="GET", url=url, headers=_range(start, end), presigned=True, reply=reply, limit=end - start)


class RangeBody(Struct, frozen=True):
    """A reply parser for a ranged read: the body if it is the range that was asked for."""

    start: int
    end: int

    def __call__(self, response: Response) -> bytes:
        found = content_range(response)
        if found is None or (found.start, found.end) != (self.start, self.end):
            raise DecodeError(f"asked for bytes {self.start} to {self.end} and got another range; try again")
        if len(response.body) != self.end - self.start:
            raise DecodeError(f"{len(response.body)} bytes came instead of {self.end - self.start}; try again")
        return response.body


class Probe(Struct, frozen=True):
    """What one byte tells of an object: how large it is and which version."""

    size: int
    etag: str


def probe(url: str) -> Request[Probe]:
    """Size and ETag of the object behind a download URL, by its first byte; a missing object is a StorageError 404."""
    return Request(method="GET", url=url, headers=_range(0, 1), presigned=True, reply=_probed, limit=1)


def _probed(response: Response) -> Probe:
    found = content_range(response)
    if found is None:
        raise DecodeError("the storage answered a ranged read without Content-Range; its size cannot be checked")
    return Probe(found.total, response.header("etag"))


def delete(url: str) -> Request[None]:
    """Delete the object; repeating it is harmless."""
    return Request(method="DELETE", url=url, presigned=True, reply=done)


def done(response: Response) -> None:
    """A reply parser for answers that carry nothing: one that says an error inside a 200 is that error."""
    text = response.body[:4096].decode("utf-8", "replace")
    if re.search(r"<(?:\w+:)?Error[\s>]", text):
        code = element(text, "Code")
        raise StorageError(f"storage answered an error inside a 200: {code}", status_code=500, code=code)


def _range(start: int, end: int | None) -> tuple[tuple[str, str], ...]:
    if end is not None:
        return (("Range", f"bytes={start}-{end - 1}"),)
    return (("Range", f"bytes={start}-"),) if start else ()


def is_refused(error: LumlError) -> bool:
    """Whether a presigned URL was not, or no longer, accepted; the codes cannot tell which."""
    return isinstance(error, StorageError) and (error.expired or error.status_code in (401, 403))
