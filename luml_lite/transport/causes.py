"""What the system said about a connection: found in an error of urllib3, told in words, and copied without the URL."""

from __future__ import annotations

import errno
import os
import socket

from ..core.redaction import clean

_WORDS = {
    errno.ECONNREFUSED: "it refused the connection; is it up, and is the port right?",
    errno.ENETUNREACH: "it is unreachable; is this machine online?",
    errno.EHOSTUNREACH: "it is unreachable; is this machine online?",
}
_RESETS = frozenset({errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE})


def system_error(error: object) -> OSError | None:
    """The error of the system inside an error of urllib3, which keeps it as its cause or as an argument."""
    seen: list[object] = [error]
    for each in seen:
        if isinstance(each, OSError) and each.errno is not None:
            return each
        if isinstance(each, BaseException) and len(seen) < 20:
            seen += [*each.args, each.__cause__, getattr(each, "original_error", None)]
    return None


def redacted(error: Exception) -> Exception:
    """A copy of a transport's error for `__cause__`: its frames and context refer to the URL and the headers."""
    found = system_error(error)
    if found is None:
        return ConnectionError(type(error).__name__)  # its words have the URL
    known = isinstance(found, ConnectionError | TimeoutError | socket.gaierror)
    return (type(found) if known else OSError)(found.errno, clean(found.strerror or os.strerror(found.errno or 0)))


def why_unconnected(error: OSError | None) -> str:
    """Why no connection was made, and what to do."""
    if isinstance(error, socket.gaierror):
        return f"its name was not resolved ({clean(error.strerror or '')}); is the address right?"
    return _WORDS.get(error.errno or 0 if error else 0, "is it up, and is the address right?")


def why_broken(error: OSError | None) -> str:
    """How the other side ended a connection, in brackets, or nothing."""
    return " (the other side reset it)" if error is not None and error.errno in _RESETS else ""
