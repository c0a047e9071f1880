"""Every endpoint against what servers of both generations were recorded to receive and to answer."""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import parse_qsl

import msgspec
import pytest

from luml_lite import errors
from luml_lite.api import artifacts, collections, orbits, organizations, tracks, uploads
from luml_lite.api.errors import missing_resource, status_error
from luml_lite.config import Config
from luml_lite.core.flow import decode
from luml_lite.core.request import Request, Response
from luml_lite.models.artifacts import ModelArtifact, ModelArtifactSortBy
from luml_lite.models.collections import Collection
from luml_lite.models.uploads import MultipartPlan

from ..recorded_exchanges import answer, named, recorded

NIL = "00000000-0000-0000-0000-000000000000"
EXCHANGES = recorded("api")


def config(exchange: dict[str, Any]) -> Config:
    """The Config that an exchange was made with, as its path tells."""
    query = dict(parse_qsl(exchange["query"]))
    ids = {
        name: found[1] if (found := re.search(rf"/{name}s/([^/]+)", exchange["path"])) else None
        for name in ("organization", "orbit", "collection")
    }
    ids["collection"] = ids["collection"] or query.get("collection_ids")
    return Config(dialect=exchange["dialect"], **ids)  # type: ignore[arg-type]


def rebuilt(exchange: dict[str, Any]) -> Request[Any]:
    """The request that our builders make of the arguments that a recorded one was made of."""
    cfg, method = config(exchange), exchange["method"]
    steps = exchange["path"].removeprefix("/v1").strip("/").split("/")
    query: dict[str, Any] = dict(parse_qsl(exchange["query"]))
    limit = int(query["limit"]) if "limit" in query else None
    body = exchange["body"] or {}
    match steps[::2], steps[1::2]:
        case (["users", "organizations"], _):
            return organizations.organizations(cfg)
        case (["organizations", "orbits"], _):
            return orbits.orbits(cfg)
        case (["bucket-secrets", "multipart"], _):
            return uploads.multipart_plan(
                cfg,
                bucket_secret_id=body["bucket_id"],
                bucket_location=body["bucket_location"],
                size=body["size"],
                upload_id=body.get("upload_id"),
            )
        case (["organizations", "orbits", "collections"], [_, _]):
            return collections.collections(
                cfg, limit=limit, search=query.get("search"), start_after=query.get("cursor")
            )
        case (["organizations", "orbits", "collections"], [_, _, _]):
            return collections.collection(cfg)
        case ([*_, "artifacts" | "model_artifacts"], [_, _] | [_, _, _]) if method == "GET":
            return artifacts.page(
                cfg,
                start_after=query.get("cursor"),
                limit=limit,
                order=query["order"],
                search=query.get("search"),
                types=[value for name, value in parse_qsl(exchange["query"]) if name == "types"],
                **sorting(query.get("sort_by")),
            )
        case ([*_, "artifacts" | "model_artifacts"], _) if method == "POST":
            return artifacts.create(
                cfg,
                file_name=body["file_name"],
                metrics=body.get("extra_values", body.get("metrics")),
                manifest=body["manifest"],
                file_hash=body["file_hash"],
                file_index=body["file_index"],
                size=body["size"],
                model_name=body.get("name", body.get("model_name")),
                description=body.get("description"),
                tags=body.get("tags"),
            )
        case ([*_, "artifacts" | "model_artifacts"], [*_, artifact]):
            if method == "PATCH":
                fields = {"model_name" if name == "name" else name: value for name, value in body.items()}
                return artifacts.update(cfg, artifact, **fields)
            return (artifacts.get if method == "GET" else artifacts.delete)(cfg, artifact)
        case ([*_, last], [*_, artifact]):
            of: dict[str, Callable[..., Request[Any]]] = {
                "download-url": artifacts.download_url,
                "delete-url": artifacts.delete_url,
                "force": artifacts.force_delete,
            }
            return of[last](cfg, artifact)
    raise AssertionError(exchange["path"])


