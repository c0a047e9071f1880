"""kill -9 at every step, and two processes at once, on real sockets: the same call goes on and ends right."""

from __future__ import annotations

import json
import os
import signal
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import luml_lite
from luml_lite.errors import ArtifactNotFoundError

from ..sync_async import SYNC_ASYNC
from .faults.environment import PART, Environment, eventually, steps
from .faults.fault_proxy import Exchange, faithful
from .faults.interrupted_calls import QUICK, STORAGES, WAYS, Delete, Download, counted, striking
from .faults.killed_process import DONE, KilledProcesses, killed_processes

pytestmark = pytest.mark.slow


def killed(zygote: KilledProcesses, environment: Environment, at: int, way: str, *call: Any, **options: Any) -> None:
    """A call whose process is killed at a step; the proxy's `seen` is what it sent."""

    def strike() -> None:
        if options.get("resume"):  # the journal is written beside the next part, and on a busy disk after it
            eventually(
                lambda: noted(environment) >= acknowledged(environment), "the journal does not note a finished part"
            )
        os.kill(zygote.pid, signal.SIGKILL)

    environment.proxy.arm(striking(strike, way, answers=False), at)
    zygote.begin("sync", *call, **options)
    assert zygote.ended() == -signal.SIGKILL
    eventually(lambda: environment.proxy.connections() == 0, "a connection outlives its process")


def parts(environment: Environment) -> list[str]:
    """The parts that were sent since the proxy was armed, in the order in which they came."""
    found = [each.target for each in environment.proxy.seen if each.method == "PUT"]
    return [target for target in found if "partNumber=" in target or "comp=block&" in target]


def acknowledged(environment: Environment) -> int:
    """How many parts were answered while the last request is not."""
    return max(0, len(parts(environment)) - (environment.proxy.seen[-1].method == "PUT"))


