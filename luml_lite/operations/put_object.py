"""Store a file in the bucket, in one PUT or in parts, with new URLs and new attempts where they are needed.

If the answer to a request is lost, the flow looks at the object before it repeats the request. An object counts as
stored when the answer to its PUT proves that (`presigned.Proof`), or else after a read of its size, because the
platform never checks it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any, TypeVar
from warnings import warn

from msgspec import Struct, structs

from ..api import uploads
from ..config import Config
from ..core.events import Event, PartStored, TransferRestarted, UrlRenewed
from ..core.flow import Backoff, Flow, Local, OnDone, Progress, gather_outcomes, local, send, transfer
from ..core.redaction import Redacted
from ..core.request import FileSlice, Request, Response
from ..core.retry import is_unanswered
from ..errors import DecodeError, IntegrityError, LumlError, StorageError
from ..files.archive import Archive
from ..files.digests import md5_of
from ..files.journal import Journal, UploadState
from ..models.artifacts import ModelArtifact
from ..models.uploads import MultipartPlan, Part
from ..storage import presigned
from ..storage.presigned import is_damaged, is_refused
from ..storage.vendors import Vendor, vendor_of
from .get_object import object_url
from .lookup import none_if_missing
from .members import CHUNK, RangeReader

T = TypeVar("T")

_HASHED = 16 * 1024 * 1024  # bytes of the largest file whose MD5 is computed while it is sent in one PUT
_MAX_RESENDS = 3  # times that one part is sent again because the bucket received other bytes


class Upload(Redacted, Struct, frozen=True):
    """An upload of an archive to the object of a row: what is stored so far, and the journal that keeps it."""

    cfg: Config
    archive: Archive
    state: UploadState
    url: str | None
    on_progress: Callable[[int, int], None] | None
    journal: Journal | None = None

    @property
    def vendor(self) -> Vendor:
        """How the bucket stores objects; a ConfigurationError for an unknown type of bucket."""
        return vendor_of(self.state.type)


def put_object(upload: Upload) -> Flow[None]:
    """Store the archive's bytes in the bucket and prove that all of them are there."""
    yield from _save_state(upload)  # before any byte is sent, so that a later call finds the upload
    is_proven = yield from (_put_parts(upload) if upload.state.multipart else _put_single(upload))
    if is_proven and not upload.state.is_doubted:
        return
    difference = yield from probe_difference(upload)
    if difference:
        raise IntegrityError(f"after the upload the bucket holds {difference} instead of {upload.archive.size} bytes")
    if upload.state.is_doubted:
        yield from _prove_by_reading(upload)


def _prove_by_reading(upload: Upload) -> Flow[None]:
    """Read the object back and compare its bytes with the archive's."""
    size, digest = upload.archive.size, sha256()
    reader = RangeReader(upload.cfg, ModelArtifact(id=upload.state.artifact_id, size=size))
    for start in range(0, size, CHUNK):
        (body,) = yield from reader.read([(start, min(start + CHUNK, size))])
        yield from local(digest.update, body)
    if digest.hexdigest() != upload.archive.sha256:
        raise IntegrityError("the bucket holds other bytes than were sent, also after they were sent again")
    warn("check_parts has no effect in this bucket: its ETags are no MD5s, and the object was read back", stacklevel=2)


def probe_difference(upload: Upload) -> Flow[str]:
    """How the object in the bucket differs from the archive, in words; an empty string if it is the archive."""
    found = yield from _ask_bucket(upload, presigned.probe)
    if found is None:
        return "no object"
    return "" if found.size == upload.archive.size else f"{found.size} bytes"


def _ask_bucket(upload: Upload, request: Callable[[str], Request[T]]) -> Flow[T | None]:
    url = yield from object_url(upload.cfg, upload.state.artifact_id)
    return (yield from none_if_missing(request(url)))


