"""Reading inside an archive step by step: neighbours together, nothing read that is not needed."""

from __future__ import annotations

from hashlib import sha256
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luml_lite.core.request import Response
from luml_lite.errors import DecodeError, IntegrityError, InvalidArgumentError, StorageError
from luml_lite.operations import members
from luml_lite.storage import presigned
from luml_lite.testing import json_response

from .flow_player import CFG, artifact, play, uid, url

GAP = 64 * 1024
BYTES = bytes(range(256)) * 4096
INDEX = {"a": (512, 10), "b": (1024, 20), "far": (900_000, 30), "empty": (2048, 0)}
ROW = artifact(1, file_index=INDEX, size=len(BYTES), file_hash=sha256(BYTES).hexdigest())
GET = ("GET artifacts/1", json_response(ROW))
ASK = ("GET artifacts/1/download-url", url("object"))
EXPIRED = StorageError("403; the URL had expired", status_code=403, expired=True)


def part(start: int, end: int) -> Response:
    """The answer to a ranged read."""
    return Response(206, {"content-range": f"bytes {start}-{end - 1}/{len(BYTES)}"}, BYTES[start:end])


def test_the_index_needs_no_storage() -> None:
    """It stands in the row."""
    assert play(members.members(CFG, uid(1)), GET) == INDEX


def test_a_member_is_one_ranged_read() -> None:
    """Its offset in the plain tar is its offset in the object."""
    flow = members.read_member(CFG, uid(1), "b")
    assert play(flow, GET, ASK, ("GET object [bytes=1024-1043]", part(1024, 1044))) == BYTES[1024:1044]


def test_neighbours_are_read_together_and_nothing_else_is() -> None:
    """One request for what lies close, another for what lies far, none for an empty member."""
    flow = members.read_members(CFG, uid(1), ["far", "b", "empty", "a"])
    found = play(
        flow,
        GET,
        ASK,
        (
            ["GET object [bytes=512-1043]", "GET object [bytes=900000-900029]"],
            [part(512, 1044), part(900_000, 900_030)],
        ),
    )
    assert found == {name: BYTES[offset : offset + size] for name, (offset, size) in INDEX.items()}


def test_empty_members_alone_need_no_url() -> None:
    """There is nothing to read."""
    flow = members.read_members(CFG, uid(1), ["empty"])
    assert play(flow, GET) == {"empty": b""}


def test_a_missing_member_is_told_with_those_that_exist() -> None:
    """Before any read."""
    with pytest.raises(InvalidArgumentError, match="'c'; it has a, b"):
        play(members.read_member(CFG, uid(1), "c"), GET)


@pytest.mark.parametrize("place", [(-5, 10), (5, -3), (1000, 2**40), (2**62, 10), (10**30, 1), (len(BYTES), 1)])
def test_a_member_outside_of_its_artifact_is_refused_before_any_read(place: tuple[int, int]) -> None:
    """Nothing is read, or kept in memory, because an index says so."""
    row = ("GET artifacts/1", json_response(ROW | {"file_index": {"m": place}}))
    for flow in (members.read_member(CFG, uid(1), "m"), members.open_member(CFG, uid(1), "m")):
        with pytest.raises(DecodeError, match="outside"):
            play(flow, row)


def test_an_artifact_of_a_size_that_no_object_has_is_refused() -> None:
    """In a stream as well, which would end without a byte."""
    for size in (-1, 2**62):
        with pytest.raises(DecodeError, match="size"):
            play(members.open_download(CFG, uid(1)), ("GET artifacts/1", json_response(ROW | {"size": size})))


def test_a_shorter_range_than_requested_is_continued() -> None:
    """Of the ranges that were read together only the rest of the short one is asked for."""
    index = {"long": (0, 200_000), "far": (900_000, 30)}
    found = play(
        members.read_members(CFG, uid(1), ["long", "far"]),
        ("GET artifacts/1", json_response(ROW | {"file_index": index})),
        ASK,
        (
            ["GET object [bytes=0-199999]", "GET object [bytes=900000-900029]"],
            [part(0, 70_000), part(900_000, 900_030)],
        ),
        ("GET object [bytes=70000-199999]", part(70_000, 200_000)),
    )
    assert found == {"long": BYTES[:200_000], "far": BYTES[900_000:900_030]}


def test_a_range_that_comes_in_crumbs_or_of_another_object_is_an_error() -> None:
    """A few bytes at a time would never end."""
    index = {"long": (0, 200_000)}
    start = (("GET artifacts/1", json_response(ROW | {"file_index": index})), ASK)
    other = Response(206, {"content-range": f"bytes 0-199999/{len(BYTES) + 1}"}, BYTES[:200_000])
    for said in (part(0, 100), other, part(0, 200_001)):
        with pytest.raises(DecodeError, match="try again"):
            play(members.read_member(CFG, uid(1), "long"), *start, ("GET object [bytes=0-199999]", said))


