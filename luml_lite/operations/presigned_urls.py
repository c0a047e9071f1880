"""Download from and upload to a presigned URL that somebody else signed: no API key, no row, the same guarantees."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import unquote, urlsplit

from ..config import MAX_OBJECT_SIZE, Config, GiB
from ..core.events import TransferDone, UrlRenewed
from ..core.flow import Flow, Progress, local, require_callback, send, transfer
from ..core.redaction import PresignedUrl
from ..core.request import FileSlice
from ..errors import (
    FileDownloadError,
    FileError,
    FileUploadError,
    Interrupted,
    InvalidArgumentError,
    LumlError,
    StorageError,
)
from ..files.archive import ensure_unchanged, file_stamp
from ..files.disk import absolute_path
from ..models.artifacts import ModelArtifact
from ..storage import presigned
from ..storage.presigned import is_refused
from ..storage.vendors import vendor_of_url
from .download import save

MAX_PUT_SIZE = 5 * GiB  # bytes; Azure takes 5,000 MiB


def download_from(
    cfg: Config,
    url: str,
    file_path: str | os.PathLike[str] | None = None,
    *,
    size: int | None = None,
    sha256: str | None = None,
    renew: Callable[[], str] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    resume: bool | None = None,
) -> Flow[None]:
    """Download the object behind a presigned URL, by default under the last name in its path; no API key is sent.

    `size` (bytes) and `sha256` (hex) are compared before the file gets its name. What is not given is not checked,
    and the storage is asked for the size: then a wrong object is taken for the right one. `renew` is
    called once for each refusal of a URL and returns another one. `resume` needs the `sha256`, since only that tells
    whether an earlier call's bytes are this object's. A wrong size or digest is an IntegrityError, every other failure
    a FileDownloadError.
    """
    require_callback(on_progress)
    require_callback(renew, "renew")
    url = _presigned(url)
    digest = (sha256 or "").lower()
    if sha256 is not None and not re.fullmatch("[0-9a-f]{64}", digest):
        raise InvalidArgumentError("sha256 must have 64 hex digits")
    if size is not None and not 0 <= size <= MAX_OBJECT_SIZE:
        raise InvalidArgumentError(f"size must be 0 to {MAX_OBJECT_SIZE} bytes, not {size}")

    new_url = None if renew is None else partial(_renewed, renew)
    name = unquote(urlsplit(url).path.rpartition("/")[2])
    if size is None:
        try:
            size, url = yield from _size_of(url, new_url)
        except Interrupted:
            raise
        except LumlError as error:
            raise FileDownloadError(f"{name} was not downloaded: {error}") from error
    target = ModelArtifact(id=digest[:36], file_name=name, size=size, file_hash=digest)
    is_resumed = bool(digest) and (cfg.resume if resume is None else resume)
    yield from save(cfg, target, file_path, digest, on_progress, is_resumed, url=url, new_url=new_url)


def upload_to(
    cfg: Config,
    url: str,
    file_path: str | os.PathLike[str],
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> Flow[str]:
    """Upload any file to a presigned PUT URL of S3 or Azure and return the ETag of the object; no API key is sent.

    A file of more than 5 GiB, the most that one PUT takes, is a FileError, as is one that cannot be read. With
    Config.check_parts the storage's MD5 is compared with the bytes that were sent. Every failure after that is a
    FileUploadError. https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
    """
    require_callback(on_progress)
    url = _presigned(url)
    path = absolute_path(file_path)
    stamp = yield from local(file_stamp, path)
    size = stamp[0]
    if size > MAX_PUT_SIZE:
        raise FileError(f"{path} has {size} bytes, more than the {MAX_PUT_SIZE} that one PUT takes")
    try:
        request = vendor_of_url(url).put(url, FileSlice(path, 0, size, cfg.check_parts))
        etag: str = yield from transfer(request, Progress(on_progress, size))
        yield from local(ensure_unchanged, path, stamp)
    except Exception as error:
        if isinstance(error, Interrupted) or not isinstance(error, LumlError | OSError):
            raise
        raise FileUploadError(f"{os.path.basename(path)} was not uploaded: {error}") from error
    yield TransferDone(kind="upload", artifact_id="", file_name=os.path.basename(path), size=size)
    return etag


def _renewed(renew: Callable[[], str]) -> Flow[str]:
    return _presigned((yield from local(renew)))


def _presigned(url: Any) -> PresignedUrl:
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        raise InvalidArgumentError("a presigned URL is a text that begins with http:// or https://")
    return PresignedUrl(url)


def _size_of(url: str, new_url: Callable[[], Flow[str]] | None) -> Flow[tuple[int, str]]:
    """The size of the object, and the URL that gave it: the given one or, if that was refused, a new one."""
    try:
        return (yield from send(presigned.probe(url))).size, url
    except StorageError as error:
        if error.status_code == 416:  # no first byte can be read of an empty object
            return 0, url
        if new_url is None or not is_refused(error):
            raise
        yield UrlRenewed.by(error, "", unquote(urlsplit(url).path.rpartition("/")[2]))
    return (yield from _size_of((yield from new_url()), None))
