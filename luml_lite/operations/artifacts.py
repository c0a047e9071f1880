"""Operations on the row of an artifact alone: get, create, update, and the two kinds of presigned URL."""

from __future__ import annotations

import builtins
import warnings
from collections.abc import Mapping
from functools import partial
from typing import Any

from msgspec import UNSET, UnsetType

from ..api import artifacts
from ..api.paths import in_collection, is_uuid
from ..config import Config
from ..core.flow import Flow, send
from ..core.request import Request
from ..errors import InvalidArgumentError
from ..models.artifacts import ModelArtifact, ModelArtifactStatus
from ..models.uploads import CreatedModel
from .lookup import find_one, is_called, none_if_missing
from .pagination import collect_pages


def get(cfg: Config, model_value: str, *, collection_id: str | None = None) -> Flow[ModelArtifact | None]:
    """Get the artifact with this id or exact name (model_name or file_name); None if there is none.

    For a name, every page of the collection is read. Several artifacts with that name are a
    MultipleResourcesFoundError.
    """
    if not isinstance(model_value, str):
        raise InvalidArgumentError(f"get takes an id or a name, not {model_value!r}")
    cfg = in_collection(cfg, collection_id)
    if is_uuid(model_value):
        return (yield from none_if_missing(artifacts.get(cfg, model_value), "artifact"))
    rows, names = partial(artifacts.page, cfg), ("model_name", "file_name")
    found = yield from collect_pages(rows, lambda row: is_called(row, model_value, *names))
    return find_one("artifact", model_value, found, *names)


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
    tags: builtins.list[str] | None = None,
) -> Request[CreatedModel]:
    """Create a row in state pending_upload and a URL for its bytes; `upload` does this and the rest.

    `size` is in bytes, `file_hash` a SHA-256 in hex. The arguments from file_name to size are required; they have
    defaults only because collection_id, which comes first, may be omitted. The default model_name is the file_name.
    """
    required: dict[str, Any] = {
        "file_name": file_name,
        "metrics": metrics,
        "manifest": manifest,
        "file_hash": file_hash,
        "file_index": file_index,
        "size": size,
    }
    missing = ", ".join(name for name, value in required.items() if value is None)
    if missing:
        raise InvalidArgumentError(f"create also needs {missing}")
    return artifacts.create(cfg, collection_id, **required, model_name=model_name, description=description, tags=tags)


def update(
    cfg: Config,
    model_id: str,
    file_name: str | None = None,
    model_name: str | None = None,
    description: str | UnsetType | None = UNSET,
    tags: builtins.list[str] | UnsetType | None = UNSET,
    status: ModelArtifactStatus | None = None,
    *,
    collection_id: str | None = None,
) -> Flow[ModelArtifact]:
    """Change the given fields of an artifact's row; `description` and `tags` are cleared by None.

    The platform accepts only the next status: uploaded or upload_failed after pending_upload, deletion_failed after
    pending_deletion. Current servers do not rename files; a warning says so.
    """
    request = artifacts.update(
        in_collection(cfg, collection_id),
        model_id,
        file_name=file_name,
        model_name=model_name,
        description=description,
        tags=tags,
        status=status,
    )
    artifact = yield from send(request)
    if file_name is not None and artifact.file_name != file_name:
        warnings.warn(f"the server kept the file name {artifact.file_name!r}; it cannot rename files", stacklevel=2)
    return artifact


def download_url(cfg: Config, model_id: str, *, collection_id: str | None = None) -> Request[dict[str, str]]:
    """Get a presigned URL to read the artifact's bytes from, as {"url": ...}; it is a secret and expires."""
    return artifacts.download_url(cfg, model_id, collection_id=collection_id)


def delete_url(cfg: Config, model_id: str, *, collection_id: str | None = None) -> Request[dict[str, str]]:
    """Get a presigned URL that deletes the artifact's bytes, as {"url": ...}; this sets the row to pending_deletion."""
    return artifacts.delete_url(cfg, model_id, collection_id=collection_id)
