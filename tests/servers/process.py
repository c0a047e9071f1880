"""Starting and stopping a server process: free ports, readiness, and an end that leaves nothing behind."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

GUARD = Path(__file__).with_name("guard.py")
READY = 40.0  # seconds that a server may take to answer on a busy machine
TRIALS = 3  # another process may take a port between its choice and its use


def free_ports(count: int) -> list[int]:
    """Different ports of 127.0.0.1 that nothing listens on now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@contextmanager
def running(
    command: Callable[[list[int]], Sequence[str]],
    ports: int,
    ready: Callable[[list[int]], bool],
    data: Path,
    env: Mapping[str, str] | None = None,
) -> Iterator[list[int]]:
    """Run `command(ports)` until the block ends; the block gets the ports that the server was given."""
    for trial in range(TRIALS):
        chosen = free_ports(ports)
        log = data.parent / f"{data.name}-{trial}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-I", str(GUARD), *command(chosen)],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                env=env,
                start_new_session=True,  # Ctrl-C is for pytest, which then ends the server
            )
        try:
            if _answers(process, chosen, ready):
                yield chosen
                return
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(20)
    raise RuntimeError(f"the server did not start:\n{log.read_text(errors='replace')[-3000:]}")


def _answers(process: subprocess.Popen[bytes], ports: list[int], ready: Callable[[list[int]], bool]) -> bool:
    end = time.monotonic() + READY
    while process.poll() is None and time.monotonic() < end:
        if ready(ports):
            return True
        time.sleep(0.1)
    return False


def listens(port: int) -> bool:
    """Whether something on 127.0.0.1 accepts connections at this port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
