"""Getting bytes into the bucket by hand: parts, renewals, lost answers, and the proof at the end."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from hashlib import md5
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from luml_lite.core.request import Response
from luml_lite.errors import (
    ConfigurationError,
    ConnectionFailed,
    DecodeError,
    IntegrityError,
    PermissionDeniedError,
    StorageError,
)
from luml_lite.files.archive import Archive
from luml_lite.files.journal import UploadState
from luml_lite.operations.put_object import Upload, put_object
from luml_lite.storage import s3
from luml_lite.testing import json_response

from .flow_player import CFG, Step, lost, play, probe, uid, url

TAGS = [md5(bytes([number])).hexdigest() for number in range(3)]  # noqa: S324
WHOLE = s3.composed_etag(TAGS)
EXPIRED = StorageError("403 AccessDenied; the URL had expired", status_code=403, code="AccessDenied", expired=True)
NO_UPLOAD = StorageError("404 NoSuchUpload", status_code=404, code="NoSuchUpload")
PLAN = "POST bucket-secrets/upload/multipart"
ASK = ("GET artifacts/1/download-url", url("object"))
LOOK = "GET object [bytes=0-0]"


def upload(archive: Archive, kind: str = "s3", *, multipart: bool = True, **changes: Any) -> Upload:
    """An upload that is about to begin."""
    record = UploadState(
        artifact_id=uid(1),
        sha256=archive.sha256,
        size=archive.size,
        mtime_ns=archive.mtime_ns,
        type=kind,
        multipart=multipart,
        bucket_location="key",
        bucket_secret_id=uid(9),
    )
    cfg = CFG.replace(**changes)
    return Upload(cfg, archive, record, "https://bucket.example/first?X-Amz-Signature=SECRET", None)


def begun(upload_id: str = "u1") -> Response:
    """The answer to initiate."""
    return Response(200, {}, f"<R><UploadId>{upload_id}</UploadId></R>".encode())


def plan(archive: Archive, turn: str, kind: str = "s3", cuts: Sequence[int] = (1000, 2000)) -> Response:
    """URLs for three parts, named after the turn in which they were asked for."""
    edges = [0, *cuts, archive.size]
    parts = [
        {
            "part_number": number,
            "url": f"https://bucket.example/{turn}{number}?sig=SECRET&comp=block&blockid=b{number}",
            "start_byte": start,
            "end_byte": end - 1,
            "part_size": end - start,
        }
        for number, (start, end) in enumerate(pairwise(edges), 1)
    ]
    said = {"type": kind, "parts": parts, "complete_url": f"https://bucket.example/{turn}end?sig=SECRET"}
    return json_response(said if kind == "azure" else said | {"upload_id": "u1"})


def puts(turn: str, *numbers: int) -> Any:
    """The lines of a batch of parts."""
    lines = [f"PUT {turn}{number}" for number in numbers]
    return lines if len(lines) > 1 else lines[0]


def tags(*numbers: int) -> list[Response]:
    """Their good answers."""
    return [Response(200, {"etag": f'"{TAGS[number - 1]}"'}) for number in numbers]


def completed(tag: str = WHOLE) -> Response:
    """A good answer to complete."""
    document = "<CompleteMultipartUploadResult><ETag>&quot;{}&quot;</ETag></CompleteMultipartUploadResult>"
    return Response(200, {}, document.format(tag).encode())


def proof(archive: Archive, etag: str = WHOLE) -> tuple[Step, Step]:
    """The look at the end that finds the whole object."""
    return ASK, (LOOK, probe(archive.size, f'"{etag}"'))


def opened(archive: Archive) -> tuple[Step, Step]:
    """Initiate and the first plan."""
    return ("POST first", begun()), (PLAN, plan(archive, "a"))


@pytest.mark.parametrize("kind", ["s3", "azure"])
def test_a_small_file_is_one_put_and_a_look(archive: Archive, kind: str) -> None:
    """Only an object whose size was probed counts as stored."""
    good = Response(201 if kind == "azure" else 200, {"etag": '"x"'})
    play(put_object(upload(archive, kind, multipart=False)), ("PUT first", good), *proof(archive, "x"))


def test_parts_are_sent_side_by_side_and_put_together(archive: Archive) -> None:
    """Initiate, URLs, parts, complete with every ETag in order, and the look."""
    bodies: list[bytes] = []

    def complete(request: Any) -> Response:
        bodies.append(request.body)
        return completed()

    play(
        put_object(upload(archive)),
        *opened(archive),
        (puts("a", 1, 2, 3), tags(1, 2, 3)),
        ("POST aend", complete),
        *proof(archive),
    )
    assert [bodies[0].index(tag.encode()) for tag in TAGS] == sorted(bodies[0].index(tag.encode()) for tag in TAGS)


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


INSIDE = Response(200, {}, b"<Error><Code>InternalError</Code></Error>")
MISSING = StorageError("404 NoSuchKey", status_code=404, code="NoSuchKey")


@pytest.mark.parametrize("problem", [lost(), INSIDE, StorageError("500", status_code=500), NO_UPLOAD])
def test_a_complete_without_a_good_answer_is_settled_by_a_look(archive: Archive, problem: Any) -> None:
    """An object of the right size and ETag is the upload, whatever the answer was."""
    play(
        put_object(upload(archive)),
        *opened(archive),
        (puts("a", 1, 2, 3), tags(1, 2, 3)),
        ("POST aend", problem),
        *proof(archive),
        *proof(archive),
    )


@pytest.mark.parametrize("problem", [lost(), INSIDE, StorageError("500", status_code=500)])
@pytest.mark.parametrize("found", ["nothing", "short", "another"])
def test_a_complete_that_did_not_happen_is_repeated(archive: Archive, problem: Any, found: str) -> None:
    """No object, a short one, or one of other parts: complete is sent again with every part."""
    seen = {
        "nothing": MISSING,
        "short": probe(archive.size - 1, f'"{WHOLE}"'),
        "another": probe(archive.size, f'"{"0" * 32}-3"'),
    }[found]
    play(
        put_object(upload(archive)),
        *opened(archive),
        (puts("a", 1, 2, 3), tags(1, 2, 3)),
        ("POST aend", problem),
        ASK,
        (LOOK, seen),
        ("AGAIN 1", None),
        ("POST aend", completed()),
        *proof(archive),
    )


def test_a_complete_that_never_happens_gives_up(archive: Archive) -> None:
    """When the settings say that it is enough."""
    with pytest.raises(ConnectionFailed):
        play(
            put_object(upload(archive)),
            *opened(archive),
            (puts("a", 1, 2, 3), tags(1, 2, 3)),
            ("POST aend", lost()),
            ASK,
            (LOOK, MISSING),
            ("AGAIN 1", lost()),
        )


def test_a_complete_whose_url_expired_is_renewed_once(archive: Archive) -> None:
    """The parts stay, only the URL is new."""
    script = (
        *opened(archive),
        (puts("a", 1, 2, 3), tags(1, 2, 3)),
        ("POST aend", EXPIRED),
        (PLAN, plan(archive, "b")),
    )
    play(put_object(upload(archive)), *script, ("POST bend", completed()), *proof(archive))
    with pytest.raises(StorageError):
        play(put_object(upload(archive)), *script, ("POST bend", EXPIRED))


def test_a_refused_complete_is_an_error(archive: Archive) -> None:
    """On rclone an InvalidPart has destroyed the upload: nothing is tried with it again."""
    refusal = StorageError("400 InvalidPart", status_code=400, code="InvalidPart")
    with pytest.raises(StorageError, match="InvalidPart"):
        play(
            put_object(upload(archive)),
            *opened(archive),
            (puts("a", 1, 2, 3), tags(1, 2, 3)),
            ("POST aend", refusal),
        )


@pytest.mark.parametrize("kind", ["s3", "azure"])
def test_a_short_or_missing_object_is_refused(archive: Archive, kind: str) -> None:
    """A 200 proves nothing: servers make short objects without a word."""
    good = Response(200, {"etag": '"x"'})
    for seen in (probe(archive.size - 1), MISSING):
        with pytest.raises(IntegrityError):
            play(put_object(upload(archive, kind, multipart=False)), ("PUT first", good), ASK, (LOOK, seen))


def test_an_object_of_other_parts_is_refused(archive: Archive) -> None:
    """Somebody else completed another upload of the same key."""
    with pytest.raises(IntegrityError):
        play(
            put_object(upload(archive)),
            *opened(archive),
            (puts("a", 1, 2, 3), tags(1, 2, 3)),
            ("POST aend", completed()),
            ASK,
            (LOOK, probe(archive.size, f'"{"0" * 32}-3"')),
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


def test_the_right_that_multipart_needs_is_told(archive: Archive) -> None:
    """An orbit member gets 403 for part URLs."""
    with pytest.raises(PermissionDeniedError):
        play(
            put_object(upload(archive)), ("POST first", begun()), (PLAN, PermissionDeniedError("403", status_code=403))
        )


STORED = Response(201)


def blocks(**sizes: int) -> Response:
    """Azure's list of uncommitted blocks."""
    rows = "".join(f"<Block><Name>{name}</Name><Size>{size}</Size></Block>" for name, size in sizes.items())
    return Response(200, {}, f"<BlockList><UncommittedBlocks>{rows}</UncommittedBlocks></BlockList>".encode())


