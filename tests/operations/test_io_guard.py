"""The players of flows notice a flow, or a callback that it hands out, that acts instead of yielding an effect."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from luml_lite.core.flow import Batch, Flow, local
from luml_lite.core.request import Response

from .flow_player import play, settle

ACTS: dict[str, Callable[[], object]] = {
    "read a file": lambda: Path(__file__).read_bytes(),
    "list a folder": lambda: os.listdir("."),
    "rename a file": lambda: os.rename("/no/such/file", "/no/such/other"),
    "resolve a name": lambda: socket.getaddrinfo("127.0.0.1", 80),
    "start a process": lambda: subprocess.run([sys.executable, "--version"], check=True),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_a_flow_that_acts_fails_the_test(act: Callable[[], object]) -> None:
    """Also where the flow would survive any error of the act."""

    def flow() -> Generator[Any, Any, None]:
        with suppress(Exception):
            act()
        yield from local(int)

    with pytest.raises(pytest.fail.Exception, match="acted by itself"):
        play(flow())


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_an_on_done_that_acts_fails_the_test(act: Callable[[], object]) -> None:
    """A batch's `on_done` returns the work that the driver is to do."""
    batch = Batch((), on_done=lambda index, response: act() and ())
    with pytest.raises(pytest.fail.Exception, match="acted by itself"):
        settle(batch, 0, Response(200))


def test_a_flow_may_yield_acts_and_import_modules(tmp_path: Path) -> None:
    path = tmp_path / "module_of_a_flow.py"
    path.write_text("VALUE = 1")

    def flow() -> Flow[int]:
        sys.path.insert(0, str(tmp_path))
        try:
            from module_of_a_flow import VALUE  # type: ignore[import-not-found]
        finally:
            sys.path.remove(str(tmp_path))
        content = yield from local(path.read_text)
        return len(content) + VALUE  # type: ignore[no-any-return]

    assert play(flow()) == 10
