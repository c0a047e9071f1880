"""Servers end with the tests that started them, however those end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ..servers.process import GUARD, free_ports, listens, running

LISTEN = "import socket, sys, time; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); time.sleep(60)"


def gone(port: int) -> bool:
    """Whether nothing listens there any more, within a few seconds."""
    end = time.monotonic() + 60
    while listens(port) and time.monotonic() < end:
        time.sleep(0.05)
    return not listens(port)


def test_a_server_runs_while_the_block_does(tmp_path: Path) -> None:
    command = [sys.executable, "-c", LISTEN]
    with running(lambda ports: [*command, str(ports[0])], 1, lambda ports: listens(ports[0]), tmp_path / "x") as (
        port,
    ):
        assert listens(port)
    assert gone(port)


def test_a_server_that_ends_at_once_is_an_error_with_its_words(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no disk')"]
    with pytest.raises(RuntimeError, match="no disk"), running(lambda _: command, 1, lambda _: False, tmp_path / "x"):
        pass


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_no_server_outlives_tests_that_are_killed() -> None:
    (port,) = free_ports(1)
    guard = [sys.executable, str(GUARD), sys.executable, "-c", LISTEN, str(port)]
    tests = f"import subprocess, time; subprocess.Popen({guard!r}, stdin=subprocess.PIPE); time.sleep(60)"
    killed = subprocess.Popen([sys.executable, "-c", tests])
    try:
        end = time.monotonic() + 60
        while not listens(port) and time.monotonic() < end:
            time.sleep(0.05)
        assert listens(port)
    finally:
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
    assert gone(port)


def test_free_ports_differ_and_can_be_bound() -> None:
    ports = free_ports(5)
    assert len(set(ports)) == 5
    for port in ports:
        with socket.create_server(("127.0.0.1", port)):
            pass
