"""For tests of programs that use luml_lite: a scripted transport, and pytest fixtures with a real registry.

`pytest_plugins = ["luml_lite.testing"]` gives `luml_registry`, a fresh registry served over HTTP for each test.
"""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

import msgspec

from . import __version__
from .core.cancellation import CancelToken
from .core.limits import Timeouts
from .core.request import Request, Response
from .errors import LumlError


class Scripted:
    """A transport that answers from a script, in order, and keeps what it was asked in `requests`.

    Each answer is a Response, a LumlError to raise, or a function from the prepared request to either. An
    AssertionError says when the script is at its end.
    """

    def __init__(
        self, answers: Iterable[Response | LumlError | Callable[[Request[Any]], Response | LumlError]]
    ) -> None:
        self._answers = list(answers)
        self.requests: list[Request[Any]] = []

    def send(
        self, request: Request[Any], /, *, timeouts: Timeouts, stop: CancelToken, on_bytes: Callable[[int], None]
    ) -> Response:
        """Answer with the next line of the script."""
        self.requests.append(request)
        if not self._answers:
            raise AssertionError(f"the script has no answer left for {request}")
        answer = self._answers.pop(0)
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, LumlError):
            raise answer
        return answer


def json_response(value: Any, status: int = 200) -> Response:
    """A Response with a JSON body."""
    return Response(status, {"content-type": "application/json"}, msgspec.json.encode(value))


def write_model(path: str, metrics: dict[str, float], weights: int = 200_000) -> None:
    """Write a small valid model archive with the given metrics; `weights` is the size of its payload in bytes."""
    manifest = {
        "variant": "pipeline",
        "name": "demo",
        "version": None,
        "description": "a model made to show the registry",
        "producer_name": "luml_lite",
        "producer_version": __version__,
        "producer_tags": ["dataforce.studio::registry_metrics:v1"],
        "inputs": [
            {"name": "x", "content_type": "NDJSON", "dtype": "Array[float32]", "shape": ["batch", 2], "tags": None}
        ],
        "outputs": [
            {"name": "y", "content_type": "NDJSON", "dtype": "Array[float32]", "shape": ["batch", 1], "tags": None}
        ],
        "dynamic_attributes": [],
        "env_vars": [],
    }
    entry = {"id": "demo", "producer": "luml_lite", "producer_version": __version__}
    meta = [entry | {"producer_tags": ["dataforce.studio::registry_metrics:v1"], "payload": {"metrics": metrics}}]
    contents: dict[str, object] = {
        "manifest.json": manifest,
        "env.json": {},
        "ops.json": [],
        "meta.json": meta,
        "dtypes.json": {},
        "variant_config.json": {},
    }
    with tarfile.open(path, "w") as tar:
        for name, value in contents.items():
            _add(tar, name, msgspec.json.encode(value))
        _add(tar, "ops_artifacts/weights.bin", os.urandom(weights))


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))


with suppress(ImportError):
    import pytest

    @pytest.fixture
    def luml_registry(tmp_path: Any) -> Iterator[Any]:
        """A fresh registry served over HTTP, with `base_url`, `api_key`, ids and a ready `config`."""
        from . import local

        with local.serve(str(tmp_path / "registry")) as served:
            yield served
