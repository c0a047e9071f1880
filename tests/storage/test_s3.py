"""The requests of a multipart upload to S3, and the recorded answers to them."""

from __future__ import annotations

from hashlib import md5
from typing import Any

import pytest

from luml_lite.core.flow import decode
from luml_lite.core.request import Response
from luml_lite.errors import DecodeError, IntegrityError, StorageError
from luml_lite.storage import s3

from ..recorded_exchanges import answer, named
from .recorded import CASES, COMPLETED, of, text, url_of


@pytest.mark.parametrize("case", [("seaweedfs", "mp_mixed_initiate"), ("rclone", "mp_initiate_no_xmlns")])
def test_initiate_tells_the_upload_id_with_and_without_a_namespace(case: tuple[str, str]) -> None:
    """The same parser reads both, and the request is an empty POST that may be repeated."""
    exchange = CASES[case]
    request = s3.initiate(url_of(exchange))
    assert (request.method, request.body, request.headers, request.repeatable) == ("POST", b"", (), True)
    assert f"<UploadId>{decode(request, answer(exchange))}</UploadId>" in text(exchange)


@pytest.mark.parametrize("body", [b"", b"<a/>", b"<UploadId></UploadId>", b"\xff"])
def test_an_initiate_answer_without_an_upload_id_is_a_decode_error(body: bytes) -> None:
    """Nothing can be uploaded to an upload without an id."""
    with pytest.raises(DecodeError):
        decode(s3.initiate("https://b.example/k?uploads="), Response(200, {}, body))


@pytest.mark.parametrize("exchange", COMPLETED, ids=named)
def test_a_recorded_complete_tells_the_etag(exchange: dict[str, Any]) -> None:
    """ETags are unescaped and without quotes, so that they can be compared."""
    tag = s3.object_etag(answer(exchange))
    digest, count = tag.split("-")
    assert len(bytes.fromhex(digest)) == 16
    assert count.isdigit()
    assert digest in text(exchange)


def test_complete_lists_every_part_in_order_with_quoted_etags() -> None:
    """The document that both SeaweedFS and rclone were recorded to accept, and the ETag that it must make."""
    tags = [md5(bytes([number])).hexdigest() for number in range(3)]  # noqa: S324
    request = s3.complete("https://b.example/k?uploadId=u", dict(enumerate(tags, 1)))
    rows = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>&quot;{tag}&quot;</ETag></Part>"
        for number, tag in enumerate(tags, 1)
    )
    assert request.body == f"<CompleteMultipartUpload>{rows}</CompleteMultipartUpload>".encode()
    assert not request.repeatable
    assert request.patient  # a server may send blanks for minutes while it puts many parts together
    good = '<CompleteMultipartUploadResult xmlns="x"><ETag>&#34;x-3&#34;</ETag></CompleteMultipartUploadResult>'
    assert decode(request, Response(200, {}, good.encode())) == "x-3"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"etag": '"kms-etag"'},
        {"etag": f'"{"1" * 32}-1"'},
        {"etag": f'"{"1" * 32}"', "x-amz-server-side-encryption": "aws:kms"},
        {"etag": f'"{"1" * 32}"', "x-amz-server-side-encryption": "aws:kms:dsse"},
        {"etag": f'"{"1" * 32}"', "x-amz-server-side-encryption-customer-algorithm": "AES256"},
    ],
)
def test_an_etag_that_cannot_be_the_md5_is_not_compared(headers: dict[str, str]) -> None:
    """check_parts says so, and only where it was asked for."""
    tag = s3.etag(Response(200, headers))
    with pytest.warns(UserWarning, match="check_parts has no effect"):
        assert s3.etag(Response(200, headers, sent_md5="0" * 32)) == tag


@pytest.mark.parametrize("tag", ['"{}"', "{}", 'W/"{}"', ' "{}" '])
def test_an_etag_is_read_quoted_unquoted_and_weak(tag: str) -> None:
    """It is the same MD5 in every form."""
    value = "1" * 32
    assert s3.etag(Response(200, {"etag": tag.format(value)}, sent_md5=value)) == value
    with pytest.raises(IntegrityError):
        s3.etag(Response(200, {"etag": tag.format(value)}, sent_md5="0" * 32))


@pytest.mark.parametrize("space", ["", ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'])
def test_an_error_inside_a_200_is_an_error(space: str) -> None:
    """Complete may fail after its status line was sent; only its result document counts."""
    body = f'<?xml version="1.0"?>\n\n<Error{space}><Code>InternalError</Code><Message>We erred</Message></Error>'
    with pytest.raises(StorageError) as caught:
        s3.object_etag(Response(200, {}, body.encode()))
    assert (caught.value.code, caught.value.status_code) == ("InternalError", 500)
    with pytest.raises(StorageError):
        s3.object_etag(Response(200))


@of("PUT", 200)
def test_a_stored_part_tells_its_etag(exchange: dict[str, Any]) -> None:
    """The quoted MD5 of what was sent, wherever it was recorded."""
    tag = s3.etag(answer(exchange))
    assert len(bytes.fromhex(tag)) == 16
    assert s3.etag(Response(200, {"etag": f'"{tag}"'}, sent_md5=tag)) == tag
    with pytest.raises(IntegrityError):
        s3.etag(Response(200, {"etag": f'"{tag}"'}, sent_md5="0" * 32))


def test_a_page_without_an_etag_is_not_a_bucket_s_answer() -> None:
    """A bucket that tells no ETag has no body either."""
    assert s3.etag(Response(200)) == ""
    with pytest.raises(DecodeError, match="proxy"):
        s3.etag(Response(200, {}, b"<html>"))
