"""The verbs at run time and for static tools: type hints, signatures, help, pickles, completion."""

from __future__ import annotations

import asyncio
import inspect
import multiprocessing
import os
import pickle
import pydoc
import re
import subprocess
import sys
import typing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import luml_lite
from luml_lite import AsyncLumlClient, Config, LumlClient, aio, local
from luml_lite.clients import binding

ROOT = Path(__file__).parents[2]


def verbs() -> list[Any]:
    """Every public verb, blocking and for asyncio."""
    every = [getattr(home, name) for home in (luml_lite, aio) for name in binding.FUNCTIONS]
    for home in (luml_lite, aio):
        for name in sorted({*binding.VERBS} & {*binding.GROUPS}):
            every += filter(inspect.isfunction, vars(getattr(home, name)).values())
    return every


every_verb = pytest.mark.parametrize("verb", verbs(), ids=lambda verb: f"{verb.__module__}.{verb.__qualname__}")


@every_verb
def test_annotations_of_a_verb_resolve(verb: Any) -> None:
    hints = typing.get_type_hints(verb)
    shown = inspect.signature(verb, eval_str=True)
    assert hints["cfg"] is Config
    assert [*hints] == [*shown.parameters, "return"]


@every_verb
def test_a_verb_pickles_by_reference(verb: Any) -> None:
    assert pickle.loads(pickle.dumps(verb)) is verb  # noqa: S301
    assert verb.__module__ in ("luml_lite", "luml_lite.aio")


@every_verb
def test_an_error_about_arguments_names_the_verb(verb: Any) -> None:
    """Also where the operation is a request builder of another name."""
    cfg = Config(api_key="k", organization="o", orbit="o", collection="c")
    with pytest.raises(TypeError, match=rf"^{re.escape(verb.__qualname__)}\(\) got an unexpected keyword"):
        asyncio.run(verb(cfg, nonsense=1))


def test_annotations_of_config_are_objects_not_text() -> None:
    """Frameworks read them from the signature, without the module that the names are in."""
    shown = inspect.signature(Config).parameters
    assert typing.get_type_hints(Config) == {name: each.annotation for name, each in shown.items()}
    assert not [name for name, each in shown.items() if isinstance(each.annotation, str)]


@pytest.mark.parametrize("value", [luml_lite, aio, Config, LumlClient, luml_lite.collections, luml_lite.upload])
def test_help_can_be_shown(value: Any) -> None:
    shown = pydoc.plain(pydoc.render_doc(value))
    assert "upload(" in shown or not isinstance(value, ModuleType)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_another_process_runs_a_verb(method: str, tmp_path: Path) -> None:
    cfg = local.open(tmp_path / "registry")
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method)) as pool:
        assert pool.submit(luml_lite.get, cfg, "name").result(60) is None
        assert pool.submit(luml_lite.collections.get, cfg).result(60) == luml_lite.collections.get(cfg)


def test_the_methods_of_a_client_pickle(tmp_path: Path) -> None:
    client = LumlClient(config=local.open(tmp_path / "registry"))
    method = pickle.loads(pickle.dumps(client.collections.get))  # noqa: S301
    assert method() == client.collections.get()


def test_threads_that_bind_at_the_same_time_get_the_same_verb() -> None:
    """A second object of the same name would not pickle."""
    for _ in range(50):
        module: dict[str, Any] = {"__name__": "verbs"}
        find = binding.lazy_verbs(module, "luml_lite", luml_lite.run, luml_lite.run)
        with ThreadPoolExecutor(8) as pool:
            assert len(set(pool.map(find, ["get", "Artifacts"] * 8))) == 2
        assert module["Artifacts"].get is module["get"]


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("luml_lite.upload", "upload(cfg: Config, /, file_path: str"),
        ("luml_lite.aio.get", "get(cfg: Config, /, model_value: str"),
        ("luml_lite.collections.get", "get(self: Config | ResourceGroup, /, collection_value: str"),
        ("luml_lite.LumlClient().model_artifacts.upload", "upload(file_path: str"),
        ("luml_lite.AsyncLumlClient().tracks.list", "list(*, start_after: str"),
    ],
)
def test_static_completion_shows_signature_and_docstring(code: str, shown: str) -> None:
    jedi = pytest.importorskip("jedi")
    project = jedi.Project(ROOT)
    (name,) = jedi.Script(f"import luml_lite\n{code}", project=project).help(2, len(code))
    signature, _, words = name.docstring().partition("\n\n")
    assert signature.startswith(shown)
    assert words.strip()


@pytest.mark.slow
def test_nearly_every_type_is_known_to_static_tools(tmp_path: Path) -> None:
    """`--verifytypes` wants a package that is installed and not in the working directory."""
    pyright = Path(sys.executable).with_name("pyright")
    if not pyright.exists():
        pytest.skip("pyright is not installed")
    path = f"{pyright.parent}{os.pathsep}{os.environ['PATH']}"  # pyright looks for `python` there
    shown = subprocess.run(
        [pyright, "--verifytypes", "luml_lite", "--ignoreexternal"],
        cwd=tmp_path,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    (score,) = (line for line in shown.splitlines() if line.startswith("Type completeness score"))
    assert float(score.split()[-1].rstrip("%")) >= 98


@pytest.mark.parametrize(
    ("verb", "returns"),
    [
        (luml_lite.get, "ModelArtifact | None"),
        (luml_lite.list_all, "Iterator[ModelArtifact]"),
        (luml_lite.aio.get, "ModelArtifact | None"),
        (luml_lite.aio.list_all, "AsyncIterator[ModelArtifact]"),
        (LumlClient.__init__, "None"),
    ],
)
def test_help_shows_what_a_verb_returns(verb: Any, returns: str) -> None:
    assert inspect.signature(verb).return_annotation == returns
    assert inspect.getdoc(verb) or verb is LumlClient.__init__


def test_methods_show_the_parameters_of_their_operation(cfg: Config) -> None:
    made = LumlClient(config=cfg)
    assert [*inspect.signature(made.artifacts.get).parameters] == ["model_value", "collection_id"]
    assert inspect.iscoroutinefunction(AsyncLumlClient(config=cfg).artifacts.get)
