"""Type checkers see the type of every parameter and of every result."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import luml_lite
from luml_lite.clients.binding import FUNCTIONS

from ..reference_examples import Example, examples
from ..typing import stubs

ROOT = Path(__file__).parents[2]
VERBS = sorted(FUNCTIONS)


@pytest.mark.slow
def test_the_verbs_reveal_their_types() -> None:
    """mypy --strict agrees with every assertion in tests/typing."""
    command = [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_stubs_say_what_the_operations_say() -> None:
    """After a change of an operation, write them again: `python -m tests.typing.stubs`."""
    assert {path: path.read_text() for path in stubs.PACKAGE.rglob("*.pyi")} == stubs.stubs()


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_asserted_for_blocking_and_asyncio(verb: str) -> None:
    """A new verb needs an assertion in both files."""
    assert f"luml_lite.{verb}(cfg" in (ROOT / "tests/typing/blocking.py").read_text()
    assert f"aio.{verb}(cfg" in (ROOT / "tests/typing/awaited.py").read_text()


@pytest.mark.parametrize("group", ["organizations", "orbits", "collections", "bucket_secrets", "tracks"])
def test_every_method_of_a_group_is_asserted_on_both_clients(group: str) -> None:
    asserted = (ROOT / "tests/typing/resources.py").read_text()
    verbs = [name for name, verb in vars(getattr(luml_lite, group)).items() if hasattr(verb, "__wrapped__")]
    assert len(verbs) > 1
    assert not [name for name in verbs for client in ("luml", "waiting") if f"{client}.{group}.{name}(" not in asserted]


@pytest.mark.parametrize("example", examples(), ids=[f"{each.mode}-{each.method}" for each in examples()])
def test_the_protocol_that_a_method_satisfies_is_the_references_signature(example: Example) -> None:
    """mypy checks that each method fits its protocol in tests/typing/reference.py; this checks the protocol."""
    tree = ast.parse((ROOT / "tests/typing/reference.py").read_text())
    (statement,) = (
        node for node in tree.body if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == _name(example)
    )
    client = "luml" if example.mode == "sync" else "waiting"
    assert ast.unparse(statement.value or statement) == f"{client}.model_artifacts.{example.method}"
    (protocol,) = (
        node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == ast.unparse(statement.annotation)
    )
    (call,) = protocol.body
    (stated,) = ast.parse(re.sub(r"\bdict\b(?!\[)", "dict[str, Any]", example.signature.rstrip()) + ": ...").body
    assert isinstance(call, ast.FunctionDef)
    assert isinstance(stated, ast.FunctionDef | ast.AsyncFunctionDef)
    assert call.args.args.pop(0).arg == "self"
    assert ast.unparse(call.args) == ast.unparse(stated.args)
    returns = ast.unparse(stated.returns or stated)
    if isinstance(stated, ast.AsyncFunctionDef):
        returns = f"Coroutine[Any, Any, {returns}]"
    assert ast.unparse(call.returns or call) == returns


def _name(example: Example) -> str:
    return f"{example.mode}_{example.method}"
