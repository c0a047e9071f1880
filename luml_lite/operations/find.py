"""Finding one artifact, by its id or by its exact name."""

from __future__ import annotations

from ..api import artifacts
from ..api.paths import is_uuid
from ..config import Config
from ..core.flow import Flow, send
from ..errors import ArtifactNotFoundError, InvalidArgumentError, MultipleResourcesFoundError
from ..models.artifacts import ModelArtifact
from .pages import matching


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
    found = yield from matching(cfg, collection_id, lambda item: model_value in (item.model_name, item.file_name))
    if len(found) > 1:
        ids = tuple(item.id for item in found)
        raise MultipleResourcesFoundError(
            f"{len(found)} artifacts are called {model_value!r}: get one by its id, of {', '.join(ids)}", ids
        )
    return found[0] if found else None
