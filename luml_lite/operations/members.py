"""Read parts of an archive without downloading it, and stream an archive without a disk.

Nothing here writes a file. A member is kept in memory; a stream keeps a few chunks of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import sha256

from ..api import artifacts
from ..api.paths import in_collection
from ..config import Config
from ..core.events import UrlRenewed
from ..core.flow import Emit, Flow, Stream, gather, local, send
from ..core.redaction import clean, clean_list
from ..core.request import Request
from ..errors import DecodeError, IntegrityError, InvalidArgumentError, StorageError
from ..models.artifacts import ModelArtifact
from ..storage import presigned
from ..storage.presigned import is_refused
from .get_object import digest_of, object_url, require_size

_GAP = 64 * 1024  # bytes between two members; reading a smaller gap costs less than another request
CHUNK = 4 * 1024 * 1024  # bytes of one chunk of a stream
_SIDE_BY_SIDE = 4  # chunks of a stream in memory


def members(cfg: Config, model_id: str, *, collection_id: str | None = None) -> Flow[dict[str, tuple[int, int]]]:
    """The members of an artifact's archive, as name to (offset, size) in bytes."""
    return (yield from send(artifacts.get(cfg, model_id, collection_id=collection_id))).file_index


def read_member(cfg: Config, model_id: str, name: str, *, collection_id: str | None = None) -> Flow[bytes]:
    """The bytes of one member, read with one ranged request and kept in memory."""
    return (yield from read_members(cfg, model_id, [name], collection_id=collection_id))[name]


def read_members(
    cfg: Config, model_id: str, names: Iterable[str], *, collection_id: str | None = None
) -> Flow[dict[str, bytes]]:
    """The bytes of several members, kept in memory; neighbours are read with one request."""
    cfg, names = in_collection(cfg, collection_id), [*names]
    artifact = yield from send(artifacts.get(cfg, model_id))
    places = {name: _range_of(artifact, name) for name in names}
    ranges = coalesce([place for place in places.values() if place[0] < place[1]])
    bodies = yield from RangeReader(cfg, artifact).read(ranges)
    contents = {}
    for name, (first, last) in places.items():
        contents[name] = b""
        for (start, end), body in zip(ranges, bodies, strict=True):
            if start <= first < last <= end:
                contents[name] = body[first - start : last - start]
    return contents


def open_member(cfg: Config, model_id: str, name: str, *, collection_id: str | None = None) -> Stream[bytes]:
    """The bytes of one member as chunks of at most 4 MiB."""
    cfg = in_collection(cfg, collection_id)
    return _stream(cfg, artifacts.get(cfg, model_id), lambda artifact: _range_of(artifact, name), False)


def open_download(
    cfg: Config, model_id: str, *, collection_id: str | None = None, verify: bool = True
) -> Stream[bytes]:
    """An artifact's bytes as chunks of at most 4 MiB, for programs without a disk.

    The digest can be compared only at the end: an IntegrityError after the last chunk means that no chunk is good.
    """
    cfg = in_collection(cfg, collection_id)
    return _stream(cfg, artifacts.get(cfg, model_id), lambda artifact: (0, artifact.size), verify)


def coalesce(ranges: list[tuple[int, int]], gap: int = _GAP) -> list[tuple[int, int]]:
    """Half-open ranges, ascending; ranges with at most `gap` bytes between them become one."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if merged and start - merged[-1][1] <= gap:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _range_of(artifact: ModelArtifact, name: str) -> tuple[int, int]:
    """The half-open range of a member, inside the artifact; an InvalidArgumentError names the members that exist."""
    if name not in artifact.file_index:
        names = clean_list(artifact.file_index)
        raise InvalidArgumentError(f"{clean(artifact.file_name)} has no member {name!r}; it has {names}")
    offset, size = artifact.file_index[name]
    if not 0 <= offset <= offset + size <= artifact.size:
        raise DecodeError(f"the registry says that {name!r} lies outside of {artifact.file_name}")
    return offset, offset + size


def _stream(
    cfg: Config, request: Request[ModelArtifact], place: Callable[[ModelArtifact], tuple[int, int]], verify: bool
) -> Stream[bytes]:
    """The bytes of a half-open range of an artifact's object; `verify` is for the range that has all of them."""
    artifact = yield from send(request)
    start, end = place(artifact)
    expected = digest_of(artifact) if verify else ""
    digest, reader = sha256(), RangeReader(cfg, artifact)
    wave = CHUNK * min(cfg.concurrency, _SIDE_BY_SIDE)
    for first in range(start, end, wave):
        last = min(first + wave, end)
        bodies = yield from reader.read([(at, min(at + CHUNK, last)) for at in range(first, last, CHUNK)])
        if verify:
            for body in bodies:
                yield from local(digest.update, body)
        yield Emit(bodies)
    if verify and digest.hexdigest() != expected:
        raise IntegrityError(f"the bytes of {artifact.id} do not have its sha256; use none of them")


class RangeReader:
    """Reads ranges of an artifact's object; a refused URL is renewed once a call."""

    def __init__(self, cfg: Config, artifact: ModelArtifact) -> None:
        require_size(artifact)
        self._cfg = cfg
        self._artifact = artifact
        self._url = ""

    def read(self, ranges: list[tuple[int, int]]) -> Flow[list[bytes]]:
        """The bytes of each half-open range, in order."""
        bodies, has_renewed, size = [b"" for _ in ranges], not self._url, self._artifact.size
        starts = [start for start, _ in ranges]
        while missing := [index for index, (_, end) in enumerate(ranges) if starts[index] < end]:
            if not self._url:
                self._url = yield from object_url(self._cfg, self._artifact.id)
            requests = [presigned.read_range(self._url, starts[each], ranges[each][1], size) for each in missing]
            try:
                pieces = yield from gather(requests)
            except StorageError as error:
                if has_renewed or not is_refused(error):
                    raise
                has_renewed, self._url = True, ""
                yield UrlRenewed.by(error, self._artifact.id, self._artifact.file_name)
                continue
            for index, piece in zip(missing, pieces, strict=True):
                bodies[index] += piece
                starts[index] += len(piece)
        return bodies
