"""Disks that are full, directories that go, source files that change, at every step; over real sockets."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import luml_lite
from luml_lite.errors import FileDownloadError, FileError, FileUploadError, IntegrityError
from luml_lite.testing import write_model

from ..sync_async import SYNC_ASYNC
from .faults.environment import Environment, bounded, built, steps
from .faults.fault_proxy import Exchange, Fault
from .faults.killed_process import FAILED, KilledProcesses

pytestmark = pytest.mark.slow

STORAGES = ("S3 at once", "S3 in parts", "Azure blocks")


@pytest.fixture
def downloads(environments: Any) -> Iterator[tuple[Environment, str]]:
    """An environment with an artifact, and its id."""
    environment: Environment = environments("S3 at once")
    environment.target.write_bytes(b"before")
    yield environment, luml_lite.upload(environment.direct, environment.model).id
    environment.target.unlink(missing_ok=True)
    environment.emptied()


def at_its_turn(strike: Callable[[], None]) -> Fault:
    """Strikes when a request has come, which then goes on as if nothing was."""

    def fault(exchange: Exchange) -> None:
        exchange.read()
        strike()
        exchange.give(exchange.forward())

    return fault


def in_the_middle(strike: Callable[[], None]) -> Fault:
    """Strikes when half of the answer is out."""

    def fault(exchange: Exchange) -> None:
        exchange.read()
        answer = exchange.forward()
        exchange.give(answer, 0.5)
        strike()
        exchange.sock.sendall(answer.body[len(answer.body) // 2 :])

    return fault


# Full


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system that the model does not fit on."""
    place = tmp_path / "small"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no small file system can be mounted here; a limit on file sizes stands in for it below")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("mode", ["sync", "async"])
def test_a_full_disk(downloads: tuple[Environment, str], small_disk: Path, mode: str, resume: bool) -> None:
    """The old target stays, the disk is as free as before or holds what the next call goes on with."""
    environment, row = downloads
    target = small_disk / "copy.fnnx"
    target.write_bytes(b"before")
    cfg = environment.through()
    environment.proxy.arm()
    with pytest.raises(FileDownloadError, match="space"):
        SYNC_ASYNC[mode].download(cfg, row, target, resume=resume)
    assert target.read_bytes() == b"before"
    left = [name for name in os.listdir(small_disk) if name != target.name]
    assert len(left) == resume
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    SYNC_ASYNC[mode].download(cfg, row, target, resume=resume)
    assert target.read_bytes() == environment.bytes
    assert os.listdir(small_disk) == [target.name]
    environment.settled(cfg)


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_a_file_that_may_not_grow(zygote: KilledProcesses, downloads: tuple[Environment, str], mode: str) -> None:
    """What a quota or a limit refuses is a failed download that leaves nothing behind."""
    environment, row = downloads
    environment.proxy.arm()
    zygote.begin(mode, "download", environment.cfg, row, environment.target, largest=20_000)
    assert zygote.ended() == FAILED
    assert environment.target.read_bytes() == b"before"
    assert os.listdir(environment.folder) == [environment.target.name]


# Gone


def remove(folder: Path) -> None:
    """Remove a folder at one stroke: a file that is made in it meanwhile would stop a removal file by file."""
    gone = folder.with_name(f"{folder.name}-gone")
    folder.rename(gone)
    shutil.rmtree(gone)


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize("turn", [at_its_turn, in_the_middle])
def test_the_targets_directory_goes(downloads: tuple[Environment, str], turn: Any, mode: str) -> None:
    """Removed at any step, it is not made again, and the call says what it could not do."""
    environment, row = downloads
    verbs = SYNC_ASYNC[mode]
    for at in range(steps(environment, lambda cfg: verbs.download(cfg, row, environment.target))):
        cfg = environment.through()
        environment.proxy.arm(turn(lambda: remove(environment.folder)), at)
        failure = bounded(lambda: verbs.download(cfg, row, environment.target))  # noqa: B023
        assert isinstance(failure, FileDownloadError), at
        assert not environment.folder.exists()
        environment.folder.mkdir()
        environment.proxy.arm()
        verbs.download(cfg, row, environment.target)
        assert environment.target.read_bytes() == environment.bytes
        environment.settled(cfg)


# Changed


def grown(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def rewritten(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"other bytes of the same size")


def shortened(path: Path) -> None:
    os.truncate(path, 1000)


def deleted(path: Path) -> None:
    path.unlink()


def replaced(path: Path) -> None:
    other = path.with_suffix(".other")
    other.write_bytes(path.read_bytes()[::-1])
    other.replace(path)


CHANGES = (grown, rewritten, shortened, deleted, replaced)


@pytest.mark.parametrize(("storage", "mode"), [*((storage, "sync") for storage in STORAGES), ("S3 in parts", "async")])
@pytest.mark.parametrize("change", CHANGES)
def test_the_source_changes(environments: Any, change: Callable[[Path], None], storage: str, mode: str) -> None:
    """Whatever becomes of the file between its hashing and the confirmation, the row never becomes uploaded."""
    environment: Environment = environments(storage)
    verbs = SYNC_ASYNC[mode]
    total = steps(environment, lambda cfg: verbs.upload(cfg, environment.model, "counted"))
    for at in range(total):
        name = f"{change.__name__} at {at}"
        cfg = environment.through()
        environment.proxy.arm(at_its_turn(lambda: change(environment.model)), at)
        outcome = bounded(lambda: verbs.upload(cfg, environment.model, name))  # noqa: B023
        rows = {str(row.status) for row in environment.rows(name)}
        if at < total - 1:
            assert isinstance(outcome, FileUploadError), name
            assert isinstance(outcome.__cause__, IntegrityError | FileError), name
            assert rows == {"upload_failed"}, name
        else:  # the bytes were there and proven, and the file was seen to be still the same
            assert rows == {"uploaded"}, name
        environment.model.write_bytes(environment.bytes)
        environment.proxy.arm()
        assert verbs.upload(cfg, environment.model, name).status == "uploaded"
        environment.truthful()
        environment.settled(cfg)
        environment.emptied()


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize("change", CHANGES)
def test_the_source_changes_while_it_is_read(tmp_path: Path, change: Callable[[Path], None], mode: str) -> None:
    """In the middle of one large body as well."""
    with built(tmp_path, "S3 at once") as environment:
        write_model(str(environment.model), {}, weights=40_000_000)

        def half(exchange: Exchange) -> None:
            exchange.read(0.5)
            change(environment.model)
            exchange.read()
            exchange.give(exchange.forward())

        cfg = environment.through(retry=luml_lite.Retry(attempts=2, base=0.001))
        environment.proxy.arm(half, 1)
        with pytest.raises(FileUploadError) as caught:
            SYNC_ASYNC[mode].upload(cfg, environment.model, "changed")
        assert isinstance(caught.value.__cause__, IntegrityError | FileError)
        assert [str(row.status) for row in environment.rows("changed")] == ["upload_failed"]
        environment.model.touch()
        environment.settled(cfg)
