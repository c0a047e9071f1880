"""URLs that expire during an upload, played step by step: asked for once more, and no finished part is sent again."""

from __future__ import annotations

import pytest

from luml_lite.core.request import Response
from luml_lite.errors import (
    DecodeError,
    IntegrityError,
    StorageError,
)
from luml_lite.files.archive import Archive
from luml_lite.operations.put_object import put_object

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
    """With check_parts the MD5 of what was sent is compared with the ETag; three times wrong is an error."""
    wrong = Response(200, {"etag": f'"{TAGS[0]}"'}, sent_md5="0" * 32)
    script = [*opened(archive), (puts("a", 1, 2, 3), [wrong, *tags(2, 3)])]
    play(
        put_object(upload(archive, check_parts=True)),
        *script,
        (puts("a", 1), tags(1)[0]),
        ("POST aend", completed()),
        *proof(archive),
    )
    with pytest.raises(IntegrityError):
        play(put_object(upload(archive, check_parts=True)), *script, *[(puts("a", 1), wrong)] * 3)


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
