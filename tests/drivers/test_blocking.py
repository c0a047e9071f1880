"""The blocking driver against a server that never answers."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

import luml_lite
from luml_lite import Config, Retry, TimedOut, Timeouts
from luml_lite.core.flow import gather

from .silent_server import put_request, silent_server


def test_a_stalled_upload_times_out(big: Path) -> None:
    """An upload whose bytes do not move ends after the stall window, not after the read timeout."""
    quick = Timeouts(connect=0.3, read=1000, stall_window=0.3)
    with silent_server() as base:
        start = time.monotonic()
        with pytest.raises(TimedOut):
            luml_lite.run(gather([put_request(base, big)]), Config(timeouts=quick, retry=Retry(attempts=1)))
    assert time.monotonic() - start < 60


@pytest.mark.slow
def test_idle_workers_end(big: Path) -> None:
    """A few seconds after a call the library has no thread."""
    quick = Timeouts(connect=0.2, read=30, stall_window=0.2)
    with silent_server() as base, pytest.raises(TimedOut):
        luml_lite.run(gather([put_request(base, big)]), Config(timeouts=quick, retry=Retry(attempts=1)))
    deadline = time.monotonic() + 60
    while any(thread.name.startswith("luml-lite") for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
