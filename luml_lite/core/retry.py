"""How often a request is tried, and when it is tried again: pure decisions from a request, its error and its attempts.

A retry sends the same value again. If the server may have acted, that happens only where repeating is safe; everything
else is left to the flow, which reads the state first.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from ..errors import (
    APIStatusError,
    ConnectionFailed,
    DecodeError,
    InvalidArgumentError,
    LumlError,
    StorageError,
    SystemLimitError,
)
from .timeouts import ensure_not_negative

if TYPE_CHECKING:
    from .request import Request

# A server that sends one of these has not acted: https://www.rfc-editor.org/rfc/rfc9110#name-503-service-unavailable
_NOT_ACTED = frozenset({429, 503})
TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504, 509, *range(520, 531)})  # 509, 520 to 530: of proxies
_LONGEST_RETRY_AFTER = 3600.0  # seconds; a server that asks for more is not believed


class Retry(Struct, frozen=True, kw_only=True):
    """How often and how long a request is tried: exponential backoff with full jitter, times in seconds.

    `attempts` counts the first one. `total` bounds the time from the first attempt to the start of the last one,
    without attempts that moved bytes of a file. The wait before an attempt is random, at most `base` seconds doubled
    each time, and never more than `cap`.
    """

    attempts: int = 6
    total: float = 300.0
    base: float = 0.2
    cap: float = 20.0

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise InvalidArgumentError(f"Retry.attempts must be at least 1, not {self.attempts}")
        ensure_not_negative(self)


def is_transient(error: LumlError) -> bool:
    """Whether the same request may succeed later."""
    if isinstance(error, ConnectionFailed):
        return not error.permanent
    if isinstance(error, StorageError):
        return error.is_transient
    return isinstance(error, APIStatusError) and error.status_code in TRANSIENT


def is_unanswered(error: LumlError) -> bool:
    """Whether the server may have acted without the client having a response that it can read."""
    if isinstance(error, ConnectionFailed | SystemLimitError):
        return error.sent
    is_status = isinstance(error, APIStatusError | StorageError) and error.status_code in TRANSIENT - _NOT_ACTED
    return is_status or isinstance(error, DecodeError)


def may_repeat(request: Request[Any], error: LumlError) -> bool:
    """Whether the driver may send the same value again after this error."""
    if not is_transient(error):
        return False
    if isinstance(error, ConnectionFailed) and request.into is not None and error.received:
        return False  # the flow resumes after the bytes that were received
    return request.repeatable or not is_unanswered(error)


def next_delay(retry: Retry, attempt: int, elapsed: float, error: LumlError, chance: float) -> float | None:
    """Seconds to wait after attempt number `attempt`, or None to give up; `chance` is random in [0, 1)."""
    if attempt >= retry.attempts:
        return None
    seconds = max(chance * min(retry.cap, retry.base * 2 ** (attempt - 1)), error.retry_after or 0.0)
    return seconds if elapsed + seconds <= retry.total else None


def retry_after(value: str, date: str) -> float | None:
    """Seconds that a Retry-After header asks for, at most an hour; a date is compared with the response's own Date."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(float(value), _LONGEST_RETRY_AFTER)
    end, start = parse_date(value), parse_date(date)
    return min(max((end - start).total_seconds(), 0.0), _LONGEST_RETRY_AFTER) if end and start else None


def parse_date(value: str) -> datetime | None:
    """The time in a Date header, which is UTC if it names no zone, or None if it cannot be read."""
    from email.utils import parsedate_to_datetime  # here, because `import luml_lite` needs no email

    try:
        time = parsedate_to_datetime(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
