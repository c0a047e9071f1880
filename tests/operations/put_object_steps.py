"""The requests that put one object into a bucket, as lines of a script, with the answers to them."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import md5
from itertools import pairwise
from typing import Any

from luml_lite.core.request import Response
from luml_lite.errors import StorageError
from luml_lite.files.archive import Archive
from luml_lite.files.journal import UploadState
from luml_lite.operations.put_object import Upload
from luml_lite.testing import json_response

from .flow_player import CFG, Step, probe, uid, url

TAGS = [md5(bytes([number])).hexdigest() for number in range(3)]  # noqa: S324
WHOLE = f"{md5(b''.join(map(bytes.fromhex, TAGS))).hexdigest()}-3"  # noqa: S324
EXPIRED = StorageError("403 AccessDenied; the URL had expired", status_code=403, code="AccessDenied", expired=True)
NO_UPLOAD = StorageError("404 NoSuchUpload", status_code=404, code="NoSuchUpload")
PLAN = "POST bucket-secrets/upload/multipart"
ASK = ("GET artifacts/1/download-url", url("object"))
LOOK = "GET object [bytes=0-0]"


def upload(archive: Archive, kind: str = "s3", *, multipart: bool = True, **changes: Any) -> Upload:
    """An upload that is about to begin."""
    record = UploadState(
        artifact_id=uid(1),
        sha256=archive.sha256,
        size=archive.size,
        type=kind,
        multipart=multipart,
        bucket_location="key",
        bucket_secret_id=uid(9),
    )
    cfg = CFG.replace(**changes)
    return Upload(cfg, archive, record, "https://bucket.example/first?X-Amz-Signature=SECRET", None)


def begun(upload_id: str = "u1") -> Response:
    """The answer to initiate."""
    return Response(200, {}, f"<R><UploadId>{upload_id}</UploadId></R>".encode())


def plan(archive: Archive, turn: str, kind: str = "s3", cuts: Sequence[int] = (1000, 2000)) -> Response:
    """URLs for three parts, named after the turn in which they were asked for."""
    edges = [0, *cuts, archive.size]
    parts = [
        {
            "part_number": number,
            "url": f"https://bucket.example/{turn}{number}?sig=SECRET&comp=block&blockid=b{number}",
            "start_byte": start,
            "end_byte": end - 1,
            "part_size": end - start,
        }
        for number, (start, end) in enumerate(pairwise(edges), 1)
    ]
    said = {"type": kind, "parts": parts, "complete_url": f"https://bucket.example/{turn}end?sig=SECRET"}
    return json_response(said if kind == "azure" else said | {"upload_id": "u1"})


def puts(turn: str, *numbers: int) -> Any:
    """The lines of a batch of parts."""
    lines = [f"PUT {turn}{number}" for number in numbers]
    return lines if len(lines) > 1 else lines[0]


def tags(*numbers: int) -> list[Response]:
    """Their good answers."""
    return [Response(200, {"etag": f'"{TAGS[number - 1]}"'}) for number in numbers]


def completed(tag: str = WHOLE) -> Response:
    """A good answer to complete."""
    document = "<CompleteMultipartUploadResult><ETag>&quot;{}&quot;</ETag></CompleteMultipartUploadResult>"
    return Response(200, {}, document.format(tag).encode())


def proof(archive: Archive, etag: str = WHOLE) -> tuple[Step, Step]:
    """The look at the end that finds the whole object."""
    return ASK, (LOOK, probe(archive.size, f'"{etag}"'))


def opened(archive: Archive) -> tuple[Step, Step]:
    """Initiate and the first plan."""
    return ("POST first", begun()), (PLAN, plan(archive, "a"))


INSIDE = Response(200, {}, b"<Error><Code>InternalError</Code></Error>")
MISSING = StorageError("404 NoSuchKey", status_code=404, code="NoSuchKey")
STORED = Response(201)
