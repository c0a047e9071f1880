"""Everything that hides a secret before a value is printed, logged or raised: keys, presigned queries, passwords.

Whatever may be printed gets its rule here. `import luml_lite` loads this file, so it imports next to nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice
from typing import Any

from ..errors import LumlError, printable

SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})
HIDDEN = "..."

_DEEPEST = 50  # levels of a body that an error keeps; pickle cannot take many more
_USER = r"(?<=//)[^\s/]*@"  # compiled when first used, not by every import


class Redacted:
    """Mixin that keeps secrets out of repr() and of rich's repr: it shows the class name; subclasses may show more."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"

    def __rich_repr__(self) -> Any:
        yield repr(self)


class SecretText(Redacted, str):
    """Text that its repr hides, such as a header's value: what shows the locals of a frame does not show it."""

    __slots__ = ()


class SecretBytes(Redacted, bytes):
    """Bytes that their repr hides."""

    __slots__ = ()


class PresignedUrl(str):
    """A presigned URL whose repr hides the query: what shows the locals of a frame shows no signature."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(redact_url(str(self)))


def clean(text: str) -> str:
    """Words of a server as they may stand in a message: one line, no control characters, 500 characters at most."""
    return printable(text, 500)


def clean_list(words: Iterable[str]) -> str:
    """The first 20 words of a server as they may stand in a message, with commas between them."""
    return ", ".join(map(clean, islice(words, 20)))


def redact(secret: object) -> str:
    """Three dots for a secret, an empty string where there is none."""
    return HIDDEN if secret else ""


def redact_url(url: str) -> str:
    """A presigned URL without its query, which is the secret part, and without a user, a password or a fragment."""
    path, mark, _ = url.partition("?")
    path = re.sub(_USER, "", path.partition("#")[0])
    return f"{path}?{HIDDEN}" if mark else path


def redact_headers(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Header pairs with the values of secret ones replaced by three dots; names may be in any case."""
    return tuple((name, HIDDEN if name.lower() in SECRET_HEADERS else value) for name, value in headers)


def redact_endpoint(endpoint: str, *, is_s3: bool) -> str:
    """A bucket's endpoint; hidden where it is, or may be, a connection string or a URL with a password."""
    return endpoint if is_s3 and "@" not in endpoint else HIDDEN


def scrub(error: LumlError, secrets: Iterable[str]) -> None:
    """Remove secrets from the message and every field of an error, in case the server has repeated them."""
    state = {**vars(error), "args": error.args}
    for name, value in without(state, secrets).items():
        setattr(error, name, value)


def without(value: Any, secrets: Iterable[str], depth: int = 0) -> Any:
    """A value of JSON, or bytes, with every secret in it replaced by three dots, in upper or lower case."""
    if isinstance(value, bytes):
        return without(value.decode(errors="surrogateescape"), secrets).encode(errors="surrogateescape")
    if isinstance(value, str):
        longest_first = sorted(secrets, key=len, reverse=True)
        return re.sub("|".join(map(re.escape, longest_first)) or "(?!)", HIDDEN, value, flags=re.IGNORECASE)
    if depth > _DEEPEST:
        return HIDDEN
    if isinstance(value, list | tuple):
        return type(value)(without(each, secrets, depth + 1) for each in value)
    if isinstance(value, dict):
        return {without(name, secrets): without(each, secrets, depth + 1) for name, each in value.items()}
    return value
