"""The house: folders are floors, imports point down, nothing goes in a circle, and no room grows too large."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import luml_lite

SOURCE = Path(luml_lite.__file__).parent
# From the ground up. Rooms of one floor are siblings: neither imports the other.
FLOORS = (
    ("errors",),
    ("core",),
    ("models",),
    ("config", "keys"),
    ("files",),
    ("storage",),
    ("api",),
    ("operations", "transport"),
    ("drivers",),
    ("clients", "local"),
    ("aio", "testing"),
    ("cli",),
    ("__init__", "__main__"),
)
FLOOR = {room: height for height, rooms in enumerate(FLOORS) for room in rooms}
BESIDE = {"py.typed", "LICENSE"}
INSIDE = {"local": {"http", "api", "storage", "database"}}
MAX_FILE = 300
MAX_FUNCTION = 50
TABLES = {"_routes"}  # one row a line
HEAVY = ("urllib3", "ssl", "tarfile", "xml", "asyncio", "sqlite3", "http", "concurrent.futures")

FILES = sorted(SOURCE.rglob("*.py"))
each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))


@cache
def tree(path: Path) -> ast.Module:
    """The syntax of a source file."""
    return ast.parse(path.read_text())


def module_name(path: Path) -> str:
    """The dotted name of a source file."""
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in FILES}


def imports(path: Path) -> Iterator[str]:
    """The modules of the package that a file imports at any time, for types alone included.

    The version is no dependency: it is one constant at the top of the package.
    """
    package = module_name(path).split(".")
    if path.name != "__init__.py":
        package.pop()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.name in MODULES)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            parent = ".".join([*base, *([node.module] if node.module else [])])
            for each in node.names:
                name = f"{parent}.{each.name}"
                if name in MODULES:
                    yield name
                elif parent in MODULES and name != "luml_lite.__version__":
                    yield parent


def room(module: str) -> str:
    """The entry of the package root that a module belongs to."""
    return module.split(".")[1] if "." in module else "__init__"


def test_the_root_holds_the_rooms_and_nothing_else() -> None:
    entries = {path.name.removesuffix(".py") for path in SOURCE.iterdir() if path.name != "__pycache__"}
    assert entries == {*FLOOR, *BESIDE}


@pytest.mark.parametrize("folder", INSIDE)
def test_a_large_room_is_divided_as_planned(folder: str) -> None:
    inside = {path.name for path in (SOURCE / folder).iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert inside == INSIDE[folder]


@each_file
def test_imports_point_down(path: Path) -> None:
    here = room(module_name(path))
    wrong = {each for each in imports(path) if room(each) != here and FLOOR[room(each)] >= FLOOR[here]}
    assert wrong == set(), f"{here} is on floor {FLOOR[here]}"


def test_no_import_goes_in_a_circle() -> None:
    """Inside folders neither, and not for types alone."""
    graph = {name: {*imports(path)} - {name} for name, path in MODULES.items()}
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"a circle: {' -> '.join(error.args[1])}")


@each_file
def test_a_file_is_one_room(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MAX_FILE


@each_file
def test_a_function_fits_on_a_page(path: Path) -> None:
    """Its signature and its docstring are not counted."""
    long = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
            lines = (body[-1].end_lineno or 0) - body[0].lineno + 1
            if lines > MAX_FUNCTION and node.name not in TABLES:
                long.append((node.name, lines))
    assert long == []


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = f"import sys, luml_lite; print([name for name in {HEAVY} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert loaded.stdout.strip() == "[]"


def test_no_room_hides_an_exported_function() -> None:
    """Importing a room sets an attribute of the package, which would replace a function of that name."""
    exported = {*luml_lite.__all__} - {"aio", "keys", "local", "testing"}
    assert exported & {*FLOOR} == set()
