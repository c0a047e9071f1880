"""Ranges side by side, step by step: they land for real, and what goes wrong with one costs no byte without a gap."""

from __future__ import annotations

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from luml_lite.core.request import Request, Response
from luml_lite.errors import ConnectionFailed, DecodeError, FileDownloadError, IntegrityError, Interrupted, StorageError
from luml_lite.files.streams import SinkWriter
from luml_lite.operations import get_object
from luml_lite.operations.download import download
from luml_lite.testing import json_response

from .flow_player import CFG, Step, artifact, body, play, probe, settle, uid, url

RANGE = 100_000
BYTES = bytes(range(256)) * 2000
SIZE = len(BYTES)  # five ranges and a bit
ROW = artifact(1, file_hash=sha256(BYTES).hexdigest(), size=SIZE)
ASK = ("GET artifacts/1/download-url", url("object"))
BOTH = ["GET artifacts/1", "GET artifacts/1/download-url"]  # side by side
BEGIN = ((BOTH, [json_response(ROW), url("object")]),)
PROBE = ("GET object [bytes=0-0]", probe(SIZE))
Fate = Callable[[Request[Any], bytes], Any]


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(get_object, "RANGE", RANGE)
    monkeypatch.setattr(get_object, "WAVE", 3 * RANGE)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where the file is to appear; an older one is there."""
    path = tmp_path / "copy.fnnx"
    path.write_bytes(b"older")
    return path


def ranged(target: Path, *script: Step, **options: Any) -> None:
    """Drive a download in ranges, and see that nothing is left beside the target."""
    try:
        play(download(CFG.replace(ranged_from=1), uid(1), target, **options), *BEGIN, *script)
    finally:
        if not options.get("resume"):
            assert os.listdir(target.parent) == [target.name]


def asked(*starts: int, name: str = "object") -> list[str]:
    """The lines of a wave of ranges that begin there."""
    return [f'GET {name} [bytes={start}-{min(start + RANGE, SIZE) - 1} "e"]' for start in starts]


def comes(request: Request[Any], content: bytes, *, etag: str = '"e"', total: int = SIZE) -> Response:
    """The range that was asked for."""
    assert request.into is not None
    with SinkWriter(request.into, lambda moved: None) as writer:
        writer.write(content)
    start = request.into.offset
    headers = {"etag": etag, "content-range": f"bytes {start}-{start + len(content) - 1}/{total}"}
    return Response(206, headers, b"", len(content))


def breaks(request: Request[Any], content: bytes) -> ConnectionFailed:
    """Half of the range and no more."""
    comes(request, content[: len(content) // 2])
    return ConnectionFailed("broken", received=len(content) // 2, headers={"etag": '"e"'})


def never(request: Request[Any], content: bytes) -> None:
    """Cut off or never begun, since another one had failed."""


def refused(request: Request[Any], content: bytes) -> StorageError:
    """The URL is over."""
    return StorageError("403; the URL had expired", status_code=403, expired=True)


def other(request: Request[Any], content: bytes) -> StorageError:
    """The object is another one by now."""
    return StorageError("412", status_code=412)


def wave(*fates: Fate, content: bytes = BYTES) -> Callable[[Any], list[Any]]:
    """What becomes of each range of a wave, in order; the last fate is that of all further ones."""

    def reply(effect: Any) -> list[Any]:
        outcomes = []
        for index, request in enumerate(effect.requests):
            start = request.into.offset
            fate = fates[min(index, len(fates) - 1)]
            outcomes.append(fate(request, content[start : start + request.into.limit]))
        return outcomes

    return reply


def test_a_large_file_arrives_in_waves_of_ranges(target: Path) -> None:
    """Each is guarded by the ETag that the probe has shown."""
    ranged(target, PROBE, (asked(0, 100_000, 200_000), wave(comes)), (asked(300_000, 400_000, 500_000), wave(comes)))
    assert target.read_bytes() == BYTES


def test_a_smaller_file_is_one_read(target: Path) -> None:
    play(download(CFG.replace(ranged_from=SIZE + 1), uid(1), target), *BEGIN, ("GET object", body(BYTES, status=200)))
    assert target.read_bytes() == BYTES


def test_ranges_that_finish_in_any_order_are_hashed_in_theirs(target: Path) -> None:
    """The digest at the end is that of the file."""

    def backwards(effect: Any) -> list[Any]:
        outcomes = wave(comes)(effect)
        for index in reversed(range(len(outcomes))):
            settle(effect, index, outcomes[index])
        return outcomes

    ranged(target, PROBE, (asked(0, 100_000, 200_000), backwards), (asked(300_000, 400_000, 500_000), backwards))
    assert target.read_bytes() == BYTES


def test_a_broken_range_goes_on_where_the_gap_begins(target: Path) -> None:
    """What lies behind the gap is asked for again, what lies before it is not."""
    ranged(
        target,
        PROBE,
        (asked(0, 100_000, 200_000), wave(comes, breaks, comes)),
        ("AGAIN 1", None),
        ([f'GET object [bytes={a}-{a + 99_999} "e"]' for a in (150_000, 250_000, 350_000)], wave(comes)),
        (f'GET object [bytes=450000-{SIZE - 1} "e"]', wave(comes)),
    )
    assert target.read_bytes() == BYTES


def test_an_expired_url_is_renewed_wherever_it_ends(target: Path) -> None:
    """Once at the same place, and again after bytes have come."""
    fresh = ("GET artifacts/1/download-url", url("fresh"))
    ranged(
        target,
        PROBE,
        (asked(0, 100_000, 200_000), wave(comes, refused, never)),
        fresh,
        (asked(100_000, 200_000, 300_000, name="fresh"), wave(comes, comes, refused)),
        fresh,
        (asked(300_000, 400_000, 500_000, name="fresh"), wave(comes)),
    )
    assert target.read_bytes() == BYTES
    with pytest.raises(FileDownloadError, match="expired"):
        ranged(
            target,
            PROBE,
            (asked(0, 100_000, 200_000), wave(refused, never)),
            fresh,
            (asked(0, 100_000, 200_000, name="fresh"), wave(refused, never)),
        )


def test_another_version_starts_from_the_first_byte(target: Path) -> None:
    """Bytes of two versions are never mixed, even where the digest of the first had been begun."""
    new = '[bytes={}-{} "new"]'
    ranged(
        target,
        ("GET object [bytes=0-0]", probe(SIZE, '"old"')),
        (
            [f'GET object [bytes={a}-{a + 99_999} "old"]' for a in (0, 100_000, 200_000)],
            wave(lambda request, content: comes(request, content[::-1], etag='"old"'), other),
        ),
        ("AGAIN 1", None),
        ("GET object [bytes=0-0]", probe(SIZE, '"new"')),
        (
            ["GET object " + new.format(a, a + 99_999) for a in (0, 100_000, 200_000)],
            wave(lambda request, content: comes(request, content, etag='"new"')),
        ),
        (
            ["GET object " + new.format(a, min(a + 100_000, SIZE) - 1) for a in (300_000, 400_000, 500_000)],
            wave(lambda request, content: comes(request, content, etag='"new"')),
        ),
    )
    assert target.read_bytes() == BYTES


def test_a_storage_without_ranges_or_etags_is_read_at_once(target: Path) -> None:
    for reply in (DecodeError("no Content-Range"), probe(SIZE, "")):
        target.write_bytes(b"older")
        ranged(target, ("GET object [bytes=0-0]", reply), ("GET object", body(BYTES, status=200)))
        assert target.read_bytes() == BYTES


def test_a_storage_that_sends_other_ranges_than_it_was_asked_for_is_read_at_once(target: Path) -> None:
    """From the first one that did not fit, guarded as before."""

    def short(request: Request[Any], content: bytes) -> Response:
        return comes(request, content[:-1])

    ranged(
        target,
        PROBE,
        (asked(0, 100_000, 200_000), wave(comes, short, comes)),
        ('GET object [bytes=100000- "e"]', body(BYTES[100_000:], total=SIZE)),
    )
    assert target.read_bytes() == BYTES


def test_another_size_is_another_object(target: Path) -> None:
    with pytest.raises(IntegrityError, match="bytes instead of"):
        ranged(target, ("GET object [bytes=0-0]", probe(SIZE + 1)))
    assert target.read_bytes() == b"older"


def test_wrong_bytes_never_become_the_target(target: Path) -> None:
    wrong = wave(comes, content=BYTES[::-1])
    with pytest.raises(IntegrityError, match="sha256"):
        ranged(target, PROBE, (asked(0, 100_000, 200_000), wrong), (asked(300_000, 400_000, 500_000), wrong))
    assert target.read_bytes() == b"older"


def test_what_is_kept_for_the_next_call_has_no_gaps(target: Path) -> None:
    """After a failure or an interruption; a call that reads at once goes on behind it."""
    for end in (ConnectionFailed("lost"), Interrupted("the call was interrupted")):
        target.write_bytes(b"older")

        def ends(effect: Any, end: Any = end) -> Any:
            outcomes = wave(comes, never, comes)(effect)
            settle(effect, 0, outcomes[0])
            return end if isinstance(end, Interrupted) else [outcomes[0], end, outcomes[2]]

        with pytest.raises((FileDownloadError, Interrupted)):
            ranged(target, PROBE, (asked(0, 100_000, 200_000), ends), resume=True)
        [partial] = [path for path in target.parent.iterdir() if path != target]
        assert partial.read_bytes() == BYTES[:100_000]
        rest = ("GET object [bytes=100000-]", body(BYTES[100_000:], total=SIZE))
        play(download(CFG, uid(1), target, resume=True), *BEGIN, rest)
        assert target.read_bytes() == BYTES


def test_the_last_wave_of_a_killed_run_is_not_trusted(target: Path) -> None:
    """It may have gaps; what lies before it has none."""
    with pytest.raises(Interrupted):
        ranged(target, PROBE, (asked(0, 100_000, 200_000), Interrupted("x")), resume=True)
    [partial] = [path for path in target.parent.iterdir() if path != target]
    partial.write_bytes(BYTES[:300_000] + bytes(100_000) + BYTES[400_000:500_000])
    ranged(
        target,
        PROBE,
        (asked(200_000, 300_000, 400_000), wave(comes)),
        (asked(500_000)[0], wave(comes)),
        resume=True,
    )
    assert target.read_bytes() == BYTES


def test_a_storage_without_ranges_is_read_once(target: Path) -> None:
    """The whole object answers the probe, and its length is the size."""
    without = Response(200, {"etag": '"e"', "content-length": str(SIZE)}, b"")
    ranged(target, ("GET object [bytes=0-0]", without), ("GET object", body(BYTES, status=200)))
    assert target.read_bytes() == BYTES
    with pytest.raises(IntegrityError, match="the object has"):
        ranged(target, ("GET object [bytes=0-0]", Response(200, {"content-length": str(SIZE - 1)})))


def test_an_empty_file_has_no_ranges(target: Path) -> None:
    """However small the files are that are to be read so."""
    empty = json_response(artifact(1, file_hash=sha256(b"").hexdigest(), size=0))
    script = ((BOTH, [empty, url("object")]), ("GET object", body(b"", status=200)))
    play(download(CFG.replace(ranged_from=0), uid(1), target), *script)
    assert target.read_bytes() == b""
