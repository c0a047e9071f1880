"""Transfers through URLs that somebody else signed: no row, no API key, the guarantees of uploads and downloads."""

from __future__ import annotations

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from luml_lite.config import Config
from luml_lite.core.request import Response
from luml_lite.errors import (
    FileDownloadError,
    FileError,
    FileUploadError,
    IntegrityError,
    InvalidArgumentError,
    StorageError,
)
from luml_lite.operations import presigned_urls
from luml_lite.operations.presigned_urls import download_from, upload_to

from .flow_player import Step, body, broken, play, probe

BYTES = bytes(range(256)) * 1000
SIZE = len(BYTES)
DIGEST = sha256(BYTES).hexdigest()
URL = "https://bucket.example/folder/my%20model.fnnx?X-Amz-Signature=SECRET"
READ = "GET folder/my%20model.fnnx"
REFUSED = StorageError("403; the URL had expired", status_code=403, expired=True)


def fetch(folder: Path, *script: Step, **options: Any) -> None:
    """Play a download into a folder, and see that nothing but the target is there afterwards."""
    target = folder / "copy"
    try:
        play(download_from(Config(), URL, target, **options), *script)
    finally:
        if not options.get("resume"):
            assert set(os.listdir(folder)) <= {"copy"}


def test_size_and_digest_are_compared(tmp_path: Path) -> None:
    """With both given, one request is enough."""
    fetch(tmp_path, (READ, body(BYTES, status=200)), size=SIZE, sha256=DIGEST.upper())
    assert (tmp_path / "copy").read_bytes() == BYTES


@pytest.mark.parametrize("given", [{"size": SIZE + 1}, {"size": SIZE, "sha256": "0" * 64}])
def test_other_bytes_get_no_name(tmp_path: Path, given: dict[str, Any]) -> None:
    """Nothing is published that is not what was asked for."""
    with pytest.raises(IntegrityError):
        fetch(tmp_path, (READ, body(BYTES, status=200)), **given)
    assert os.listdir(tmp_path) == []


def test_without_a_size_the_storage_is_asked(tmp_path: Path) -> None:
    """By a read of the first byte."""
    fetch(tmp_path, (f"{READ} [bytes=0-0]", probe(SIZE)), (READ, body(BYTES, status=200)))
    assert (tmp_path / "copy").read_bytes() == BYTES


def test_an_empty_object(tmp_path: Path) -> None:
    """It has no first byte, which the storage refuses to read."""
    empty = StorageError("416 InvalidRange", status_code=416, code="InvalidRange")
    fetch(tmp_path, (f"{READ} [bytes=0-0]", empty), (READ, body(b"", status=200)))
    assert (tmp_path / "copy").read_bytes() == b""


def test_the_name_in_the_url_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no path is given."""
    monkeypatch.chdir(tmp_path)
    play(download_from(Config(), URL, size=SIZE), (READ, body(BYTES, status=200)))
    assert os.listdir(tmp_path) == ["my model.fnnx"]


def test_a_refused_url_is_renewed_once_a_refusal(tmp_path: Path) -> None:
    """For the size as well, and in the middle of the bytes; what has arrived is not read again."""
    fresh = iter(["https://bucket.example/second?sig=SECRET", "https://bucket.example/third?sig=SECRET"])
    script = (
        (f"{READ} [bytes=0-0]", REFUSED),
        ("GET second [bytes=0-0]", probe(SIZE)),
        ("GET second", broken(BYTES[:100_000])),
        ("AGAIN 1", None),
        ('GET second [bytes=100000- "e"]', REFUSED),
        ('GET third [bytes=100000- "e"]', body(BYTES[100_000:], total=SIZE)),
    )
    fetch(tmp_path, *script, sha256=DIGEST, renew=lambda: next(fresh))
    assert (tmp_path / "copy").read_bytes() == BYTES
    assert next(fresh, None) is None


@pytest.mark.parametrize("size", [SIZE, None])
def test_without_renew_a_refusal_ends_the_download(tmp_path: Path, size: int | None) -> None:
    """The error shows no signature."""
    with pytest.raises(FileDownloadError, match=r"my model.fnnx was not downloaded: .*expired") as caught:
        fetch(tmp_path, (READ if size else f"{READ} [bytes=0-0]", REFUSED), size=size)
    assert "SECRET" not in repr(caught.value)


def test_what_renew_raises_or_returns_is_seen(tmp_path: Path) -> None:
    """It is the caller's own error, and a value that is no URL is one as well."""

    def broken_renew() -> str:
        raise KeyError("no session")

    with pytest.raises(KeyError, match="no session"):
        fetch(tmp_path, (READ, REFUSED), size=SIZE, renew=broken_renew)
    with pytest.raises((InvalidArgumentError, FileDownloadError), match="http"):
        fetch(tmp_path, (READ, REFUSED), size=SIZE, renew=lambda: None)


