"""Type checkers see every parameter and every return value."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import luml_lite

ROOT = Path(__file__).parent.parent
VERBS = sorted(name for name in luml_lite.__all__ if hasattr(getattr(luml_lite, name), "__wrapped__"))


def test_the_verbs_reveal_their_types() -> None:
    """mypy --strict agrees with every assertion in tests/typing."""
    command = [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_asserted_in_both_colours(verb: str) -> None:
    """A verb that is added is typed here as well."""
    assert f"luml_lite.{verb}(cfg" in (ROOT / "tests/typing/blocking.py").read_text()
    assert f"aio.{verb}(cfg" in (ROOT / "tests/typing/awaited.py").read_text()
