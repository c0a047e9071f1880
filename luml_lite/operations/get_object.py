"""Fetch an object's bytes into a partial file, in one read or as ranges side by side, and prove them.

Ranges side by side
===================
A large object is read in waves. A wave is at most WAVE bytes from `offset` on, cut into ranges of RANGE bytes, which
the driver sends side by side and which finish in any order. Three rules hold between any two effects:

* The first `offset` bytes of the partial file are there without a gap. `offset` moves only over finished ranges that
  touch it; a range that finishes early is remembered in `finished` until the ranges before it have arrived.
* Nothing beyond `offset + WAVE` was ever requested. After a kill -9 only the last WAVE bytes of the file can have
  gaps, so the next run keeps the rest and reads these again. After any other failure the file is truncated to
  `offset`, and the next read begins there.
* Every read carries If-Match with the ETag of the first one, and every answer is checked for its range, size and ETag.
  Bytes of two versions are never mixed; if the object was replaced, the download starts again from byte 0.

SHA-256 is sequential. Each time that a range finishes, the driver hashes up to `offset` while other ranges arrive, and
reads those bytes from the page cache, not from the disk. A single read is hashed while it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from ..api import artifacts
from ..config import MAX_OBJECT_SIZE, Config
from ..core.events import TransferRestarted, UrlRenewed
from ..core.flow import Backoff, Flow, Local, Progress, gather_outcomes, local, send, transfer
from ..core.redaction import PresignedUrl, Redacted
from ..core.request import FileSink, Request, Response
from ..errors import ConnectionFailed, DecodeError, IntegrityError, LumlError, StorageError
from ..files.digests import prime_digest
from ..files.partial import PartialFile
from ..models.artifacts import ModelArtifact
from ..storage import presigned
from ..storage.presigned import is_refused

RANGE = 16 * 1024 * 1024  # bytes of one range
WAVE = 8 * RANGE  # bytes that are requested before all ranges of the wave before have arrived
_PROGRESS = 64 * 1024  # bytes that a broken read must have brought for the attempts to be counted anew


class Download(Redacted, Struct):
    """A download under way: the partial file has `offset` bytes without a gap, `kept` of them from an earlier run.

    `digest` is the sha256 that the bytes must have, or an empty string if nothing is compared. `new_url` gets a URL
    where there is none, and another one after a refusal; without it the given `url` is the only one.
    """

    cfg: Config
    artifact: ModelArtifact
    partial: PartialFile
    digest: str
    on_progress: Callable[[int, int], None] | None
    new_url: Callable[[], Flow[str]] | None = None
    offset: int = 0
    kept: int = 0
    is_ranged: bool = False
    url: str = ""
    etag: str = ""

    def __post_init__(self) -> None:
        require_size(self.artifact)
        ranged_from = self.cfg.ranged_from
        self.is_ranged = ranged_from is not None and self.artifact.size >= max(ranged_from, 1)
        # A run that was killed during a wave may have left gaps in its last bytes.
        self.offset = self.kept = max(0, self.partial.size - WAVE) if self.is_ranged else self.partial.size


def fetch(this: Download) -> Flow[None]:
    """Fill the partial file with the artifact's bytes."""
    attempt = restarts = 0
    renewed_at = -1
    while True:
        if not this.url and this.new_url is not None:
            this.url = yield from this.new_url()
        before = this.offset
        try:
            if (yield from _fetch_and_verify(this)):
                return
            continue
        except ConnectionFailed as error:
            if not error.received:
                raise  # the driver has tried it as often as it may
            attempt = 1 if this.offset - before >= _PROGRESS else attempt + 1
            if this.offset < this.artifact.size:
                yield Backoff(attempt, error)
            continue
        except StorageError as error:
            if is_refused(error) and renewed_at != this.offset and this.new_url is not None:
                renewed_at, this.url = this.offset, ""
                yield UrlRenewed.by(error, this.artifact.id, this.artifact.file_name)
                continue
            if error.status_code not in (412, 416) or not (this.offset or this.etag):
                raise
            problem: LumlError = error  # another version, or a partial file of something else
        except DecodeError as error:
            problem = error
        yield from _restart(this)
        yield TransferRestarted.by(problem, this.artifact.id, this.artifact.file_name)
        restarts += 1
        yield Backoff(restarts, problem)


def object_url(cfg: Config, artifact_id: str) -> Flow[str]:
    """A fresh URL to read the object of an artifact."""
    return PresignedUrl((yield from send(artifacts.download_url(cfg, artifact_id)))["url"])


def digest_of(artifact: ModelArtifact) -> str:
    """The sha256 that an artifact's bytes must have; an IntegrityError if the registry has none."""
    digest = artifact.file_hash.lower()
    if len(digest) != 64 or digest.strip("0123456789abcdef"):
        raise IntegrityError(f"the registry has no sha256 of {artifact.id}: download it with verify=False")
    return digest


def require_size(artifact: ModelArtifact) -> None:
    """Raise a DecodeError if no object can have the artifact's size; the registry does not check sizes."""
    if not 0 <= artifact.size <= MAX_OBJECT_SIZE:
        raise DecodeError(f"the registry gives {artifact.id} a size that no object has")


