"""For tests of programs that use luml_lite: a scripted transport, a model file, and a pytest fixture with a registry.

`pytest_plugins = ["luml_lite.testing"]` gives `luml_registry`, a fresh registry served over HTTP for each test.
"""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from hashlib import shake_128
from typing import Any

import msgspec

from . import __version__
from .core.cancellation import CancelToken
from .core.request import Request, Response
from .core.timeouts import Timeouts
from .errors import LumlError
from .files.streams import SinkWriter, is_for_sink


class Scripted:
    """A transport that returns scripted answers in order and keeps the requests in `requests`.

    Each answer is a Response, a LumlError to raise, or a function that returns one of them for the prepared request. If
    the request has a file for its body, as a download has, the body of a Response is written there. A request after the
    last answer raises an AssertionError.
    """

    def __init__(
        self, answers: Iterable[Response | LumlError | Callable[[Request[Any]], Response | LumlError]]
    ) -> None:
        self._answers = list(answers)
        self.requests: list[Request[Any]] = []

    def send(
        self, request: Request[Any], /, *, timeouts: Timeouts, stop: CancelToken, on_bytes: Callable[[int], None]
    ) -> Response:
        """Return or raise the next answer."""
        self.requests.append(request)
        if not self._answers:
            raise AssertionError(f"the script has no answer left for {request}")
        answer = self._answers.pop(0)
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, LumlError):
            raise answer
        sink = request.into
        if sink is None or answer.received or not is_for_sink(sink, answer.status, answer.header("content-range")):
            return answer
        with SinkWriter(sink, on_bytes) as writer:
            writer.write(answer.body)
            return msgspec.structs.replace(answer, body=b"", received=writer.received, sha256=writer.sha256())


def json_response(value: Any, status: int = 200) -> Response:
    """A Response with a JSON body."""
    return Response(status, {"content-type": "application/json"}, msgspec.json.encode(value))


def write_model(path: str | os.PathLike[str], metrics: Mapping[str, float], weights: int = 200_000) -> None:
    """Write a small valid .fnnx archive with these metrics; the same arguments write the same bytes.

    `weights` is the size of the payload in bytes; the payload does not compress.
    """
    tags = ["dataforce.studio::registry_metrics:v1"]
    tensor = {"content_type": "NDJSON", "dtype": "Array[float32]", "tags": None}
    producer = {"producer_version": __version__, "producer_tags": tags}
    manifest = {
        "variant": "pipeline",
        "name": "demo",
        "version": None,
        "description": "a small model for demonstrations and tests",
        "producer_name": "luml_lite",
        **producer,
        "inputs": [{"name": "x", "shape": ["batch", 2], **tensor}],
        "outputs": [{"name": "y", "shape": ["batch", 1], **tensor}],
        "dynamic_attributes": [],
        "env_vars": [],
    }
    meta = [{"id": "demo", "producer": "luml_lite", **producer, "payload": {"metrics": dict(metrics)}}]
    contents: dict[str, object] = {"manifest.json": manifest, "env.json": {}, "ops.json": [], "meta.json": meta}
    contents |= {"dtypes.json": {}, "variant_config.json": {}}
    members = {name: msgspec.json.encode(value) for name, value in contents.items()}
    members["ops_artifacts/weights.bin"] = shake_128(members["meta.json"]).digest(weights)
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


with suppress(ImportError):
    import pytest

    @pytest.fixture
    def luml_registry(tmp_path: Any) -> Iterator[Any]:
        """A fresh registry that is served over HTTP, with `base_url`, `api_key`, the ids and a `config` for it."""
        from . import local

        with local.serve(str(tmp_path / "registry")) as served:
            yield served
