"""What a worker measures about itself; a worker is a fresh process that does one job and writes down the facts.

Workers run as scripts, outside of this package, since the published client's environment has none of it.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

Job = Callable[[dict[str, Any]], dict[str, Any]]


def peak() -> int:
    """The most memory that this process has had resident, in bytes.

    Linux counts a fork's share of its parent into ru_maxrss, so the high-water mark of the address space is taken.
    """
    if os.path.exists("/proc/self/status"):
        with open("/proc/self/status") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM:"))
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


class Clock:
    """Wall and CPU seconds of a block, all threads together."""

    def __enter__(self) -> Clock:
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *failure: object) -> None:
        self.wall = time.perf_counter() - self._wall
        self.cpu = time.process_time() - self._cpu

    def facts(self) -> dict[str, float]:
        """The two times, and the peak memory so far."""
        return {"wall": self.wall, "cpu": self.cpu, "rss": peak()}


def main(jobs: dict[str, Job]) -> None:
    """Do the job named on the command line, with its parameters, and write its facts to the path given last."""
    name, parameters, out = sys.argv[1:]
    facts = jobs[name](json.loads(parameters))
    with open(out, "w") as file:
        json.dump(facts, file)
