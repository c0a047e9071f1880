"""Uploading: read the file, make the row, store the bytes, see that the file is still the same, confirm the row."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Literal

from ..api import artifacts
from ..api.paths import artifacts_path, collection_id_of
from ..config import Config
from ..core.flow import Flow, local, send
from ..core.retry import is_transient
from ..errors import FileError, FileUploadError, Interrupted, InvalidArgumentError, LumlError, NotFoundError
from ..files.archive import Archive, ensure_unchanged, inspect
from ..files.journal import Journal, UploadState, open_journal
from ..models.artifacts import ModelArtifact, ModelArtifactStatus
from .listing import find_matching
from .put_object import Upload, probe_object, put_object
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

    Without a model_name it is called like its file. `on_progress(done, total)` counts bytes stored. With `resume` (or
    Config.resume) an upload that crashed goes on where it was. `if_exists="reuse"` returns an uploaded artifact of the
    same bytes, size and name instead of sending them again. A file that cannot be used is a FileError before any
    request, a failed upload a FileUploadError whose cause says why; its row is marked upload_failed.
    """
    artifacts_path(cfg, collection_id)  # a missing collection is told before the file is hashed
    if if_exists not in ("create", "reuse"):
        raise InvalidArgumentError(f"if_exists is 'create' or 'reuse', not {if_exists!r}")
    wants_resume = cfg.resume if resume is None else resume
    return _upload(cfg, file_path, model_name, description, tags, collection_id, on_progress, wants_resume, if_exists)


def _upload(
    cfg: Config,
    file_path: str | os.PathLike[str],
    model_name: str | None,
    description: str | None,
    tags: list[str] | None,
    collection_id: str | None,
    on_progress: Callable[[int, int], None] | None,
    resume: bool,
    if_exists: str,
) -> Flow[ModelArtifact]:
    archive: Archive = yield from local(inspect, file_path, cfg.max_file_size)
    wanted = ArtifactSpec(collection_id, archive, model_name or archive.file_name, description, tags)
    if if_exists == "reuse":
        same = yield from find_matching(
            cfg, collection_id, lambda row: wanted.matches(row, ModelArtifactStatus.UPLOADED)
        )
        if same:
            return same[0]
    if not resume:
        return (yield from _transfer(cfg, wanted, on_progress, None))
    journal = yield from local(open_journal, cfg, collection_id_of(cfg, collection_id), archive.path, wanted.name)
    try:
        artifact = yield from _transfer(cfg, wanted, on_progress, journal)
    except Exception:
        if journal is not None:
            yield from local(journal.release)
        raise
    if journal is not None:
        yield from local(journal.release)
    return artifact


def _transfer(
    cfg: Config, wanted: ArtifactSpec, on_progress: Callable[[int, int], None] | None, journal: Journal | None
) -> Flow[ModelArtifact]:
    ready: Upload | ModelArtifact | None = None
    if journal is not None and journal.state is not None:
        ready = yield from _continue(cfg, wanted, on_progress, journal)
    if isinstance(ready, ModelArtifact):
        return ready
    upload = ready if ready is not None else (yield from _begin(cfg, wanted, on_progress, journal))
    row = upload.state.artifact_id
    try:
        yield from put_object(upload)
        yield from local(ensure_unchanged, wanted.archive)
        artifact = yield from confirm_row(cfg, row, wanted.collection_id)
    except Exception as error:
        # Then the row stays pending_upload, for the same call.
        later = journal is not None and _can_resume(error) and (yield from _try_keep(journal, upload.state))
        if not later:
            yield from mark_failed(cfg, row, wanted.collection_id)
            if journal is not None:
                yield from local(journal.discard)
        if isinstance(error, Interrupted) or not isinstance(error, LumlError | OSError):
            raise
        advice = "; the same call goes on where it was" if later else ""
        failure = FileUploadError(f"{wanted.archive.file_name} was not uploaded: {error}{advice}")
        failure.artifact_id = row
        raise failure from error
    if journal is not None:
        yield from local(journal.discard)
    return artifact


def _can_resume(error: Exception) -> bool:
    """Whether a later call can continue the upload: it was interrupted, or the trouble may pass."""
    return isinstance(error, LumlError) and (is_transient(error) or isinstance(error, Interrupted))


def _try_keep(journal: Journal, state: UploadState) -> Flow[bool]:
    """Whether a later call will find the upload."""
    try:
        yield from local(journal.write, state)
    except FileError:
        return False
    return True


def _begin(
    cfg: Config, wanted: ArtifactSpec, on_progress: Callable[[int, int], None] | None, journal: Journal | None
) -> Flow[Upload]:
    made = yield from create_row(cfg, wanted)
    details, archive = made.upload_details, wanted.archive
    state = UploadState(
        artifact_id=made.model.id,
        sha256=archive.sha256,
        size=archive.size,
        mtime_ns=archive.mtime_ns,
        type=details.type,
        multipart=details.multipart,
        bucket_location=details.bucket_location,
        bucket_secret_id=details.bucket_secret_id,
    )
    return Upload(cfg, wanted.collection_id, archive, state, details.url, on_progress, journal)


def _continue(
    cfg: Config, wanted: ArtifactSpec, on_progress: Callable[[int, int], None] | None, journal: Journal
) -> Flow[Upload | ModelArtifact | None]:
    """What an earlier run left behind: the upload, its artifact where only the end was missing, or None."""
    state, archive = journal.state, wanted.archive
    if state is None or (state.sha256, state.size) != (archive.sha256, archive.size):
        yield from _abandon(cfg, wanted, journal)
        return None
    try:
        row = yield from send(artifacts.get(cfg, state.artifact_id, collection_id=wanted.collection_id))
    except NotFoundError:
        yield from local(journal.discard)
        return None
    if row.status == ModelArtifactStatus.UPLOADED and row.file_hash == archive.sha256:
        yield from local(journal.discard)
        return row
    if row.status != ModelArtifactStatus.PENDING_UPLOAD:
        yield from local(journal.discard)
        return None
    upload = Upload(cfg, wanted.collection_id, archive, state, None, on_progress, journal)
    if state.type == "azure":
        state.multipart = True  # block URLs can be had again; the single URL cannot
        return upload
    if state.upload_id is not None:
        return upload
    found = yield from probe_object(upload)
    if found is None or found.size != archive.size:
        yield from _abandon(cfg, wanted, journal)  # S3's URLs for a PUT or an initiate cannot be had again
        return None
    artifact = yield from confirm_row(cfg, state.artifact_id, wanted.collection_id)
    yield from local(journal.discard)
    return artifact


def _abandon(cfg: Config, wanted: ArtifactSpec, journal: Journal) -> Flow[None]:
    if journal.state is not None:
        yield from mark_failed(cfg, journal.state.artifact_id, wanted.collection_id)
        yield from local(journal.discard)
