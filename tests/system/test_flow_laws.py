"""The laws hold whatever answer a flow gets at any of its steps: Hypothesis chooses what goes wrong, and where.

The far end is a real registry in process, so that what a law says about rows and objects is looked up, not assumed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import luml_lite
from luml_lite import LumlError
from luml_lite.core.flow import Batch, Local, decode
from luml_lite.core.request import Request, Response, raw_response
from luml_lite.core.retry import is_unanswered
from luml_lite.errors import FileUploadError, Interrupted, NotFoundError, StorageError
from luml_lite.files.journal import UploadState
from luml_lite.models.artifacts import ModelArtifact
from luml_lite.operations.delete import delete
from luml_lite.operations.download import download
from luml_lite.operations.upload import upload
from luml_lite.testing import write_model

from ..operations.fault_player import FATES, Exchange, FaultPlayer
from .faults.registries import open_registry

pytestmark = pytest.mark.slow

STORAGES = ("S3 at once", "S3 in parts", "Azure blocks")
NUMBERS = count()
CHOSEN = st.dictionaries(st.integers(0, 22), st.sampled_from(sorted(FATES)), max_size=4)
TRIED = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


class Place:
    """A registry with a model beside it, and an empty folder for targets and one for journals."""

    def __init__(self, folder: Path, storage: str) -> None:
        self.cfg = open_registry(folder, storage).replace(state_dir=str(folder / "state"))
        self.model = folder / "model.fnnx"
        write_model(str(self.model), {"F1": 0.5})
        self.bytes = self.model.read_bytes()
        self.target = folder / "target" / "copy.fnnx"
        self.target.parent.mkdir()
        (folder / "state").mkdir()

    def status(self, row: str) -> str:
        """What the registry says of a row; "gone" where there is none."""
        found = luml_lite.get(self.cfg, row)
        return "gone" if found is None else str(found.status)

    def content(self, row: str) -> bytes | None:
        """The object behind a row, or None."""
        url = luml_lite.download_url(self.cfg, row)["url"]
        try:
            return luml_lite.run(Request(method="GET", url=url, presigned=True, reply=raw_response), self.cfg).body
        except StorageError:
            return None

    def journals(self) -> list[str]:
        """The names in the state directory."""
        return sorted(os.listdir(str(self.cfg.state_dir)))


@pytest.fixture(scope="module", params=STORAGES)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A place whose bucket is of each kind."""
    found = Place(tmp_path_factory.mktemp("place"), request.param)
    yield found
    found.cfg.transport.close()  # type: ignore[union-attr]


