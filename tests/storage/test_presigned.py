"""Every storage request, and every recorded answer of SeaweedFS, rclone, moto and Azurite to one."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from hashlib import md5
from typing import Any

import pytest

from luml_lite.core.flow import decode
from luml_lite.core.request import FileSink, FileSlice, Request, Response, no_content
from luml_lite.errors import DecodeError, IntegrityError, StorageError
from luml_lite.storage import azure, presigned, s3

from ..recorded_exchanges import answer, named, recorded

EXCHANGES = recorded("storage")
CASES = {(each["server"], each["case"]): each for each in EXCHANGES}


def url_of(exchange: dict[str, Any]) -> str:
    """The presigned URL that an exchange went to."""
    return f"https://bucket.example{exchange['path']}?{exchange['query']}"


def text(exchange: dict[str, Any]) -> str:
    """The recorded body of an answer."""
    return str((exchange["answer"] or {}).get("text", ""))


def of(method: str, *statuses: int) -> Any:
    """A table of the exchanges of one method that ended with one of the statuses."""
    rows = [each for each in EXCHANGES if each["method"] == method and each["status"] in statuses]
    return pytest.mark.parametrize("exchange", rows, ids=named)


REFUSED = [each for each in EXCHANGES if each["status"] >= 300]


@pytest.mark.parametrize("exchange", REFUSED, ids=named)
def test_a_recorded_refusal_becomes_a_storage_error(exchange: dict[str, Any]) -> None:
    """The vendor's code is found in whatever way it is told, and no query is."""
    url = url_of(exchange)
    error = presigned.storage_error(Request(method="GET", url=url, presigned=True, reply=no_content), answer(exchange))
    assert error.status_code == exchange["status"]
    if exchange["method"] == "HEAD":
        assert error.code == ""  # an answer to HEAD has no body: one more reason to send none
    else:
        assert f"<Code>{error.code}</Code>" in text(exchange)
        assert error.code
        assert error.code in str(error)
    assert error.expired == ("expired" in exchange["case"])
    assert "Signature=" not in str(error) + repr(error) + repr(pickle.dumps(error))


@pytest.mark.parametrize(
    ("server", "case", "status", "code"),
    [
        ("seaweedfs", "url_put_expired", 403, "AccessDenied"),
        ("rclone", "url_put_expired", 400, "AccessDenied"),
        ("azurite", "url_put_expired", 403, "AuthorizationFailure"),
        ("azurite", "url_block_expired", 403, "AuthorizationFailure"),
        ("seaweedfs", "mp_mixed_complete_wrong_etag", 400, "InvalidPart"),
        ("rclone", "mp_complete_wrong_etag", 400, "InvalidPart"),
        ("seaweedfs", "mp_mixed_part_put_after_complete", 404, "NoSuchUpload"),
        ("rclone", "amb_complete_repeat", 404, "NoSuchUpload"),
        ("seaweedfs", "int_put_wrong_md5", 400, "BadDigest"),
        ("seaweedfs", "complete_too_small_parts", 400, "EntityTooSmall"),
        ("azurite", "az_commit_missing_block3", 400, "InvalidBlockList"),
        ("azurite", "az_probe_uncommitted", 404, "BlobNotFound"),
    ],
)
def test_the_codes_that_flows_decide_by_are_told(server: str, case: str, status: int, code: str) -> None:
    """Each vendor's status and code, as recorded, come out of the error."""
    exchange = CASES[server, case]
    request: Request[None] = Request(method="PUT", url=url_of(exchange), presigned=True, reply=no_content)
    error = presigned.storage_error(request, answer(exchange))
    assert (error.status_code, error.code) == (status, code)