def sorting(column: str | None) -> dict[str, Any]:
    """The arguments that ask for a recorded sort_by."""
    if column is None:
        return {}
    if column == "name" or column in [*ModelArtifactSortBy]:
        return {"sort_by": ModelArtifactSortBy(column.replace("model_name", "name").replace("name", "model_name"))}
    return {"sort_by": ModelArtifactSortBy.METRICS, "metric_key": column}


def sent_by(exchange: dict[str, Any]) -> tuple[Any, ...]:
    """What a recorded client sent. On purpose we leave out what the server ignores and send what it needs."""
    query = [(name, value) for name, value in parse_qsl(exchange["query"]) if name != "metric_key"]
    body = exchange["body"]
    if exchange["method"] == "POST" and "file_name" in (body or {}):
        said = "name" if exchange["dialect"] == "artifacts" else "model_name"
        body = {"description": None, "tags": None, **body}
        body[said] = body["file_name"] if body.get(said) is None else body[said]  # a null name is a 500 today
    return exchange["method"], exchange["path"], sorted(query), body


@pytest.mark.parametrize("exchange", EXCHANGES, ids=named)
def test_a_builder_makes_the_recorded_request(exchange: dict[str, Any]) -> None:
    """Method, path, query and JSON body are those that the servers were seen to accept."""
    request = rebuilt(exchange)
    assert isinstance(request.body, bytes)
    body = json.loads(request.body) if request.body else None
    assert (request.method, request.url, sorted(request.query), body) == sent_by(exchange)
    assert (("Content-Type", "application/json") in request.headers) == (body is not None)
    assert not request.presigned


@pytest.mark.parametrize("exchange", EXCHANGES, ids=named)
def test_requests_of_the_same_arguments_are_one_value(exchange: dict[str, Any]) -> None:
    """Equal, hashable, and the same again after pickling."""
    request, other = rebuilt(exchange), rebuilt(exchange)
    assert request == other
    assert len({request, other, pickle.loads(pickle.dumps(request))}) == 1  # noqa: S301


