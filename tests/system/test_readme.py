"""The README's examples run as they stand, each alone, twice, in an empty directory; what it lists is complete."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

import luml_lite
from luml_lite import errors, local

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SOURCES = sorted(Path(luml_lite.__file__).parent.rglob("*.py"))


class Block(NamedTuple):
    """A fenced block: the name that a comment before it gives, its language and its text."""

    name: str
    language: str
    text: str


FENCED = re.compile(r"(?:<!-- ([a-z-]+) -->\n)?^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
BLOCKS = [Block(*each) for each in FENCED.findall(README)]
COMMANDS = {each.name: each.text.strip() for each in BLOCKS if each.name}
EXAMPLES = [each for each in BLOCKS if each.language in ("python", "sh") and not each.name]


def command(example: Block, folder: Path) -> list[str]:
    """How a reader runs an example: with Python, with the shell, or with pytest where it is a test."""
    if example.language == "sh":
        return ["/bin/sh", "-euc", example.text]
    if "def test_" in example.text:
        (folder / "test_example.py").write_text(example.text)
        return [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_example.py"]
    return [sys.executable, "-W", "error", "-c", example.text]


def heading(example: Block) -> str:
    """The last heading before an example, for its name."""
    return re.findall(r"^## (.*)$", README.partition(example.text)[0], re.MULTILINE)[-1]


@pytest.mark.parametrize("example", EXAMPLES, ids=heading)
def test_an_example_runs_alone_and_again(example: Block, tmp_path: Path) -> None:
    """In a directory that holds a .venv at most, with no PATH but the system's, on a registry of its own."""
    folder = tmp_path / "empty"
    folder.mkdir()
    if example.language == "sh":
        (folder / ".venv").symlink_to(sys.prefix, target_is_directory=True)
    with local.serve(tmp_path / "registry") as served:
        environment = {
            "HOME": str(tmp_path),
            "PATH": os.defpath,
            "PYTHONPATH": str(ROOT),  # the tree that is tested, also where another one is installed
            "LUML_BASE_URL": served.base_url,
            "LUML_API_KEY": served.api_key,
        }
        for _ in range(2):
            done = subprocess.run(
                command(example, folder),
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
            )
            assert done.returncode == 0, done.stdout + done.stderr


def test_each_use_has_an_example() -> None:
    """No example is lost, and none is in a language that is not run here."""
    text = "\n".join(each.text for each in EXAMPLES)
    uses = ("local.open", "from_env", "aio.upload", "run(request", "Scripted", "luml_registry", "serve", "LumlClient")
    assert [use for use in uses if use not in text] == []
    assert {each.language for each in BLOCKS} == {"python", "sh", "text"}


def test_the_commands_of_the_repository_are_the_ones_that_the_script_runs() -> None:
    """Each is one line of shell that parses, behind the marker that .ci/run looks for."""
    assert COMMANDS.keys() == {"demo-command", "test-command", "full-test-command", "benchmark-command"}
    for text in COMMANDS.values():
        assert "\n" not in text
        subprocess.run(["/bin/sh", "-n", "-c", text], check=True)
    script = (ROOT / ".ci/run").read_text()
    assert {*re.findall(r"command_of ([\w-]+)", script)} <= COMMANDS.keys()
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert {*re.findall(r"'\.\[([\w-]+)\]'", "".join(COMMANDS.values()))} <= extras.keys()
    assert "npm" not in COMMANDS["test-command"]


def test_every_setting_is_in_the_table() -> None:
    """The fields of Config, Retry and Timeouts, and the variables that the package reads."""
    table = README.partition("## Configuration")[2].partition("\n## ")[0]
    for field in luml_lite.Config.__struct_fields__:
        assert f"| `{field}`" in table, field
    for field in (*luml_lite.Retry.__struct_fields__, *luml_lite.Timeouts.__struct_fields__):
        assert f"`{field}=" in table, field
    words = "\n".join(path.read_text() for path in SOURCES)
    assert set(re.findall(r"LUML_[A-Z_]+\b", words)) <= set(re.findall(r"LUML_[A-Z_]+\b", table))


def test_the_picture_of_errors_is_the_tree() -> None:
    """Every public error, under its base."""
    (picture,) = (each.text for each in BLOCKS if each.language == "text")
    above: dict[int, str] = {}
    drawn = {}
    for line in picture.splitlines():
        found = re.match(r"([│├└─ ]*)(\w+)", line)
        assert found
        depth = len(found[1]) // 4
        above[depth] = found[2]
        drawn[found[2]] = above.get(depth - 1)
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.LumlError)]
    bases = {kind.__name__: kind.__bases__[0].__name__ for kind in kinds}
    assert drawn == {**bases, "LumlError": None}


def test_the_registry_fixture_serves_a_fresh_registry(luml_registry: local.Served) -> None:
    """The pytest plugin gives a registry that is empty."""
    assert luml_lite.list(luml_registry.config).items == []
