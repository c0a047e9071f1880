"""Every storage request, and every recorded answer of SeaweedFS, rclone, moto and Azurite to one."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from time import process_time
from typing import Any

import pytest

from luml_lite.core.flow import decode
from luml_lite.core.request import FileSink, FileSlice, Request, Response, no_content
from luml_lite.core.retry import is_transient
from luml_lite.errors import DecodeError, StorageError
from luml_lite.storage import azure, presigned, s3

from ..recorded_exchanges import answer, named
from .recorded import CASES, EXCHANGES, of, text, url_of

REFUSED = [each for each in EXCHANGES if each["status"] >= 300]


@pytest.mark.parametrize("exchange", REFUSED, ids=named)
def test_a_recorded_refusal_becomes_a_storage_error(exchange: dict[str, Any]) -> None:
    """The vendor's code is found in whatever form it comes, and no query is."""
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


def refusal(status: int, code: str = "", url: str = "https://b.example/k") -> StorageError:
    """The error of an answer with that status and code."""
    body = f"<Error><Code>{code}</Code></Error>".encode() if code else b"<html>"
    return presigned.storage_error(Request(method="GET", url=url, reply=no_content), Response(status, {}, body))


@pytest.mark.parametrize(
    ("status", "code", "is_repeated", "is_renewed"),
    [
        *[(status, "", True, False) for status in (408, 425, 429, 500, 502, 503, 504, 509, 520, 524, 530)],
        (400, "RequestTimeout", True, False),
        (409, "OperationAborted", True, False),
        *[(400, code, False, True) for code in ("ExpiredToken", "TokenRefreshRequired", "RequestExpired")],
        (403, "RequestTimeTooSkewed", False, True),
        (403, "AccessDenied", False, True),
        (401, "", False, True),
        *[(status, code, False, False) for status, code in ((400, "InvalidPart"), (404, "NoSuchKey"), (409, "X"))],
    ],
)
def test_a_bucket_s_answer_is_repeated_renewed_or_final(
    status: int, code: str, is_repeated: bool, is_renewed: bool
) -> None:
    """One table, for uploads and downloads."""
    error = refusal(status, code)
    assert (is_transient(error), presigned.is_refused(error)) == (is_repeated, is_renewed)


def test_only_the_vendor_says_that_an_object_is_missing() -> None:
    """A 404 of a proxy, or of a bucket that does not exist, says nothing about the object."""
    exchange = CASES["azurite", "az_probe_uncommitted"]
    request: Request[None] = Request(method="GET", url=url_of(exchange), reply=no_content)
    assert presigned.is_missing(presigned.storage_error(request, answer(exchange)))
    assert presigned.is_missing(refusal(404, "NoSuchKey"))
    for error in (refusal(404), refusal(404, "NoSuchBucket"), refusal(404, "NoSuchUpload"), refusal(410, "NoSuchKey")):
        assert not presigned.is_missing(error)


@pytest.mark.parametrize("status", [202, 204])
def test_a_deletion_is_believed_from_a_bucket_alone(status: int) -> None:
    """S3 answers 204 and Azure 202, both without a body; a portal answers 200 with a page."""
    request = presigned.delete("https://b.example/k")
    assert decode(request, Response(status)) is None
    inside = b"<Error><Code>InternalError</Code></Error>"
    for other in (Response(200), Response(200, {}, b"<html>log in</html>"), Response(status, {}, inside)):
        with pytest.raises(StorageError, match="to a deletion") as caught:
            decode(request, other)
        assert not is_transient(caught.value)


def test_a_search_in_a_hostile_document_takes_time_in_proportion_to_its_length() -> None:
    """A tag that is opened again and again and never closed."""
    start = process_time()
    for each in ("<Code ", "<a:Code", "<Code>", "<", "<Code\t\t"):
        assert presigned.element(each * 200_000, "Code") == ""
    assert process_time() - start < 5


def test_the_words_of_a_bucket_are_cleaned() -> None:
    """Its code and message are one short line."""
    error = refusal(400, "x\x1b[31m" + "y" * 5000)
    assert str(error).isprintable()
    assert len(str(error)) < 1000


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
        assert presigned.has_expired(url, "Tue, 24 Nov 2026 06:00:00 -0000")  # a date without a zone is UTC


@pytest.mark.parametrize(
    "query", ["", "X-Amz-Date=x&X-Amz-Expires=1", "X-Amz-Date=20261123T180000Z", "se=soon", "se=2026-11-24"]
)
def test_a_url_without_a_readable_expiry_never_breaks(query: str) -> None:
    """Whatever a vendor's URL looks like, asking when it ends gives an answer."""
    ends = presigned.expiry(f"https://b.example/k?{query}")
    assert ends is None or ends.tzinfo is not None


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
    """read_range takes exactly its range, and every recorded answer that carries another one is an error."""
    said = answer(exchange)
    found = presigned.content_range(said)
    if found is None:
        with pytest.raises(DecodeError):
            decode(presigned.read_range("https://b.example/k", 0, 5, 10), said)
        return
    request = presigned.read_range("https://b.example/k", found.start, found.end, found.total)
    if found.end > found.start:
        assert decode(request, said) == said.body
        assert request.headers == (("Range", f"bytes={found.start}-{found.end - 1}"),)
        for other in (b"", said.body + b"x"):
            with pytest.raises(DecodeError):
                decode(request, Response(said.status, said.headers, other))
    with pytest.raises(DecodeError):
        decode(presigned.read_range("https://b.example/k", found.start + 1, found.end + 1, found.total), said)


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


def test_a_probe_of_a_storage_without_ranges_tells_the_length_of_the_object() -> None:
    """The 200 has the whole object behind it, of which one byte is read."""
    request = presigned.probe("https://b.example/k")
    assert request.drop_surplus
    assert decode(request, Response(200, {"etag": '"x"', "content-length": "70"}, b"x")) == presigned.Probe(
        70, '"x"', False
    )
    for headers in ({"content-length": "7x"}, {"content-length": "-7"}, {"content-length": "9" * 5000}):
        with pytest.raises(DecodeError):
            decode(request, Response(200, headers, b"x"))


def test_a_read_is_guarded_only_where_it_goes_on() -> None:
    """From the start there is nothing to guard; behind some bytes the ETag goes into If-Match, never If-Range."""
    start = presigned.read("https://b.example/k", FileSink("/x"), etag='"e"')
    assert start.headers == ()
    later = presigned.read("https://b.example/k", FileSink("/x", 5), etag='"e"')
    assert later.headers == (("Range", "bytes=5-"), ("If-Match", '"e"'))
    assert later.into == FileSink("/x", 5)
    assert presigned.read("https://b.example/k", FileSink("/x", 5), etag='W/"e"').headers == (("Range", "bytes=5-"),)
    assert presigned.read("https://b.example/k", FileSink("/x", 5), end=9).headers == (("Range", "bytes=5-8"),)


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
        presigned.read_range(url, 0, 5, 10),
        presigned.probe(url),
        presigned.delete(url),
    ]
    for request in requests:
        assert request.presigned
        assert request.method != "HEAD"
        assert not any(name.lower().startswith(("x-amz", "authorization")) for name, _ in request.headers)
        assert "SECRET" not in repr(request) + str(request)
        assert hash(request) == hash(pickle.loads(pickle.dumps(request)))  # noqa: S301
