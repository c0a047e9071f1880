"""Events: values that say in one line what happened, heard by a function and by the logger."""

from __future__ import annotations

import logging
import pickle
from typing import Any

import pytest

from luml_lite.core import events
from luml_lite.core.events import Event, RequestSent, RetryScheduled, TransferDone, UrlRenewed, is_heard, notify
from luml_lite.errors import StorageError

DONE = TransferDone(kind="upload", artifact_id="1", file_name="m.fnnx", size=3_000_000)
KINDS = [each for each in vars(events).values() if isinstance(each, type) and issubclass(each, Event)]


def test_a_listener_gets_the_event_with_the_seconds_that_the_driver_measured() -> None:
    """A flow knows no clock."""
    heard: list[Event] = []
    notify(heard.append, DONE, elapsed=2.0)
    (event,) = heard
    assert event == TransferDone(kind="upload", artifact_id="1", file_name="m.fnnx", size=3_000_000, seconds=2.0)
    assert str(event) == "upload of m.fnnx (1) done: 3000000 bytes in 2.0 s, 1.5 MB/s"
    assert pickle.loads(pickle.dumps(event)) == event  # noqa: S301


def test_an_event_of_level_0_is_no_line(caplog: pytest.LogCaptureFixture) -> None:
    """DEBUG has one line a request, not two."""
    caplog.set_level(logging.DEBUG, "luml_lite")
    notify(None, RequestSent(request="GET /x", attempt=1))
    notify(None, DONE)
    assert [(each.levelno, each.name) for each in caplog.records] == [(logging.INFO, "luml_lite")]


def test_a_listener_that_raises_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """But a line in the log; what ends a program still does."""

    def broken(event: Any) -> None:
        raise KeyError("mine")

    notify(broken, DONE)
    assert "on_event raised" in caplog.text

    def ending(event: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        notify(ending, DONE)


def test_nobody_hears_until_a_level_or_a_listener_is_set() -> None:
    """As a library's logger should: warnings are for handlers that the program adds."""
    assert not is_heard(None)
    assert is_heard(print)
    assert is_heard(None, RetryScheduled.level)
    assert [type(each) for each in logging.getLogger("luml_lite").handlers] == [logging.NullHandler]


def test_a_disturbance_says_why() -> None:
    """Without the request, whose words the event has or does not need."""
    error = StorageError("403", status_code=403)
    error.request = "GET https://bucket/x?..."
    assert str(UrlRenewed.by(error, "1", "m.fnnx")) == "m.fnnx (1) needs another URL: StorageError: 403"


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_frozen_and_named_in_the_package(kind: type[Event]) -> None:
    """So that a listener can match on it."""
    import luml_lite

    assert kind.__struct_config__.frozen  # type: ignore[attr-defined]
    if kind is not events.TransferDisturbed:
        assert getattr(luml_lite, kind.__name__) is kind