def artifact_of(row: dict[str, Any]) -> ModelArtifact:
    """The public model of a recorded row, field by field."""
    return ModelArtifact(
        id=row["id"],
        model_name=row.get("name", row.get("model_name")),
        file_name=row["file_name"],
        description=row["description"],
        collection_id=row["collection_id"],
        status=row["status"],
        tags=row["tags"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        metrics=row.get("extra_values", row.get("metrics")),
        manifest=row["manifest"],
        file_hash=row["file_hash"],
        file_index={name: (offset, size) for name, (offset, size) in row["file_index"].items()},
        bucket_location=row["bucket_location"],
        size=row["size"],
        unique_identifier=row["unique_identifier"],
        created_by_user=row.get("created_by_user"),
        type=row.get("type"),
        collection_name=row.get("collection_name"),
    )


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


def collection_of(row: dict[str, Any]) -> Collection:
    """The public model of a recorded collection, field by field."""
    return Collection(
        id=row["id"],
        name=row["name"],
        description=row["description"],
        type=row.get("type", row.get("collection_type")),
        orbit_id=row["orbit_id"],
        tags=row["tags"],
        total_artifacts=row.get("total_artifacts", row.get("total_models")),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        artifacts_tags=row.get("artifacts_tags", row.get("models_tags")),
        metric_keys=row.get("artifacts_extra_values", row.get("models_metrics")),
    )


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


KINDS = {
    400: errors.BadRequestError,
    401: errors.AuthenticationError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    409: errors.ConflictError,
    422: errors.UnprocessableEntityError,
    500: errors.InternalServerError,
}


@pytest.mark.parametrize("exchange", recorded("errors"), ids=named)
def test_a_recorded_refusal_becomes_its_error(exchange: dict[str, Any]) -> None:
    """The class by the status, the server's own words in the message, and nothing of what was sent."""
    error = status_error(answer(exchange))
    assert isinstance(error, KINDS.get(exchange["status"], errors.APIStatusError))
    assert error.status_code == exchange["status"]
    said = exchange["answer"] or {}
    detail = said["json"]["detail"] if "json" in said else said.get("text", "no detail")
    assert (detail if isinstance(detail, str) else detail[0]["msg"]) in str(error)
    assert isinstance(error, errors.ArtifactNotFoundError) == (detail in MISSING)
    assert "input" not in json.dumps(error.body)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301


MISSING = ("Artifact not found", "Model Artifact not found", "Model Artifact model not found")


def test_every_missing_artifact_was_recorded() -> None:
    """The three ways in which servers say that an artifact is missing are all in the table."""
    said = [((each["answer"] or {}).get("json") or {}).get("detail") for each in recorded("errors")]
    assert {detail for detail in said if isinstance(detail, str)} >= set(MISSING)


@pytest.mark.parametrize(
    ("detail", "kind"),
    [
        *((detail, "artifact") for detail in MISSING),
        ("Orbit not found", "orbit"),
        ("Collection not found", "collection"),
        ("Secret not found", "bucket secret"),
        ("Track not found", "track"),
        ("Not Found", None),
        ([], None),
    ],
)
def test_a_missing_resource_is_named(detail: Any, kind: str | None) -> None:
    """Only a resource's own 404 may be taken for None."""
    error = status_error(Response(404, {}, json.dumps({"detail": detail}).encode()))
    assert isinstance(error, errors.NotFoundError)
    assert missing_resource(error) == kind


def test_every_recorded_missing_resource_is_known() -> None:
    """A 404 that is not in the table is an error where None is expected."""
    refused = [status_error(answer(each)) for each in recorded("errors") if each["status"] == 404]
    named = [error for error in refused if isinstance(error, errors.NotFoundError) and missing_resource(error)]
    unnamed = {error.message.partition(";")[0][:29] for error in refused if error not in named}
    assert unnamed == {"404: Not Found", "404: You don't have access to"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Bad Gateway</html>",
        b"[]",
        b'"words"',
        b'{"detail": []}',
        b'{"detail": ["x"]}',
        b"null",
        b"\xff\xfe",
    ],
)
def test_an_error_answer_of_any_shape_is_an_error(body: bytes) -> None:
    """A proxy's page or a JSON of another shape never breaks the judgement."""
    error = status_error(Response(502, {}, body))
    assert isinstance(error, errors.InternalServerError)
    assert str(error).startswith("502: ")


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b'{"items": 3}', b"\xff", b'{"upload_details": {}}'])
@pytest.mark.parametrize("kind", ["get", "page", "create", "plan", "organizations"])
def test_a_malformed_answer_is_a_decode_error(kind: str, body: bytes) -> None:
    """A good status with a body that the protocol does not know is told as such, with the request."""
    cfg = Config(organization=NIL, orbit=NIL, collection=NIL)
    request: Request[Any] = {
        "get": artifacts.get(cfg, NIL),
        "page": artifacts.page(cfg),
        "create": artifacts.create(
            cfg, file_name="m.fnnx", metrics={}, manifest={}, file_hash="", file_index={}, size=1
        ),
        "plan": uploads.multipart_plan(cfg, bucket_secret_id=NIL, bucket_location="x", size=1),
        "organizations": organizations.organizations(cfg),
    }[kind]
    if kind == "organizations" and body == b"[]":
        assert decode(request, Response(200, {}, body)) == []
        return
    with pytest.raises(errors.DecodeError) as caught:
        decode(request, Response(200, {}, body))
    assert caught.value.request == str(request)


