"""Getting a file's bytes into the bucket: one PUT or many parts, renewed, repeated and put together until they are in.

What an answer that never came may have done is looked up before anything is repeated; only an object whose size has
been probed counts as stored, because the platform itself never looks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from ..api import artifacts, uploads
from ..config import Config
from ..core.flow import Flow, Local, Progress, back_off, gather_outcomes, local, send, transfer
from ..core.redaction import Redacted
from ..core.request import FileSlice, Request, Response
from ..core.retry import is_unanswered
from ..errors import DecodeError, IntegrityError, LumlError, StorageError
from ..files.archive import Archive
from ..files.digests import md5_of
from ..files.journal import Journal, UploadState
from ..models.uploads import MultipartPlan, Part
from ..storage import azure, presigned, s3
from ..storage.presigned import is_refused

# What S3, Azure and Azurite answer to a Content-MD5 that does not fit.
_DAMAGED = frozenset({"BadDigest", "Md5Mismatch", "InvalidOperation"})
_MAX_RESENDS = 3  # times that one part is sent again for wrong bytes


class Upload(Redacted, Struct):
    """An upload under way: the row's id and place, what is stored so far, and the journal that remembers it."""

    cfg: Config
    collection_id: str | None
    archive: Archive
    state: UploadState
    url: str | None
    on_progress: Callable[[int, int], None] | None
    journal: Journal | None = None

    @property
    def azure(self) -> bool:
        """Whether the bucket is one of Azure's."""
        return self.state.type == "azure"


def put_object(upload: Upload) -> Flow[None]:
    """Put the archive's bytes under the row's key and prove that all of them are there."""
    yield from _save_state(upload)  # before a byte is sent, so that what is sent can always be found again
    expected = ""
    if upload.state.multipart:
        expected = yield from _put_parts(upload)
    else:
        yield from _put_single(upload)
    found = yield from probe_object(upload)
    if found is None or found.size != upload.archive.size:
        size = "no object" if found is None else f"{found.size} bytes"
        raise IntegrityError(f"the bucket holds {size} instead of {upload.archive.size} bytes after the upload")
    tag = s3.unquoted(found.etag)
    if expected and "-" in tag and tag != expected:
        raise IntegrityError("the bucket holds another object than the one that was uploaded")


def probe_object(upload: Upload) -> Flow[presigned.Probe | None]:
    """What the bucket holds under the row's key, or None."""
    cfg, row = upload.cfg, upload.state.artifact_id
    url = (yield from send(artifacts.download_url(cfg, row, collection_id=upload.collection_id)))["url"]
    try:
        return (yield from send(presigned.probe(url)))
    except StorageError as error:
        if error.status_code == 404:
            return None
        raise


def is_damaged(error: LumlError) -> bool:
    """Whether bytes arrived as others than were sent, and were not stored."""
    return isinstance(error, IntegrityError) or (isinstance(error, StorageError) and error.code in _DAMAGED)


def _put_single(upload: Upload) -> Flow[None]:
    archive, url = upload.archive, upload.url
    if url is None:
        raise DecodeError("the platform gave no URL to upload to")
    body = FileSlice(archive.path, 0, archive.size, upload.cfg.check_parts and not upload.azure)
    request: Request[Any] = s3.put(url, body)
    if upload.azure:
        request = azure.put(url, body, (yield from _content_md5(upload, body)))
    rounds = 0
    while True:
        try:
            yield from transfer(request, Progress(upload.on_progress, archive.size))
            return
        except LumlError as error:
            if upload.azure and is_refused(error):
                break  # its single URL cannot be renewed, but block URLs can be had
            rounds += 1
            if not is_damaged(error) or rounds == _MAX_RESENDS:
                raise
    upload.state.multipart = True
    yield from _put_parts(upload)


def _put_parts(upload: Upload) -> Flow[str]:
    """Send every part and put them together; the object's expected ETag where it is known."""
    state = upload.state
    started_over = False
    while True:
        if not upload.azure and state.upload_id is None:
            if upload.url is None:
                raise DecodeError("the platform gave no URL to begin the multipart upload with")
            state.upload_id = yield from _initiate(upload.url)
            yield from _save_state(upload)  # the URL dies with this process, and the row could not go on without the id
        plan = yield from _request_plan(upload)
        try:
            plan = yield from _send_missing(upload, plan)
            return (yield from _commit(upload, plan)) if upload.azure else (yield from _complete(upload, plan))
        except StorageError as error:
            if error.code != "NoSuchUpload" or started_over or upload.url is None:
                raise
            # The bucket has forgotten the upload; a new one begins, and the old id is never used again.
            started_over = True
            state.upload_id, state.etags, state.parts = None, {}, []


def _initiate(url: str) -> Flow[str]:
    attempt = 0
    while True:
        try:
            return (yield from send(s3.initiate(url)))
        except DecodeError as error:  # an error inside a 200; another upload id costs nothing
            attempt += 1
            yield from back_off(attempt, error)


def _request_plan(upload: Upload) -> Flow[MultipartPlan]:
    state, archive = upload.state, upload.archive
    plan = yield from send(
        uploads.multipart_plan(
            upload.cfg,
            bucket_secret_id=state.bucket_secret_id,
            bucket_location=state.bucket_location,
            size=archive.size,
            upload_id=state.upload_id,
        )
    )
    layout = [(part.start, part.end) for part in plan.parts]
    gaps = [0, *(end for _, end in layout)] != [*(start for start, _ in layout), archive.size]
    if gaps or any(start >= end for start, end in layout):
        raise DecodeError("the platform's parts do not cover the file once, in order")
    if state.parts != layout:
        state.parts, state.etags = layout, {}  # what is stored of an earlier layout does not fit this one
        yield from _save_state(upload)
    return plan


