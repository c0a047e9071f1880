"""Fetching: an object's bytes come into a partial file in one read or as ranges side by side, until they are proven.

Whatever breaks, the next read goes on behind the bytes that lie in the file without a gap. The object is the one that
was begun with (If-Match, and the ETag of every answer), or everything begins anew.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from ..api import artifacts
from ..config import Config
from ..core.flow import Flow, Local, Progress, back_off, gather_outcomes, local, send, transfer
from ..core.redaction import Redacted
from ..core.request import FileSink, Request, Response
from ..errors import ConnectionFailed, DecodeError, IntegrityError, LumlError, StorageError
from ..files.digests import prime_digest
from ..files.partial import PartialFile
from ..models.artifacts import ModelArtifact
from ..storage import presigned
from ..storage.presigned import is_refused

RANGE = 16 * 1024 * 1024  # bytes that one of several ranges has
WAVE = 8 * RANGE  # bytes that are on their way at most; behind them nothing has a gap
_STEP = 64 * 1024  # bytes that must come for a broken body to count as getting on


class Download(Redacted, Struct):
    """A download under way: `offset` bytes lie in the partial without a gap, `left` of them from an earlier run."""

    cfg: Config
    artifact: ModelArtifact
    partial: PartialFile
    check: str
    on_progress: Callable[[int, int], None] | None
    url_of: Request[dict[str, str]]
    offset: int
    left: int
    ranged: bool
    url: str = ""
    etag: str = ""


def fetch(
    cfg: Config,
    artifact: ModelArtifact,
    partial: PartialFile,
    check: str,
    on_progress: Callable[[int, int], None] | None,
    collection_id: str | None,
) -> Flow[None]:
    """Fill the partial with the artifact's bytes; with `check` they have that sha256 in the end."""
    ranged = cfg.ranged_from is not None and artifact.size >= max(cfg.ranged_from, 1)
    # A run that was killed amid a wave may have left gaps in its last bytes.
    left = max(0, partial.size - WAVE) if ranged else partial.size
    url_of = artifacts.download_url(cfg, artifact.id, collection_id=collection_id)
    one = Download(cfg, artifact, partial, check, on_progress, url_of, left, left, ranged)
    one.url = (yield from send(url_of))["url"]
    attempt = restarts = 0
    renewed_at = -1
    while True:
        before = one.offset
        try:
            if (yield from _fetch_and_verify(one)):
                return
            continue
        except ConnectionFailed as error:
            if not error.received:
                raise  # the driver has sent it as often as it may
            attempt = 1 if one.offset - before >= _STEP else attempt + 1
            if one.offset < artifact.size:
                yield from back_off(attempt, error)
            continue
        except StorageError as error:
            if is_refused(error) and renewed_at != one.offset:
                renewed_at = one.offset
                one.url = (yield from send(url_of))["url"]
                continue
            if error.status_code not in (412, 416) or not (one.offset or one.etag):
                raise
            problem: LumlError = error  # another version, or a partial of something else
        except DecodeError as error:
            problem = error
        yield from _restart(one)
        restarts += 1
        yield from back_off(restarts, problem)


def _fetch_and_verify(one: Download) -> Flow[bool]:
    """Read what is missing, or a wave of it, and judge the whole once all is there; False means that there is more."""
    size = one.artifact.size
    digest = None
    if one.offset < size or not size:
        if one.ranged:
            yield from _fetch_ranges(one)
            if one.offset < size:
                return False
        else:
            digest = yield from _fetch_rest(one)
    if one.check:
        if digest is None:
            digest = yield from local(one.partial.sha256_of, size)
        if digest != one.check:
            if one.left:
                yield from _restart(one)  # what an earlier run left was not the artifact
                return False
            name = one.artifact.id
            raise IntegrityError(f"the bytes of {name} do not have its sha256; the stored object is not the artifact")
    return True


def _restart(one: Download) -> Flow[None]:
    yield from local(one.partial.restart)
    one.offset, one.left, one.etag = 0, 0, ""


