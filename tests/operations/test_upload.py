"""Uploads step by step: the file is read for real, the row tells the truth, the journal goes on after a crash."""

from __future__ import annotations

import os
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from luml_lite.core.request import Response
from luml_lite.errors import (
    ConfigurationError,
    ConnectionFailed,
    DecodeError,
    FileError,
    FileUploadError,
    IntegrityError,
    InternalServerError,
    Interrupted,
    InvalidArgumentError,
    StorageError,
)
from luml_lite.files.archive import Archive
from luml_lite.models.artifacts import ModelArtifact
from luml_lite.operations.upload import upload
from luml_lite.testing import json_response

from .flow_player import CFG, Step, artifact, lost, page, play, probe, uid, url
from .put_object_steps import LOOK

ASK = ("GET artifacts/1/download-url", url("object"))
FAILED = ("PATCH artifacts/1 upload_failed", json_response(artifact(1, status="upload_failed")))
STORED = Response(200, {"etag": '"x"'})


def created(archive: Archive, *, multipart: bool = False, number: int = 1, kind: str = "s3") -> Step:
    """The answer to the create."""
    details = {"type": kind, "url": "https://bucket.example/first?sig=SECRET", "multipart": multipart}
    row = artifact(number, status="pending_upload", size=archive.size, file_hash=archive.sha256)
    return "POST artifacts", json_response({"artifact": row, "upload_details": details})


def confirmed(archive: Archive, number: int = 1) -> list[Step]:
    """The PATCH, whose answer is the row."""
    row = json_response(artifact(number, status="uploaded", size=archive.size, file_hash=archive.sha256))
    return [(f"PATCH artifacts/{number} uploaded", row)]


def proof(archive: Archive) -> list[Step]:
    """The look at the object."""
    return [ASK, (LOOK, probe(archive.size))]


def test_an_upload_is_row_bytes_proof_and_confirmation(archive: Archive) -> None:
    """In this order, and the confirmed row comes back."""
    found = play(
        upload(CFG, archive.path), created(archive), ("PUT first", STORED), *proof(archive), *confirmed(archive)
    )
    assert isinstance(found, ModelArtifact)
    assert (found.id, found.status) == (uid(1), "uploaded")


MD5 = "0123456789abcdef" * 2
PROOFS = [
    Response(200, {"etag": f'"{MD5}"'}, sent_md5=MD5),
    Response(200, {"etag": '"of-a-larger-file"', "x-amz-request-id": "1"}),
    Response(201, {"content-md5": b64encode(bytes.fromhex(MD5)).decode()}, sent_md5=MD5),
    Response(201, {"x-ms-request-id": "1"}, sent_md5=MD5),
]
NO_PROOFS = [
    Response(200, {"etag": f'"{"0" * 32}"', "x-amz-request-id": "1"}, sent_md5=MD5),
    Response(200, {"etag": '"x"'}),
    Response(200, {"etag": '"x"', "x-amz-request-id": "1"}, b"<html>"),
    Response(200, {}),
    Response(201, {"content-md5": b64encode(bytes(16)).decode(), "x-ms-request-id": "1"}, sent_md5=MD5),
]


@pytest.mark.parametrize("answer", PROOFS)
def test_an_answer_that_proves_itself_is_enough(archive: Archive, answer: Response) -> None:
    """Three requests: nobody but the bucket knows the MD5 of the bytes, or has an id for the request."""
    kind = "azure" if answer.status == 201 else "s3"
    play(upload(CFG, archive.path), created(archive, kind=kind), ("PUT first", answer), *confirmed(archive))


@pytest.mark.parametrize("answer", NO_PROOFS)
def test_any_other_answer_leads_to_a_look_at_the_object(archive: Archive, answer: Response) -> None:
    """Another MD5, a page, or nothing that only the bucket can say; a short object is an error then."""
    kind = "azure" if answer.status == 201 else "s3"
    start = created(archive, kind=kind), ("PUT first", answer)
    play(upload(CFG, archive.path), *start, *proof(archive), *confirmed(archive))
    with pytest.raises(FileUploadError, match="holds 5 bytes"):
        play(upload(CFG, archive.path), *start, ASK, (LOOK, probe(5)), FAILED)


