"""Environments to run the clients in: one with only luml_lite's wheel, and one with the published client."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PUBLISHED = "luml-api==0.4.0"
_OLDEST_PYTHON = (3, 12)  # of the published client


class Installed(NamedTuple):
    """An interpreter with luml_lite, the number of its dependencies, and sizes in bytes.

    `size` is the size of all installed files without bytecode, `compiled` that of the bytecode.
    """

    python: str
    wheel: int
    dependencies: int
    size: int
    compiled: int


def ours(folder: str) -> Installed:
    """Create an environment in `folder` and install this checkout's wheel with pip."""
    wheels = os.path.join(folder, "wheel")
    _run_quietly(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", wheels, cwd=ROOT)
    [wheel] = Path(wheels).glob("*.whl")
    python = _create(os.path.join(folder, "luml_lite"), sys.executable)
    packages = Path(os.path.join(folder, "luml_lite")).rglob("site-packages")
    [site] = [each for each in packages if each.parent.name.startswith("python") or os.name == "nt"]
    before = {each for each in site.rglob("*") if each.is_file()}
    _run_quietly(python, "-m", "pip", "install", "-q", str(wheel))
    new = {each for each in site.rglob("*") if each.is_file()} - before
    compiled = sum(each.stat().st_size for each in new if each.suffix == ".pyc")
    infos = {each.parent for each in new if each.parent.name.endswith(".dist-info")}
    return Installed(
        python, wheel.stat().st_size, len(infos) - 1, sum(each.stat().st_size for each in new) - compiled, compiled
    )


def published() -> str:
    """The interpreter of an environment with the published client, created once in the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    base = _suitable_python()
    version = subprocess.check_output([base, "-c", "import platform; print(platform.python_version())"], text=True)
    folder = os.path.join(cache, "luml-lite-benchmarks", f"{PUBLISHED.replace('==', '-')}-{version.strip()}")
    python = _python(folder)
    if not os.path.exists(os.path.join(folder, "ready")):
        python = _create(folder, base)
        _run_quietly(python, "-m", "pip", "install", "-q", PUBLISHED)
        Path(folder, "ready").touch()
    return python


def _suitable_python() -> str:
    """An interpreter that is new enough: this one, one on the PATH, or one of uv or pyenv."""
    if sys.version_info >= _OLDEST_PYTHON:
        return sys.executable
    candidates = [shutil.which(f"python3.{minor}") for minor in (12, 13, 14)]
    if uv := shutil.which("uv"):
        found = subprocess.run([uv, "python", "find", ">=3.12"], capture_output=True, text=True, check=False)
        candidates.append(found.stdout.strip() or None)
    candidates += sorted(map(str, Path(os.path.expanduser("~"), ".pyenv", "versions").glob("3.1[2-9]*/bin/python")))
    check = f"import ensurepip, sys, venv; sys.exit(sys.version_info < {_OLDEST_PYTHON})"
    for candidate in candidates:
        if candidate and not subprocess.run([candidate, "-c", check], capture_output=True, check=False).returncode:
            return candidate
    raise SystemExit("the published client needs Python 3.12: install one, or run with --without-published")


def _create(folder: str, base: str) -> str:
    shutil.rmtree(folder, ignore_errors=True)
    _run_quietly(base, "-m", "venv", folder)
    return _python(folder)


def _python(folder: str) -> str:
    return os.path.join(folder, "Scripts", "python.exe") if os.name == "nt" else os.path.join(folder, "bin", "python")


def _run_quietly(*command: str, cwd: Path | None = None) -> None:
    with tempfile.TemporaryFile() as output:
        if subprocess.run(command, cwd=cwd, stdout=output, stderr=output, check=False).returncode:
            output.seek(0)
            raise SystemExit(f"{' '.join(command)} failed:\n{output.read().decode(errors='replace')[-2000:]}")
