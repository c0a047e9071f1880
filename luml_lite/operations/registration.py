"""The row of an upload: made once even where the answer was lost, confirmed or marked failed truthfully.

upload_failed is final on the server, so a row is marked only when the call has definitely failed.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from msgspec import Struct, structs

from ..api import artifacts
from ..config import Config
from ..core.cancellation import now
from ..core.flow import Flow, back_off, local, send
from ..core.request import Request, Response
from ..core.retry import is_unanswered
from ..errors import APIStatusError, BadRequestError, FileError, Interrupted, LumlError, NotFoundError
from ..files.archive import Archive
from ..models.artifacts import ModelArtifact, ModelArtifactsList, ModelArtifactStatus
from ..models.uploads import CreatedModel

_SLACK = 2.0  # seconds; created_at and Date come from clocks of the same server, but Date has whole seconds


class ArtifactSpec(Struct, frozen=True):
    """The row that an upload is to have."""

    collection_id: str | None
    archive: Archive
    name: str
    description: str | None
    tags: list[str] | None

    def matches(self, row: ModelArtifact, status: ModelArtifactStatus) -> bool:
        """Whether a row is of the same bytes under the same names."""
        archive = self.archive
        return (row.file_hash, row.size, row.model_name, row.file_name, row.status) == (
            archive.sha256,
            archive.size,
            self.name,
            archive.file_name,
            status,
        )


def create_row(cfg: Config, wanted: ArtifactSpec) -> Flow[CreatedModel]:
    """Make the row. After a lost answer it is looked for and dropped: its upload URL is lost with the answer."""
    archive = wanted.archive
    request = artifacts.create(
        cfg,
        wanted.collection_id,
        file_name=archive.file_name,
        metrics=archive.metrics,
        manifest=archive.manifest,
        file_hash=archive.sha256,
        file_index=archive.file_index,
        size=archive.size,
        model_name=wanted.name,
        description=wanted.description,
        tags=wanted.tags,
    )
    attempt = 0
    while True:
        began = yield from local(now)
        try:
            return (yield from send(request))
        except LumlError as error:
            if not is_unanswered(error):
                raise
            lost = error
        orphan = yield from _find_orphan(cfg, wanted, began)
        if orphan is not None:
            yield from _remove_orphan(cfg, wanted.collection_id, orphan)
        attempt += 1
        yield from back_off(attempt, lost)


def confirm_row(cfg: Config, artifact_id: str, collection_id: str | None) -> Flow[ModelArtifact]:
    """Set the row to uploaded and see that it is; a lost or refused answer is settled by looking."""
    attempt = 0
    while True:
        problem: LumlError | None = None
        try:
            yield from send(
                artifacts.update(cfg, artifact_id, status=ModelArtifactStatus.UPLOADED, collection_id=collection_id)
            )
        except LumlError as error:
            if not is_unanswered(error) and not isinstance(error, BadRequestError):
                raise
            problem = error
        row = yield from send(artifacts.get(cfg, artifact_id, collection_id=collection_id))
        if row.status == ModelArtifactStatus.UPLOADED:
            return row
        if row.status != ModelArtifactStatus.PENDING_UPLOAD or problem is None:
            raise FileError(f"somebody else set artifact {artifact_id} to {row.status} while it was uploaded")
        attempt += 1
        yield from back_off(attempt, problem)


def mark_failed(cfg: Config, artifact_id: str, collection_id: str | None) -> Flow[None]:
    """Set the row to upload_failed; whatever goes wrong with that must not hide why the upload failed."""
    yield from try_set_status(cfg, artifact_id, ModelArtifactStatus.UPLOAD_FAILED, collection_id)


def try_set_status(cfg: Config, artifact_id: str, status: ModelArtifactStatus, collection_id: str | None) -> Flow[None]:
    """Set the row to a status of failure, if that can be done at all."""
    request = artifacts.update(cfg, artifact_id, status=status, collection_id=collection_id)
    try:
        yield from send(structs.replace(request, idempotent=True))  # where it was done already, the answer is a 400
    except Interrupted:
        raise
    except LumlError:
        return


class _WithDate(Struct, frozen=True):
    """A reply parser that keeps the server's Date beside the value."""

    reply: Any

    def __call__(self, response: Response) -> tuple[ModelArtifactsList, str]:
        return self.reply(response), response.header("date")


def _find_orphan(cfg: Config, wanted: ArtifactSpec, began: float) -> Flow[ModelArtifact | None]:
    """The one pending row that the lost request must have made, if there is exactly one so young."""
    search = wanted.name if cfg.dialect == "artifacts" else None
    page = artifacts.page(cfg, collection_id=wanted.collection_id, search=search)
    dated: Request[tuple[ModelArtifactsList, str]] = structs.replace(page, reply=_WithDate(page.reply))  # type: ignore[arg-type]
    listed, date = yield from send(dated)
    elapsed = (yield from local(now)) - began
    try:
        since = parsedate_to_datetime(date) - timedelta(seconds=elapsed + _SLACK)
    except (TypeError, ValueError, OverflowError):
        return None  # without the server's time nobody can tell whose row it is
    young = [
        row for row in listed.items if wanted.matches(row, ModelArtifactStatus.PENDING_UPLOAD) and _is_since(row, since)
    ]
    return young[0] if len(young) == 1 else None


def _is_since(row: ModelArtifact, since: datetime) -> bool:
    try:
        made = datetime.fromisoformat(row.created_at)
    except ValueError:
        return False
    return (made if made.tzinfo else made.replace(tzinfo=UTC)) >= since


def _remove_orphan(cfg: Config, collection_id: str | None, row: ModelArtifact) -> Flow[None]:
    try:
        yield from send(artifacts.force_delete(cfg, row.id, collection_id=collection_id))
    except NotFoundError:
        return
    except APIStatusError:  # without the right to delete, the row can at least be told from a live one
        yield from mark_failed(cfg, row.id, collection_id)
