"""Operations on the row of an artifact alone: get, create, update, and the two kinds of presigned URL.

One that is a single request is the builder of that request.
"""

from __future__ import annotations

import builtins
import warnings
from functools import partial

from msgspec import UNSET, UnsetType

from ..api import artifacts
from ..api.paths import in_collection, is_uuid
from ..config import Config
from ..core.flow import Flow, send
from ..errors import InvalidArgumentError
from ..models.artifacts import ModelArtifact, ModelArtifactStatus
from .lookup import find_one, is_called, none_if_missing
from .pagination import collect_pages

create = artifacts.create
download_url = artifacts.download_url
delete_url = artifacts.delete_url


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
