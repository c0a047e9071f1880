"""The platform's error answers as errors: status and detail, without the input that validation errors echo."""

from __future__ import annotations

from typing import Any

import msgspec

from ..core.request import Response
from ..errors import (
    APIStatusError,
    ArtifactNotFoundError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    UnprocessableEntityError,
)

_KINDS: dict[int, type[APIStatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    422: UnprocessableEntityError,
}
_ADVICE = {
    401: "; check the API key",
    403: "; the key's owner is not a member there, or the role lacks the right",
    404: "; check the ids: what has been deleted, or is of another orbit or collection, is not found either",
    500: "; the platform failed, not the request: try again later",
}
# What there is to say of a path that it does not have at all.
_NO_ROUTE = "; the server has no such address: check base_url, which ends before /v1, and the dialect"


def status_error(response: Response) -> APIStatusError:
    """The error that an answer with an error status stands for."""
    status = response.status
    try:
        body: Any = msgspec.json.decode(response.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        body = response.body[:200].decode("utf-8", "replace")
    detail = body.get("detail", body) if isinstance(body, dict) else body
    if isinstance(detail, list):
        # `input` and `ctx` repeat what was sent, secrets included.
        detail = [
            {k: v for k, v in item.items() if k in ("type", "loc", "msg")} for item in detail if isinstance(item, dict)
        ]
        body = {"detail": detail}
        said = "; ".join(f"{_place(item.get('loc'))}: {item.get('msg', '')}" for item in detail)
    else:
        said = str(detail)
    kind = _KINDS.get(status, InternalServerError if status >= 500 else APIStatusError)
    if status == 404 and "artifact" in said.lower() and said.endswith("not found"):
        kind = ArtifactNotFoundError
    advice = _NO_ROUTE if status == 404 and said == "Not Found" else _ADVICE.get(min(status, 500), "")
    return kind(f"{status}: {said or 'no detail'}{advice}", status_code=status, body=body)


def _place(loc: Any) -> str:
    return ".".join(map(str, loc)) if isinstance(loc, list) else str(loc)
