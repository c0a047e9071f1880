"""Measures the resource usage of a worker: a fresh process that runs one job and writes its measurements to a file.

Workers run as scripts, outside of this package, which the environment of the published client lacks.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

Job = Callable[[dict[str, Any]], dict[str, Any]]


def peak_memory() -> int:
    """The peak of this process's resident memory, in bytes.

    On Linux ru_maxrss includes memory shared with the parent of a fork, so VmHWM is read instead.
    """
    if os.path.exists("/proc/self/status"):
        with open("/proc/self/status") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM:"))
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


class Clock:
    """A context manager that measures wall and CPU seconds, of all threads together."""

    def __enter__(self) -> Clock:
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *failure: object) -> None:
        self.wall = time.perf_counter() - self._wall
        self.cpu = time.process_time() - self._cpu

    def facts(self) -> dict[str, float]:
        """Both times, and the peak memory so far."""
        return {"wall": self.wall, "cpu": self.cpu, "rss": peak_memory()}


def main(jobs: dict[str, Job]) -> None:
    """Run the job on the command line with its arguments, and write its measurements to a file."""
    name, args, out = sys.argv[1:]
    facts = jobs[name](json.loads(args))
    with open(out, "w") as file:
        json.dump(facts, file)