def noted(environment: Environment) -> int:
    """How many finished parts the journal knows; blocks of Azure are listed by the bucket instead."""
    journals = [json.loads(path.read_bytes()) for path in Path(environment.place, "state").glob("*.json")]
    return sum(len(journal["etags"]) if journal["upload_id"] else len(parts(environment)) for journal in journals)


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("way", WAYS)
def test_kill_9_of_an_upload(zygote: KilledProcesses, environments: Any, storage: str, way: str) -> None:
    """The same call goes on with the same row where the bucket can, and sends no part again that the journal has."""
    environment: Environment = environments(storage)
    state = str(environment.place / "state")
    total = -(-len(environment.bytes) // PART)
    for at in range(steps(environment, lambda cfg: luml_lite.upload(cfg, environment.model, "counted"))):
        name = f"kill -9 {way} {at}"
        killed(
            zygote, environment, at, way, "upload",
            environment.cfg.replace(concurrency=1, state_dir=state), environment.model, name, resume=True,
        )  # fmt: skip
        answered = acknowledged(environment)
        before = {row.id: str(row.status) for row in environment.rows(name)}
        assert {*before.values()} <= {"pending_upload", "uploaded"}, name
        environment.proxy.arm(faithful)
        cfg = environment.through(concurrency=1, state_dir=state)
        made = luml_lite.upload(cfg, environment.model, name, resume=True)
        assert made.status == "uploaded"
        after = {row.id: str(row.status) for row in environment.rows(name)}
        assert [row for row, status in after.items() if status == "uploaded"] == [made.id], name
        if (at, way) != (0, "after"):  # then nobody was told which row it is
            assert "pending_upload" not in after.values(), name
        if storage == "S3 in parts" and before and at >= 2:  # the upload_id is known
            assert [*before] == [made.id], name
            assert len(parts(environment)) == total - answered, name
        environment.truthful()
        assert os.listdir(state) == [], name
        environment.settled(cfg)
        environment.emptied()


@pytest.mark.parametrize("way", WAYS)
def test_kill_9_of_a_download(zygote: KilledProcesses, environments: Any, way: str) -> None:
    """The target is untouched, and the next call puts the right bytes there and leaves nothing beside it."""
    environment: Environment = environments("S3 at once")
    job = Download(environment)
    for at in range(counted(job, SYNC_ASYNC["sync"])):
        name = f"kill -9 {way} {at}"
        killed(zygote, environment, at, way, job.verb, environment.cfg, *job.arguments(name))
        assert environment.target.read_bytes() == b"before"
        cfg = environment.through()
        environment.proxy.arm()
        job.again(cfg, luml_lite, name)
        environment.settled(cfg)
    environment.target.unlink()
    environment.emptied()


def test_kill_9_in_the_middle_of_a_body(zygote: KilledProcesses, environments: Any) -> None:
    """What has landed is kept, and the next call asks for the rest alone."""
    environment: Environment = environments("S3 at once")
    job = Download(environment)

    def half(exchange: Exchange) -> None:
        exchange.read()
        exchange.give(exchange.forward(), 0.5)
        partials = lambda: [path for path in environment.folder.iterdir() if path.suffix == ".part"]  # noqa: E731
        eventually(lambda: any(path.stat().st_size for path in partials()), "nothing has landed")
        os.kill(zygote.pid, signal.SIGKILL)
        exchange.hang()

    environment.proxy.arm(half, 2)
    zygote.begin("sync", "download", environment.cfg, *job.arguments("in the middle"))
    assert zygote.ended() == -signal.SIGKILL
    assert environment.target.read_bytes() == b"before"
    environment.proxy.arm()
    cfg = environment.through()
    job.again(cfg, luml_lite, "in the middle")
    ranges = [value for name, value in environment.proxy.seen[-1].headers if name == "Range"]
    assert len(ranges) == 1
    assert ranges[0] != "bytes=0-"
    environment.settled(cfg)
    environment.target.unlink()
    environment.emptied()


@pytest.mark.parametrize("storage", STORAGES)
def test_two_processes_at_once(environments: Any, zygote: KilledProcesses, storage: str) -> None:
    """On the same file, with resume and the same state directory: both succeed, each with a row of its own or one."""
    environment: Environment = environments(storage)
    state = str(environment.place / "state")
    environment.proxy.arm()
    with killed_processes() as other:
        for turn in range(5):
            name = f"two at once {turn}"
            for each in (zygote, other):
                each.begin(
                    "sync",
                    "upload",
                    environment.cfg.replace(state_dir=state, timeouts=QUICK),
                    environment.model,
                    name,
                    resume=True,
                )
            assert [zygote.ended(), other.ended()] == [DONE, DONE]
            assert {str(row.status) for row in environment.rows(name)} == {"uploaded"}
            assert os.listdir(state) == []
            environment.truthful()
            environment.emptied()


def test_four_processes_at_one_target(environments: Any) -> None:
    """Two download each of two artifacts: all succeed, the file is whole and nothing stays beside it."""
    environment: Environment = environments("S3 at once")
    jobs = [Download(environment), Download(environment)] * 2
    environment.proxy.arm()
    with ExitStack() as stack:
        processes = [stack.enter_context(killed_processes()) for _ in jobs]
        for turn in range(50):
            for process, job in zip(processes, jobs, strict=True):
                process.begin("sync", "download", environment.cfg, job.row.id, environment.target)
            assert [process.ended() for process in processes] == [DONE] * 4, turn
            assert environment.target.read_bytes() == environment.bytes
            assert os.listdir(environment.folder) == [environment.target.name]
            environment.target.unlink()
    environment.emptied()


@pytest.mark.parametrize("way", WAYS)
def test_kill_9_of_a_deletion(zygote: KilledProcesses, environments: Any, way: str) -> None:
    """No row is lost while its object stays, and the next call ends with neither."""
    environment: Environment = environments("S3 at once")
    job = Delete(environment)
    for at in range(counted(job, SYNC_ASYNC["sync"])):
        name = f"kill -9 {way} {at}"
        killed(zygote, environment, at, way, job.verb, environment.cfg, *job.arguments(name))
        environment.proxy.arm()
        job.look(name, at, way)
        cfg = environment.through()
        job.again(cfg, luml_lite, name)
        with pytest.raises(ArtifactNotFoundError):
            luml_lite.delete(cfg, job.row.id)
        environment.settled(cfg)
