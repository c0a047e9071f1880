"""Upload a file: read it, make a row, store the bytes, see that the file has not changed, confirm the row.

A row is marked upload_failed only when the call has failed for good. With a journal, an upload that was interrupted
stays pending_upload, and the same call continues it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Literal

from ..api import artifacts
from ..api.dialects import dialect
from ..api.encoding import require_one_of
from ..api.paths import artifacts_path, in_collection, is_uuid
from ..config import Config
from ..core.events import FileHashed, TransferDone
from ..core.flow import Flow, local, require_callback, send
from ..core.retry import is_transient
from ..errors import DecodeError, FileError, FileUploadError, Interrupted, LumlError, NotFoundError
from ..files.archive import Archive, ensure_unchanged, inspect
from ..files.journal import Journal, UploadState, open_journal
from ..models.artifacts import ModelArtifact, ModelArtifactStatus
from .pagination import find_in_pages
from .put_object import Upload, probe_difference, put_object
from .registration import ArtifactSpec, confirm_row, create_row, mark_failed


def upload(
    cfg: Config,
    file_path: str | os.PathLike[str],
    model_name: str | None = None,
    description: str | None = None,
    tags: list[str] | None = None,
    *,
    collection_id: str | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    resume: bool | None = None,
    if_exists: Literal["create", "reuse"] = "create",
) -> Flow[ModelArtifact]:
    """Upload a model file (.fnnx, .pyfnx, .dfs, .luml or .tar) and return its artifact, in state uploaded.

    Without a `model_name` the artifact is named after its file. `on_progress(done, total)` counts stored bytes. With
    `resume` (or Config.resume) the same call continues an upload that was interrupted. `if_exists="reuse"` returns an
    uploaded artifact of the same bytes, size and names instead of sending them again. A file that cannot be used is a
    FileError before any request, a failed upload a FileUploadError with its cause; its row is marked upload_failed.
    """
    cfg = in_collection(cfg, collection_id)
    artifacts_path(cfg, None)  # raises for an id that is missing before the file is hashed
    require_one_of("if_exists", if_exists, ("create", "reuse"))
    require_callback(on_progress)
    archive: Archive = yield from local(inspect, file_path, cfg.max_file_size)
    yield FileHashed(path=archive.path, size=archive.size)
    spec = ArtifactSpec(archive, model_name or archive.file_name, description, tags)
    if if_exists == "reuse":
        done = ModelArtifactStatus.UPLOADED
        search = spec.name if dialect(cfg).searches_by_name else None
        same = yield from find_in_pages(
            partial(artifacts.page, cfg, search=search), lambda row: spec.matches(row, done)
        )
        if same is not None:
            return same  # type: ignore[no-any-return]
    journal = None
    if cfg.resume if resume is None else resume:
        # None as well while another process uploads the same file: then this call leaves nothing to continue.
        journal = yield from local(open_journal, cfg, archive.path, spec.name)
    try:
        artifact = yield from _upload(cfg, spec, on_progress, journal)
    except Exception:
        if journal is not None:
            yield from local(journal.release)
        raise
    if journal is not None:
        yield from local(journal.release)
    yield TransferDone(kind="upload", artifact_id=artifact.id, file_name=archive.file_name, size=archive.size)
    return artifact


def _upload(
    cfg: Config, spec: ArtifactSpec, on_progress: Callable[[int, int], None] | None, journal: Journal | None
) -> Flow[ModelArtifact]:
    archive = spec.archive
    if journal is not None and journal.state is not None:
        earlier = yield from _resume(Upload(cfg, archive, journal.state, None, on_progress, journal))
        if earlier is not None:
            return earlier if isinstance(earlier, ModelArtifact) else (yield from _finish(earlier))
    created = yield from create_row(cfg, spec)
    if not is_uuid(created.model.id):
        raise DecodeError("the registry made a row and gave it an id that is none")
    details = created.upload_details
    state = UploadState(
        artifact_id=created.model.id,
        sha256=archive.sha256,
        size=archive.size,
        type=details.type,
        multipart=details.multipart,
        bucket_location=details.bucket_location,
        bucket_secret_id=details.bucket_secret_id,
    )
    return (yield from _finish(Upload(cfg, archive, state, created.url, on_progress, journal)))


def _resume(upload: Upload) -> Flow[Upload | ModelArtifact | None]:
    """Return the upload of an earlier call if it can continue, its artifact if only the end was missing, else None."""
    cfg, archive, state = upload.cfg, upload.archive, upload.state
    row: ModelArtifact | None = None
    if (state.sha256, state.size) != (archive.sha256, archive.size):
        yield from mark_failed(cfg, state.artifact_id)
    else:
        with suppress(NotFoundError):
            row = yield from send(artifacts.get(cfg, state.artifact_id))
    if row is not None and row.status == ModelArtifactStatus.PENDING_UPLOAD:
        if upload.vendor.initiate is None:
            state.multipart = True  # the URL for the whole object is lost, but URLs for parts can be had
            return upload
        if state.upload_id is not None:
            return upload
        # Without an upload id no URL can be had: either the object was already complete, or the upload has failed.
        if (yield from probe_difference(upload)):
            yield from mark_failed(cfg, state.artifact_id)
        else:
            row = yield from confirm_row(cfg, state.artifact_id)
    yield from _discard(upload)
    is_done = row is not None and row.status == ModelArtifactStatus.UPLOADED and row.file_hash == archive.sha256
    return row if is_done else None


def _finish(upload: Upload) -> Flow[ModelArtifact]:
    """Store the bytes and confirm the row; after a failure, keep the upload for the next call or mark its row."""
    row = upload.state.artifact_id
    try:
        yield from put_object(upload)
        yield from local(ensure_unchanged, upload.archive.path, upload.archive.stamp)
        artifact = yield from confirm_row(upload.cfg, row)
    except Exception as error:
        is_kept = yield from _try_keep(upload, error)
        if not is_kept:
            yield from mark_failed(upload.cfg, row)
            yield from _discard(upload)
        if isinstance(error, Interrupted) or not isinstance(error, LumlError | OSError):
            raise
        advice = "; the same call continues the upload" if is_kept else ""
        failure = FileUploadError(f"{upload.archive.file_name} was not uploaded: {error}{advice}")
        failure.artifact_id = row
        raise failure from error
    yield from _discard(upload)
    return artifact


def _try_keep(upload: Upload, error: Exception) -> Flow[bool]:
    """Write the journal if a later call can succeed, and return whether it will find the upload there."""
    is_passing = isinstance(error, LumlError) and (is_transient(error) or isinstance(error, Interrupted))
    if upload.journal is None or not is_passing:
        return False
    try:
        yield from local(upload.journal.write, upload.state)
    except FileError:
        return False
    return True


def _discard(upload: Upload) -> Flow[None]:
    if upload.journal is not None:
        yield from local(upload.journal.discard)