def _fetch_rest(one: Download) -> Flow[str]:
    """All that is missing in one read; the digest of the whole file where it is wanted."""
    size, offset = one.artifact.size, one.offset
    sink = FileSink(one.partial.path, offset, digest=bool(one.check), limit=size - offset)
    if offset and one.check:
        yield from local(prime_digest, one.partial.path, offset)
    try:
        response = yield from transfer(
            presigned.read(one.url, sink, etag=one.etag), Progress(one.on_progress, size, offset)
        )
    except ConnectionFailed as error:
        _count_received(one, error)
        raise
    if not _is_expected(one, response, offset):
        raise DecodeError("the storage answers a ranged read with something else")
    one.offset += response.received
    if one.offset != size:
        raise IntegrityError(f"the object has {one.offset} bytes, the artifact {size}")
    return response.sha256


def _fetch_ranges(one: Download) -> Flow[None]:
    """The next bytes as ranges side by side; what lies there without a gap is hashed while the others come."""
    if not one.etag:
        one.etag = yield from _etag_of(one)
    if not one.etag:
        one.ranged = False  # without ranges, or an ETag to guard them, one read does
        return
    first, size = one.offset, one.artifact.size
    last = min(first + WAVE, size)
    spans = {start: min(start + RANGE, last) for start in range(first, last, RANGE)}
    requests = [
        presigned.read(
            one.url,
            FileSink(one.partial.path, start, digest=False, truncate=False, limit=end - start),
            etag=one.etag,
            end=end,
        )
        for start, end in spans.items()
    ]
    here: set[int] = set()

    def on_done(index: int, response: Response) -> Local | None:
        start = first + index * RANGE
        if _is_expected(one, response, start) and start + response.received == spans[start]:
            here.add(start)
        while one.offset in here:
            here.remove(one.offset)
            one.offset = spans[one.offset]
        return Local(one.partial.sha256_of, (one.offset,)) if one.check else None

    try:
        outcomes = yield from gather_outcomes(requests, Progress(one.on_progress, size, first), on_done)
    except Exception:
        yield from local(one.partial.truncate, one.offset)
        raise
    if one.offset == last:
        return
    broken = outcomes[(one.offset - first) // RANGE]
    if isinstance(broken, ConnectionFailed):
        _count_received(one, broken)
    yield from local(one.partial.truncate, one.offset)
    for outcome in outcomes:
        if isinstance(outcome, LumlError):
            raise outcome
    one.ranged = False  # other ranges came than were asked for


def _etag_of(one: Download) -> Flow[str]:
    """The ETag of the object behind a storage that reads ranges, or an empty string."""
    try:
        found = yield from send(presigned.probe(one.url))
    except DecodeError:
        return ""
    if found.size != one.artifact.size:
        raise _size_error(one, found.size)
    return found.etag


def _count_received(one: Download, error: ConnectionFailed) -> None:
    """Count what a broken body has left in the partial."""
    if error.received:
        one.offset += error.received
        one.etag = error.headers.get("etag", one.etag)


def _is_expected(one: Download, response: Response, offset: int) -> bool:
    """Whether an answer carries the artifact's bytes from the offset on, of the version that was begun with."""
    found = presigned.content_range(response)
    if found is not None and found.total != one.artifact.size:
        raise _size_error(one, found.total)
    start = found.start if found is not None else 0
    return start == offset and (not one.etag or response.header("etag") in ("", one.etag))


def _size_error(one: Download, size: int) -> IntegrityError:
    return IntegrityError(f"the object has {size} bytes, the artifact {one.artifact.size}")


def digest_of(artifact: ModelArtifact) -> str:
    """The sha256 that an artifact's bytes must have; an IntegrityError where the registry has none."""
    digest = artifact.file_hash.lower()
    if len(digest) != 64 or digest.strip("0123456789abcdef"):
        raise IntegrityError(f"the registry has no sha256 of {artifact.id}: download it with verify=False")
    return digest