def test_expiry_is_the_urls_own_against_the_servers_clock() -> None:
    """S3 counts from a date, Azure names the end; a wrong signature of a living URL has not expired."""
    s3_url = "https://b.example/k?X-Amz-Date=20261123T180000Z&X-Amz-Expires=43200&X-Amz-Signature=s"
    azure_url = "https://a.example/k?se=2026-11-24T06%3A00%3A00Z&sp=r&sig=s"
    for url in (s3_url, azure_url):
        assert presigned.expiry(url) == datetime(2026, 11, 24, 6, tzinfo=UTC)
        assert presigned.has_expired(url, "Tue, 24 Nov 2026 06:00:00 GMT")
        assert not presigned.has_expired(url, "Tue, 24 Nov 2026 05:59:59 GMT")
        assert not presigned.has_expired(url, "")
        assert not presigned.has_expired(url, "no date")


@pytest.mark.parametrize(
    "query", ["", "X-Amz-Date=x&X-Amz-Expires=1", "X-Amz-Date=20261123T180000Z", "se=soon", "se=2026-11-24"]
)
def test_a_url_without_a_readable_expiry_never_breaks(query: str) -> None:
    """Whatever a vendor's URL looks like, asking when it ends gives an answer."""
    ends = presigned.expiry(f"https://b.example/k?{query}")
    assert ends is None or ends.tzinfo is not None


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


COMPLETED = [each for each in EXCHANGES if each["method"] == "POST" and "CompleteMultipartUploadResult" in text(each)]


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


@pytest.mark.parametrize(
    ("server", "case", "expected"),
    [
        ("seaweedfs", "int_range_mid", (5000, 5010, 10000)),
        ("seaweedfs", "int_range_end_beyond", (9990, 10000, 10000)),
        ("rclone", "int_range_mid", (50, 60, 100)),
        ("azurite", "int_range_start_at_size_416", (10000, 10000, 10000)),
        ("seaweedfs", "int_range_start_at_size_416", None),
        ("seaweedfs", "int_get_full", None),
        ("azurite", "az_probe", (0, 1, 73400320)),
    ],
)
def test_a_content_range_is_half_open_on_206_and_on_200(
    server: str, case: str, expected: tuple[int, int, int] | None
) -> None:
    """The wire's inclusive end becomes exclusive; rclone's 200 with Content-Range counts as well."""
    found = presigned.content_range(answer(CASES[server, case]))
    assert (found and (found.start, found.end, found.total)) == expected


@of("GET", 200, 206)
def test_a_recorded_ranged_read_is_what_was_asked_for_or_refused(exchange: dict[str, Any]) -> None:
    """read_range takes exactly its range, and every recorded answer that carries another one is told."""
    said = answer(exchange)
    found = presigned.content_range(said)
    if found is None:
        with pytest.raises(DecodeError):
            decode(presigned.read_range("https://b.example/k", 0, 5), said)
        return
    request = presigned.read_range("https://b.example/k", found.start, found.end)
    if found.end > found.start:
        assert decode(request, said) == said.body
        assert request.headers == (("Range", f"bytes={found.start}-{found.end - 1}"),)
        with pytest.raises(DecodeError):
            decode(request, Response(said.status, said.headers, said.body[:-1]))
    with pytest.raises(DecodeError):
        decode(presigned.read_range("https://b.example/k", found.start + 1, found.end + 1), said)


def test_a_probe_tells_size_and_etag_by_one_byte() -> None:
    """The whole size stands in Content-Range, on 206 and on rclone's 200."""
    for key, size in {
        ("seaweedfs", "mp_mixed_probe"): 73400320,
        ("rclone", "amb_complete_lost_probe"): 6291456,
        ("azurite", "az_probe"): 73400320,
    }.items():
        request = presigned.probe("https://b.example/k?sig=s")
        assert (request.method, request.headers, request.limit) == ("GET", (("Range", "bytes=0-0"),), 1)
        found = decode(request, answer(CASES[key]))
        assert (found.size, found.etag) == (size, CASES[key]["headers"]["etag"])
    with pytest.raises(DecodeError):
        decode(presigned.probe("https://b.example/k"), Response(200, {"etag": '"x"'}, b"x"))