def _put_single(upload: Upload) -> Flow[bool]:
    """Send the archive in one PUT; return whether its answer proves that the bucket has the archive."""
    archive, vendor = upload.archive, upload.vendor
    if upload.url is None:
        raise DecodeError("the platform gave no URL to upload to")
    request = yield from _put_request(upload, vendor.put, upload.url, 0, archive.size, archive.size <= _HASHED)
    is_strict = upload.cfg.check_parts and not upload.state.is_doubted
    request = structs.replace(request, reply=presigned.Proof(request.reply, is_strict))
    for attempt in range(_MAX_RESENDS):
        try:
            return bool((yield from transfer(request, Progress(upload.on_progress, archive.size))))
        except LumlError as error:
            if is_refused(error) and vendor.initiate is None:
                yield UrlRenewed.by(error, upload.state.artifact_id, archive.file_name)
                break
            if isinstance(error, IntegrityError) and error.etag and attempt + 1 == _MAX_RESENDS:
                upload.state.is_doubted = True
                return False
            if not is_damaged(error) or attempt + 1 == _MAX_RESENDS:
                raise
    # No new URL for the whole object can be had, but URLs for its parts can.
    upload.state.multipart = True
    return (yield from _put_parts(upload))


def _put_request(
    upload: Upload,
    build: Callable[[str, FileSlice], Request[Any]],
    url: str,
    start: int,
    end: int,
    is_hashed: bool = False,
) -> Flow[Request[Any]]:
    """The request that sends the bytes [start, end), with their MD5 if Config.check_parts asks for it.

    With `is_hashed` the MD5 is computed in any case, for `Response.sent_md5`.
    """
    check, add_md5 = upload.cfg.check_parts and not upload.state.is_doubted, upload.vendor.add_md5
    body = FileSlice(upload.archive.path, start, end - start, is_hashed or (check and add_md5 is None))
    request = build(url, body)
    if check and add_md5 is not None:
        request = add_md5(request, (yield from local(md5_of, body)))
    return request


def _put_parts(upload: Upload) -> Flow[bool]:
    """Send every part that is missing and make the object from all of them, which proves nothing of its size."""
    state = upload.state
    has_restarted = False
    while True:
        yield from _initiate(upload)
        plan = yield from _request_plan(upload)
        try:
            plan = yield from _send_missing(upload, plan)
            yield from _complete(upload, plan)
            return False
        except StorageError as error:
            if error.code != "NoSuchUpload" or has_restarted or upload.url is None:
                raise
            yield TransferRestarted.by(error, state.artifact_id, upload.archive.file_name)
        # The bucket has dropped the upload. The old id is never used again.
        has_restarted = True
        state.upload_id, state.etags, state.parts = None, {}, []


def _initiate(upload: Upload) -> Flow[None]:
    """Have an upload id where the vendor needs one."""
    initiate, attempt = upload.vendor.initiate, 0
    while initiate is not None and upload.state.upload_id is None:
        if upload.url is None:
            raise DecodeError("the platform gave no URL to begin the multipart upload with")
        try:
            upload.state.upload_id = yield from send(initiate(upload.url))
        except DecodeError as error:  # an error inside a 200; another upload id costs nothing
            attempt += 1
            yield Backoff(attempt, error)
        else:
            yield from _save_state(upload)  # the URL is lost with this process, and only the id can replace it


def _request_plan(upload: Upload) -> Flow[MultipartPlan]:
    state, size = upload.state, upload.archive.size
    bucket, location = state.bucket_secret_id, state.bucket_location
    request = uploads.multipart_plan(
        upload.cfg, bucket_secret_id=bucket, bucket_location=location, size=size, upload_id=state.upload_id
    )
    plan = yield from send(request)
    _ensure_fits(plan, size, upload.vendor)
    layout = [(part.start, part.end) for part in plan.parts]
    if state.parts != layout:
        state.parts, state.etags = layout, {}  # the stored parts of an earlier layout do not fit this one
        yield from _save_state(upload)
    return plan


def _ensure_fits(plan: MultipartPlan, size: int, vendor: Vendor) -> None:
    """Raise a DecodeError for parts that are not the file's, or that the bucket would mix up or refuse."""
    parts, sizes = plan.parts, [part.end - part.start for part in plan.parts]
    numbers, keys = [part.number for part in parts], {vendor.part_key(part.url) for part in parts}
    has_gaps = [0, *(part.end for part in parts)] != [*(part.start for part in parts), size]
    if has_gaps or min(sizes, default=1) < 1 or numbers != [*range(1, len(parts) + 1)]:
        raise DecodeError("the platform's parts do not cover the file once, in order, numbered from 1 on")
    if len(keys) != len(parts) or len(parts) > vendor.max_parts or max(sizes, default=0) > vendor.max_part_size:
        raise DecodeError("the platform's parts are more or larger than the bucket takes, or two have the same URL")


