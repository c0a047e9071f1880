"""URLs that expire during an upload, played step by step: asked for once more, and no finished part is sent again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from luml_lite.config import MAX_OBJECT_SIZE
from luml_lite.core.request import Response
from luml_lite.errors import DecodeError, IntegrityError, StorageError
from luml_lite.files.archive import Archive
from luml_lite.operations.put_object import put_object
from luml_lite.storage import vendors
from luml_lite.testing import json_response

from .flow_player import Step, play
from .put_object_steps import (
    ASK,
    EXPIRED,
    LOOK,
    NO_UPLOAD,
    PLAN,
    TAGS,
    begun,
    completed,
    opened,
    plan,
    proof,
    puts,
    tags,
    upload,
)


def test_an_expired_url_is_renewed_once_and_finished_parts_are_not_sent_again(archive: Archive) -> None:
    """The same upload_id gives fresh URLs of the same layout; what is in stays in."""
    first, second, _ = tags(1, 2, 3)
    play(
        put_object(upload(archive)),
        *opened(archive),
        (puts("a", 1, 2, 3), [first, EXPIRED, None]),
        (PLAN, plan(archive, "b")),
        (puts("b", 2, 3), [second, EXPIRED]),
        (PLAN, plan(archive, "c")),
        (puts("c", 3), tags(3)[0]),
        ("POST cend", completed()),
        *proof(archive),
    )


def test_a_part_that_is_refused_with_fresh_urls_as_well_is_an_error(archive: Archive) -> None:
    """Then it is not the expiry."""
    with pytest.raises(StorageError):
        play(
            put_object(upload(archive)),
            *opened(archive),
            (puts("a", 1, 2, 3), [EXPIRED, None, None]),
            (PLAN, plan(archive, "b")),
            (puts("b", 1, 2, 3), [EXPIRED, *tags(2, 3)]),
        )


def test_a_part_of_wrong_bytes_is_sent_again_alone(archive: Archive) -> None:
    """With check_parts the MD5 of what was sent is compared with the ETag."""
    wrong = Response(200, {"etag": f'"{TAGS[0]}"'}, sent_md5="0" * 32)
    script = [*opened(archive), (puts("a", 1, 2, 3), [wrong, *tags(2, 3)])]
    play(
        put_object(upload(archive, check_parts=True)),
        *script,
        (puts("a", 1), tags(1)[0]),
        ("POST aend", completed()),
        *proof(archive),
    )


@pytest.mark.parametrize("multipart", [True, False])
@pytest.mark.parametrize("is_damaged", [True, False])
def test_an_etag_that_is_never_the_md5_leads_to_a_look_at_the_bytes(
    archive: Archive, is_damaged: bool, multipart: bool
) -> None:
    """Some buckets encrypt and do not say so; others are behind something that damages what passes."""
    wrong = Response(200, {"etag": f'"{TAGS[0]}"'}, sent_md5="0" * 32)
    parts = [
        *opened(archive),
        (puts("a", 1, 2, 3), [wrong, *tags(2), None]),
        *[(puts("a", 1, 3), [wrong, None])] * 3,
        (puts("a", 3), tags(3)[0]),
        ("POST aend", completed()),
    ]
    script = parts if multipart else [("PUT first", wrong)] * 3
    stored = b"x" * archive.size if is_damaged else Path(archive.path).read_bytes()
    found = Response(206, {"content-range": f"bytes 0-{archive.size - 1}/{archive.size}"}, stored)
    flow = put_object(upload(archive, check_parts=True, multipart=multipart))
    look = (ASK, (f"GET object [bytes=0-{archive.size - 1}]", found))
    if is_damaged:
        with pytest.raises(IntegrityError, match="other bytes than were sent"):
            play(flow, *script, *proof(archive), *look)
    else:
        with pytest.warns(UserWarning, match="the object was read back"):
            play(flow, *script, *proof(archive), *look)


def test_a_forgotten_upload_starts_over_once(archive: Archive) -> None:
    """NoSuchUpload of a part or of complete: a new upload_id, every part again, the old id never again."""
    for failed in ("part", "complete"):
        sent: list[Step] = [(puts("a", 1, 2, 3), [NO_UPLOAD, None, None])]
        if failed == "complete":
            missing = StorageError("404 NoSuchKey", status_code=404, code="NoSuchKey")
            sent = [(puts("a", 1, 2, 3), tags(1, 2, 3)), ("POST aend", NO_UPLOAD), ASK, (LOOK, missing)]
        start = upload(archive)
        play(
            put_object(start),
            *opened(archive),
            *sent,
            ("POST first", begun("u2")),
            (PLAN, plan(archive, "b")),
            (puts("b", 1, 2, 3), tags(1, 2, 3)),
            ("POST bend", completed()),
            *proof(archive),
        )
        assert start.state.upload_id == "u2"
    with pytest.raises(StorageError):
        play(
            put_object(upload(archive)),
            *opened(archive),
            (puts("a", 1, 2, 3), [NO_UPLOAD, None, None]),
            ("POST first", begun("u2")),
            (PLAN, plan(archive, "b")),
            (puts("b", 1, 2, 3), [NO_UPLOAD, None, None]),
        )


@pytest.mark.parametrize("cuts", [(2000, 1000), (1000, 1000_000_000)])
def test_a_plan_that_does_not_cover_the_file_is_refused(archive: Archive, cuts: tuple[int, int]) -> None:
    """No byte is sent to parts that overlap or leave the file."""
    with pytest.raises(DecodeError, match="cover"):
        play(put_object(upload(archive)), ("POST first", begun()), (PLAN, plan(archive, "a", cuts=cuts)))


@pytest.mark.parametrize("kind", ["s3", "azure"])
@pytest.mark.parametrize(
    ("number", "change"),
    [(2, {"part_number": 1}), (1, {"part_number": 0}), (3, {"part_number": 4}), (1, {"part_number": 2})],
)
def test_a_plan_whose_parts_are_not_numbered_from_one_on_is_refused(
    archive: Archive, kind: str, number: int, change: dict[str, Any]
) -> None:
    """A part that has another's number takes its place in the object."""
    with pytest.raises(DecodeError, match="numbered"):
        play(put_object(upload(archive, kind)), *changed(archive, kind, number, change))


