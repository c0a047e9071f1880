"""Calls in processes of their own, each forked from one that has everything loaded, so that they can be killed cheaply.

`python -m tests.system.faults.killed_process` is the process that forks: it reads a call from each line, and prints
the child's number and how the child ended.
"""

from __future__ import annotations

import base64
import os
import pickle
import resource
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import luml_lite
import luml_lite.transport.pool
from luml_lite import Config, LumlError

from ...sync_async import SYNC_ASYNC

DONE, INTERRUPTED, FAILED, BROKEN = 0, 10, 11, 12  # how a child ends
ROOT = Path(__file__).parents[3]


class KilledProcesses:
    """The process that forks; `pid` is the child that runs now."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._pid = 0
        self._known = threading.Event()

    def begin(self, mode: str, verb: str, cfg: Config, *args: Any, largest: int | None = None, **kwargs: Any) -> None:
        """Begin a call; it cannot write files of more than `largest` bytes."""
        self._known.clear()
        call = base64.b64encode(pickle.dumps((mode, verb, cfg, args, kwargs, largest))).decode()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(call, file=self._process.stdin, flush=True)
        self._pid = int(self._process.stdout.readline())
        self._known.set()

    @property
    def pid(self) -> int:
        """The child's number."""
        assert self._known.wait(60)
        return self._pid

    def ended(self) -> int:
        """How the child ended: one of the numbers above, or a negative signal."""
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())


@contextmanager
def killed_processes() -> Iterator[KilledProcesses]:
    """The process that forks, while the block runs."""
    command = [sys.executable, "-m", "tests.system.faults.killed_process"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True, start_new_session=True) as process:
        try:
            yield KilledProcesses(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()


def _call(line: str) -> int:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    mode, verb, cfg, args, kwargs, largest = pickle.loads(base64.b64decode(line))  # noqa: S301 - from the tests
    if largest is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
    try:
        getattr(SYNC_ASYNC[mode], verb)(cfg, *args, **kwargs)
    except KeyboardInterrupt:
        return INTERRUPTED
    except LumlError:
        return FAILED
    except BaseException:
        traceback.print_exc()
        return BROKEN
    return DONE


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def _serve() -> None:
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            os._exit(_call(line))
        _say(pid)
        _say(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    assert luml_lite.transport.pool.SHARED
    _serve()
