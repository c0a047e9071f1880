"""The published client (luml-api 0.4.0) and ours on one registry: what either writes, both read alike.

Both are given the same calls. Results are compared field by field, and so are the requests that the server saw.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import pytest

import luml_lite
from luml_lite import local
from luml_lite.testing import write_model

from .test_verbs import MEMBERS, verbs_manifest

pytest.importorskip("luml_api", reason="the published client needs Python 3.12 and the extra test-all")

import luml_api
from luml_api import _exceptions

pytestmark = pytest.mark.published

log = logging.getLogger(__name__)
NAMES = {"model_name": "name", "metrics": "extra_values", "metric_keys": "artifacts_extra_values"}
# Where we ask otherwise on purpose: by id we ask for that row, while the published client looks at the newest 100.
OTHERWISE = {"artifact by id"}
VOLATILE = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32}")


def plain(value: Any) -> Any:
    """A result of either client as JSON values, under the published names."""
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, msgspec.Struct):
        items = ((name, getattr(value, name)) for name in value.__struct_fields__)
        return {NAMES.get(name, name): plain(each) for name, each in items}
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    return {name: plain(each) for name, each in value.items()} if isinstance(value, dict) else value


def differences(theirs: Any, ours: Any, at: str = "") -> list[str]:
    """Where ours is not what the published client has; that we have more fields is no difference."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        return [
            line for name in theirs for line in differences(theirs[name], ours.get(name, "missing"), f"{at}.{name}")
        ]
    if isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        pairs = enumerate(zip(theirs, ours, strict=True))
        return [line for index, (one, two) in pairs for line in differences(one, two, f"{at}[{index}]")]
    return [] if theirs == ours else [f"{at}: {theirs!r} is {ours!r}"]


class Awaited:
    """An asynchronous client, or a group of its methods, called as if it blocked, always in one loop."""

    def __init__(self, inner: Any, runner: asyncio.Runner) -> None:
        self._inner, self._runner = inner, runner
        self.name = type(inner).__module__

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inner, name)
        if not callable(value):
            return Awaited(value, self._runner)

        async def all_of(value: Any) -> Any:
            return [item async for item in value] if hasattr(value, "__aiter__") else await value

        return lambda *args, **options: self._runner.run(all_of(value(*args, **options)))


class Bench:
    """One registry, both clients on it, and what the server saw of each call."""

    def __init__(self, served: local.Served, seen: list[local.Seen], runner: asyncio.Runner | None) -> None:
        place = {"organization": served.organization, "orbit": served.orbit, "collection": served.collection}
        clients: list[Any] = []
        for library in (luml_api, luml_lite):
            if runner is None:
                clients.append(library.LumlClient(served.base_url, served.api_key, **place))
            else:
                clients.append(Awaited(library.AsyncLumlClient(served.base_url, served.api_key), runner))
                clients[-1].setup_config(**place)
        self.theirs, self.ours = clients
        self.collection = served.collection
        self.secret = luml_lite.bucket_secrets.list(served.config)[0].id
        self._seen = seen
        self._seen.clear()

    def call(self, client: Any, name: str, do: Callable[[Any], Any]) -> tuple[Any, list[Any]]:
        """The result of a call, and its requests: method, path, sorted query and body; both are logged."""
        self._seen.clear()
        value = do(client)
        requests = [
            (
                each.method,
                each.path,
                sorted(parse_qsl(each.query, keep_blank_values=True)) if "/storage/" not in each.path else [],
                json.loads(each.body) if each.body else None,
            )
            for each in self._seen
        ]
        log.info("%s: %s -> %.500r", "ours" if client is self.ours else "theirs", name, value)
        for request in requests:
            log.info("    %s %s %s %.300s", *request)
        return value, requests

    def read(self, name: str, do: Callable[[Any], Any]) -> None:
        """Both clients read the same, with the same requests."""
        theirs, asked = self.call(self.theirs, name, do)
        ours, asked_ours = self.call(self.ours, name, do)
        assert differences(plain(theirs), plain(ours)) == [], name
        if name not in OTHERWISE:
            assert asked_ours == asked, name


