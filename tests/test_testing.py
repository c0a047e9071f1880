"""The test doubles that users import: scripted answers, also for downloads, and a model that is always the same."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

import luml_lite
from luml_lite import Config, Request, Response
from luml_lite.testing import Scripted, json_response, write_model

ID = "0199c455-21ec-7c74-8efe-41470e29bae5"
BODY = bytes(range(256)) * 40
ROW = {
    "id": ID,
    "collection_id": ID,
    "file_name": "m.fnnx",
    "file_hash": sha256(BODY).hexdigest(),
    "size": len(BODY),
    "status": "uploaded",
}
URL = json_response({"url": "https://bucket.example/m?X-Amz-Signature=s"})


def config(*answers: Any) -> Config:
    return Config(api_key="k", organization=ID, orbit=ID, collection=ID, transport=Scripted(answers))


def test_a_scripted_download_writes_the_file(tmp_path: Path) -> None:
    progress: list[tuple[int, int]] = []
    cfg = config(json_response(ROW), URL, Response(200, {"content-length": str(len(BODY))}, BODY))
    luml_lite.download(cfg, ID, tmp_path / "m", on_progress=lambda done, total: progress.append((done, total)))
    assert (tmp_path / "m").read_bytes() == BODY
    assert progress[-1] == (len(BODY), len(BODY))


def test_a_function_may_answer_a_download(tmp_path: Path) -> None:
    """It gets the request with the file that the body is to be written to."""

    def answer(request: Request[Any]) -> Response:
        assert request.into is not None
        return Response(200, {}, BODY)

    luml_lite.download(config(json_response(ROW), URL, answer), ID, tmp_path / "m")
    assert (tmp_path / "m").read_bytes() == BODY


def test_other_bytes_than_the_artifacts_leave_no_file(tmp_path: Path) -> None:
    cfg = config(json_response(ROW), URL, Response(200, {}, BODY[::-1]))
    with pytest.raises(luml_lite.IntegrityError, match="sha256"):
        luml_lite.download(cfg, ID, tmp_path / "m")
    assert [*tmp_path.iterdir()] == []


def test_the_body_of_an_error_is_not_written(tmp_path: Path) -> None:
    refusal = Response(404, {}, b"<Error><Code>NoSuchKey</Code></Error>")
    with pytest.raises(luml_lite.FileDownloadError, match="NoSuchKey"):
        luml_lite.download(config(json_response(ROW), URL, refusal, URL, refusal), ID, tmp_path / "m")


def test_the_same_arguments_write_the_same_model(tmp_path: Path) -> None:
    """Examples that upload it twice find it there; other metrics give another digest."""
    write_model(tmp_path / "a", {"F1": 0.5})
    write_model(str(tmp_path / "b"), {"F1": 0.5})
    write_model(tmp_path / "c", {"F1": 0.6})
    a, b, c = ((tmp_path / name).read_bytes() for name in "abc")
    assert a == b != c
