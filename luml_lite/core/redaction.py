"""What shows no secret: a mixin for values with keys or presigned URLs, on its own because every start loads it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..errors import APIStatusError


class Redacted:
    """A value whose fields hold a secret: it shows its class alone, or what its own repr leaves over."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"

    def __rich_repr__(self) -> Any:
        yield repr(self)


def redact_url(url: str | None) -> str | None:
    """A presigned URL without the query that makes it a secret."""
    return None if url is None else url.partition("?")[0] + ("?..." if "?" in url else "")


def scrub(error: APIStatusError, secrets: Iterable[str | None]) -> None:
    """Take secrets that were sent out of an error, for the case that the server's words repeat them."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        error.message = error.message.replace(secret, "...")
        error.body = _without(error.body, secret)
    error.args = (error.message,)


def _without(value: Any, secret: str) -> Any:
    if isinstance(value, str):
        return value.replace(secret, "...")
    if isinstance(value, list):
        return [_without(each, secret) for each in value]
    return {name: _without(each, secret) for name, each in value.items()} if isinstance(value, dict) else value
