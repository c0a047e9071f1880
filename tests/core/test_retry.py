"""When to try again: a table of every kind of trouble, and the arithmetic of waiting."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luml_lite.core import retry
from luml_lite.core.request import FileSink, Request, no_content
from luml_lite.core.retry import Retry
from luml_lite.errors import (
    APIStatusError,
    ConnectionFailed,
    DecodeError,
    FileError,
    IntegrityError,
    LumlError,
    StorageError,
    TimedOut,
)

GET = Request(method="GET", url="/x", reply=no_content)
POST = Request(method="POST", url="/x", reply=no_content)


def api(code: int) -> LumlError:
    """An error status of the platform."""
    return APIStatusError("x", status_code=code)


def storage(code: int) -> LumlError:
    """An error status of a bucket."""
    return StorageError("x", status_code=code, is_transient=code in retry.TRANSIENT)


NEVER_SENT = ConnectionFailed("x", sent=False)


@pytest.mark.parametrize(
    ("error", "transient", "unanswered", "again_get", "again_post"),
    [
        (NEVER_SENT, True, False, True, True),
        (ConnectionFailed("x"), True, True, True, False),
        (TimedOut("x"), True, True, True, False),
        *[(make(code), True, False, True, True) for make in (api, storage) for code in (429, 503)],
        *[
            (make(code), True, True, True, False)
            for make in (api, storage)
            for code in (408, 425, 500, 502, 504, 509, 520, 530)
        ],
        *[(make(code), False, False, False, False) for make in (api, storage) for code in (400, 401, 403, 404, 409)],
        (DecodeError("x"), False, True, False, False),  # nobody knows what an answer says that cannot be read
        (IntegrityError("x"), False, False, False, False),
        (FileError("x"), False, False, False, False),
    ],
)
def test_what_the_server_may_have_acted_on_is_repeated_only_where_that_is_safe(
    error: LumlError, transient: bool, unanswered: bool, again_get: bool, again_post: bool
) -> None:
    """A create goes out twice only where the server cannot have acted."""
    assert retry.is_transient(error) is transient
    assert retry.is_unanswered(error) is unanswered
    assert retry.may_repeat(GET, error) is again_get
    assert retry.may_repeat(POST, error) is again_post


def test_a_body_that_has_landed_is_left_to_the_flow() -> None:
    """It goes on behind the bytes instead of reading them again."""
    request = Request(method="GET", url="/x", into=FileSink("/t"), reply=no_content)
    assert retry.may_repeat(request, ConnectionFailed("x"))
    assert not retry.may_repeat(request, ConnectionFailed("x", received=1))
    assert retry.may_repeat(GET, ConnectionFailed("x", received=1))


@given(
    attempt=st.integers(1, 50),
    elapsed=st.floats(0, 1000),
    chance=st.floats(0, 1, exclude_max=True),
    asked=st.none() | st.floats(0, 3600),
    settings=st.builds(
        Retry, attempts=st.integers(1, 20), total=st.floats(0, 500), base=st.floats(0, 2), cap=st.floats(0, 30)
    ),
)
def test_waiting_is_bounded_in_attempts_and_in_time(
    attempt: int, elapsed: float, chance: float, asked: float | None, settings: Retry
) -> None:
    """Never longer than the cap unless the server asks, never past the total, never one attempt too many."""
    error = ConnectionFailed("x")
    error.retry_after = asked
    seconds = retry.next_delay(settings, attempt, elapsed, error, chance)
    if seconds is None:
        assert attempt >= settings.attempts or elapsed + max(settings.cap, asked or 0) >= settings.total
        return
    assert attempt < settings.attempts
    assert (asked or 0) <= seconds <= max(settings.cap, asked or 0)
    assert elapsed + seconds <= settings.total


def test_waits_grow_and_are_spread() -> None:
    """Full jitter over a doubling span."""
    settings = Retry(attempts=10, base=1.0, cap=5.0)
    spans = [retry.next_delay(settings, attempt, 0.0, LumlError(), 0.5) for attempt in range(1, 6)]
    assert spans == [0.5, 1.0, 2.0, 2.5, 2.5]
    assert retry.next_delay(settings, 1, 0.0, LumlError(), 0.0) == 0.0


@pytest.mark.parametrize(
    ("value", "date", "expected"),
    [
        ("7", "", 7.0),
        (" 0 ", "", 0.0),
        ("99999999", "", 3600.0),
        ("Mon, 23 Nov 2026 18:00:30 GMT", "Mon, 23 Nov 2026 18:00:00 GMT", 30.0),
        ("Mon, 23 Nov 2026 17:00:00 GMT", "Mon, 23 Nov 2026 18:00:00 GMT", 0.0),
        ("Mon, 23 Nov 2026 18:00:30 GMT", "", None),
        ("soon", "Mon, 23 Nov 2026 18:00:00 GMT", None),
        ("Mon, 23 Nov 2026 18:00:30", "Mon, 23 Nov 2026 18:00:00 GMT", 30.0),
        ("Mon, 23 Nov 2026 18:00:30 GMT", "Mon, 23 Nov 2026 18:00:00", 30.0),
        ("Mon, 23 Nov 2026 18:00:30 +9999", "Mon, 23 Nov 2026 18:00:00", None),
        ("-5", "", None),
        ("٣", "", None),
    ],
)
def test_retry_after_counts_from_the_servers_own_clock(value: str, date: str, expected: float | None) -> None:
    """Seconds, or a date against the answer's Date; anything else asks for nothing."""
    assert retry.retry_after(value, date) == expected
