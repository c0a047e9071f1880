"""Download a file: fetch its bytes into a partial file beside the target, prove them, and rename the partial file.

The target is unchanged until its bytes are proven. A broken read continues where it broke, guarded by If-Match.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

from ..api import artifacts
from ..api.paths import in_collection
from ..config import Config
from ..core.events import TransferDone
from ..core.flow import Flow, gather_outcomes, local, require_callback, send
from ..core.redaction import PresignedUrl, clean
from ..core.request import Request
from ..errors import FileDownloadError, IntegrityError, Interrupted, LumlError
from ..files.partial import PartialFile, open_partial
from ..models.artifacts import ModelArtifact
from .get_object import Download, digest_of, fetch, object_url


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

    `file_path` may be a folder, which is made if the path ends with a separator, or a link, whose file is replaced.
    The file gets its name only after its size and sha256 were compared with the artifact's; `verify=False` leaves the
    digest out. `on_progress(done, total)` counts bytes. With `resume` (or Config.resume) a failed download keeps its
    bytes beside the target, and the next call continues from there. An unknown id is an ArtifactNotFoundError (a
    NotFoundError and a ValueError), bytes that are not the artifact's an IntegrityError, every other failure a
    FileDownloadError.
    """
    require_callback(on_progress)
    cfg = in_collection(cfg, collection_id)
    artifact, url = yield from _row_and_url(cfg, model_id)
    digest = digest_of(artifact) if verify else ""
    resume = cfg.resume if resume is None else resume
    new_url = partial(object_url, cfg, artifact.id)
    yield from save(cfg, artifact, file_path, digest, on_progress, resume, url=url, new_url=new_url)


def _row_and_url(cfg: Config, model_id: str) -> Flow[tuple[ModelArtifact, str]]:
    """The row and a URL to read its object, asked for side by side; the URL is empty if only that failed."""
    wanted: list[Request[Any]] = [artifacts.get(cfg, model_id), artifacts.download_url(cfg, model_id)]
    row, url = yield from gather_outcomes(wanted)
    if row is None:  # the failure of the other one came before it
        row = yield from send(wanted[0])
    if isinstance(row, LumlError):
        raise row
    return row, "" if url is None or isinstance(url, LumlError) else PresignedUrl(url["url"])


def save(
    cfg: Config,
    artifact: ModelArtifact,
    file_path: str | os.PathLike[str] | None,
    digest: str,
    on_progress: Callable[[int, int], None] | None,
    resume: bool,
    *,
    url: str = "",
    new_url: Callable[[], Flow[str]] | None = None,
) -> Flow[None]:
    """Fetch an object's bytes and give them their name; after a failure, `resume` keeps them for a later call."""
    file: PartialFile = yield from local(open_partial, file_path, artifact)
    try:
        yield from fetch(Download(cfg, artifact, file, digest, on_progress, new_url, url=url))
        yield from local(file.publish)
    except Exception as error:
        yield from local(file.release, resume and not isinstance(error, IntegrityError))
        if isinstance(error, IntegrityError | Interrupted) or not isinstance(error, LumlError | OSError):
            raise
        raise FileDownloadError(f"{clean(artifact.file_name)} was not downloaded: {error}") from error
    yield TransferDone(kind="download", artifact_id=artifact.id, file_name=artifact.file_name, size=artifact.size)