@pytest.mark.parametrize("kind", ["s3", "azure"])
def test_a_plan_with_one_url_for_two_parts_is_refused(archive: Archive, kind: str) -> None:
    """The second part would replace the first; on Azure that is so for one block id at two URLs."""
    url = f"https://bucket.example/{'a1' if kind == 's3' else 'b1'}?sig=SECRET&comp=block&blockid=b1"
    with pytest.raises(DecodeError, match="same URL"):
        play(put_object(upload(archive, kind)), *changed(archive, kind, 2, {"url": url}))


@pytest.mark.parametrize("limits", [{"max_parts": 2}, {"max_part_size": 5000}])
@pytest.mark.parametrize("kind", ["s3", "azure"])
def test_a_plan_that_the_bucket_would_not_take_is_refused(
    archive: Archive, kind: str, limits: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before a byte is sent that it would throw away: 10,000 parts of 5 GiB at S3, 50,000 of 4,000 MiB at Azure."""
    vendor = vendors.vendor_of(kind)
    assert vendor.max_parts * vendor.max_part_size >= MAX_OBJECT_SIZE
    monkeypatch.setitem(vendors._VENDORS, kind, structs.replace(vendor, **limits))
    with pytest.raises(DecodeError, match="than the bucket takes"):
        play(put_object(upload(archive, kind)), *changed(archive, kind, 1, {}))


def changed(archive: Archive, kind: str, number: int, change: dict[str, Any]) -> list[Step]:
    """The steps up to a plan of which one part is another."""
    said = json.loads(plan(archive, "a", kind).body)
    said["parts"][number - 1] |= change
    return [*([("POST first", begun())] if kind == "s3" else []), (PLAN, json_response(said))]


def test_a_renewed_plan_of_other_parts_is_sent_whole(archive: Archive) -> None:
    """What is stored of the earlier layout would not fit in, and the object's ETag is that of the later one."""
    play(
        put_object(upload(archive)),
        *opened(archive),
        (puts("a", 1, 2, 3), [*tags(1), EXPIRED, None]),
        (PLAN, plan(archive, "b", cuts=(500, 2000))),
        (puts("b", 1, 2, 3), tags(1, 2, 3)),
        ("POST bend", completed()),
        *proof(archive),
    )


def test_s3s_single_url_cannot_be_renewed(archive: Archive) -> None:
    """There is no endpoint for that: the row has failed."""
    with pytest.raises(StorageError):
        play(put_object(upload(archive, multipart=False)), ("PUT first", EXPIRED))
