"""Downloading: bytes land in a partial file beside the target, are hashed on their way, proven, and then renamed.

The target is untouched until its bytes are proven. A broken body goes on where it broke, guarded by If-Match.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from ..api import artifacts
from ..config import Config
from ..core.flow import Flow, local, send
from ..errors import FileDownloadError, IntegrityError, Interrupted, LumlError
from ..files.partial import PartialFile, open_partial
from .get_object import digest_of, fetch


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
        partial: PartialFile = yield from local(open_partial, file_path, artifact)
        try:
            yield from fetch(cfg, artifact, partial, check, on_progress, collection_id)
            yield from local(partial.publish)
        except Exception as error:
            broken = isinstance(error, IntegrityError)
            yield from local(partial.release, keep and not broken)
            if broken or isinstance(error, Interrupted) or not isinstance(error, LumlError | OSError):
                raise
            raise FileDownloadError(f"{artifact.file_name} was not downloaded: {error}") from error

    return flow()
