"""Every endpoint against what servers of both generations were recorded to receive and to answer."""

from __future__ import annotations

import json
import pickle
from typing import Any

import msgspec
import pytest

from luml_lite.api import artifacts, uploads
from luml_lite.core.flow import decode
from luml_lite.models.uploads import MultipartPlan

from ..recorded_exchanges import answer, named
from .recorded import CFG, EXCHANGES, NIL, artifact_of, collection_of, rebuilt, sent_by


@pytest.mark.parametrize("exchange", EXCHANGES, ids=named)
def test_a_builder_makes_the_recorded_request(exchange: dict[str, Any]) -> None:
    """Method, path, query and JSON body are those that the servers were seen to accept."""
    request = rebuilt(exchange)
    assert isinstance(request.body, bytes)
    body = json.loads(request.body) if request.body else None
    query = sorted((name, value.replace("\\_", "_")) for name, value in request.query)  # recorded without escapes
    assert (request.method, request.url, query, body) == sent_by(exchange)
    assert (("Content-Type", "application/json") in request.headers) == (body is not None)
    assert not request.presigned


@pytest.mark.parametrize("exchange", EXCHANGES, ids=named)
def test_requests_of_the_same_arguments_are_one_value(exchange: dict[str, Any]) -> None:
    """Equal, hashable, and the same again after pickling."""
    request, other = rebuilt(exchange), rebuilt(exchange)
    assert request == other
    assert len({request, other, pickle.loads(pickle.dumps(request))}) == 1  # noqa: S301


@pytest.mark.parametrize("exchange", EXCHANGES, ids=named)
def test_a_recorded_answer_becomes_the_public_model(exchange: dict[str, Any]) -> None:
    """What either generation answers is the same public value, with every field in its place."""
    value = decode(rebuilt(exchange), answer(exchange))
    said = (exchange["answer"] or {}).get("json")
    if said is None:
        assert value is None
    elif isinstance(said, list):
        assert [(item.id, item.name, item.role, item.permissions) for item in value] == [
            (item["id"], item["name"], item["role"], item["permissions"]) for item in said
        ]
    elif "upload_details" in said:
        assert value.model == artifact_of(said.get("artifact") or said["model"])
        assert msgspec.to_builtins(value.upload_details) == {"url": None} | said["upload_details"]
        assert value.url == said["upload_details"]["url"]
    elif "parts" in said:
        assert isinstance(value, MultipartPlan)
        assert (value.type, value.upload_id, value.complete_url) == (
            said["type"],
            said.get("upload_id"),
            said["complete_url"],
        )
        assert [(part.number, part.url, part.start, part.end) for part in value.parts] == [
            (part["part_number"], part["url"], part["start_byte"], part["start_byte"] + part["part_size"])
            for part in said["parts"]
        ]
    elif "items" in said and exchange["path"].endswith("artifacts"):
        assert value.cursor == said["cursor"]
        assert value.items == [artifact_of(row) for row in said["items"]]
    elif "file_hash" in said:
        assert value == artifact_of(said)
    elif "url" in said:
        assert value == said
    else:
        rows = said.get("items", [said])
        values = value.items if "items" in said else [value]
        assert [collection_of(row) for row in rows] == values


def test_both_generations_and_every_kind_of_endpoint_were_recorded() -> None:
    """The table above leaves no builder out, in either dialect."""
    for dialect in ("artifacts", "model_artifacts"):
        kinds = {
            type(rebuilt(each).reply).__name__ + rebuilt(each).method
            for each in EXCHANGES
            if each["dialect"] == dialect
        }
        assert kinds >= {"JsonGET", "JsonPOST", "JsonPATCH", "functionDELETE"}
        ends = {each["path"].rsplit("/", 1)[-1] for each in EXCHANGES if each["dialect"] == dialect}
        assert ends >= {dialect, "download-url", "delete-url", "force", "multipart", "orbits", "organizations"}


def test_only_what_is_safe_to_repeat_is_repeatable() -> None:
    """A create and a change of status must not be sent twice unseen; everything else may."""
    made = artifacts.create(CFG, file_name="m.fnnx", metrics={}, manifest={}, file_hash="", file_index={}, size=1)
    assert not made.repeatable
    assert not artifacts.update(CFG, NIL, status="uploaded").repeatable
    assert artifacts.update(CFG, NIL, model_name="x").repeatable
    assert uploads.multipart_plan(CFG, bucket_secret_id=NIL, bucket_location="x", size=1).repeatable
    assert artifacts.get(CFG, NIL).repeatable
    assert artifacts.delete(CFG, NIL).repeatable
