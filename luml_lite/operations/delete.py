"""Deleting: mark, remove the object, drop the row, in this order, so that no row is lost while its object stays."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from ..api import artifacts
from ..config import Config
from ..core.flow import Flow, send
from ..errors import BadRequestError, Interrupted, LumlError, StorageError
from ..models.artifacts import ModelArtifactStatus
from ..storage import presigned
from .lookup import delete_once
from .registration import try_set_status


def delete(cfg: Config, model_id: str, *, collection_id: str | None = None, force: bool = False) -> Flow[None]:
    """Delete an artifact for good: its object in the bucket, then its row.

    An object that is gone already counts as deleted. Where the bucket fails, the row is marked deletion_failed and the
    error raised; calling again continues. `force` drops the row in any state and leaves the object in the bucket.
    """
    if force:
        return delete_once(artifacts.force_delete(cfg, model_id, collection_id=collection_id))
    artifacts.delete(cfg, model_id, collection_id=collection_id)  # refuses a bad id before anything is sent
    return _delete(cfg, model_id, collection_id)


class Deletion(Struct, frozen=True):
    """What became of one artifact in delete_many: `error` is None where it is gone."""

    id: str
    error: LumlError | None = None


def delete_many(
    cfg: Config, model_ids: Iterable[str], *, collection_id: str | None = None, force: bool = False
) -> Flow[list[Deletion]]:
    """Delete several artifacts one after the other and report what became of each; none stops the others."""
    done: list[Deletion] = []
    for model_id in model_ids:
        try:
            yield from delete(cfg, model_id, collection_id=collection_id, force=force)
        except Interrupted:
            raise
        except LumlError as error:
            done.append(Deletion(model_id, error))
        else:
            done.append(Deletion(model_id))
    return done


def _delete(cfg: Config, model_id: str, collection_id: str | None) -> Flow[None]:
    url = (yield from send(artifacts.delete_url(cfg, model_id, collection_id=collection_id)))["url"]
    try:
        yield from _remove_object(url)
    except Exception:
        yield from try_set_status(cfg, model_id, ModelArtifactStatus.DELETION_FAILED, collection_id)
        raise
    try:
        yield from delete_once(artifacts.delete(cfg, model_id, collection_id=collection_id))
    except BadRequestError:
        # Somebody marked the row deletion_failed meanwhile; asking for the URL again makes it deletable.
        yield from send(artifacts.delete_url(cfg, model_id, collection_id=collection_id))
        yield from delete_once(artifacts.delete(cfg, model_id, collection_id=collection_id))


def _remove_object(url: str) -> Flow[None]:
    try:
        yield from send(presigned.delete(url))
    except StorageError as error:
        if error.status_code != 404:
            raise
