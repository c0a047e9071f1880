"""Runs one job in a fresh process and returns its measurements."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

WORKERS = Path(__file__).parent / "workers"


class JobFailed(Exception):
    """A worker failed; the message is the end of its output."""


def run(
    python: str, worker: str, job: str, args: dict[str, Any], *, timeout: float, env: dict[str, str] | None = None
) -> dict[str, Any]:
    """Run a worker's job in a fresh process of the interpreter `python`, and return its measurements.

    The process starts in an empty directory, so that it imports only packages of its environment. Raises JobFailed if
    it fails or takes more than `timeout` seconds.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "facts.json")
        command = [python, str(WORKERS / f"{worker}.py"), job, json.dumps(args), out]
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "LUML_", "COV"))}
        try:
            process = subprocess.run(
                command,
                cwd=folder,
                env={**clean, **(env or {})},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise JobFailed(f"not finished after {timeout:g} s") from None
        if process.returncode:
            output = process.stderr.decode(errors="replace").strip()
            raise JobFailed(output[-2000:] or f"ended with status {process.returncode}")
        with open(out) as file:
            facts: dict[str, Any] = json.load(file)
    return facts
