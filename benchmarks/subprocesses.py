"""A module of this package that runs in a subprocess, as the server and the slow link do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


class Subprocess:
    """A running module; `first_line` is the first line of its output, decoded from JSON."""

    def __init__(self, module: str, *options: object) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *map(str, options)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self.stop()
            raise RuntimeError(f"{module} did not start")
        self.first_line: Any = json.loads(line)

    def stop(self) -> None:
        """Stop the process and wait for its end."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.terminate()
        self._process.wait(10)
