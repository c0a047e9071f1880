"""The artifact endpoints: https://api.luml.ai rows of a collection, their pages, and their presigned URLs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import msgspec

from ..config import Config
from ..core.request import Json, Pairs, Request, no_content
from ..errors import ConfigurationError, InvalidArgumentError
from ..models.artifacts import ArtifactType, ModelArtifact, ModelArtifactsList, ModelArtifactSortBy, ModelArtifactStatus
from ..models.enums import SortOrder
from ..models.uploads import CreatedModel
from .dialects import artifact_path, artifacts_path, collection_id_of, orbit_path, speech

JSON = (("Content-Type", "application/json"),)
MAX_LIMIT = 100


class _Url(TypedDict):
    """The answer to a request for a presigned URL."""

    url: str


def get(cfg: Config, artifact_id: str, *, collection_id: str | None = None) -> Request[ModelArtifact]:
    """One artifact by its id."""
    return Request(method="GET", url=artifact_path(cfg, collection_id, artifact_id), reply=speech(cfg).artifact)


def page(
    cfg: Config,
    *,
    collection_id: str | None = None,
    start_after: str | None = None,
    limit: int | None = 100,
    sort_by: ModelArtifactSortBy | str | None = None,
    order: SortOrder | str = SortOrder.DESC,
    metric_key: str | None = None,
    search: str | None = None,
    types: Sequence[ArtifactType | str] | None = None,
) -> Request[ModelArtifactsList]:
    """One page of a collection's artifacts; `limit` is 1 to 100, None means 100."""
    said = speech(cfg)
    query: list[tuple[str, str]] = [("limit", str(page_limit(limit))), ("order", sort_order(order))]
    if start_after is not None:
        query.append(("cursor", start_after))
    if sort_by is not None:
        query.append(("sort_by", sort_key(cfg, sort_by, metric_key)))
    wanted = collection_id_of(cfg, collection_id)
    if said.lists_by_orbit:
        query.append(("collection_ids", wanted))
        if search is not None:
            query.append(("search", search))
        query.extend(("types", str(kind)) for kind in types or ())
        path = f"{orbit_path(cfg)}/artifacts"
    else:
        if search is not None or types:
            raise ConfigurationError("search and types need a server of the 'artifacts' dialect")
        path = artifacts_path(cfg, wanted)
    return Request(method="GET", url=path, query=tuple(query), reply=speech(cfg).page)


def create(
    cfg: Config,
    collection_id: str | None = None,
    *,
    file_name: str,
    metrics: Mapping[str, Any],
    manifest: Mapping[str, Any],
    file_hash: str,
    file_index: Mapping[str, tuple[int, int]],
    size: int,
    model_name: str | None = None,
    description: str | None = None,
    tags: Sequence[str] | None = None,
) -> Request[CreatedModel]:
    """A new row in state pending_upload and the URL its bytes go to; without a name it is called like its file."""
    said = speech(cfg)
    body = {
        "file_name": file_name,
        said.metrics: metrics,
        "manifest": manifest,
        "file_hash": file_hash,
        "file_index": file_index,
        "size": size,
        said.name: file_name if model_name is None else model_name,  # current servers answer 500 to a null name
        "description": description,
        "tags": tags,
    }
    path = artifacts_path(cfg, collection_id)
    return Request(method="POST", url=path, headers=JSON, body=msgspec.json.encode(body), reply=speech(cfg).created)


def update(
    cfg: Config,
    artifact_id: str,
    *,
    file_name: str | None = None,
    model_name: str | None = None,
    description: str | None = None,
    tags: Sequence[str] | None = None,
    status: ModelArtifactStatus | str | None = None,
    collection_id: str | None = None,
) -> Request[ModelArtifact]:
    """Change the given fields of a row; a status is accepted only as the platform's next one."""
    fields = {
        "file_name": file_name,
        speech(cfg).name: model_name,
        "description": description,
        "tags": tags,
        "status": status,
    }
    body = {name: value for name, value in fields.items() if value is not None}
    if not body:
        raise InvalidArgumentError("nothing to update: give file_name, model_name, description, tags or status")
    return Request(
        method="PATCH",
        url=artifact_path(cfg, collection_id, artifact_id),
        headers=JSON,
        body=msgspec.json.encode(body),
        reply=speech(cfg).artifact,
        idempotent=status is None,
    )


def download_url(cfg: Config, artifact_id: str, *, collection_id: str | None = None) -> Request[dict[str, str]]:
    """A presigned URL that the artifact's bytes can be read from."""
    path = artifact_path(cfg, collection_id, artifact_id, "download-url")
    return Request(method="GET", url=path, reply=Json(_Url))


def delete_url(cfg: Config, artifact_id: str, *, collection_id: str | None = None) -> Request[dict[str, str]]:
    """A presigned URL that deletes the artifact's bytes; asking sets the row to pending_deletion."""
    path = artifact_path(cfg, collection_id, artifact_id, "delete-url")
    return Request(method="GET", url=path, reply=Json(_Url))


def delete(cfg: Config, artifact_id: str, *, collection_id: str | None = None) -> Request[None]:
    """Drop a row that is in state pending_deletion."""
    return Request(method="DELETE", url=artifact_path(cfg, collection_id, artifact_id), reply=no_content)


def force_delete(cfg: Config, artifact_id: str, *, collection_id: str | None = None) -> Request[None]:
    """Drop a row in any state; its object stays in the bucket."""
    return Request(method="DELETE", url=artifact_path(cfg, collection_id, artifact_id, "force"), reply=no_content)


def page_limit(limit: int | None) -> int:
    """A page size the servers take; None means 100."""
    if limit is None:
        return MAX_LIMIT
    if limit not in range(1, MAX_LIMIT + 1):
        raise InvalidArgumentError(f"limit is a whole number from 1 to {MAX_LIMIT}, not {limit!r}")
    return int(limit)


def sort_order(order: SortOrder | str) -> str:
    """The direction as the servers spell it."""
    if order not in ("asc", "desc"):
        raise InvalidArgumentError(f"order is 'asc' or 'desc', not {order!r}")
    return str(order)


def sort_key(cfg: Config, sort_by: ModelArtifactSortBy | str, metric_key: str | None) -> str:
    """What goes on the wire as sort_by: a column, or the metric key itself."""
    if sort_by not in list(ModelArtifactSortBy):
        options = ", ".join(ModelArtifactSortBy)
        raise InvalidArgumentError(f"sort_by is one of {options}, not {str(sort_by)!r}; a metric goes in metric_key")
    if sort_by == ModelArtifactSortBy.METRICS:
        if not metric_key:
            raise ConfigurationError("sorting by metrics needs metric_key, for example metric_key='F1'")
        return metric_key
    if sort_by == ModelArtifactSortBy.FILE_NAME:
        raise InvalidArgumentError("no server sorts by file_name; luml_lite.list and list_all sort it on the client")
    if sort_by == ModelArtifactSortBy.MODEL_NAME:
        return speech(cfg).name
    if sort_by == ModelArtifactSortBy.TYPE and not speech(cfg).lists_by_orbit:
        raise InvalidArgumentError("sorting by type needs a server of the 'artifacts' dialect")
    return str(sort_by)


def pages_by_metric(cfg: Config) -> bool:
    """Whether the server goes on from its own cursor of a metric sort; those that list by orbit begin again."""
    return not speech(cfg).lists_by_orbit


def pairs_of(**fields: str | int | None) -> Pairs:
    """Query pairs of the fields that are given."""
    return tuple((name, str(value)) for name, value in fields.items() if value is not None)
