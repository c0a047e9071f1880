"""When to try again: pure judgement over a request, its error and how often and how long it was tried.

Trying again is sending the same value again. What the server may have acted on is repeated only where repeating is
safe; everything else is left to the flow, which looks at the state first.
"""

from __future__ import annotations

from email.utils import parsedate_to_datetime

from ..errors import APIStatusError, ConnectionFailed, LumlError, StorageError
from .limits import Retry
from .request import Request

# A server that answers these has not acted: https://www.rfc-editor.org/rfc/rfc9110#name-503-service-unavailable
_NOT_ACTED = frozenset({429, 503})
_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
_LONGEST_RETRY_AFTER = 3600.0


def is_transient(error: LumlError) -> bool:
    """Whether the same request may well succeed later."""
    if isinstance(error, ConnectionFailed):
        return not error.permanent
    if isinstance(error, APIStatusError | StorageError):
        return error.status_code in _TRANSIENT
    return False


def is_unanswered(error: LumlError) -> bool:
    """Whether the server may have acted although the client has no answer that says so."""
    if isinstance(error, ConnectionFailed):
        return error.sent
    return isinstance(error, APIStatusError | StorageError) and error.status_code in _TRANSIENT - _NOT_ACTED


def may_repeat(request: Request[object], error: LumlError) -> bool:
    """Whether the driver may send the same value again after this error."""
    if not is_transient(error):
        return False
    if isinstance(error, ConnectionFailed) and request.into is not None and error.received:
        return False  # bytes have landed: the flow goes on behind them
    return request.repeatable or not is_unanswered(error)


def next_delay(retry: Retry, attempt: int, elapsed: float, error: LumlError, chance: float) -> float | None:
    """Seconds to wait after trial number `attempt`, or None to give up; `chance` is random in [0, 1)."""
    if attempt >= retry.attempts:
        return None
    seconds = chance * min(retry.cap, retry.base * 2 ** (attempt - 1))
    asked = getattr(error, "retry_after", None)
    if asked is not None:
        seconds = max(seconds, asked)
    return seconds if elapsed + seconds <= retry.total else None


def retry_after(value: str, date: str) -> float | None:
    """Seconds that a Retry-After header asks for; a date counts from the answer's own Date, so clocks do not matter."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(float(value), _LONGEST_RETRY_AFTER)
    try:
        seconds = (parsedate_to_datetime(value) - parsedate_to_datetime(date)).total_seconds()
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), _LONGEST_RETRY_AFTER)