def test_azure_sends_blocks_and_commits_their_list(archive: Archive) -> None:
    """No initiate; every id of the URLs, in order."""
    lists: list[bytes] = []

    def commit(request: Any) -> Response:
        lists.append(request.body)
        return STORED

    play(
        put_object(upload(archive, "azure")),
        (PLAN, plan(archive, "a", "azure")),
        (puts("a", 1, 2, 3), [STORED] * 3),
        ("PUT aend", commit),
        *proof(archive, "0x1"),
    )
    assert b"<Latest>b1</Latest><Latest>b2</Latest><Latest>b3</Latest>" in lists[0]


def test_azures_single_url_becomes_blocks_when_it_expires(archive: Archive) -> None:
    """It cannot be renewed, block URLs can be had."""
    play(
        put_object(upload(archive, "azure", multipart=False)),
        ("PUT first", EXPIRED),
        (PLAN, plan(archive, "a", "azure")),
        (puts("a", 1, 2, 3), [STORED] * 3),
        ("PUT aend", STORED),
        *proof(archive, "0x1"),
    )


def test_s3s_single_url_cannot_be_renewed(archive: Archive) -> None:
    """There is no endpoint for that: the row has failed."""
    with pytest.raises(StorageError):
        play(put_object(upload(archive, multipart=False)), ("PUT first", EXPIRED))


