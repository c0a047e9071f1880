"""Where the published client (luml-api 0.4.0) fails on real servers it fails here too, and its request shows why.

Each test says what the client sent, what the servers were recorded to answer to it, and that ours does without.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from luml_lite.testing import write_model

pytest.importorskip("luml_api", reason="the published client needs Python 3.12 and the extra test-all")

import luml_api
from luml_api._exceptions import APIStatusError, FileError, UnprocessableEntityError

from ..local.client import RegistryClient
from .test_published_transfers import Bench, bench

pytestmark = pytest.mark.published

__all__ = ["bench"]


def refused(bench: Bench, kind: type[Exception], do: Callable[[Any], Any]) -> list[Any]:
    """The requests of a call of the published client that fails."""

    def fails(luml: Any) -> None:
        with pytest.raises(kind):
            do(luml)

    requests: list[Any] = bench.call(bench.theirs, "breaks", fails)[1]
    return requests


@pytest.fixture
def model(bench: Bench, tmp_path: Path) -> Any:
    """An uploaded model."""
    return bench.theirs.artifacts.upload(str(tmp_path / "model.fnnx"), "one")


def path_of(bench: Bench) -> str:
    """Where the API has the artifacts of the collection."""
    return RegistryClient(bench.served.registry).artifacts


@pytest.mark.parametrize(("force", "method", "tail"), [(False, "POST", "/delete-urls"), (True, "DELETE", "")])
def test_it_deletes_in_bulk_where_servers_do_not(bench: Bench, model: Any, force: bool, method: str, tail: str) -> None:
    """Even one artifact goes by the bulk endpoints, 405 on every recorded server; ours falls back."""
    requests = refused(bench, APIStatusError, lambda luml: luml.artifacts.delete(model.id, force=force))
    ((sent, path, _, body),) = requests
    assert (sent, path) == (method, path_of(bench) + tail)
    assert body["artifact_ids"] == [model.id]
    assert bench.theirs.artifacts.get(model.id).status == "uploaded"
    bench.ours.artifacts.delete(model.id)
    assert bench.theirs.artifacts.get(model.id) is None


def test_no_limit_is_sent_as_an_empty_one(bench: Bench, model: Any) -> None:
    """`limit=` is 422; its list_all replaces None before, and ours sends 100."""
    ((_, _, query, _),) = refused(bench, UnprocessableEntityError, lambda luml: luml.artifacts.list(limit=None))
    assert dict(query)["limit"] == ""
    assert [item.id for item in bench.ours.artifacts.list(limit=None).items] == [model.id]


def test_it_sees_the_newest_hundred_only(bench: Bench, model: Any, tmp_path: Path, monkeypatch: Any) -> None:
    """By id and by name it reads one page and no more: the hundred and first is None, and has no file name."""
    client = RegistryClient(bench.served.registry)
    for _ in range(100):
        client.made()
    for value in (model.id, "one"):
        found, requests = bench.call(bench.theirs, "get", lambda luml, value=value: luml.artifacts.get(value))
        assert found is None
        ((method, path, query, _),) = requests
        assert (method, path, dict(query)["limit"]) == ("GET", f"{client.orbit}/artifacts", "100")
        assert bench.ours.artifacts.get(value).id == model.id
    monkeypatch.chdir(tmp_path)
    requests = refused(bench, ValueError, lambda luml: luml.artifacts.download(model.id))
    assert [request[1] for request in requests] == [f"{client.orbit}/artifacts"]
    bench.ours.artifacts.download(model.id)


def test_a_name_with_two_dots_is_refused_before_any_request(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "model.v2.fnnx"
    write_model(str(path), {})
    assert refused(bench, FileError, lambda luml: luml.artifacts.upload(str(path))) == []
    assert bench.ours.artifacts.upload(str(path)).file_name == "model.v2.fnnx"


def test_a_changed_name_wipes_the_tags_of_a_collection(bench: Bench) -> None:
    """It leaves out what is not given; the servers take left-out tags for none. Ours sends all three."""
    kind = luml_api.CollectionType.MODEL
    made = bench.theirs.collections.create("text", "tagged", kind, ["a"])
    changed, requests = bench.call(
        bench.theirs, "rename", lambda luml: luml.collections.update("new", "text", collection_id=made.id)
    )
    assert [body for *_, body in requests] == [{"description": "text", "name": "new"}]
    assert changed.tags is None
    made = bench.theirs.collections.create("text", "tagged", kind, ["a"])
    assert bench.ours.collections.update("new", collection_id=made.id).tags == ["a"]


def test_it_asks_for_the_tags_of_collections_where_a_collection_is_expected(bench: Bench) -> None:
    """`collections/tags` is newer than every recorded server: 422, because tags is no id."""
    ((method, path, _, _),) = refused(bench, UnprocessableEntityError, lambda luml: luml.collections.list_tags())
    assert (method, path) == ("GET", f"{RegistryClient(bench.served.registry).orbit}/collections/tags")


def test_a_text_cannot_be_cleared(bench: Bench, tmp_path: Path) -> None:
    """None is left out of its PATCH, so that the servers change nothing."""
    made = bench.theirs.artifacts.upload(str(tmp_path / "model.fnnx"), "two", "a text")
    changed, requests = bench.call(
        bench.theirs, "clear", lambda luml: luml.artifacts.update(made.id, name="x", description=None)
    )
    assert [body for *_, body in requests] == [{"name": "x"}]
    assert changed.description == "a text"
