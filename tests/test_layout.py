"""What the repository holds, what the package declares, and which room may import which."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

import luml_lite

ROOT = Path(__file__).parents[1]
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
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert metadata.version("luml-lite") == project["version"]


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


# Rooms by floor; a room that is not listed is a face, on top of everything.
FLOORS = {
    "errors": 0,
    "core": 1,
    "models": 2,
    "config": 3,
    **dict.fromkeys(("files", "archive", "bodies"), 4),
    **dict.fromkeys(("api", "storage"), 5),
    **dict.fromkeys(("operations", "transport"), 6),
    **dict.fromkeys(("drivers", "trials", "interrupts", "driver", "async_driver"), 7),
}
FACE = 8
HEAVY = ("urllib3", "ssl", "tarfile", "xml", "asyncio", "sqlite3", "http")


def runtime_imports(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Every import that runs at some time: those under TYPE_CHECKING never do."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        yield from runtime_imports(node)


def rooms_imported(path: Path) -> set[str]:
    """The rooms of the package that a source file imports from, first path component each."""
    package = ["luml_lite", *path.relative_to(SOURCE).parent.parts]
    found = set()
    for node in runtime_imports(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [each.name for each in node.names]
        else:
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            names = [f"{module}.{each.name}" for each in node.names]
        found |= {name.split(".")[1] for name in names if name.startswith("luml_lite.")}
    return found


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_point_to_the_same_room_or_a_lower_floor(path: Path) -> None:
    room = path.relative_to(SOURCE).parts[0].removesuffix(".py")
    floor = FLOORS.get(room, FACE)
    above = {each for each in rooms_imported(path) - {room} if each in ROOMS and FLOORS.get(each, FACE) > floor}
    assert above == set(), f"{room} is on floor {floor}"


def test_every_room_with_a_floor_exists() -> None:
    assert set(FLOORS) & ROOMS


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = f"import sys, luml_lite; print([name for name in {HEAVY} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert loaded.stdout.strip() == "[]"


def test_no_room_hides_an_exported_function() -> None:
    """Importing a room sets an attribute of the package, which would replace a function of that name."""
    exported = set(luml_lite.__all__) - {"aio", "local", "testing"}
    assert exported & ROOMS == set()
