"""Our signatures are those of the reference: names, order, kinds, defaults and types of results."""

from __future__ import annotations

import ast
import inspect
import pydoc
from typing import Any

import pytest
from msgspec import UNSET

import luml_lite
from luml_lite import AsyncLumlClient, Config, LumlClient

from ..reference_examples import Example, examples

ID = "0199c455-21ee-74c6-b747-19a82f1a1e75"
CONFIG = Config(api_key="k", organization=ID, orbit=ID, collection=ID)
CLIENTS: dict[str, Any] = {"sync": LumlClient(config=CONFIG), "async": AsyncLumlClient(config=CONFIG)}
EXAMPLES = examples()
PUBLIC = {name: getattr(luml_lite, name) for name in luml_lite.__all__}
# Annotations of ours that accept or return more than the reference's.
WIDER = {
    "dict": "dict[str, str]",
    "file_path: str": "str | os.PathLike[str]",
    "file_path: str | None": "str | os.PathLike[str] | None",
    "metrics: dict": "Mapping[str, Any] | None",
    "manifest: dict": "Mapping[str, Any] | None",
    "file_index: dict[str, tuple[int, int]]": "Mapping[str, tuple[int, int]] | None",
    "file_name: str": "str | None",
    "file_hash: str": "str | None",
    "size: int": "int | None",
    "model_name: str": "str | None",
}

# The one difference in defaults: None clears these, and they are not sent only if they are not given.
CLEARABLE = {("update", "description"), ("update", "tags")}


def same(name: str, theirs: str, ours: str) -> bool:
    """Whether an annotation of ours is the reference's or a wider one."""
    theirs, ours = (text.replace("builtins.", "") for text in (theirs, ours))
    return ours in (theirs, WIDER.get(f"{name}: {theirs}"), WIDER.get(theirs))


def stated(text: str) -> ast.FunctionDef | ast.AsyncFunctionDef:
    """The reference's signature, which has no body."""
    (function,) = ast.parse(text.rstrip() + ":\n    ...").body
    assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
    return function


@pytest.mark.parametrize("example", EXAMPLES, ids=[f"{each.mode}-{each.method}" for each in EXAMPLES])
def test_the_signature_is_the_references(example: Example) -> None:
    ours = inspect.signature(method := getattr(CLIENTS[example.mode].model_artifacts, example.method))
    theirs = stated(example.signature)
    assert inspect.iscoroutinefunction(method) == isinstance(theirs, ast.AsyncFunctionDef)
    assert theirs.returns is not None
    assert same("return", ast.unparse(theirs.returns), ours.return_annotation)
    parameters = list(ours.parameters.values())
    positional = [each for each in parameters if each.kind is each.POSITIONAL_OR_KEYWORD]
    assert [each.name for each in positional] == [each.arg for each in theirs.args.args]
    named = {each.name: each for each in parameters if each.kind is each.KEYWORD_ONLY}
    assert [*named][: len(theirs.args.kwonlyargs)] == [each.arg for each in theirs.args.kwonlyargs]
    more = [*named.values()][len(theirs.args.kwonlyargs) :]
    assert all(each.default is not each.empty for each in more), "what we add may be left out"
    required = len(theirs.args.args) - len(theirs.args.defaults)
    defaults: list[ast.expr | None] = [*[None] * required, *theirs.args.defaults, *theirs.args.kw_defaults]
    for each, default in zip([*theirs.args.args, *theirs.args.kwonlyargs], defaults, strict=True):
        own = ours.parameters[each.arg]
        assert each.annotation is not None
        if (example.method, each.arg) in CLEARABLE:
            assert own.default is UNSET
            assert own.annotation.replace(" | UnsetType", "").endswith(ast.unparse(each.annotation))
            continue
        assert same(each.arg, ast.unparse(each.annotation), own.annotation), each.arg
        if default is not None:
            assert own.default == eval(ast.unparse(default), PUBLIC), each.arg  # noqa: S307


@pytest.mark.parametrize("example", EXAMPLES, ids=[f"{each.mode}-{each.method}" for each in EXAMPLES])
def test_every_method_has_a_docstring(example: Example) -> None:
    assert inspect.getdoc(getattr(CLIENTS[example.mode].model_artifacts, example.method))
    assert getattr(CLIENTS[example.mode].artifacts, example.method)


@pytest.mark.parametrize("example", EXAMPLES, ids=[f"{each.mode}-{each.method}" for each in EXAMPLES])
def test_help_shows_parameters_and_docstring(example: Example) -> None:
    """Those of the operation, not those of the function that binds it."""
    method = getattr(CLIENTS[example.mode].model_artifacts, example.method)
    shown = pydoc.plain(pydoc.render_doc(method))
    theirs = stated(example.signature).args
    assert all(f"{each.arg}: " in shown for each in (*theirs.args, *theirs.kwonlyargs))
    assert str(inspect.getdoc(method)).splitlines()[0] in shown
    assert not [word for word in ("cfg", "args", "Flow", "Stream", "Bound") if word in shown.splitlines()[2]]


def test_the_clients_are_made_as_in_the_reference() -> None:
    ours = [*inspect.signature(LumlClient).parameters.values()]
    assert [each.name for each in ours][:5] == ["base_url", "api_key", "organization", "orbit", "collection"]
    assert [each.name for each in inspect.signature(AsyncLumlClient).parameters.values()][:2] == ["base_url", "api_key"]
    setup = inspect.signature(AsyncLumlClient.setup_config).parameters
    assert [*setup][1:] == ["organization", "orbit", "collection"]
    assert {each.default for each in (*ours, *[*setup.values()][1:])} == {None}
