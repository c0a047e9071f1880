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
    tag = s3.Completed("")(answer(exchange))
    digest, count = tag.split("-")
    assert s3.is_md5(digest)
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
    whole = md5(b"".join(bytes.fromhex(tag) for tag in tags)).hexdigest() + "-3"  # noqa: S324
    good = f'<CompleteMultipartUploadResult xmlns="x"><ETag>&#34;{whole}&#34;</ETag></CompleteMultipartUploadResult>'
    assert decode(request, Response(200, {}, good.encode())) == whole
    with pytest.raises(IntegrityError):
        decode(request, Response(200, {}, good.replace(whole, "0" * 32 + "-3").encode()))


def test_the_recorded_etag_of_a_whole_is_composed_of_those_of_its_parts() -> None:
    """What we expect of complete is what SeaweedFS answered."""
    exchange = CASES["seaweedfs", "mp_mixed_complete_ok"]
    import re

    tags = re.findall(r"<ETag>(?:&quot;|\")?([0-9a-f]{32})", exchange["body"]["text"])
    assert len(tags) == 3
    assert s3.composed_etag(tags) == s3.Completed(s3.composed_etag(tags))(answer(exchange))


def test_an_etag_that_is_no_md5_is_taken_as_it_is() -> None:
    """Buckets that encrypt with KMS have other ETags: nothing is compared with them."""
    assert s3.composed_etag(["x" * 40, "0" * 32]) == ""
    assert s3.etag(Response(200, {"etag": '"kms-etag"'}, sent_md5="0" * 32)) == "kms-etag"
    answered = b"<CompleteMultipartUploadResult><ETag>other</ETag></CompleteMultipartUploadResult>"
    assert s3.Completed("0" * 32 + "-1")(Response(200, {}, answered)) == "other"


@pytest.mark.parametrize("space", ["", ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'])
def test_an_error_inside_a_200_is_an_error(space: str) -> None:
    """Complete may fail after its status line was sent; only its result document counts."""
    body = f'<?xml version="1.0"?>\n\n<Error{space}><Code>InternalError</Code><Message>We erred</Message></Error>'
    with pytest.raises(StorageError) as caught:
        s3.Completed("")(Response(200, {}, body.encode()))
    assert (caught.value.code, caught.value.status_code) == ("InternalError", 500)
    with pytest.raises(StorageError):
        s3.Completed("")(Response(200))


@of("PUT", 200)
def test_a_stored_part_tells_its_etag(exchange: dict[str, Any]) -> None:
    """The quoted MD5 of what was sent, wherever it was recorded."""
    tag = s3.etag(answer(exchange))
    assert s3.is_md5(tag)
    assert s3.etag(Response(200, {"etag": f'"{tag}"'}, sent_md5=tag)) == tag
    with pytest.raises(IntegrityError):
        s3.etag(Response(200, {"etag": f'"{tag}"'}, sent_md5="0" * 32))


def test_a_part_stored_without_an_etag_cannot_be_completed() -> None:
    """Azure's answers have none, S3's must."""
    with pytest.raises(DecodeError):
        s3.etag(Response(200))
