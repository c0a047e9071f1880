"""Reading an object, whole or in part, under If-Match: the same for both vendors but for what lies past the end."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime

from ..responses import HTTPError, Response
from .object_index import StoredObject
from .request import StorageRequest

_TRIES = 3  # how often an object may be replaced under a reader before it is told to come back


def read_object(
    request: StorageRequest,
    error: Callable[..., HTTPError],
    *,
    past_end_is_empty: bool,
    more: dict[str, str] | None = None,
) -> Response:
    """The object's bytes as the request wants them."""
    for _ in range(_TRIES):
        blob = request.blobs.find(request.bucket, request.key)
        if blob is None:
            raise error("NoSuchKey", request.key)
        if not _matches(request.headers.get("if-match"), blob.etag):
            raise error("PreconditionFailed", request.key)
        headers = {
            "accept-ranges": "bytes",
            "content-type": blob.content_type,
            "etag": blob.etag,
            "last-modified": format_datetime(datetime.fromisoformat(blob.modified_at).astimezone(UTC), usegmt=True),
            **(more or {}),
        }
        status, start, end = 200, 0, blob.size
        asked = _range(request.headers.get("range") or request.headers.get("x-ms-range"), blob)
        if asked:
            start, end = asked
            if start >= blob.size and not (past_end_is_empty and start == blob.size):
                raise error("InvalidRange", request.key, {"content-range": f"bytes */{blob.size}"})
            status = 206
            headers["content-range"] = f"bytes {start}-{end - 1}/{blob.size}"
        ranges = request.blobs.read(request.bucket, request.key, blob, start, end)
        if ranges is not None:
            return Response(status, headers, ranges or b"")
    return Response(503, {"retry-after": "1"})


def _matches(condition: str | None, etag: str) -> bool:
    return condition is None or condition.strip() in ("*", etag, etag.strip('"'))


def _range(header: str | None, blob: StoredObject) -> tuple[int, int] | None:
    """The half-open range that a header asks for; None for the whole object, as for what cannot be understood."""
    found = re.fullmatch(r"bytes=(\d{0,19})-(\d{0,19})", (header or "").replace(" ", ""), re.ASCII)
    if not found or not (found[1] or found[2]):
        return None
    if not found[1]:
        count = int(found[2])
        return (max(0, blob.size - count), blob.size) if count else (blob.size + 1, blob.size + 1)
    start = int(found[1])
    if found[2] and int(found[2]) < start:
        return None
    end = min(int(found[2]) + 1, blob.size) if found[2] else blob.size
    return start, max(start, end)