def test_a_read_is_guarded_only_where_it_goes_on() -> None:
    """From the start there is nothing to guard; behind some bytes the ETag goes into If-Match, never If-Range."""
    start = presigned.read("https://b.example/k", FileSink("/x"), etag='"e"')
    assert start.headers == ()
    later = presigned.read("https://b.example/k", FileSink("/x", 5), etag='"e"')
    assert later.headers == (("Range", "bytes=5-"), ("If-Match", '"e"'))
    assert later.into == FileSink("/x", 5)
    assert presigned.read("https://b.example/k", FileSink("/x", 5), end=9).headers == (("Range", "bytes=5-8"),)


def test_azure_commits_the_ids_of_its_urls_in_order() -> None:
    """A block id is what the URL says, base64 with its plus and equals signs intact."""
    urls = [
        f"https://a.example/k?sig=s&comp=block&blockid={name}" for name in ("YmxvY2stMDAwMDAwMDE=", "a+b/", "c%2Bd%3D")
    ]
    body = FileSlice("/m", 10, 10)
    ids = ["YmxvY2stMDAwMDAwMDE=", "a+b/", "c+d="]
    assert [decode(azure.put_block(url, body), Response(201)) for url in urls] == ids
    assert azure.put_block(urls[1], body).body == body
    request = azure.commit("https://a.example/k?sig=s&comp=blocklist", dict(enumerate(ids, 1)))
    rows = "".join(f"<Latest>{name}</Latest>" for name in ids)
    assert request.body == f'<?xml version="1.0" encoding="utf-8"?><BlockList>{rows}</BlockList>'.encode()
    assert (request.method, request.repeatable) == ("PUT", True)
    assert azure.put("https://a.example/k", FileSlice("/m", 0, 5)).headers == (("x-ms-blob-type", "BlockBlob"),)
    with pytest.raises(DecodeError):
        azure.block_id("https://a.example/k?sig=s")


@pytest.mark.parametrize("case", ["az_get_blocklist_with_read_sas", "amb_block_list_after_lost"])
def test_the_uncommitted_blocks_are_read_from_a_recorded_list(case: str) -> None:
    """Ids with their sizes; the request is the download URL with the words that Azure wants."""
    exchange = CASES["azurite", case]
    request = azure.list_blocks("https://a.example/k?sig=s")
    assert request.url == "https://a.example/k?sig=s&comp=blocklist&blocklisttype=uncommitted"
    held = decode(request, answer(exchange))
    assert len(held) == text(exchange).count("<Block>") > 0
    assert all(size > 0 and f"<Name>{name}</Name>" in text(exchange) for name, size in held.items())
    assert decode(request, Response(200, {}, b"<BlockList><UncommittedBlocks/></BlockList>")) == {}


def test_every_storage_request_is_presigned_and_sends_no_header_that_needs_a_signature() -> None:
    """No bearer goes to a bucket, and no x-amz-* header, which an honest server refuses."""
    url, body = "https://b.example/k?comp=block&blockid=eA==&sig=SECRET", FileSlice("/m", 0, 5)
    requests: list[Request[Any]] = [
        s3.put(url, body),
        s3.initiate(url),
        s3.complete(url, {1: "0" * 32}),
        azure.put(url, body),
        azure.put_block(url, body),
        azure.add_md5(azure.put_block(url, body), b"0" * 16),
        azure.commit(url, {1: "eA=="}),
        azure.list_blocks(url),
        presigned.read(url, FileSink("/x")),
        presigned.read_range(url, 0, 5),
        presigned.probe(url),
        presigned.delete(url),
    ]
    for request in requests:
        assert request.presigned
        assert request.method != "HEAD"
        assert not any(name.lower().startswith(("x-amz", "authorization")) for name, _ in request.headers)
        assert "SECRET" not in repr(request) + str(request)
        assert hash(request) == hash(pickle.loads(pickle.dumps(request)))  # noqa: S301
