"""The endpoints of artifacts: the rows of a collection, their pages, and their presigned URLs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import msgspec
from msgspec import UNSET, UnsetType

from ..config import Config
from ..core.request import Json, Request, no_content
from ..errors import ConfigurationError, InvalidArgumentError
from ..models.artifacts import ArtifactType, ModelArtifact, ModelArtifactsList, ModelArtifactSortBy, ModelArtifactStatus
from ..models.enums import SortOrder
from ..models.uploads import CreatedModel
from .dialects import dialect
from .encoding import json_changes, json_request, page_query
from .paths import artifact_path, artifacts_path, collection_id_of, orbit_path


class _Url(TypedDict):
    """The response to a request for a presigned URL."""

    url: str


_URL_LIMIT = 64 * 1024  # bytes of a response with one URL


def get(cfg: Config, artifact_id: str, *, collection_id: str | None = None) -> Request[ModelArtifact]:
    """Get an artifact by its id."""
    reply = dialect(cfg).artifact_of(artifact_id)
    return Request(method="GET", url=artifact_path(cfg, collection_id, artifact_id), reply=reply)


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
    """Get one page of a collection's artifacts; `limit` is 1 to 100, None means 100."""
    words = dialect(cfg)
    if metric_key is not None and sort_by != ModelArtifactSortBy.METRICS:
        raise InvalidArgumentError("metric_key sorts only with sort_by=ModelArtifactSortBy.METRICS")
    by = None if sort_by is None else sort_key(cfg, sort_by, metric_key)
    query = page_query(limit, order, start_after, sort_by=by, search=search, types=types)
    if (search is not None or types) and not words.searches_by_name:
        raise ConfigurationError("search and types need a server of the 'artifacts' dialect")
    path = artifacts_path(cfg, collection_id)
    if words.lists_by_orbit:
        query += (("collection_ids", collection_id_of(cfg, collection_id)),)
        path = f"{orbit_path(cfg)}/{words.artifacts}"
    return Request(method="GET", url=path, query=query, reply=words.page)


def create(
    cfg: Config,
    collection_id: str | None = None,
    file_name: str | None = None,
    metrics: Mapping[str, Any] | None = None,
    manifest: Mapping[str, Any] | None = None,
    file_hash: str | None = None,
    file_index: Mapping[str, tuple[int, int]] | None = None,
    size: int | None = None,
    model_name: str | None = None,
    description: str | None = None,
    tags: list[str] | None = None,
) -> Request[CreatedModel]:
    """Create a row in state pending_upload and a URL for its bytes; `upload` does this and the rest.

    `size` is in bytes, `file_hash` a SHA-256 in hex. The arguments from file_name to size are required; they have
    defaults only because collection_id, which comes first, may be omitted. The default model_name is the file_name.
    """
    words = dialect(cfg)
    facts = {
        "file_name": file_name,
        "manifest": manifest,
        "file_hash": file_hash,
        "file_index": file_index,
        "size": size,
    }
    missing = ", ".join(name for name, value in {"metrics": metrics, **facts}.items() if value is None)
    if missing:
        raise InvalidArgumentError(f"create also needs {missing}")
    name = file_name if model_name is None else model_name  # current servers answer 500 to a null name
    body = {**facts, words.metrics: metrics, words.name: name, "description": description, "tags": tags}
    return json_request("POST", artifacts_path(cfg, collection_id), msgspec.json.encode(body), words.created)


def update(
    cfg: Config,
    artifact_id: str,
    *,
    file_name: str | None = None,
    model_name: str | None = None,
    description: str | UnsetType | None = UNSET,
    tags: Sequence[str] | UnsetType | None = UNSET,
    status: ModelArtifactStatus | str | None = None,
    collection_id: str | None = None,
) -> Request[ModelArtifact]:
    """Change the given fields of a row; the platform accepts a status only as the next one of the present status."""
    words, path = dialect(cfg), artifact_path(cfg, collection_id, artifact_id)
    names = {"file_name": file_name, words.name: model_name}
    body = json_changes({"description": description, "tags": tags}, **names, status=status)
    return json_request("PATCH", path, body, words.artifact_of(artifact_id), idempotent=status is None)


def download_url(cfg: Config, model_id: str, *, collection_id: str | None = None) -> Request[dict[str, str]]:
    """Get a presigned URL to read the artifact's bytes from, as {"url": ...}; it is a secret and expires."""
    return _url(cfg, model_id, collection_id, "download-url")


def delete_url(cfg: Config, model_id: str, *, collection_id: str | None = None) -> Request[dict[str, str]]:
    """Get a presigned URL that deletes the artifact's bytes, as {"url": ...}; this sets the row to pending_deletion."""
    return _url(cfg, model_id, collection_id, "delete-url")


def _url(cfg: Config, artifact_id: str, collection_id: str | None, step: str) -> Request[dict[str, str]]:
    path = artifact_path(cfg, collection_id, artifact_id, step)
    return Request(method="GET", url=path, reply=Json(_Url), limit=_URL_LIMIT)


def delete(cfg: Config, artifact_id: str, *, collection_id: str | None = None) -> Request[None]:
    """Delete a row that is in state pending_deletion."""
    return Request(method="DELETE", url=artifact_path(cfg, collection_id, artifact_id), reply=no_content)


def force_delete(cfg: Config, artifact_id: str, *, collection_id: str | None = None) -> Request[None]:
    """Delete a row in any state; its object stays in the bucket."""
    return Request(method="DELETE", url=artifact_path(cfg, collection_id, artifact_id, "force"), reply=no_content)


def sort_key(cfg: Config, sort_by: ModelArtifactSortBy | str, metric_key: str | None) -> str:
    """The sort_by of a request: a column, or the metric key itself."""
    if sort_by not in list(ModelArtifactSortBy):
        options = ", ".join(ModelArtifactSortBy)
        raise InvalidArgumentError(
            f"sort_by must be one of {options}, not {str(sort_by)!r}; a metric goes in metric_key"
        )
    if sort_by == ModelArtifactSortBy.METRICS:
        if not metric_key:
            raise ConfigurationError("sorting by metrics needs metric_key, for example metric_key='F1'")
        return metric_key
    if sort_by == ModelArtifactSortBy.FILE_NAME:
        raise InvalidArgumentError("no server sorts by file_name; luml_lite.list and list_all sort it on the client")
    if sort_by == ModelArtifactSortBy.MODEL_NAME:
        return dialect(cfg).name
    if sort_by == ModelArtifactSortBy.TYPE and not dialect(cfg).lists_by_orbit:
        raise InvalidArgumentError("sorting by type needs a server of the 'artifacts' dialect")
    return str(sort_by)