CFG = Config(organization=NIL, orbit=NIL, collection=NIL)


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (lambda: artifacts.page(CFG, limit=0), errors.InvalidArgumentError, "1 to 100"),
        (lambda: artifacts.page(CFG, limit=101), errors.InvalidArgumentError, "1 to 100"),
        (lambda: artifacts.page(CFG, limit=cast("int", "10")), errors.InvalidArgumentError, "whole number.*'10'"),
        (lambda: artifacts.page(CFG, limit=cast("int", 1.5)), errors.InvalidArgumentError, "whole number"),
        (lambda: artifacts.page(CFG, order="up"), errors.InvalidArgumentError, "asc"),
        (lambda: artifacts.page(CFG, sort_by="nope"), errors.InvalidArgumentError, "metric_key"),
        (lambda: artifacts.page(CFG, sort_by="metrics"), errors.ConfigurationError, "metric_key"),
        (lambda: artifacts.page(CFG, sort_by="file_name"), errors.InvalidArgumentError, "client"),
        (
            lambda: artifacts.page(CFG.replace(dialect="model_artifacts"), sort_by="type"),
            errors.InvalidArgumentError,
            "dialect",
        ),
        (
            lambda: artifacts.page(CFG.replace(dialect="model_artifacts"), search="x"),
            errors.ConfigurationError,
            "dialect",
        ),
        (lambda: artifacts.get(CFG, "my model"), errors.InvalidArgumentError, "luml_lite.get"),
        (lambda: artifacts.get(CFG.replace(collection=None), NIL), errors.ConfigurationError, "LUML_COLLECTION"),
        (lambda: artifacts.get(CFG.replace(orbit=None), NIL), errors.ConfigurationError, "LUML_ORBIT"),
        (lambda: artifacts.get(CFG.replace(orbit="Lab Orbit"), NIL), errors.ConfigurationError, "resolve"),
        (lambda: artifacts.get(CFG, NIL, collection_id="models"), errors.ConfigurationError, "resolve"),
        (lambda: artifacts.get(CFG, "../../" + NIL), errors.InvalidArgumentError, "not an artifact id"),
        (lambda: artifacts.get(CFG, cast("str", None)), errors.InvalidArgumentError, "None is not an artifact id"),
        (lambda: artifacts.delete(CFG, cast("str", None)), errors.InvalidArgumentError, "not an artifact id"),
        (lambda: artifacts.update(CFG, "", model_name="x"), errors.InvalidArgumentError, "'' is not an artifact id"),
        (lambda: artifacts.delete_url(CFG, cast("str", 7)), errors.InvalidArgumentError, "not an artifact id"),
        (lambda: artifacts.update(CFG, NIL), errors.InvalidArgumentError, "nothing to update"),
        (lambda: collections.delete_collection(CFG, cast("str", None)), errors.ConfigurationError, "no collection"),
    ],
)
def test_what_no_server_would_take_is_told_before_any_request(
    make: Callable[[], object], kind: type[Exception], words: str
) -> None:
    """A wrong argument or a missing setting is its own error, with what to do about it."""
    with pytest.raises(kind, match=words):
        make()


def test_no_limit_is_the_largest_page() -> None:
    """The servers refuse an empty limit."""
    for request in (
        artifacts.page(CFG, limit=None),
        collections.collections(CFG, limit=None),
        tracks.page(CFG, limit=None),
    ):
        assert ("limit", "100") in request.query


def test_a_collection_given_to_the_call_wins_over_the_config() -> None:
    """collection_id counts in paths and in the query of the list."""
    other = NIL.replace("0", "1")
    assert f"/collections/{other}/" in artifacts.get(CFG, NIL, collection_id=other).url
    assert ("collection_ids", other) in artifacts.page(CFG, collection_id=other).query


def test_only_what_is_safe_to_repeat_is_repeatable() -> None:
    """A create and a change of status must not be sent twice unseen; everything else may."""
    made = artifacts.create(CFG, file_name="m.fnnx", metrics={}, manifest={}, file_hash="", file_index={}, size=1)
    assert not made.repeatable
    assert not artifacts.update(CFG, NIL, status="uploaded").repeatable
    assert artifacts.update(CFG, NIL, model_name="x").repeatable
    assert uploads.multipart_plan(CFG, bucket_secret_id=NIL, bucket_location="x", size=1).repeatable
    assert artifacts.get(CFG, NIL).repeatable
    assert artifacts.delete(CFG, NIL).repeatable
