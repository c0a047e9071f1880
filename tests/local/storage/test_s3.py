"""Multipart uploads to the registry's storage in S3 style."""

from __future__ import annotations

from pathlib import Path

import pytest

from luml_lite.local.registry import Registry
from luml_lite.local.storage.buckets import Layout
from luml_lite.local.storage.object_index import ObjectName

from ..client import Bytes, RegistryClient, completion, element
from .uploads import Upload, file_count, md5_hex


@pytest.fixture
def upload(client: RegistryClient) -> Upload:
    """An upload in three parts."""
    return Upload(client, b"a" * 1000 + b"b" * 1000 + b"c" * 500)


def test_a_completion_joins_the_parts_and_can_be_repeated(client: RegistryClient, upload: Upload) -> None:
    upload.begin()
    sent = [(client.ask("PUT", url, piece), piece) for url, piece in upload.pieces()]
    etags = [answer.headers["etag"] for answer, _ in sent]
    assert etags == [f'"{md5_hex(piece)}"' for _, piece in sent]
    complete = str(upload.parts()["complete_url"])
    first = client.ask("POST", complete, completion(etags))
    joined = b"".join(bytes.fromhex(md5_hex(piece)) for _, piece in sent)
    assert element(first.body, "ETag") == f'"{md5_hex(joined)}-3"'
    assert client.ask("POST", complete, completion(etags)).body == first.body
    assert upload.download().body == upload.content  # type: ignore[attr-defined]
    assert file_count(client.registry) == 3


def test_an_incomplete_or_wrong_list_of_parts_is_refused_and_loses_nothing(
    client: RegistryClient, upload: Upload
) -> None:
    upload.begin()
    complete = str(upload.parts()["complete_url"])
    etags = [client.ask("PUT", url, piece).headers["etag"] for url, piece in upload.pieces()]
    for listed, code in (
        (completion([*etags[:2], '"0"']), "InvalidPart"),
        (completion([*etags, etags[0]]), "InvalidPart"),
        (completion([]), "MalformedXML"),
        (b"<CompleteMultipartUpload>", "MalformedXML"),
        (completion(etags).replace(b"<PartNumber>1<", b"<PartNumber>3<"), "InvalidPartOrder"),
    ):
        answer = client.ask("POST", complete, listed)
        assert (answer.status, element(answer.body, "Code")) == (400, code)
    assert client.ask("POST", complete, completion(etags)).status == 200


def test_a_part_sent_again_replaces_the_earlier_one(client: RegistryClient, upload: Upload) -> None:
    upload.begin()
    etags = [client.ask("PUT", url, piece).headers["etag"] for url, piece in upload.pieces()]
    url = next(upload.pieces())[0]
    again = client.ask("PUT", url, b"z" * 1000).headers["etag"]
    complete = str(upload.parts()["complete_url"])
    assert element(client.ask("POST", complete, completion(etags)).body, "Code") == "InvalidPart"
    assert client.ask("POST", complete, completion([again, *etags[1:]])).status == 200
    assert file_count(client.registry) == 3


def test_small_parts_are_refused_but_for_the_last(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "r", layout=Layout(1000, None))
    client = RegistryClient(registry)
    upload = Upload(client, b"x" * 1001)
    upload.begin()
    complete = str(upload.parts()["complete_url"])
    url = next(upload.pieces())[0]
    first = client.ask("PUT", url, b"x")
    second_key = upload.details["bucket_location"]
    stored = registry.files.receive(Bytes(b"y"), lambda _: None)
    registry.objects.add_part(ObjectName(upload.details["bucket_secret_id"], second_key), str(upload.id), 2, stored)
    answer = client.ask("POST", complete, completion([first.headers["etag"], md5_hex(b"y")]))
    assert element(answer.body, "Code") == "EntityTooSmall"
    registry.close()


def test_an_aborted_upload_is_gone_with_its_parts(client: RegistryClient, upload: Upload) -> None:
    upload_id = upload.begin()
    for url, piece in upload.pieces():
        client.ask("PUT", url, piece)
    bucket = client.registry.names.bucket_secret
    assert client.registry.objects.abort_upload(ObjectName(bucket, upload.details["bucket_location"]), upload_id)
    assert file_count(client.registry) == 0
    answer = client.ask("PUT", next(upload.pieces())[0], b"x")
    assert (answer.status, element(answer.body, "Code")) == (404, "NoSuchUpload")