@pytest.fixture(scope="module")
def simple(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A place with the simplest bucket."""
    found = Place(tmp_path_factory.mktemp("place"), "S3 at once")
    yield found
    found.cfg.transport.close()  # type: ignore[union-attr]


# What requests are


def is_create(request: Request[Any]) -> bool:
    return request.method == "POST" and request.url.endswith("/artifacts")


def is_list(request: Request[Any]) -> bool:
    return request.method == "GET" and request.url.endswith("/artifacts")


def sets(request: Request[Any], status: str) -> bool:
    """Whether it sets a row to a status."""
    return request.method == "PATCH" and msgspec.json.decode(request.body).get("status") == status  # type: ignore[arg-type]


def part_of(request: Request[Any]) -> str | None:
    """The upload and the part that it stores, without the signature."""
    path, _, query = request.url.partition("?")
    wanted = ("partNumber=", "uploadId=", "blockid=")
    names = sorted(each for each in query.split("&") if each.startswith(wanted))
    return f"{path} {names}" if request.method == "PUT" and len(names) >= 1 and "comp=blocklist" not in query else None


def good(exchange: Exchange) -> bool:
    return isinstance(exchange.outcome, Response)


def rows_made(exchanges: list[Exchange]) -> list[str]:
    """The rows that the flow knows of."""
    found: list[str] = []
    for each in exchanges:
        if is_create(each.request) and isinstance(each.outcome, Response):
            try:
                found.append(each.request.reply(each.outcome).model.id)
            except msgspec.DecodeError:
                continue
    return found


# The laws


def nothing_is_made_twice(exchanges: list[Exchange]) -> None:
    """After a create that may have acted, the next one comes only after a look at the list."""
    open_question = False
    for request, outcome in exchanges:
        if is_create(request):
            assert not open_question, "a second row without a look"
            open_question = isinstance(outcome, LumlError) and is_unanswered(outcome)
        elif is_list(request) and isinstance(outcome, Response):
            open_question = False


def no_part_goes_twice(exchanges: list[Exchange], journal: frozenset[str] = frozenset()) -> frozenset[str]:
    """A part that was stored, as an answer said, is not sent again; also not by a call that continues."""
    stored = set(journal)
    for each in exchanges:
        part = part_of(each.request)
        if part is not None and each.outcome is not None:
            assert part not in stored, f"{part} was stored already"
            if good(each):
                stored.add(part)
    return frozenset(stored)


def uploading(place: Place, name: str, fates: Mapping[int, str], resume: bool) -> tuple[FaultPlayer, Any]:
    """One call to upload, with the laws that hold at every step of it."""
    player: FaultPlayer

    def look(effect: Any) -> None:
        if isinstance(effect, Request) and sets(effect, "uploaded"):
            row = effect.url.rsplit("/", 1)[1]
            assert place.content(row) == place.bytes, "a row is confirmed without its bytes"
        for file in place.journals():
            if not file.endswith(".json"):
                continue
            text = (Path(str(place.cfg.state_dir)) / file).read_bytes()
            record = msgspec.json.decode(text, type=UploadState)
            assert not any(secret in text for secret in (b"http", b"X-Amz", b"sig=", place.cfg.api_key.encode()))
            answered = {part for each in player.exchanges if good(each) and (part := part_of(each.request)) is not None}
            noted = len(record.etags)
            assert noted <= len(answered | known), "the journal has a part that was never stored"
            assert place.status(record.artifact_id) != "gone"

    known = getattr(place, "known", frozenset())
    player = FaultPlayer(place.cfg, fates, look)
    return player, player.run(upload(place.cfg, place.model, name, resume=resume))


def after(place: Place, player: FaultPlayer, outcome: Any, resume: bool) -> None:
    """The laws that hold when a call to upload is over."""
    made = rows_made(player.exchanges)
    marks = [each.request.url.rsplit("/", 1)[1] for each in player.exchanges if sets(each.request, "upload_failed")]
    if isinstance(outcome, ModelArtifact):
        assert outcome.status == place.status(outcome.id) == "uploaded"
        assert place.content(outcome.id) == place.bytes
        assert place.journals() == []
        return
    if player.interrupted:
        assert isinstance(outcome, Interrupted | FileUploadError), outcome
    pending = isinstance(outcome, FileUploadError) and "continues" in str(outcome)
    for row in made:
        # An interruption leaves the row for the next call, or came when it was being marked already.
        right = {0} if pending else {0, 1} if resume and isinstance(outcome, Interrupted) else {1}
        assert marks.count(row) in right, f"{row} is marked {marks.count(row)} times: {outcome!r}"
    if not any(name.endswith(".json") for name in place.journals()):
        assert not pending, "a promise to go on, and no journal"
    assert not any(name.endswith(".lock") for name in place.journals()) or any(
        name.endswith(".json") for name in place.journals()
    )


@TRIED
@given(fates=CHOSEN)
def test_an_upload(place: Place, fates: dict[int, str]) -> None:
    """It ends with its bytes behind an uploaded row, or with a row that is marked once."""
    name = f"model {next(NUMBERS)}"
    player, outcome = uploading(place, name, fates, resume=False)
    nothing_is_made_twice(player.exchanges)
    no_part_goes_twice(player.exchanges)
    after(place, player, outcome, resume=False)
    again, made = uploading(place, name, {}, resume=False)
    after(place, again, made, resume=False)
    assert made.status == "uploaded"


@TRIED
@given(fates=CHOSEN, second=CHOSEN)
def test_an_upload_that_goes_on(place: Place, fates: dict[int, str], second: dict[int, str]) -> None:
    """Over two calls that go wrong and a third that does not, no part is sent twice and nothing is left behind."""
    name = f"model {next(NUMBERS)}"
    stored: frozenset[str] = frozenset()
    outcome: Any = None
    for turn in (fates, second, {}):
        place.known = stored  # type: ignore[attr-defined]
        player, outcome = uploading(place, name, turn, resume=True)
        nothing_is_made_twice(player.exchanges)
        stored = no_part_goes_twice(player.exchanges, stored)
        after(place, player, outcome, resume=True)
        if isinstance(outcome, ModelArtifact):
            break
    assert isinstance(outcome, ModelArtifact), outcome
    assert place.journals() == []


@TRIED
@given(fates=CHOSEN, resume=st.booleans(), left=st.sampled_from([0, 1000, 70_000]), wrong=st.booleans())
def test_a_download(simple: Place, fates: dict[int, str], resume: bool, left: int, wrong: bool) -> None:
    """Only proven bytes get the target's name, and without resume nothing lies beside it."""
    row = getattr(simple, "row", None) or luml_lite.upload(simple.cfg, simple.model)
    simple.row = row  # type: ignore[attr-defined]
    folder = simple.target.parent
    for path in folder.iterdir():
        path.unlink()
    simple.target.write_bytes(b"before")

    def look(effect: Any) -> None:
        assert simple.target.read_bytes() == b"before"
        if isinstance(effect, Local) and effect.func.__name__ == "publish":
            partial = Path(effect.func.__self__.path)  # type: ignore[attr-defined]
            assert partial.read_bytes() == simple.bytes, "bytes are published that are not the artifact's"
        if isinstance(effect, Local) and effect.func.__name__ == "open_partial" and left:
            stem = f".{simple.target.name}.{row.id}.{row.file_hash[:16]}.part"
            (folder / stem).write_bytes(bytes(left) if wrong else simple.bytes[:left])
        if isinstance(effect, Batch) and effect.requests[0].presigned:
            (request,) = effect.requests
            assert request.into is not None
            ranged = dict(request.headers).get("Range")
            assert ranged == (f"bytes={request.into.offset}-" if request.into.offset else None)

    player = FaultPlayer(simple.cfg, fates, look)
    outcome = player.run(download(simple.cfg, row.id, simple.target, resume=resume))
    assert simple.target.read_bytes() == (simple.bytes if outcome is None else b"before")
    if outcome is None or not resume:
        assert os.listdir(folder) == [simple.target.name]
    if player.interrupted:
        assert isinstance(outcome, Interrupted)
    FaultPlayer(simple.cfg, {}).run(download(simple.cfg, row.id, simple.target))
    assert simple.target.read_bytes() == simple.bytes
    assert os.listdir(folder) == [simple.target.name]


def is_refusal(exchange: Exchange) -> bool:
    """Whether a bucket did not delete: by an error, or by an answer that says nothing of a deletion."""
    try:
        if isinstance(exchange.outcome, Response):
            decode(exchange.request, exchange.outcome)
    except LumlError:
        return True
    return isinstance(exchange.outcome, LumlError) and getattr(exchange.outcome, "status_code", 0) != 404


@TRIED
@given(fates=CHOSEN)
@example(fates={1: "garbage"})
def test_a_deletion(simple: Place, fates: dict[int, str]) -> None:
    """The row is dropped only when its object is gone, and a failure of the bucket is marked once."""
    row = luml_lite.upload(simple.cfg, simple.model, f"model {next(NUMBERS)}").id

    def look(effect: Any) -> None:
        if isinstance(effect, Request) and effect.method == "DELETE" and not effect.presigned:
            assert simple.status(row) == "gone" or simple.content(row) is None

    player = FaultPlayer(simple.cfg, fates, look)
    outcome = player.run(delete(simple.cfg, row))
    status = simple.status(row)
    marks = [each for each in player.exchanges if sets(each.request, "deletion_failed")]
    assert len(marks) == any(each.request.presigned and is_refusal(each) for each in player.exchanges)
    assert status == "gone" if outcome is None else isinstance(outcome, LumlError)
    if player.interrupted:
        assert isinstance(outcome, Interrupted)
    if status != "gone":
        assert FaultPlayer(simple.cfg, {}).run(delete(simple.cfg, row)) is None
    assert isinstance(FaultPlayer(simple.cfg, {}).run(delete(simple.cfg, row)), NotFoundError)