def _send_missing(upload: Upload, plan: MultipartPlan) -> Flow[MultipartPlan]:
    """Send the parts that are missing, with fresh URLs once where one is refused; the plan with the latest URLs."""
    state, archive = upload.state, upload.archive
    renewed: set[int] = set()
    rounds: dict[int, int] = {}
    while missing := [part for part in plan.parts if part.number not in state.etags]:
        done = sum(part.end - part.start for part in plan.parts) - sum(part.end - part.start for part in missing)
        progress = Progress(upload.on_progress, archive.size, done)
        requests: list[Request[str]] = []
        for part in missing:
            requests.append((yield from _part_request(upload, part)))
        outcomes = yield from gather_outcomes(requests, progress, _recorder(upload, missing, requests))
        failure: tuple[Part, LumlError] | None = None
        for part, outcome in zip(missing, outcomes, strict=True):
            if isinstance(outcome, str):
                state.etags[part.number] = outcome
            elif outcome is not None and failure is None:
                failure = part, outcome
        if failure is None:
            continue
        part, error = failure
        if is_refused(error) and part.number not in renewed:
            renewed.add(part.number)
            plan = yield from _request_plan(upload)
        elif is_damaged(error) and rounds.get(part.number, 0) < _MAX_RESENDS:
            rounds[part.number] = rounds.get(part.number, 0) + 1
        else:
            raise error
    return plan


def _part_request(upload: Upload, part: Part) -> Flow[Request[str]]:
    path = upload.archive.path
    if upload.azure:
        digest = yield from _content_md5(upload, FileSlice(path, part.start, part.end - part.start))
        return azure.put_block(part, path, digest)
    return s3.put_part(part, path, md5=upload.cfg.check_parts)


def _content_md5(upload: Upload, body: FileSlice) -> Flow[bytes]:
    """The MD5 that Azure is to compare: its answers carry none, so checking costs a pass before sending."""
    if not upload.cfg.check_parts:
        return b""
    return (yield from local(md5_of, body))


def _recorder(
    upload: Upload, parts: list[Part], requests: list[Request[str]]
) -> Callable[[int, Response], Local | None] | None:
    """Remembers each part as it is stored, so that a crash loses none."""
    journal, state = upload.journal, upload.state
    if journal is None:
        return None

    def on_done(index: int, response: Response) -> Local | None:
        try:
            state.etags[parts[index].number] = requests[index].reply(response)
        except LumlError:
            return None  # the flow sees the same error
        return Local(journal.write, (state,))

    return on_done


def _complete(upload: Upload, plan: MultipartPlan) -> Flow[str]:
    attempt = 0
    renewed = False
    while True:
        etags = [upload.state.etags[part.number] for part in plan.parts]
        expected = s3.composed(etags)
        try:
            yield from send(s3.complete(plan.complete_url, plan.parts, etags))
            return expected
        except StorageError as error:
            if is_refused(error) and not renewed:
                renewed = True
                plan = yield from _request_plan(upload)
                continue
            if error.code != "NoSuchUpload" and not is_unanswered(error) and error.status_code != 503:
                raise
            problem: LumlError = error
        except LumlError as error:
            if not is_unanswered(error):
                raise
            problem = error
        found = yield from probe_object(upload)
        if found is not None and found.size == upload.archive.size and _is_expected_etag(found.etag, expected):
            return expected
        if isinstance(problem, StorageError) and problem.code == "NoSuchUpload":
            raise problem
        attempt += 1
        yield from back_off(attempt, problem)


def _is_expected_etag(etag: str, expected: str) -> bool:
    tag = s3.unquoted(etag)
    return not expected or "-" not in tag or tag == expected


def _commit(upload: Upload, plan: MultipartPlan) -> Flow[str]:
    renewed = resent = False
    while True:
        try:
            yield from send(azure.commit(plan.complete_url, plan.parts))
            return ""
        except StorageError as error:
            if is_refused(error) and not renewed:
                renewed = True
                plan = yield from _request_plan(upload)
            elif error.code == "InvalidBlockList" and not resent:
                resent = True
                upload.state.etags = yield from known_blocks(upload, plan)
                plan = yield from _send_missing(upload, plan)
            else:
                raise


def known_blocks(upload: Upload, plan: MultipartPlan) -> Flow[dict[int, str]]:
    """The blocks that Azure holds already, by part number."""
    cfg, row = upload.cfg, upload.state.artifact_id
    url = (yield from send(artifacts.download_url(cfg, row, collection_id=upload.collection_id)))["url"]
    try:
        held = yield from send(azure.block_list(url))
    except StorageError as error:
        if error.status_code != 404:
            raise
        return {}
    names = {part.number: azure.block_id(part.url) for part in plan.parts}
    return {
        part.number: names[part.number] for part in plan.parts if held.get(names[part.number]) == part.end - part.start
    }


def _save_state(upload: Upload) -> Flow[None]:
    if upload.journal is not None:
        yield from local(upload.journal.write, upload.state)
