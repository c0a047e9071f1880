"""What the repository holds and what the package declares."""

from __future__ import annotations

import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

import luml_lite

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "luml_lite"
ROOMS = {path.stem for path in SOURCE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
TOP = {"pyproject.toml", "luml_lite", "tests", "benchmarks", "README.md", ".ci", ".gitignore"}


def tracked() -> list[str]:
    """Every path that git tracks here."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    return listed.stdout.split("\0")[:-1]


def test_the_top_level_holds_nothing_but_the_layout() -> None:
    assert {path.split("/")[0] for path in tracked()} <= TOP


def test_the_runtime_needs_urllib3_and_msgspec_only() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert sorted(each.split(">")[0] for each in project["dependencies"]) == ["msgspec", "urllib3"]


def test_the_installed_version_is_the_one_of_the_project() -> None:
    assert metadata.version("luml-lite") == luml_lite.__version__


def test_type_checkers_are_told_that_the_package_is_typed() -> None:
    assert (Path(luml_lite.__file__).parent / "py.typed").exists()


def test_the_ci_script_may_be_executed() -> None:
    listed = subprocess.run(["git", "ls-files", "-s", ".ci/run"], cwd=ROOT, check=True, capture_output=True, text=True)
    assert listed.stdout.startswith("100755 ")


def test_no_file_names_a_folder_of_one_machine() -> None:
    """A path below somebody's home folder works on one machine only."""
    needles = ("/" + "root/", "/" + "home/", "/" + "Users/", "/" + "work/")
    guilty = [
        (path, needle)
        for path in tracked()
        if (ROOT / path).suffix in {".py", ".toml", ".md", ""}
        for needle in needles
        if needle in (ROOT / path).read_text(errors="replace")
    ]
    assert guilty == []
