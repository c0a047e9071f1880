"""Flows decide and never act: no I/O, no clock, no thread. Which room may import which is in test_house."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import luml_lite

SOURCE = Path(luml_lite.__file__).parent
# These touch the disk; flows reach them through `local` alone.
DISK = ("files/journal.py", "files/locks.py", "files/partial.py")
CLOCK = ("core/cancellation.py",)
PURE = sorted(
    path
    for pattern in ("operations/*.py", "api/*.py", "storage/*.py", "models/*.py", "core/*.py")
    for path in SOURCE.glob(pattern)
    if str(path.relative_to(SOURCE)) not in CLOCK
)
ACTING = {
    *("asyncio", "concurrent", "contextvars", "ctypes", "fcntl", "glob", "http", "io", "mmap", "multiprocessing"),
    *("pathlib", "queue", "random", "secrets", "select", "shutil", "signal", "socket", "sqlite3", "ssl", "subprocess"),
    *("sys", "tempfile", "threading", "time", "urllib3", "uuid"),
}
# What works on the disk in the rooms below, by the name it is imported under.
LOCAL_WORK = {
    *(
        "inspect",
        "ensure_unchanged",
        "open_journal",
        "open_partial",
        "prime_digest",
        "hash_file",
        "md5_of",
        "now",
        "open",
    ),
    *("print", "input"),
}

pure = pytest.mark.parametrize("path", PURE, ids=lambda path: str(path.relative_to(SOURCE)))


def imported(tree: ast.AST) -> set[str]:
    """The top-level modules that a file imports, at any time."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(str(node.module).split(".")[0])
    return found


def called(tree: ast.AST) -> Iterator[str]:
    """What a file calls, as source text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


@pure
def test_what_decides_imports_nothing_that_acts(path: Path) -> None:
    """No socket, clock, thread, process or file module."""
    assert imported(ast.parse(path.read_text())) & ACTING == set()


@pure
def test_what_decides_calls_nothing_that_acts(path: Path) -> None:
    """Local work is yielded, not called; of os and datetime only what computes is used."""
    calls = set(called(ast.parse(path.read_text())))
    assert calls & LOCAL_WORK == set()
    assert {call for call in calls if call.startswith("os.")} <= {"os.fspath", "os.path.basename"}
    assert not any(call.endswith((".now", ".today", ".utcnow")) for call in calls)


@pure
def test_cleanup_never_yields_in_finally(path: Path) -> None:
    """An effect in `finally` would run while a flow is being closed."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Try):
            for statement in node.finalbody:
                assert not any(isinstance(each, ast.Yield | ast.YieldFrom) for each in ast.walk(statement))


@pure
def test_flows_never_catch_what_ends_a_process(path: Path) -> None:
    """KeyboardInterrupt and GeneratorExit pass; flows see a library exception instead."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None
            assert "BaseException" not in ast.unparse(node.type)


def test_the_rules_above_see_what_they_forbid() -> None:
    """The modules that touch the disk break them, as they must."""
    for name in DISK:
        tree = ast.parse((SOURCE / name).read_text())
        assert any(call.startswith("os.") for call in called(tree)) or imported(tree) & ACTING
    journal = ast.parse((SOURCE / DISK[0]).read_text())
    assert "open" in set(called(journal))
    assert imported(journal) & ACTING
