"""The recorded exchanges with servers of both generations, and the request that each should be."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from luml_lite import errors
from luml_lite.api import artifacts, collections, orbits, organizations, uploads
from luml_lite.config import Config
from luml_lite.core.request import Request
from luml_lite.models.artifacts import ModelArtifact, ModelArtifactSortBy
from luml_lite.models.collections import Collection

from ..recorded_exchanges import recorded

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


KINDS = {
    400: errors.BadRequestError,
    401: errors.AuthenticationError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    409: errors.ConflictError,
    422: errors.UnprocessableEntityError,
    500: errors.InternalServerError,
}
MISSING = ("Artifact not found", "Model Artifact not found", "Model Artifact model not found")
CFG = Config(organization=NIL, orbit=NIL, collection=NIL)