def test_another_range_than_asked_for_is_an_error() -> None:
    """Bytes of another member are never taken for the right ones."""
    with pytest.raises(DecodeError):
        play(members.read_member(CFG, uid(1), "a"), GET, ASK, ("GET object [bytes=512-521]", part(511, 521)))


def test_a_storage_without_ranges_is_an_error_that_says_so() -> None:
    """Its answer begins with byte 0 and has no end that was asked for; what is longer than the member is not read."""
    request = presigned.read_range("https://b.example/k", 512, 522, len(BYTES))
    assert (request.limit, request.drop_surplus) == (10, True)
    for start, name in ((512, "a"), (0, "first")):
        row = ROW | {"file_index": {name: (start, 10)}}
        with pytest.raises(DecodeError, match="reads no ranges: download the artifact"):
            play(
                members.read_member(CFG, uid(1), name),
                ("GET artifacts/1", json_response(row)),
                ASK,
                (f"GET object [bytes={start}-{start + 9}]", Response(200, {}, BYTES[:10])),
            )


def test_a_fresh_url_that_is_refused_is_an_error() -> None:
    """It cannot have expired."""
    with pytest.raises(StorageError):
        play(members.read_member(CFG, uid(1), "a"), GET, ASK, ("GET object [bytes=512-521]", EXPIRED))


@given(
    st.lists(
        st.tuples(st.integers(0, 500_000), st.integers(1, 100_000)).map(lambda p: (p[0], p[0] + p[1])), max_size=20
    )
)
def test_coalesced_ranges_cover_every_range_with_wide_gaps(ranges: list[tuple[int, int]]) -> None:
    """Each range lies whole in one of them, they are apart by more than the gap, and none is made up."""
    merged = members.coalesce(ranges)
    assert all(any(start <= a and b <= end for start, end in merged) for a, b in ranges)
    assert all(after[0] - before[1] > GAP for before, after in pairwise(merged))
    assert {start for start, _ in merged} <= {a for a, _ in ranges}
    assert {end for _, end in merged} <= {b for _, b in ranges}


def chunks(size: int) -> dict[str, Any]:
    """A row of so many bytes."""
    return artifact(1, size=size, file_hash=sha256(b"x" * size).hexdigest(), file_index={"m": (512, size - 512)})


def answers(effect: Any) -> list[Response]:
    """What a bucket full of x answers to a batch of reads."""
    found = []
    for request in effect.requests:
        start, end = map(int, dict(request.headers)["Range"].removeprefix("bytes=").split("-"))
        headers = {"content-range": f"bytes {start}-{end}/{9 * MIB if end >= 1000 else 1000}"}
        found.append(Response(206, headers, b"x" * (end + 1 - start)))
    return found


MIB = 1024 * 1024


def test_a_streamed_download_comes_in_waves_and_renews_its_url() -> None:
    """A few pieces at a time, a fresh URL between them where the old one expired."""
    size = 9 * MIB
    cfg = CFG.replace(concurrency=2)
    first = [f"GET object [bytes=0-{4 * MIB - 1}]", f"GET object [bytes={4 * MIB}-{8 * MIB - 1}]"]
    last = f"[bytes={8 * MIB}-{size - 1}]"
    play(
        members.open_download(cfg, uid(1)),
        ("GET artifacts/1", json_response(chunks(size))),
        ASK,
        (first, answers),
        (f"EMIT {4 * MIB} {4 * MIB}", None),
        (f"GET object {last}", EXPIRED),
        ("GET artifacts/1/download-url", url("fresh")),
        (f"GET fresh {last}", answers),
        (f"EMIT {MIB}", None),
    )


def test_a_streamed_download_of_other_bytes_is_told_at_its_end() -> None:
    """Only then the digest is known."""
    row = chunks(1000) | {"file_hash": "0" * 64}
    script = (("GET artifacts/1", json_response(row)), ASK, ("GET object [bytes=0-999]", answers), ("EMIT 1000", None))
    with pytest.raises(IntegrityError):
        play(members.open_download(CFG, uid(1)), *script)
    play(members.open_download(CFG, uid(1), verify=False), *script)


def test_a_streamed_member_is_its_bytes_alone() -> None:
    """From its offset to its end."""
    play(
        members.open_member(CFG, uid(1), "m"),
        ("GET artifacts/1", json_response(chunks(1000))),
        ASK,
        ("GET object [bytes=512-999]", answers),
        ("EMIT 488", None),
    )
