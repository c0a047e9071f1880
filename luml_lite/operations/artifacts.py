"""Operations on a row alone, each a single request: create, update, and the two kinds of presigned URL."""

from __future__ import annotations

import builtins
import warnings
from collections.abc import Mapping
from typing import Any

from ..api import artifacts
from ..api.paths import is_uuid
from ..config import Config
from ..core.flow import Flow, send
from ..errors import ArtifactNotFoundError, InvalidArgumentError, MultipleResourcesFoundError
from ..models.artifacts import ModelArtifact, ModelArtifactStatus
from ..models.uploads import CreatedModel
from .listing import find_matching


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
) -> Flow[CreatedModel]:
    """Create a row in state pending_upload and a URL for its bytes; `size` is in bytes, `file_hash` a sha256 in hex.

    Everything from file_name to size is required; only so that collection_id may be left out have they defaults.
    Without a model_name the row is called like its file. `upload` does this and the rest.
    """
    if (
        file_name is None
        or metrics is None
        or manifest is None
        or file_hash is None
        or file_index is None
        or size is None
    ):
        required = ("file_name", "metrics", "manifest", "file_hash", "file_index", "size")
        given = (file_name, metrics, manifest, file_hash, file_index, size)
        missing = ", ".join(name for name, value in zip(required, given, strict=True) if value is None)
        raise InvalidArgumentError(f"create also needs {missing}")
    return send(
        artifacts.create(
            cfg,
            collection_id,
            file_name=file_name,
            metrics=metrics,
            manifest=manifest,
            file_hash=file_hash,
            file_index=file_index,
            size=size,
            model_name=model_name,
            description=description,
            tags=tags,
        )
    )


def update(
    cfg: Config,
    model_id: str,
    file_name: str | None = None,
    model_name: str | None = None,
    description: str | None = None,
    tags: builtins.list[str] | None = None,
    status: ModelArtifactStatus | None = None,
    *,
    collection_id: str | None = None,
) -> Flow[ModelArtifact]:
    """Change the given fields of an artifact's row; what is None stays as it is.

    A status is accepted only as the platform's next one: uploaded or upload_failed from pending_upload,
    deletion_failed from pending_deletion. Current servers do not rename files; a warning says so.
    """
    request = artifacts.update(
        cfg,
        model_id,
        file_name=file_name,
        model_name=model_name,
        description=description,
        tags=tags,
        status=status,
        collection_id=collection_id,
    )
    return _update(request, file_name)


def _update(request: Any, file_name: str | None) -> Flow[ModelArtifact]:
    artifact: ModelArtifact = yield from send(request)
    if file_name is not None and artifact.file_name != file_name:
        warnings.warn(f"the server kept the file name {artifact.file_name!r}; it cannot rename files", stacklevel=2)
    return artifact


def download_url(cfg: Config, model_id: str, *, collection_id: str | None = None) -> Flow[dict[str, str]]:
    """A presigned URL to read the artifact's bytes from, as {"url": ...}; it is a secret and expires."""
    return send(artifacts.download_url(cfg, model_id, collection_id=collection_id))


def delete_url(cfg: Config, model_id: str, *, collection_id: str | None = None) -> Flow[dict[str, str]]:
    """A presigned URL that deletes the artifact's bytes, as {"url": ...}; asking sets the row to pending_deletion."""
    return send(artifacts.delete_url(cfg, model_id, collection_id=collection_id))


def get(cfg: Config, model_value: str, *, collection_id: str | None = None) -> Flow[ModelArtifact | None]:
    """The artifact with this id or exact name (model_name or file_name), or None.

    A name is looked for on every page. More than one artifact of that name is a MultipleResourcesFoundError.
    """
    if not isinstance(model_value, str):
        raise InvalidArgumentError(f"get takes an id or a name, not {model_value!r}")
    if is_uuid(model_value):
        try:
            return (yield from send(artifacts.get(cfg, model_value, collection_id=collection_id)))
        except ArtifactNotFoundError:
            return None
    found = yield from find_matching(cfg, collection_id, lambda item: model_value in (item.model_name, item.file_name))
    if len(found) > 1:
        ids = tuple(item.id for item in found)
        raise MultipleResourcesFoundError(
            f"{len(found)} artifacts are called {model_value!r}: get one by its id, of {', '.join(ids)}", ids
        )
    return found[0] if found else None
