"""What the published client does on the embedded registry beside ours: resolution, every extension, every order."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import luml_lite
from luml_lite import local
from luml_lite.local.storage.buckets import Layout
from luml_lite.testing import write_model

from ..local.client import RegistryClient

pytest.importorskip("luml_api", reason="the published client needs Python 3.12 and the extra test-all")

import luml_api
from luml_api._exceptions import OrbitResourceNotFoundError

from .test_published_client import Bench as Shared

pytestmark = pytest.mark.published


class Bench(Shared):
    """Both blocking clients, and where they work."""

    def __init__(self, served: local.Served, seen: list[local.Seen]) -> None:
        super().__init__(served, seen, None)
        self.served = served
        self.place = (served.base_url, served.api_key, served.organization, served.orbit, served.collection)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A fresh registry over HTTP that asks for parts early, and a model beside it."""
    write_model(str(tmp_path / "model.fnnx"), {"F1": 0.5, "loss": 2})
    seen: list[local.Seen] = []
    with local.serve(tmp_path / "registry", seen=seen.append, layout=Layout(300_000, 100_000)) as served:
        bench = Bench(served, seen)
        yield bench
        bench.theirs._client.close()  # it has no public way


def use_azure(bench: Bench) -> None:
    """Point both clients at a new orbit over an Azure bucket."""
    client = RegistryClient(bench.served.registry)
    secret = {"type": "azure", "endpoint": "AccountName=a;AccountKey=k", "bucket_name": "b"}
    made = client.ask("POST", f"{client.organization}/bucket-secrets", secret).body["id"]
    orbit = client.ask("POST", f"{client.organization}/orbits", {"name": "o", "bucket_secret_id": made}).body["id"]
    body = {"name": "c", "description": "", "type": "mixed"}
    collection = client.ask("POST", f"{client.organization}/orbits/{orbit}/collections", body).body["id"]
    for luml in (bench.theirs, bench.ours):
        luml.orbit, luml.collection = orbit, collection


@pytest.mark.parametrize("by", ["names", "ids", "nothing"])
def test_both_clients_resolve_defaults_alike(bench: Bench, by: str) -> None:
    """By names, by ids, and, where there is one of each, by nothing at all; an unknown name is refused by both."""
    place = bench.place[2:] if by == "ids" else ("Local",) * 3 if by == "names" else (None,) * 3
    theirs = luml_api.LumlClient(*bench.place[:2], *place)
    ours = luml_lite.LumlClient(*bench.place[:2], *place)
    for luml in (theirs, ours):
        assert (luml.organization, luml.orbit, luml.collection) == bench.place[2:]
        luml.artifacts.list()
    with pytest.raises(OrbitResourceNotFoundError):
        theirs._validate_orbit("Nowhere")  # what its constructor asks, which would leave a socket open
    with pytest.raises(luml_lite.LumlError):
        luml_lite.LumlClient(*bench.place[:2], "Local", "Nowhere").orbits.get()
    theirs._client.close()


def upload(path: Path, luml: Any) -> Any:
    """Upload a file under the name m."""
    return luml.artifacts.upload(str(path), "m")


@pytest.mark.parametrize("kind", ["s3", "azure"])
@pytest.mark.parametrize("weights", [100, 320_000], ids=["at once", "in parts"])
@pytest.mark.parametrize("extension", ["fnnx", "pyfnx", "dfs", "luml", "tar"])
def test_the_published_client_uploads_every_extension(
    bench: Bench, tmp_path: Path, extension: str, weights: int, kind: str
) -> None:
    """What it uploads, ours downloads and finds intact, and the other way round."""
    if kind == "azure":
        use_azure(bench)
    path = tmp_path / f"m.{extension}"
    write_model(str(path), {"F1": 0.5}, weights=weights)
    for writer, reader in ((bench.theirs, bench.ours), (bench.ours, bench.theirs)):
        made, requests = bench.call(writer, "upload", partial(upload, path))
        assert made.status == "uploaded"
        assert any("/upload/multipart" in request[1] for request in requests) is (weights > 300_000)
        copy = tmp_path / "copy"
        reader.artifacts.download(made.id, str(copy))
        assert copy.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("sort", [None, "created_at", "name", "size", "description", "status", "type", "F1"])
def test_both_clients_list_everything_in_every_order(
    bench: Bench, tmp_path: Path, sort: str | None, order: str
) -> None:
    """Over three pages, with ties and missing values in what is sorted by."""
    ids = []
    for number in range(5):
        path = tmp_path / f"{number}.luml"
        write_model(str(path), {"F1": number % 2} if number else {}, weights=10 * 1024 * (number % 3))
        ids.append(bench.theirs.artifacts.upload(str(path), f"m{number % 3}", "text" if number % 2 else None).id)
    bench.theirs.artifacts.delete_url(ids[0])
    where = luml_api.SortOrder(order)
    theirs = {"sort_by": sort}
    ours = {"name": {"sort_by": "model_name"}, "F1": {"sort_by": "metrics", "metric_key": "F1"}, None: {}}

    def everything(luml: Any) -> list[Any]:
        how = theirs if luml is bench.theirs else ours.get(sort, theirs)  # the reference has its own words
        return [*luml.artifacts.list_all(limit=2, order=where, **how)]

    bench.read("everything", everything)
    listed, requests = bench.call(bench.theirs, "everything", everything)
    assert sorted(item.id for item in listed) == sorted(ids)
    assert len(requests) == 3