def test_the_same_bytes_and_name_are_reused(archive: Archive) -> None:
    """On any page of a search by its name; other bytes, another name or another state are not the same."""
    facts: dict[str, Any] = {
        "file_hash": archive.sha256,
        "size": archive.size,
        "name": "a name",
        "file_name": archive.file_name,
    }
    others = [
        artifact(2, **facts | {"file_hash": "0" * 64}),
        artifact(3, **facts | {"name": "another"}),
        artifact(4, **facts | {"status": "pending_deletion"}),
    ]
    flow = upload(CFG, archive.path, "a name", if_exists="reuse")
    first = ("GET artifacts", page(*others, cursor="c"))
    found = play(flow, first, ("GET artifacts from c", page(artifact(5, **facts))))
    assert found.id == uid(5)
    flow = upload(CFG, archive.path, "a name", if_exists="reuse")
    rest = [created(archive), ("PUT first", STORED), *proof(archive), *confirmed(archive)]
    assert play(flow, ("GET artifacts", page(*others)), *rest).id == uid(1)


def test_a_file_that_changed_meanwhile_is_never_confirmed(archive: Archive) -> None:
    """What was hashed is not what was sent."""

    def change(request: Any) -> Response:
        os.utime(archive.path, ns=(0, archive.stamp[1] + 1))
        return STORED

    with pytest.raises(FileUploadError, match="changed") as caught:
        play(upload(CFG, archive.path), created(archive), ("PUT first", change), *proof(archive), FAILED)
    assert isinstance(caught.value.__cause__, IntegrityError)


def test_a_row_without_a_proper_id_is_refused_before_a_byte_is_sent(archive: Archive) -> None:
    """The id goes into paths: it must look like one."""
    row = artifact(1, id="../../organizations", status="pending_upload")
    said = json_response({"artifact": row, "upload_details": {"type": "s3", "url": "https://bucket.example/first"}})
    with pytest.raises(DecodeError, match="id"):
        play(upload(CFG, archive.path), ("POST artifacts", said))


def test_a_failure_marks_the_row_and_names_it(archive: Archive) -> None:
    """The cause is kept, the row's id is named, and no secret is."""
    denied = StorageError("403 AccessDenied", status_code=403, code="AccessDenied")
    with pytest.raises(FileUploadError, match="AccessDenied") as caught:
        play(upload(CFG, archive.path), created(archive), ("PUT first", denied), FAILED)
    assert caught.value.__cause__ is denied
    assert caught.value.artifact_id == uid(1)
    assert "SECRET" not in repr(caught.value)


def test_an_unknown_type_of_bucket_marks_the_row(archive: Archive) -> None:
    """Nothing was sent to the bucket, and the error says which type it is."""
    with pytest.raises(FileUploadError, match="'tape'") as caught:
        play(upload(CFG, archive.path), created(archive, kind="tape"), FAILED)
    assert isinstance(caught.value.__cause__, ConfigurationError)
    assert caught.value.artifact_id == uid(1)


@pytest.mark.parametrize("trouble", [lost(), InternalServerError("500", status_code=500)])
def test_trouble_with_the_mark_never_hides_the_cause(archive: Archive, trouble: Exception) -> None:
    """The upload's own error comes out."""
    denied = StorageError("403 AccessDenied", status_code=403)
    with pytest.raises(FileUploadError) as caught:
        play(
            upload(CFG, archive.path),
            created(archive),
            ("PUT first", denied),
            ("PATCH artifacts/1 upload_failed", trouble),
        )
    assert caught.value.__cause__ is denied


def test_an_interruption_marks_the_row_and_goes_on_as_it_was(archive: Archive) -> None:
    """Without resume the row can never become good again."""
    with pytest.raises(Interrupted):
        play(upload(CFG, archive.path), created(archive), ("PUT first", Interrupted("x")), FAILED)


def test_a_failed_create_marks_nothing(archive: Archive) -> None:
    """There is no row of ours."""
    with pytest.raises(ConnectionFailed):
        play(upload(CFG, archive.path), ("POST artifacts", ConnectionFailed("no route", sent=False)))


def test_what_cannot_work_is_told_before_the_file_is_read(tmp_path: Path, archive: Archive) -> None:
    """A missing collection, a bad option, and a file that is no model: no request at all."""
    with pytest.raises(ConfigurationError):
        play(upload(CFG.replace(collection=None), archive.path))
    with pytest.raises(ConfigurationError):
        play(upload(CFG.replace(orbit=None), tmp_path / "missing.fnnx"))
    with pytest.raises(InvalidArgumentError):
        play(upload(CFG, archive.path, if_exists="overwrite"))  # type: ignore[arg-type]
    with pytest.raises(FileError):
        play(upload(CFG, tmp_path / "missing.fnnx"))
    with pytest.raises(FileError, match="max_file_size"):
        play(upload(CFG.replace(max_file_size=100), archive.path))
