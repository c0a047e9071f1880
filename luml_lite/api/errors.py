"""The platform's error responses as errors: status and detail, without the input that validation errors repeat.

Only this file knows the platform's sentences; flows ask `missing_resource`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from ..core.redaction import clean, redact_url, without
from ..core.request import Response
from ..errors import APIStatusError, ArtifactNotFoundError, InternalServerError, NotFoundError

_KINDS = {kind.status: kind for kind in APIStatusError.__subclasses__() if kind.status}
_ADVICE = {
    401: "; check the API key",
    403: "; the key's owner is not a member there, or the role lacks the right",
    404: "; check the ids: a deleted resource, or one of another orbit or collection, is not found either",
    407: "; a proxy asks for a password: set HTTPS_PROXY, or HTTP_PROXY, to http://user:password@host:port",
    500: "; the platform failed, not the request: try again later",
}
# The server's detail for a path that none of its routes has.
_NO_ROUTE = "Not Found"
_NO_ROUTE_ADVICE = "; the server has no such address: check base_url, which ends before /v1, and the dialect"
# What the servers of both dialects were recorded to say when one step of a path does not exist. A 404 has no other
# sign of which step it was.
_MISSING = {
    "Organization not found": "organization",
    "Orbit not found": "orbit",
    "Collection not found": "collection",
    "Artifact not found": "artifact",
    "Model Artifact not found": "artifact",
    "Model Artifact model not found": "artifact",
    "Secret not found": "bucket secret",
    "Bucket secret not found": "bucket secret",
    "Track not found": "track",
}


def status_error(response: Response, secrets: Iterable[str] = ()) -> APIStatusError:
    """The error for a response with an error status; it does not repeat the given secrets of the request."""
    status = response.status
    try:
        body = without(msgspec.json.decode(response.body), secrets)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        body = clean(response.body[:200].decode("utf-8", "replace"))
    detail = body.get("detail", body) if isinstance(body, dict) else body
    if isinstance(detail, list):
        shown = ("type", "loc", "msg")  # `input` and `ctx` repeat what was sent, secrets included
        detail = [{k: v for k, v in item.items() if k in shown} for item in detail if isinstance(item, dict)]
        body = {"detail": detail}
        words = "; ".join(f"{_field_path(item.get('loc'))}: {item.get('msg', '')}" for item in detail)
    else:
        words = str(detail)
    words = clean(words)
    kind = _KINDS.get(status, InternalServerError if status >= 500 else APIStatusError)
    if status == 404 and _MISSING.get(words) == "artifact":
        kind = ArtifactNotFoundError
    advice = _NO_ROUTE_ADVICE if status == 404 and words == _NO_ROUTE else _ADVICE.get(min(status, 500), "")
    if 300 <= status < 400:
        target = clean(redact_url(response.header("location")) or "another address")
        advice = f"; the server redirects to {target}, which the library does not follow: set base_url to the API's own"
    return kind(f"{status}: {words or 'no detail'}{advice}", status_code=status, body=body)


def missing_resource(error: NotFoundError) -> str | None:
    """The kind of resource that does not exist, such as "collection", or None if the server did not say."""
    detail = error.body.get("detail") if isinstance(error.body, dict) else None
    return _MISSING.get(detail) if isinstance(detail, str) else None


def _field_path(loc: Any) -> str:
    return ".".join(map(str, loc)) if isinstance(loc, list) else str(loc)