@pytest.fixture(params=["sync", "async"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """A fresh registry over HTTP, once for blocking clients and once for asyncio."""
    write_model(str(tmp_path / "model.fnnx"), {"F1": 0.5, "loss": 2})
    seen: list[local.Seen] = []
    with local.serve(tmp_path / "registry", seen=seen.append) as served, asyncio.Runner() as runner:
        bench = Bench(served, seen, runner if request.param == "async" else None)
        yield bench
        close = bench.theirs._client.close if request.param == "sync" else bench.theirs._client.aclose
        close()  # it has no public way


def scenario(bench: Bench, writer: Any, folder: Path) -> dict[str, list[Any]]:
    """Everything that both clients can do: `writer` writes, both read; the requests of each write."""
    wrote: dict[str, list[Any]] = {}

    def write(name: str, do: Callable[[Any], Any]) -> Any:
        value, wrote[name] = bench.call(writer, name, do)
        return value

    read = bench.read
    read("organizations", lambda luml: luml.organizations.list())
    read("orbits", lambda luml: luml.orbits.list())
    read("the orbit", lambda luml: luml.orbits.get())
    read("orbit by name", lambda luml: luml.orbits.get("Local"))
    read("bucket secrets", lambda luml: luml.bucket_secrets.list())
    read("bucket secret by id", lambda luml: luml.bucket_secrets.get(bench.secret))
    read("no bucket secret", lambda luml: luml.bucket_secrets.get("nobody's bucket"))
    write("rename orbit", lambda luml: luml.orbits.update(name="Renamed"))
    write("rename orbit back", lambda luml: luml.orbits.update("Local"))
    orbit = write("create orbit", lambda luml: luml.orbits.create("Second", bench.secret))
    read("orbit by id", lambda luml: luml.orbits.get(str(orbit.id)))
    write("delete orbit", lambda luml: luml.orbits.delete(str(orbit.id)))

    kind = luml_api.CollectionType.MODEL
    made = write("create collection", lambda luml: luml.collections.create("a text", "Second", kind, ["a", "b"]))
    read("collection by name", lambda luml: luml.collections.get("Second"))
    write("update collection", lambda luml: luml.collections.update("Third", "new", ["c"], collection_id=made.id))
    read("collection by id", lambda luml: luml.collections.get(made.id))
    read("no collection", lambda luml: luml.collections.get("Second"))
    read("collections", lambda luml: luml.collections.list(search="THI", limit=3))
    read("all collections", lambda luml: [*luml.collections.list_all(limit=1)])

    path = str(folder / "model.fnnx")
    one = write("upload", lambda luml: luml.artifacts.upload(path, "First model", "a text", ["x"]))
    two = write("second upload", lambda luml: luml.artifacts.upload(path, "Second model"))
    read("artifact by id", lambda luml: luml.artifacts.get(one.id))
    read("artifact by name", lambda luml: luml.artifacts.get("First model"))
    read("no artifact", lambda luml: luml.artifacts.get("first model"))
    read("artifacts", lambda luml: luml.artifacts.list(limit=5, sort_by="size", order=luml_api.SortOrder.ASC))
    read("artifacts by type", lambda luml: luml.artifacts.list(types=[luml_api.ArtifactType.MODEL], search="second"))
    read("all artifacts", lambda luml: [*luml.artifacts.list_all(limit=1)])
    read("empty collection", lambda luml: luml.artifacts.list(collection_id=made.id))
    write("update", lambda luml: luml.artifacts.update(one.id, description="another", tags=["y", "z"]))
    read("updated artifact", lambda luml: luml.artifacts.get("First model"))
    for number, luml in enumerate((bench.theirs, bench.ours)):
        target = folder / f"copy-{number}.fnnx"
        luml.artifacts.download(one.id, str(target))
        assert target.read_bytes() == Path(path).read_bytes()
    row = {"file_name": "m.fnnx", "manifest": verbs_manifest(), "file_hash": "0" * 64, "size": 9, "tags": ["x"]}
    row |= {"collection_id": None, "file_index": dict.fromkeys(MEMBERS, (512, 2)), "description": "a text"}
    fields = ("metrics", "model_name") if writer is bench.ours else ("extra_values", "name")
    row |= dict(zip(fields, ({"F1": 0.25}, "Third model"), strict=True))
    created = write("create", lambda luml: luml.artifacts.create(**row))
    pending = created.model if writer is bench.ours else created.artifact
    read("created artifact", lambda luml: luml.artifacts.get("Third model"))
    write("download url", lambda luml: luml.artifacts.download_url(pending.id))
    write("delete url", lambda luml: luml.artifacts.delete_url(pending.id))

    model = luml_api.ArtifactType.MODEL
    track = write("create track", lambda luml: luml.tracks.create("line", model, "a text", ["t"], ["dev", "prod"]))
    line = str(track.id)
    entry = write("enter", lambda luml: luml.tracks.add_artifact(line, one.id, "prod"))
    write("enter without a stage", lambda luml: luml.tracks.add_artifact(line, two.id))
    read("entry by stage", lambda luml: luml.tracks.get_artifact_by_stage(line, "prod"))
    write("move", lambda luml: luml.tracks.update_artifact(line, str(entry.id), "dev"))
    read("entry", lambda luml: luml.tracks.get_artifact(line, str(entry.id)))
    read("entries", lambda luml: luml.tracks.list_artifacts(line, limit=50))
    read("stages", lambda luml: luml.tracks.list_stages(line))
    read("tracks", lambda luml: luml.tracks.list(search="lin"))
    read("track", lambda luml: luml.tracks.get(line))
    write("leave", lambda luml: luml.tracks.remove_artifact(line, str(entry.id)))
    write("rename track", lambda luml: luml.tracks.update(line, name="other"))
    read("renamed track", lambda luml: luml.tracks.get(line))
    write("delete track", lambda luml: luml.tracks.delete(line))
    read("no tracks", lambda luml: luml.tracks.list())
    write("delete collection", lambda luml: luml.collections.delete(collection_id=made.id))
    read("collections that are left", lambda luml: luml.collections.list())
    return wrote


def within(few: list[Any], many: list[Any]) -> bool:
    """Whether all of few are in many, in the same order."""
    rest = iter(many)
    return all(each in rest for each in few)


def normal(requests: list[Any]) -> list[str]:
    """Requests with ids and keys left out, which differ from row to row."""
    return [VOLATILE.sub("*", json.dumps(request, sort_keys=True)) for request in requests]


def test_what_either_client_writes_both_read_alike(bench: Bench, tmp_path: Path) -> None:
    """The script runs twice on one registry, each client once writing; the writes themselves are compared as well."""
    theirs = scenario(bench, bench.theirs, tmp_path)
    for item in [*bench.ours.artifacts.list_all()]:
        bench.ours.artifacts.delete(item.id)
    ours = scenario(bench, bench.ours, tmp_path)
    assert list(theirs) == list(ours)
    for name in theirs:
        # Ours also sees that the bucket has every byte before it confirms, and that an orbit is empty before it goes.
        if "upload" in name or name == "delete orbit":
            assert within(normal(theirs[name]), normal(ours[name])), name
        else:
            assert normal(ours[name]) == normal(theirs[name]), name


@pytest.mark.parametrize("kind", ["s3", "azure"])
def test_a_bucket_secret_is_created_after_its_bucket_was_tried(bench: Bench, kind: str) -> None:
    """The published client writes an object into the bucket, reads a range of it, and deletes it."""
    place = "https://s3.example" if kind == "s3" else "AccountName=a;AccountKey=QUJD"
    options = {"region": "eu-north-1", "type": kind, "access_key": "a", "secret_key": "b", "secure": False}
    made, asked = bench.call(
        bench.theirs, "create", lambda luml: luml.bucket_secrets.create(place, "models", **options)
    )
    assert [each[0] for each in asked] == ["POST", "PUT", "GET", "DELETE", "POST"]
    bench.read("created bucket secret", lambda luml: luml.bucket_secrets.get("models"))
    assert made.bucket_name == "models"
    with pytest.raises(luml_api.LumlAPIError, match="403"):  # without keys, the URLs are not signed
        bench.theirs.bucket_secrets.create("https://other.example", "models", "eu-north-1")


def test_a_difference_in_any_field_is_seen() -> None:
    """The comparison itself can fail."""
    theirs = {"name": "a", "items": [{"size": 1}]}
    assert differences(theirs, {"name": "a", "items": [{"size": 1, "more": 2}]}) == []
    assert differences(theirs, {"name": "a", "items": [{"size": 2}]}) == [".items[0].size: 1 is 2"]
    assert differences(theirs, {"name": "a", "items": []}) != []
    assert differences(theirs, {"items": [{"size": 1}]}) != []


def test_an_except_clause_of_theirs_catches_ours() -> None:
    """An error of the same name has at least the bases that it has in the published client."""
    theirs = {name: kind for name, kind in vars(_exceptions).items() if inspect.isclass(kind) and kind.__doc__}
    shared = theirs.keys() & {*luml_lite.__all__}
    assert {"LumlAPIError", "ConfigurationError", "NotFoundError", "FileUploadError"} <= shared
    for name in shared:
        bases = {base.__name__ for base in theirs[name].__mro__} & shared
        assert bases <= {base.__name__ for base in getattr(luml_lite, name).__mro__}, name


def test_a_missing_key_is_what_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LUML_API_KEY", raising=False)
    for client in (luml_api.LumlClient, luml_lite.LumlClient):
        error = luml_lite.LumlAPIError if client is luml_lite.LumlClient else luml_api.LumlAPIError
        with pytest.raises(error, match="LUML_API_KEY"):
            client()