def _fetch_and_verify(this: Download) -> Flow[bool]:
    """Read the missing bytes, or a wave of them; return whether all are there and proven."""
    size, digest = this.artifact.size, ""
    if this.offset < size or not size:
        if this.is_ranged:
            yield from _fetch_wave(this)
            if this.offset < size:
                return False
        else:
            digest = yield from _fetch_rest(this)
    if this.digest:
        digest = digest or (yield from local(this.partial.sha256_of, size))
        if digest != this.digest:
            if this.kept:
                yield from _restart(this)  # the bytes of the earlier run were not the artifact's
                return False
            name = this.artifact.file_name
            raise IntegrityError(f"the bytes of {name} do not have its sha256; the stored object is another one")
    return True


def _restart(this: Download) -> Flow[None]:
    yield from local(this.partial.truncate, 0)
    this.offset, this.kept, this.etag = 0, 0, ""


def _fetch_rest(this: Download) -> Flow[str]:
    """Read all missing bytes in one request; return the digest of the whole file if it is compared."""
    size, offset = this.artifact.size, this.offset
    sink = FileSink(this.partial.path, offset, digest=bool(this.digest), limit=size - offset)
    if offset and this.digest:
        yield from local(prime_digest, this.partial.path, offset)
    request = presigned.read(this.url, sink, etag=this.etag)
    try:
        response = yield from transfer(request, Progress(this.on_progress, size, offset))
        if not _is_expected(this, response, offset):
            raise DecodeError("the storage answered a ranged read with other bytes than the requested ones")
        # A body without a length may have been cut, and a range may be shorter than the requested one.
        has_more = "content-length" not in response.headers or presigned.content_range(response) is not None
        if has_more and response.received < size - offset:
            raise ConnectionFailed("the body ended early", received=response.received, headers=response.headers)
    except ConnectionFailed as error:
        _count_received(this, error)
        raise
    this.offset += response.received
    if this.offset != size:
        raise _size_error(this, this.offset)
    return response.sha256


def _fetch_wave(this: Download) -> Flow[None]:
    """Read the next bytes as ranges side by side, and hash the bytes without a gap while other ranges arrive."""
    if not this.etag:
        this.etag = yield from _etag_of(this)
    if not this.etag:
        this.is_ranged = False  # the storage reads no ranges, or has no ETag to guard them
        return
    first, size = this.offset, this.artifact.size
    last = min(first + WAVE, size)
    ends = {start: min(start + RANGE, last) for start in range(first, last, RANGE)}
    requests = [_range_request(this, start, end) for start, end in ends.items()]
    finished: set[int] = set()

    def on_done(index: int, response: Response) -> Sequence[Local]:
        start = first + index * RANGE
        if _is_expected(this, response, start) and start + response.received == ends[start]:
            finished.add(start)
        while this.offset in finished:
            finished.remove(this.offset)
            this.offset = ends[this.offset]
        return (Local(this.partial.sha256_of, (this.offset,)),) if this.digest else ()

    try:
        outcomes = yield from gather_outcomes(requests, Progress(this.on_progress, size, first), on_done)
    except Exception:
        yield from local(this.partial.truncate, this.offset)
        raise
    if this.offset == last:
        return
    broken = outcomes[(this.offset - first) // RANGE]
    if isinstance(broken, ConnectionFailed):
        _count_received(this, broken)
    yield from local(this.partial.truncate, this.offset)
    for outcome in outcomes:
        if isinstance(outcome, LumlError):
            raise outcome
    this.is_ranged = False  # the storage sent other ranges than the requested ones


def _range_request(this: Download, start: int, end: int) -> Request[Response]:
    sink = FileSink(this.partial.path, start, digest=False, truncate=False, limit=end - start)
    return presigned.read(this.url, sink, etag=this.etag, end=end)


def _etag_of(this: Download) -> Flow[str]:
    """The ETag of the object, or an empty string if the storage does not read ranges."""
    try:
        found = yield from send(presigned.probe(this.url))
    except DecodeError:
        return ""
    if found.size != this.artifact.size:
        raise _size_error(this, found.size)
    return found.etag if found.is_ranged else ""


def _count_received(this: Download, error: ConnectionFailed) -> None:
    """Count the bytes that a broken read has written to the partial file."""
    if error.received:
        this.offset += error.received
        this.etag = error.headers.get("etag", this.etag)


def _is_expected(this: Download, response: Response, offset: int) -> bool:
    """Whether an answer has the artifact's bytes from `offset` on, of the version that the download began with."""
    found = presigned.content_range(response)
    if found is not None and found.total != this.artifact.size:
        raise _size_error(this, found.total)
    start = found.start if found is not None else 0
    return start == offset and (not this.etag or response.header("etag") in ("", this.etag))


def _size_error(this: Download, size: int) -> IntegrityError:
    return IntegrityError(f"the object has {size} bytes instead of {this.artifact.size}")
