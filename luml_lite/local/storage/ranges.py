"""Reads an object or one range of it, if If-Match allows it.

S3 and Azure differ only in the response to a range that starts at the end of the object.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime

from ..responses import Response
from .object_index import StoredObject
from .request import StorageRequest, VendorError

_ATTEMPTS = 3  # how often an object may be replaced while it is opened before the client has to retry


def read_object(
    request: StorageRequest,
    *,
    past_end_is_empty: bool,
    headers_of: Callable[[StoredObject], dict[str, str]] = lambda _: {},
) -> Response:
    """The object, or the range in the request's headers; `headers_of` gives the vendor's own headers."""
    for _ in range(_ATTEMPTS):
        blob = request.objects.find(request.name)
        if blob is None:
            raise VendorError("NoSuchKey")
        if not _matches(request.headers.get("if-match"), blob.etag):
            raise VendorError("PreconditionFailed")
        headers = {
            "accept-ranges": "bytes",
            "content-type": blob.content_type,
            "etag": blob.etag,
            "last-modified": format_datetime(datetime.fromisoformat(blob.modified_at).astimezone(UTC), usegmt=True),
            **headers_of(blob),
        }
        status, start, end = 200, 0, blob.size
        interval = _range(request.headers.get("range") or request.headers.get("x-ms-range"), blob)
        if interval:
            start, end = interval
            if start >= blob.size and not (past_end_is_empty and start == blob.size):
                raise VendorError("InvalidRange", {"content-range": f"bytes */{blob.size}"})
            status = 206
            headers["content-range"] = f"bytes {start}-{end - 1}/{blob.size}"
        body = request.objects.read(request.name, blob, start, end)
        if body is not None:
            return Response(status, headers, body or b"")
    return Response(503, {"retry-after": "1"})


def _matches(condition: str | None, etag: str) -> bool:
    return condition is None or condition.strip() in ("*", etag, etag.strip('"'))


def _range(header: str | None, blob: StoredObject) -> tuple[int, int] | None:
    """The half-open range [start, end) of a Range header; None, which means the whole object, if it is malformed."""
    match = re.fullmatch(r"bytes=(\d{0,19})-(\d{0,19})", (header or "").replace(" ", ""), re.ASCII)
    if not match or not (match[1] or match[2]):
        return None
    if not match[1]:
        count = int(match[2])
        return (max(0, blob.size - count), blob.size) if count else (blob.size + 1, blob.size + 1)
    start = int(match[1])
    if match[2] and int(match[2]) < start:
        return None
    end = min(int(match[2]) + 1, blob.size) if match[2] else blob.size
    return start, max(start, end)
