"""Downloading: bytes land in a partial file beside the target, are hashed on their way, proven, and then renamed.

The target is untouched until its bytes are proven. A broken body goes on where it broke, guarded by If-Match.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from ..api import artifacts
from ..config import Config
from ..errors import (
    ConnectionFailed,
    DecodeError,
    FileDownloadError,
    IntegrityError,
    Interrupted,
    LumlError,
    StorageError,
)
from ..flow import Flow, Progress, again, local, send, transfer
from ..models import ModelArtifact
from ..request import FileSink, Response
from ..storage import presigned
from .partial import Partial, open_partial
from .store import refused


def download(
    cfg: Config,
    model_id: str,
    file_path: str | os.PathLike[str] | None = None,
    *,
    collection_id: str | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    verify: bool = True,
    resume: bool | None = None,
) -> Flow[None]:
    """Download an artifact's file, by default under its own name into the working directory.

    Size and sha256 are compared with the artifact's before the file appears under its name; `verify=False` leaves the
    digest out. `on_progress(done, total)` counts bytes. With `resume` (or Config.resume) what has arrived by the time
    of a failure is kept beside the target for the next call. An unknown id is an ArtifactNotFoundError (a
    NotFoundError and a ValueError), other bytes than the artifact's an IntegrityError, the rest a FileDownloadError.
    """
    request = artifacts.get(cfg, model_id, collection_id=collection_id)
    keep = cfg.resume if resume is None else resume

    def flow() -> Flow[None]:
        artifact = yield from send(request)
        check = digest_of(artifact) if verify else ""
        partial: Partial = yield from local(open_partial, file_path, artifact)
        try:
            yield from _received(cfg, artifact, partial, check, on_progress, collection_id)
            yield from local(partial.publish)
        except Exception as error:
            broken = isinstance(error, IntegrityError)
            yield from local(partial.release, keep and not broken)
            if broken or isinstance(error, Interrupted) or not isinstance(error, LumlError | OSError):
                raise
            raise FileDownloadError(f"{artifact.file_name} was not downloaded: {error}") from error

    return flow()


def digest_of(artifact: ModelArtifact) -> str:
    """The sha256 that an artifact's bytes must have; an IntegrityError where the registry has none."""
    digest = artifact.file_hash.lower()
    if len(digest) != 64 or digest.strip("0123456789abcdef"):
        raise IntegrityError(f"the registry has no sha256 of {artifact.id}: download it with verify=False")
    return digest


def _received(
    cfg: Config,
    artifact: ModelArtifact,
    partial: Partial,
    check: str,
    on_progress: Callable[[int, int], None] | None,
    collection_id: str | None,
) -> Flow[None]:
    size = artifact.size
    url_of = artifacts.download_url(cfg, artifact.id, collection_id=collection_id)
    url = (yield from send(url_of))["url"]
    offset, begun, etag = partial.size, partial.size, ""
    attempt = restarts = 0
    renewed = False
    while True:
        if offset and offset == size:  # nothing is left to ask for
            digest: str = yield from local(partial.sha256)
            if not check or digest == check:
                return
            if not begun:
                raise _other_bytes(artifact)
            offset, begun, etag = 0, 0, ""  # what an earlier run left was not the artifact
        sink = FileSink(partial.path, offset, digest=bool(check), limit=size - offset)
        try:
            progress = Progress(on_progress, size, offset)
            response = yield from transfer(presigned.read(url, sink, etag=etag), progress)
        except ConnectionFailed as error:
            attempt = 1 if error.received else attempt + 1
            offset += error.received
            etag = error.headers.get("etag", etag) if error.received else etag
            if offset < size or not size:
                yield from again(attempt, error)
            continue
        except StorageError as error:
            if refused(error) and not renewed:
                renewed = True
                url = (yield from send(url_of))["url"]
            elif error.status_code in (412, 416) and offset:
                offset, begun, etag = 0, 0, ""  # another version, or a partial of something else: from the start
                restarts += 1
                yield from again(restarts, error)
            else:
                raise
            continue
        if not _fits(response, offset, size, etag):
            offset, begun, etag = 0, 0, ""
            restarts += 1
            yield from again(restarts, DecodeError("the storage answers a ranged read with something else"))
            continue
        if offset + response.received != size:
            raise IntegrityError(f"the object has {offset + response.received} bytes, the artifact {size}")
        if not check or response.sha256 == check:
            return
        if not begun:
            raise _other_bytes(artifact)
        offset, begun, etag = 0, 0, ""


def _other_bytes(artifact: ModelArtifact) -> IntegrityError:
    return IntegrityError(f"the bytes of {artifact.id} do not have its sha256; the stored object is not the artifact")


def _fits(response: Response, offset: int, size: int, etag: str) -> bool:
    """Whether an answer carries the artifact's bytes from the offset on, of the version that was begun with."""
    found = presigned.content_range(response)
    if found is not None and found.total != size:
        raise IntegrityError(f"the object has {found.total} bytes, the artifact {size}")
    start = found.start if found is not None else 0
    same = not etag or not response.header("etag") or response.header("etag") == etag
    return start == offset and same
