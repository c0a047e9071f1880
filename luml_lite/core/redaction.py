"""What shows no secret: a mixin for values with keys or presigned URLs, on its own because every start loads it."""

from __future__ import annotations

from typing import Any


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