def test_a_later_call_continues_where_the_digest_is_known(tmp_path: Path) -> None:
    """Without a digest nobody can tell whether the earlier bytes are this object's, so none are kept."""
    lost = StorageError("500", status_code=500)
    for given in ({"sha256": DIGEST}, {}):
        cut = (READ, broken(BYTES[:100_000])), ("AGAIN 1", lost)
        with pytest.raises(FileDownloadError):
            fetch(tmp_path, *cut, size=SIZE, resume=True, **given)
        assert len(os.listdir(tmp_path)) == len(given)
        if given:
            rest = ("GET folder/my%20model.fnnx [bytes=100000-]", body(BYTES[100_000:], total=SIZE))
            fetch(tmp_path, rest, size=SIZE, resume=True, **given)
            assert (tmp_path / "copy").read_bytes() == BYTES
            (tmp_path / "copy").unlink()


@pytest.mark.parametrize(
    "options", [{"sha256": "abc"}, {"url": "bucket/x"}, {"url": None}, {"size": -1}, {"size": 2**63}]
)
def test_wrong_arguments(options: dict[str, Any]) -> None:
    """They are seen before anything is sent."""
    with pytest.raises(InvalidArgumentError):
        play(download_from(Config(), **({"url": URL} | options)))


async def a_coroutine() -> str:
    return URL


def test_a_coroutine_function_is_no_renew() -> None:
    """Nobody would await it."""
    with pytest.raises(InvalidArgumentError, match="renew must be a plain function"):
        play(download_from(Config(), URL, renew=a_coroutine))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A file to send; no archive."""
    path = tmp_path / "notes.bin"
    path.write_bytes(BYTES)
    return path


@pytest.mark.parametrize(("query", "headers"), [("X-Amz-Signature=SECRET", ()), ("sv=2025&sig=SECRET", 1)])
def test_any_file_is_sent_with_one_put(source: Path, query: str, headers: Any) -> None:
    """Azure needs a header; both tell an ETag."""

    def stored(batch: Any) -> Response:
        (request,) = batch.requests
        assert (("x-ms-blob-type", "BlockBlob") in request.headers) == bool(headers)
        assert (request.body.path, request.body.length) == (str(source), SIZE)
        return Response(201 if headers else 200, {"etag": '"tag"', "x-ms-request-id": "1"})

    url = f"https://bucket.example/x?{query}"
    assert play(upload_to(Config(), url, source), ("PUT x", stored)) == "tag"


def test_a_file_that_changes_or_is_refused(source: Path) -> None:
    """Neither counts as uploaded."""

    def grow(_: Any) -> Response:
        source.write_bytes(b"other")
        return Response(200, {"etag": '"tag"'})

    with pytest.raises(FileUploadError, match="changed"):
        play(upload_to(Config(), URL, source), ("PUT folder/my%20model.fnnx", grow))
    with pytest.raises(FileUploadError, match="expired"):
        play(upload_to(Config(), URL, source), ("PUT folder/my%20model.fnnx", REFUSED))


def test_files_that_cannot_be_sent(tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are errors before anything is sent."""
    checks: list[Callable[[], Any]] = [
        lambda: play(upload_to(Config(), URL, tmp_path)),
        lambda: play(upload_to(Config(), URL, tmp_path / "missing")),
    ]
    for check in checks:
        with pytest.raises(FileError):
            check()
    with open(source, "r+b") as file:
        file.truncate(presigned_urls.MAX_PUT_SIZE + 1)
    with pytest.raises(FileError, match="more than the 5368709120"):
        play(upload_to(Config(), URL, source))
