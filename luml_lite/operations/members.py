"""Reading inside an archive without downloading it, and streaming it for those who have no disk."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from ..api import artifacts
from ..config import Config
from ..core.flow import Emit, Flow, Stream, gather, local, send
from ..core.request import Request
from ..errors import IntegrityError, InvalidArgumentError, StorageError
from ..models.artifacts import ModelArtifact
from ..storage import presigned
from ..storage.presigned import is_refused
from .get_object import digest_of

_GAP = 64 * 1024  # bytes between two members that are cheaper to read along than another request
_CHUNK = 4 * 1024 * 1024  # bytes of a streamed piece; a few of them are in memory at once


def members(cfg: Config, model_id: str, *, collection_id: str | None = None) -> Flow[dict[str, tuple[int, int]]]:
    """The members of an artifact's archive, as name to (offset, size) in bytes."""
    request = artifacts.get(cfg, model_id, collection_id=collection_id)

    def flow() -> Flow[dict[str, tuple[int, int]]]:
        return (yield from send(request)).file_index

    return flow()


def read_member(cfg: Config, model_id: str, name: str, *, collection_id: str | None = None) -> Flow[bytes]:
    """The bytes of one member, read with one ranged request; it is held in memory."""

    def flow() -> Flow[bytes]:
        return (yield from read_members(cfg, model_id, [name], collection_id=collection_id))[name]

    return flow()


def read_members(
    cfg: Config, model_id: str, names: Iterable[str], *, collection_id: str | None = None
) -> Flow[dict[str, bytes]]:
    """The bytes of several members, neighbours read together; they are held in memory."""
    request = artifacts.get(cfg, model_id, collection_id=collection_id)
    wanted = [*names]

    def flow() -> Flow[dict[str, bytes]]:
        artifact = yield from send(request)
        places = {name: _range_of(artifact, name) for name in wanted}
        ranges = coalesce([(offset, offset + size) for offset, size in places.values() if size])
        source = _Source(artifacts.download_url(cfg, artifact.id, collection_id=collection_id))
        bodies = yield from source.read(ranges)
        found = {}
        for name, (offset, size) in places.items():
            found[name] = b""
            for (start, end), body in zip(ranges, bodies, strict=True):
                if size and start <= offset and offset + size <= end:
                    found[name] = body[offset - start : offset - start + size]
        return found

    return flow()


def open_member(cfg: Config, model_id: str, name: str, *, collection_id: str | None = None) -> Stream[bytes]:
    """The bytes of one member as chunks of at most 4 MiB."""
    request = artifacts.get(cfg, model_id, collection_id=collection_id)

    def stream() -> Stream[bytes]:
        artifact = yield from send(request)
        offset, size = _range_of(artifact, name)
        yield from _chunks(cfg, artifact, offset, offset + size, collection_id)

    return stream()


def open_download(
    cfg: Config, model_id: str, *, collection_id: str | None = None, verify: bool = True
) -> Stream[bytes]:
    """An artifact's bytes as chunks of at most 4 MiB, for those who have no disk.

    The digest can be compared only at the end: an IntegrityError after the last chunk means that none of them is good.
    """
    request = artifacts.get(cfg, model_id, collection_id=collection_id)

    def stream() -> Stream[bytes]:
        artifact = yield from send(request)
        check = digest_of(artifact) if verify else ""
        digest = sha256() if check else None
        yield from _chunks(cfg, artifact, 0, artifact.size, collection_id, digest)
        if digest is not None and digest.hexdigest() != check:
            raise IntegrityError(f"the bytes of {artifact.id} do not have its sha256; use none of them")

    return stream()


def coalesce(ranges: list[tuple[int, int]], gap: int = _GAP) -> list[tuple[int, int]]:
    """Half-open ranges, ascending, with those closer than `gap` bytes made one."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if merged and start - merged[-1][1] <= gap:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _range_of(artifact: ModelArtifact, name: str) -> tuple[int, int]:
    try:
        return artifact.file_index[name]
    except KeyError:
        names = ", ".join([*artifact.file_index][:20])
    raise InvalidArgumentError(f"{artifact.file_name} has no member {name!r}; it has {names}")


def _chunks(
    cfg: Config, artifact: ModelArtifact, start: int, end: int, collection_id: str | None, digest: Any = None
) -> Stream[bytes]:
    source = _Source(artifacts.download_url(cfg, artifact.id, collection_id=collection_id))
    wave = _CHUNK * min(cfg.concurrency, 4)
    for first in range(start, end, wave):
        last = min(first + wave, end)
        bodies = yield from source.read([(at, min(at + _CHUNK, last)) for at in range(first, last, _CHUNK)])
        if digest is not None:
            for body in bodies:
                yield from local(digest.update, body)
        yield Emit(bodies)


class _Source:
    """An object to read ranges of, with the URL renewed where it is refused."""

    def __init__(self, url_of: Request[dict[str, str]]) -> None:
        self._url_of = url_of
        self._url = ""

    def read(self, ranges: list[tuple[int, int]]) -> Flow[list[bytes]]:
        """The bytes of each half-open range, in order."""
        renewed = not self._url
        while True:
            if ranges and not self._url:
                self._url = (yield from send(self._url_of))["url"]
            try:
                return (yield from gather(presigned.read_range(self._url, start, end) for start, end in ranges))
            except StorageError as error:
                if renewed or not is_refused(error):
                    raise
            renewed, self._url = True, ""