def test_blocks_that_azure_lost_are_sent_again_alone(archive: Archive) -> None:
    """InvalidBlockList: what Azure holds is looked up, and only the rest is sent."""
    refusal = StorageError("400", status_code=400, code="InvalidBlockList")
    script = (
        (PLAN, plan(archive, "a", "azure")),
        (puts("a", 1, 2, 3), [STORED] * 3),
        ("PUT aend", refusal),
        ASK,
        ("GET object", blocks(b1=1000, b2=999, other=1000)),
        (["PUT a2", "PUT a3"], [STORED] * 2),
    )
    play(put_object(upload(archive, "azure")), *script, ("PUT aend", STORED), *proof(archive, "0x1"))
    with pytest.raises(StorageError):
        play(put_object(upload(archive, "azure")), *script, ("PUT aend", refusal))


def test_a_commit_whose_url_expired_is_renewed_once(archive: Archive) -> None:
    """The blocks stay."""
    play(
        put_object(upload(archive, "azure")),
        (PLAN, plan(archive, "a", "azure")),
        (puts("a", 1, 2, 3), [STORED] * 3),
        ("PUT aend", EXPIRED),
        (PLAN, plan(archive, "b", "azure")),
        ("PUT bend", STORED),
        *proof(archive, "0x1"),
    )


@pytest.mark.parametrize("multipart", [False, True])
def test_an_unknown_type_of_bucket_is_an_error_before_any_byte_is_sent(archive: Archive, multipart: bool) -> None:
    """The message names the type and what to do."""
    with pytest.raises(ConfigurationError, match=r"'tape'.*s3 and azure.*upgrade"):
        play(put_object(upload(archive, "tape", multipart=multipart)))


def test_azure_gets_the_md5_of_a_block_before_it_and_s3_compares_it_after(archive: Archive) -> None:
    """Only Azure's answers carry no MD5, so only there checking costs another pass over the file."""
    sent: list[Any] = []

    def keep(effect: Any) -> list[Response]:
        sent.extend(effect.requests)
        return [STORED] if effect.requests[0].headers else tags(1)

    for kind in ("s3", "azure"):
        start = upload(archive, kind, multipart=False, check_parts=True)
        play(put_object(start), ("PUT first", keep), *proof(archive, "x"))
    s3_put, azure_put = sent
    assert (s3_put.headers, s3_put.body.md5) == ((), True)
    assert ("Content-MD5", b64encode(md5(Path(archive.path).read_bytes()).digest()).decode()) in azure_put.headers  # noqa: S324
    assert not azure_put.body.md5