def _send_missing(upload: Upload, plan: MultipartPlan) -> Flow[MultipartPlan]:
    """Send the parts that are not stored, each with a new URL once if one is refused; return the latest plan."""
    size = upload.archive.size
    renewals: Counter[int] = Counter()
    resends: Counter[int] = Counter()
    while missing := [part for part in plan.parts if part.number not in upload.state.etags]:
        requests: list[Request[str]] = []
        for part in missing:
            requests.append((yield from _put_request(upload, upload.vendor.put_part, part.url, part.start, part.end)))
        progress = Progress(upload.on_progress, size, size - sum(part.end - part.start for part in missing))
        outcomes = yield from gather_outcomes(requests, progress, _record_part(upload, missing, requests))
        results = zip(missing, outcomes, strict=True)
        failures = [(part.number, outcome) for part, outcome in results if isinstance(outcome, LumlError)]
        if not failures:
            continue
        number, error = failures[0]
        if is_refused(error) and not renewals[number]:
            renewals[number] += 1
            yield UrlRenewed.by(error, upload.state.artifact_id, upload.archive.file_name)
            plan = yield from _request_plan(upload)
        elif is_damaged(error) and resends[number] < _MAX_RESENDS:
            resends[number] += 1
        elif isinstance(error, IntegrityError) and error.etag:
            upload.state.etags[number], upload.state.is_doubted = error.etag, True
            yield from _save_state(upload)
        else:
            raise error
    return plan


def _record_part(upload: Upload, parts: list[Part], requests: list[Request[str]]) -> OnDone:
    """The `on_done` that keeps the id of each stored part, in the journal as well, so that a crash loses none."""

    def on_done(index: int, response: Response) -> Sequence[Local | Event]:
        part = parts[index]
        try:
            upload.state.etags[part.number] = requests[index].reply(response)
        except LumlError:
            return ()  # the flow gets the same error
        stored = PartStored(artifact_id=upload.state.artifact_id, number=part.number, size=part.end - part.start)
        return (stored,) if upload.journal is None else (Local(upload.journal.write, (upload.state,)), stored)

    return on_done


def _complete(upload: Upload, plan: MultipartPlan) -> Flow[None]:
    """Make the object from its parts; after a lost answer, look whether it has been made before asking again."""
    attempt, has_renewed, has_resent = 0, False, False
    while True:
        ids = {}
        for part in plan.parts:
            body = FileSlice(upload.archive.path, part.start, part.end - part.start)
            ids[part.number] = upload.state.etags[part.number] or (yield from local(md5_of, body)).hex()
        request = upload.vendor.complete(plan.complete_url, ids)
        try:
            yield from send(request)
            return
        except LumlError as error:
            problem = error
        code = problem.code if isinstance(problem, StorageError) else ""
        is_lost = is_unanswered(problem) and (isinstance(problem, DecodeError) or not request.repeatable)
        if is_refused(problem) and not has_renewed:
            has_renewed = True
            yield UrlRenewed.by(problem, upload.state.artifact_id, upload.archive.file_name)
            plan = yield from _request_plan(upload)
        elif code == "InvalidBlockList" and not has_resent:
            has_resent = True
            yield from _forget_lost_parts(upload, plan)
            plan = yield from _send_missing(upload, plan)
        elif not (is_lost or code == "NoSuchUpload"):
            raise problem
        elif not (yield from probe_difference(upload)):
            return
        elif code == "NoSuchUpload":
            raise problem
        else:
            attempt += 1
            yield Backoff(attempt, problem)


def _forget_lost_parts(upload: Upload, plan: MultipartPlan) -> Flow[None]:
    """Keep the ids of the parts that the bucket still holds."""
    state, list_parts = upload.state, upload.vendor.list_parts
    if list_parts is None:
        return
    stored = (yield from _ask_bucket(upload, list_parts)) or {}
    sizes = {part.number: part.end - part.start for part in plan.parts}
    state.etags = {number: each for number, each in state.etags.items() if stored.get(each) == sizes[number]}


def _save_state(upload: Upload) -> Flow[None]:
    if upload.journal is not None:
        yield from local(upload.journal.write, upload.state)
