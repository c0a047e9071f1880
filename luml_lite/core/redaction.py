"""Everything that hides a secret before a value is printed, logged or raised: keys, presigned queries, passwords.

Whatever may be printed gets its rule here. `import luml_lite` loads this file, so it imports next to nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ..errors import APIStatusError

SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})
HIDDEN = "..."

_QUERY = r"\?[^\s\"']+"  # compiled when first used, not by every import


class Redacted:
    """Mixin that keeps secrets out of repr() and of rich's repr: it shows the class name; subclasses may show more."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"

    def __rich_repr__(self) -> Any:
        yield repr(self)


class PresignedUrl(str):
    """A presigned URL whose repr hides the query: what shows the locals of a frame shows no signature."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(redact_url(str(self)))


def clean(text: str) -> str:
    """Words of a server as they may stand in a message: one line, no control characters, 500 characters at most."""
    return "".join(each if each.isprintable() else " " for each in text[:500])


def redact(secret: str | None) -> str:
    """Three dots for a secret, an empty string where there is none."""
    return HIDDEN if secret else ""


def redact_url(url: str | None) -> str | None:
    """A presigned URL without its query, which is the secret part."""
    if url is None:
        return None
    path, mark, _ = url.partition("?")
    return f"{path}?{HIDDEN}" if mark else path


def redact_queries(text: str) -> str:
    """A line of text with the query of every URL in it replaced by three dots."""
    return re.sub(_QUERY, f"?{HIDDEN}", text)


def redact_headers(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Header pairs with the values of secret ones replaced by three dots; names may be in any case."""
    return tuple((name, HIDDEN if name.lower() in SECRET_HEADERS else value) for name, value in headers)


def redact_endpoint(endpoint: str, *, is_s3: bool) -> str:
    """A bucket's endpoint; hidden where it is, or may be, a connection string or a URL with a password."""
    return endpoint if is_s3 and "@" not in endpoint else HIDDEN


def scrub(error: APIStatusError, *secrets: str | None) -> None:
    """Remove secrets from an error in case the server echoed them; of a connection string, its keys as well."""
    # Azure's connection string is NAME=VALUE;NAME=VALUE, with an AccountKey or a SharedAccessSignature.
    pairs = [part.partition("=") for secret in secrets for part in (secret or "").split(";")]
    keys = [value for name, _, value in pairs if name.lower().endswith(("key", "signature"))]
    for secret in sorted(filter(None, (*secrets, *keys)), key=len, reverse=True):
        error.message = error.message.replace(secret, HIDDEN)
        error.body = _without(error.body, secret)
    error.args = (error.message,)


def _without(value: Any, secret: str) -> Any:
    if isinstance(value, str):
        return value.replace(secret, HIDDEN)
    if isinstance(value, list):
        return [_without(each, secret) for each in value]
    return {name: _without(each, secret) for name, each in value.items()} if isinstance(value, dict) else value
