"""The names that the package exports: each exists, has a docstring, and is found by help and completion."""

from __future__ import annotations

import builtins
import inspect
import subprocess
import sys

import pytest

import luml_lite
from luml_lite import aio, errors
from luml_lite.clients import binding

VERBS = sorted(binding.FUNCTIONS)


@pytest.mark.parametrize("name", luml_lite.__all__)
def test_an_exported_name_exists_and_has_a_docstring(name: str) -> None:
    """A docstring that is its own and not inherited."""
    value = getattr(luml_lite, name)
    assert (value.__doc__ or "").strip()
    if inspect.isclass(value):
        assert value.__doc__ != value.__mro__[1].__doc__
    assert name in dir(luml_lite)


def test_names_are_exported_once_and_sorted_for_help() -> None:
    """Help and completion show dir()."""
    assert len(set(luml_lite.__all__)) == len(luml_lite.__all__)
    assert dir(luml_lite) == sorted(dir(luml_lite))
    assert set(luml_lite.__all__) <= set(dir(luml_lite))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        luml_lite.nonsense  # noqa: B018


def test_a_star_import_shadows_no_builtin() -> None:
    """`luml_lite.list` exists, but a star import leaves it out."""
    assert not {*luml_lite.__all__} & {*dir(builtins)}
    assert callable(luml_lite.list)
    assert "list" in dir(luml_lite)


def test_every_verb_is_exported() -> None:
    """`__all__` has every verb except the one that is named like a builtin."""
    assert {*binding.VERBS} - {*luml_lite.__all__} == {"list"}
    assert {*binding.VERBS} <= {*dir(aio)}


def test_every_error_is_exported() -> None:
    """Users can catch each error by its name."""
    tree = {name for name, kind in vars(errors).items() if inspect.isclass(kind) and issubclass(kind, errors.LumlError)}
    assert tree <= set(luml_lite.__all__)


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_has_the_same_signature_for_blocking_and_asyncio(verb: str) -> None:
    """Help shows the operation's own parameters, the Config first, and the type of the result."""
    blocking, awaited = getattr(luml_lite, verb), getattr(aio, verb)
    assert inspect.signature(blocking).parameters == inspect.signature(awaited).parameters
    first, *rest = inspect.signature(blocking).parameters.values()
    assert (first.name, first.kind) == ("cfg", inspect.Parameter.POSITIONAL_ONLY)
    assert blocking.__doc__ == awaited.__doc__
    assert "Flow" not in str(blocking.__annotations__["return"])
    assert "Stream" not in str(blocking.__annotations__["return"])
    for parameter in rest:
        if parameter.name in ("collection_id", "on_progress") and verb != "create":
            assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
            assert parameter.default is None


def test_the_ten_operations_of_the_reference_are_there() -> None:
    reference = {"get", "list", "list_all", "download_url", "delete_url"}
    assert reference | {"upload", "download", "create", "update", "delete"} <= set(VERBS)


def test_a_star_import_brings_exactly_the_exported_names() -> None:
    """Those that are loaded when they are first used, too."""
    code = "import luml_lite; from luml_lite import *; print(sorted({*globals()} & {*luml_lite.__all__}))"
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert shown.stdout.strip() == str(sorted(luml_lite.__all__))
