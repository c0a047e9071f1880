"""The machine that runs the benchmark: its properties, and the share of idle processor time."""

from __future__ import annotations

import os
import platform
import ssl
import time
from importlib import metadata
from typing import Any


def facts() -> dict[str, Any]:
    """Processor, memory, kernel, and the versions that affect the measurements."""
    return {
        "processor": _line("/proc/cpuinfo", "model name") or platform.processor(),
        "cores": os.cpu_count(),
        "memory": f"{int((_line('/proc/meminfo', 'MemTotal') or '0 kB').split()[0]) // 1024} MiB",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "openssl": ssl.OPENSSL_VERSION,
        "urllib3": metadata.version("urllib3"),
        "msgspec": metadata.version("msgspec"),
        "load": list(os.getloadavg()) if hasattr(os, "getloadavg") else None,
    }


def idle(seconds: float = 1.0) -> float | None:
    """The share of idle processor time during the next `seconds`; None if the system does not report it."""
    before = _times()
    time.sleep(seconds)
    after = _times()
    if before is None or after is None or sum(after) == sum(before):
        return None
    return (after[3] - before[3]) / (sum(after) - sum(before))


def _times() -> list[int] | None:
    if not os.path.exists("/proc/stat"):
        return None
    with open("/proc/stat") as file:
        return [int(each) for each in file.readline().split()[1:9]]


def _line(path: str, name: str) -> str:
    if not os.path.exists(path):
        return ""
    with open(path) as file:
        return next((line.split(":", 1)[1].strip() for line in file if line.startswith(name)), "")
