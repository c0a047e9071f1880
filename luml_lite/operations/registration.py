"""Register an upload: make its row exactly once, then confirm it or mark it failed.

The row of a lost create
========================
A create is sent once. If its answer is lost, the server may or may not have made a row, and the client has neither the
row's id nor the upload URL, which no endpoint gives again. Such a row is an orphan: nobody can store its bytes. So the
flow looks for the orphan, removes it, and creates again.

Nothing in a row says which request made it. The orphan is the row that

* is pending_upload and has this upload's sha256, size, model name and file name, and
* was created after the request was sent. The clocks of client and server need not agree: the listing's Date header is
  the server's time now, the seconds since the request are measured on the client, and their difference is the earliest
  `created_at` of the orphan, give or take _SLACK.

If two rows match, another process uploads the same file at this moment, and one of them is its row. Then nothing is
removed: an orphan in a list costs less than the upload of another process. An orphan that must not be deleted is
marked upload_failed. That state is final on the server, so a row of our own gets it only when the call has failed.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec import Struct, structs

from ..api import artifacts
from ..api.dialects import dialect
from ..config import Config
from ..core.cancellation import now
from ..core.flow import Backoff, Flow, decode, local, send
from ..core.request import Response
from ..core.retry import is_unanswered, parse_date
from ..errors import APIStatusError, BadRequestError, FileError, Interrupted, LumlError, NotFoundError, SystemLimitError
from ..files.archive import Archive
from ..models.artifacts import ModelArtifact, ModelArtifactStatus
from ..models.uploads import CreatedModel

_SLACK = 2.0  # seconds: created_at and Date are of one clock, but Date has whole seconds


class ArtifactSpec(Struct, frozen=True):
    """The row that an upload needs."""

    archive: Archive
    name: str
    description: str | None
    tags: list[str] | None

    def matches(self, row: ModelArtifact, status: ModelArtifactStatus) -> bool:
        """Whether a row is in this status and has the same bytes and names."""
        archive = self.archive
        expected = (archive.sha256, archive.size, self.name, archive.file_name, status)
        return (row.file_hash, row.size, row.model_name, row.file_name, row.status) == expected


def create_row(cfg: Config, spec: ArtifactSpec) -> Flow[CreatedModel]:
    """Make the row and get its upload URL; after a lost answer, remove the orphan and make the row again."""
    archive = spec.archive
    request = artifacts.create(
        cfg,
        file_name=archive.file_name,
        metrics=archive.metrics,
        manifest=archive.manifest,
        file_hash=archive.sha256,
        file_index=archive.file_index,
        size=archive.size,
        model_name=spec.name,
        description=spec.description,
        tags=spec.tags,
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
        orphan = yield from _find_orphan(cfg, spec, began)
        if orphan is not None:
            yield from _remove_orphan(cfg, orphan)
        if isinstance(lost, SystemLimitError):
            raise lost  # trying again at once would need what this machine lacks
        attempt += 1
        yield Backoff(attempt, lost)


def confirm_row(cfg: Config, artifact_id: str) -> Flow[ModelArtifact]:
    """Set the row to uploaded; the row in the answer proves it, or, if that is lost or refused, a look at the row."""
    attempt = 0
    while True:
        problem: LumlError | None = None
        try:
            row = yield from send(artifacts.update(cfg, artifact_id, status=ModelArtifactStatus.UPLOADED))
            if row.status == ModelArtifactStatus.UPLOADED:
                return row
        except LumlError as error:
            if not is_unanswered(error) and not isinstance(error, BadRequestError):
                raise
            problem = error
        row = yield from send(artifacts.get(cfg, artifact_id))
        if row.status == ModelArtifactStatus.UPLOADED:
            return row
        if row.status != ModelArtifactStatus.PENDING_UPLOAD or problem is None:
            raise FileError(f"another program set artifact {artifact_id} to {row.status} during its upload")
        attempt += 1
        yield Backoff(attempt, problem)


def mark_failed(cfg: Config, artifact_id: str) -> Flow[None]:
    """Set the row to upload_failed if that is possible."""
    yield from try_set_status(cfg, artifact_id, ModelArtifactStatus.UPLOAD_FAILED)


def try_set_status(cfg: Config, artifact_id: str, status: ModelArtifactStatus) -> Flow[None]:
    """Set the row to a status of failure; an error here must not hide why the call failed, and is dropped."""
    request = artifacts.update(cfg, artifact_id, status=status)
    try:
        yield from send(structs.replace(request, idempotent=True))  # the second time the answer is a 400
    except Interrupted:
        raise
    except LumlError:
        return


def _find_orphan(cfg: Config, spec: ArtifactSpec, began: float) -> Flow[ModelArtifact | None]:
    """The one row that the lost request can have made, or None."""
    page = artifacts.page(cfg, search=spec.name if dialect(cfg).searches_by_name else None)
    response: Response = yield page
    rows = decode(page, response).items
    elapsed = (yield from local(now)) - began
    date = parse_date(response.header("date"))
    if date is None:
        return None  # without the server's time new rows cannot be distinguished from old ones
    since, pending = date - timedelta(seconds=elapsed + _SLACK), ModelArtifactStatus.PENDING_UPLOAD
    candidates = [row for row in rows if spec.matches(row, pending) and _is_since(row, since)]
    return candidates[0] if len(candidates) == 1 else None


def _is_since(row: ModelArtifact, since: datetime) -> bool:
    try:
        created = datetime.fromisoformat(row.created_at)
    except ValueError:
        return False
    return (created if created.tzinfo else created.replace(tzinfo=UTC)) >= since


def _remove_orphan(cfg: Config, row: ModelArtifact) -> Flow[None]:
    try:
        yield from send(artifacts.force_delete(cfg, row.id))
    except NotFoundError:
        return
    except APIStatusError:  # this key may not delete; marked, the row cannot be taken for an upload under way
        yield from mark_failed(cfg, row.id)
