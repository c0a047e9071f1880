"""What the reference says that its methods raise and return, method by method, on both clients and both dialects."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import luml_lite
from luml_lite import Config, Request, Response, local
from luml_lite.testing import Scripted, json_response, write_model

from ..clients.faces import FACES
from ..clients.test_groups import DIALECTS
from ..reference_examples import examples
from .test_verbs import MEMBERS, verbs_manifest

UNKNOWN = "0199c455-21ee-74c6-b747-19a82f1a1e67"
ROW: tuple[Any, ...] = ("m.fnnx", {}, verbs_manifest(), "0" * 64, dict.fromkeys(MEMBERS, (512, 2)), 9)
CALLS: dict[str, tuple[Any, ...]] = {
    "get": ("my_model",),
    "list": (),
    "list_all": (),
    "download_url": (UNKNOWN,),
    "delete_url": (UNKNOWN,),
    "upload": ("/path/to/model.fnnx", "name"),
    "download": (UNKNOWN,),
    "create": (None, *ROW),
    "update": (UNKNOWN, None, "name"),
    "delete": (UNKNOWN,),
}
Make = Callable[[Config], Any]


@pytest.fixture(params=["client", "async client"])
def client(request: pytest.FixtureRequest) -> Make:
    """Either client, called as if it blocked."""
    return FACES[request.param]


@pytest.fixture(params=DIALECTS)
def cfg(request: pytest.FixtureRequest, tmp_path: Path) -> Config:
    """A registry in this process."""
    return local.open(tmp_path / "registry", dialect=request.param)


def test_every_method_is_called_here() -> None:
    assert CALLS.keys() == {each.method for each in examples()}


@pytest.mark.parametrize("method", CALLS)
def test_a_missing_collection_is_told_before_any_request(method: str, client: Make) -> None:
    """The one request that a blocking client has made by then finds two collections to choose from."""
    two = [{"id": UNKNOWN, "name": name} for name in "ab"]
    scripted = Scripted([json_response({"items": two, "cursor": None})])
    luml = client(Config(api_key="k", organization=UNKNOWN, orbit=UNKNOWN, transport=scripted))
    asked = len(scripted.requests)
    with pytest.raises(luml_lite.ConfigurationError, match=r"no collection is set: .*setup_config.*collection_id"):
        getattr(luml.model_artifacts, method)(*CALLS[method])
    assert len(scripted.requests) == asked <= 1


@pytest.mark.parametrize("method", CALLS)
def test_a_collection_may_be_given_to_the_call(method: str, client: Make, tmp_path: Path) -> None:
    """collection_id wins over the client's, in every method."""
    cfg = local.open(tmp_path / "registry")
    write_model(str(tmp_path / "model.fnnx"), {})
    other = luml_lite.collections.create(cfg, "text", "other", "mixed").id
    row = luml_lite.create(cfg, other, *ROW[:-1], 9, "my_model").model.id
    luml = client(cfg).model_artifacts
    arguments = [row if each == UNKNOWN else each for each in CALLS[method]]
    options = {"collection_id": other}
    if method == "create":
        arguments, options = [other, *ROW], {}
    elif method == "upload":
        arguments = [tmp_path / "model.fnnx"]
    elif method == "download":
        with pytest.raises(luml_lite.FileDownloadError):  # the row has no bytes
            luml.download(row, tmp_path / "copy.fnnx", **options)
        return
    elif method == "delete":
        luml.delete(row, **options)
        assert luml.get(row, **options) is None
        return
    value = getattr(luml, method)(*arguments, **options)
    match method:
        case "list":
            assert [each.id for each in value.items] == [row]
        case "list_all":
            assert [each.id for each in value] == [row]
        case "download_url" | "delete_url":
            assert [*value] == ["url"]
        case "create":
            assert value.model.collection_id == other
        case _:
            assert value.collection_id == other


@pytest.mark.parametrize("method", ["download_url", "delete_url", "update", "delete", "download"])
def test_an_unknown_id_is_not_found(method: str, client: Make, cfg: Config) -> None:
    with pytest.raises(luml_lite.NotFoundError, match=r"rtifact.* not found; check the ids.*" + UNKNOWN) as caught:
        getattr(client(cfg).model_artifacts, method)(*CALLS[method])
    assert isinstance(caught.value, ValueError)


def test_get_of_something_unknown_is_none_and_of_two_an_error(client: Make, cfg: Config) -> None:
    luml = client(cfg).model_artifacts
    assert luml.get(UNKNOWN) is None
    assert luml.get("My_model") is None
    first = luml_lite.create(cfg, None, *ROW, "my_model").model
    assert luml.get("my_model") == luml.get("m.fnnx")
    assert luml.get("my_model").id == luml.get(first.id).id == first.id
    second = luml_lite.create(cfg, None, "other.fnnx", *ROW[1:], "my_model").model
    with pytest.raises(luml_lite.MultipleResourcesFoundError, match="2 artifacts are called 'my_model'") as caught:
        luml.get("my_model")
    assert {*caught.value.ids} == {first.id, second.id}


def test_sorting_by_metrics_needs_a_metric_key(client: Make) -> None:
    scripted = Scripted([])
    luml = client(Config(api_key="k", organization=UNKNOWN, orbit=UNKNOWN, collection=UNKNOWN, transport=scripted))
    for method in (luml.model_artifacts.list, luml.model_artifacts.list_all):
        with pytest.raises(luml_lite.ConfigurationError, match="metric_key='F1'"):
            method(sort_by=luml_lite.ModelArtifactSortBy.METRICS)
        for limit in (0, 101, -1):
            with pytest.raises(ValueError, match="from 1 to 100"):
                method(limit=limit)
    assert scripted.requests == []


def test_a_file_that_cannot_be_used_is_told_before_any_request(client: Make, tmp_path: Path) -> None:
    scripted = Scripted([])
    place = {"organization": UNKNOWN, "orbit": UNKNOWN, "collection": UNKNOWN}
    upload = client(Config(api_key="k", transport=scripted, max_file_size=1000, **place)).model_artifacts.upload
    write_model(str(tmp_path / "model.fnnx"), {})
    (tmp_path / "model.txt").write_text("no model")
    with pytest.raises(luml_lite.FileError, match=r"more than .*max_file_size of 1000"):
        upload(str(tmp_path / "model.fnnx"), "name")
    with pytest.raises(luml_lite.FileError, match=r"ends in \.fnnx, \.pyfnx, \.dfs"):
        upload(str(tmp_path / "model.txt"), "name")
    assert scripted.requests == []


class Refusing:
    """A registry whose bucket refuses every upload."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def send(self, request: Request[Any], /, **options: Any) -> Response:
        if request.presigned and request.method == "PUT":
            return Response(400, {}, b"<Error><Code>EntityTooLarge</Code></Error>")
        answer: Response = self.inner.send(request, **options)
        return answer


def test_an_upload_that_the_bucket_refuses_fails_and_marks_the_row(client: Make, cfg: Config, tmp_path: Path) -> None:
    write_model(str(tmp_path / "model.fnnx"), {})
    luml = client(cfg.replace(transport=Refusing(cfg.transport))).model_artifacts
    with pytest.raises(luml_lite.FileUploadError, match="EntityTooLarge") as caught:
        luml.upload(str(tmp_path / "model.fnnx"), "name")
    row = luml.get("name")
    assert (row.id, row.status) == (caught.value.artifact_id, luml_lite.ModelArtifactStatus.UPLOAD_FAILED)
