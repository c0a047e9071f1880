"""Running one job in a fresh process and reading the facts that it writes down."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

WORKERS = Path(__file__).parent / "workers"


class JobFailed(Exception):
    """A worker ended without facts; the message is the end of what it printed."""


def run(
    python: str, worker: str, job: str, given: dict[str, Any], *, timeout: float, env: dict[str, str] | None = None
) -> dict[str, Any]:
    """Do a worker's job in a fresh process of the interpreter `python`; a JobFailed says why there are no facts.

    The process starts in an empty directory, so that it imports what its environment has installed.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "facts.json")
        command = [python, str(WORKERS / f"{worker}.py"), job, json.dumps(given), out]
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "LUML_", "COV"))}
        try:
            ended = subprocess.run(
                command,
                cwd=folder,
                env={**clean, **(env or {})},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise JobFailed(f"not done after {timeout:g} s") from None
        if ended.returncode:
            said = ended.stderr.decode(errors="replace").strip()
            raise JobFailed(said[-2000:] or f"ended with status {ended.returncode}")
        with open(out) as file:
            facts: dict[str, Any] = json.load(file)
    return facts
