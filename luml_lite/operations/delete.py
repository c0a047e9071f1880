"""Deleting artifacts: mark the row, remove the object, delete the row, so that no object stays without its row."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from ..api import artifacts
from ..api.paths import in_collection
from ..config import Config
from ..core.flow import Flow, send
from ..core.redaction import PresignedUrl
from ..errors import BadRequestError, Interrupted, LumlError
from ..models.artifacts import ModelArtifactStatus
from ..storage import presigned
from .lookup import delete_once, none_if_missing
from .registration import try_set_status


def delete(cfg: Config, model_id: str, *, collection_id: str | None = None, force: bool = False) -> Flow[None]:
    """Delete an artifact: its object in the bucket, then its row.

    It is no error if the bucket says that the object does not exist. If the bucket fails, or a proxy answers in its
    place, the row is marked deletion_failed and the error raised; a second call continues. `force` deletes the row in
    any state and leaves the object in the bucket.
    """
    cfg = in_collection(cfg, collection_id)
    if force:
        yield from delete_once(artifacts.force_delete(cfg, model_id))
        return
    url = PresignedUrl((yield from send(artifacts.delete_url(cfg, model_id)))["url"])
    try:
        yield from none_if_missing(presigned.delete(url))
    except Exception:
        yield from try_set_status(cfg, model_id, ModelArtifactStatus.DELETION_FAILED)
        raise
    try:
        yield from delete_once(artifacts.delete(cfg, model_id))
    except BadRequestError:
        # Another client marked the row deletion_failed; a second request for the URL makes it deletable again.
        yield from send(artifacts.delete_url(cfg, model_id))
        yield from delete_once(artifacts.delete(cfg, model_id))


class Deletion(Struct, frozen=True):
    """The outcome for one artifact of delete_many: `error` is None if it is deleted."""

    id: str
    error: LumlError | None = None


def delete_many(
    cfg: Config, model_ids: Iterable[str], *, collection_id: str | None = None, force: bool = False
) -> Flow[list[Deletion]]:
    """Delete several artifacts one after the other and return the outcome of each; a failure does not stop the rest."""
    outcomes: list[Deletion] = []
    for model_id in model_ids:
        try:
            yield from delete(cfg, model_id, collection_id=collection_id, force=force)
        except Interrupted:
            raise
        except LumlError as error:
            outcomes.append(Deletion(model_id, error))
        else:
            outcomes.append(Deletion(model_id))
    return outcomes
