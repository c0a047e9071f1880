"""A registry behind HTTP, a proxy before it, and what must be so after every call, whatever went wrong in it."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

import luml_lite
from luml_lite import Config, LumlError, Retry, Timeouts, local
from luml_lite.core.events import Event, RequestDone
from luml_lite.errors import StorageError
from luml_lite.local.storage.buckets import Layout
from luml_lite.models.artifacts import ModelArtifact
from luml_lite.storage import presigned
from luml_lite.testing import write_model
from luml_lite.transport import workers
from luml_lite.transport.pool import Pool

from .fault_proxy import Fault, Proxy, before, faithful
from .registries import on_azure
from .socket_faults import stalled, stalled_in_answer

STORAGES = ("S3 at once", "S3 in parts", "Azure at once", "Azure blocks")
PART = 80_000  # bytes; the model has a bit more than two of them
PATIENT = Retry(attempts=8, base=0.015, cap=0.05)  # outlasts what passes
CALM = Timeouts(connect=50, read=80, stall_window=80, cleanup=20)  # longer than a busy machine makes anyone wait
QUICK = Timeouts(connect=2, read=0.5, stall_window=0.5, cleanup=20)
SLOW = (stalled, stalled_in_answer)
LONG = 60.0  # seconds that no call may take, on a busy machine


def patience(fault: Fault) -> Timeouts:
    """How long a call waits: a stall is waited for in vain, anything else comes when it comes."""
    return QUICK if fault in SLOW else CALM


class Environment:
    """One registry: `cfg` reaches it through the proxy, `direct` without it."""

    def __init__(self, place: Path, cfg: Config, direct: Config, proxy: Proxy) -> None:
        self.place = place
        self.cfg = cfg
        self.direct = direct
        self.proxy = proxy
        self.model = place / "model.fnnx"
        write_model(str(self.model), {"F1": 0.5})
        self.bytes = self.model.read_bytes()
        self.folder = place / "target"
        self.folder.mkdir()
        self.target = self.folder / "copy.fnnx"
        self.events: list[Event] = []

    def through(self, **changes: Any) -> Config:
        """A Config whose connections go through the proxy and are nobody else's; its events are recorded."""
        self.events = []
        return self.cfg.replace(transport=Pool(), on_event=self.events.append, **changes)

    def begin(self) -> None:
        """Drop what a test that failed has left, so that the next one does not fail as well."""
        self.proxy.arm()
        self.proxy.drop()
        self.target.unlink(missing_ok=True)
        self.emptied()

    def rows(self, name: str) -> list[ModelArtifact]:
        """The rows of a name."""
        return [row for row in luml_lite.list_all(self.direct) if row.model_name == name]

    def gone(self, url: str) -> bool:
        """Whether there is no object behind a download URL."""
        try:
            luml_lite.run(presigned.probe(url), self.direct)
        except StorageError as error:
            return error.status_code == 404
        return False

    def truthful(self) -> None:
        """Every uploaded row has the right bytes behind it."""
        for row in luml_lite.list_all(self.direct):
            if row.status == "uploaded":
                assert b"".join(luml_lite.open_download(self.direct, row.id)) == self.bytes

    def emptied(self) -> None:
        """Drop every row."""
        for row in luml_lite.list_all(self.direct):
            luml_lite.delete(self.direct, row.id)

    def troubles(self) -> list[RequestDone]:
        """The attempts that failed on the wire, or that a server could not answer; no event tells a secret."""
        words = " ".join(f"{event} {event!r} {msgspec.structs.asdict(event)}" for event in self.events)
        assert not re.search(r"Signature=|sig=|dfs_", words)
        done = [event for event in self.events if isinstance(event, RequestDone) and event.error]
        return [each for each in done if not 400 <= each.status < 500 or "expired" in each.error]

    def settled(self, cfg: Config) -> None:
        """Nothing of a call is left: no connection, busy thread, open file or temporary file."""
        assert isinstance(cfg.transport, Pool)
        cfg.transport.close()
        eventually(lambda: self.proxy.connections() == 0, "a connection is left")
        eventually(lambda: all(each._idle == each._threads for each in workers._pools.values()), "a thread is busy")
        assert files(self.place) == []
        assert {*os.listdir(self.folder)} <= {self.target.name}
        assert {*os.listdir(self.place)} <= {"registry", "target", "state", self.model.name}


def files(place: Path) -> list[str]:
    """The files under a place that this process has open, those of the registry apart."""
    links = []
    for name in os.listdir("/proc/self/fd"):
        try:
            links.append(os.readlink(f"/proc/self/fd/{name}"))
        except FileNotFoundError:
            continue
    return [link for link in links if link.startswith(str(place)) and f"{place}/registry" not in link]


def eventually(right: Callable[[], bool], problem: str, seconds: float = 60) -> None:
    """Wait for what others have to finish."""
    end = time.monotonic() + seconds
    while not right():
        assert time.monotonic() < end, problem
        time.sleep(0.002)


@contextmanager
def built(place: Path, storage: str) -> Iterator[Environment]:
    """An environment whose bucket is of one kind."""
    layout = Layout(PART, PART) if storage in ("S3 in parts", "Azure blocks") else None
    with local.serve(place / "registry", layout=layout) as served, before(served.base_url) as proxy:
        direct = local.open(place / "registry", layout=layout)
        if storage.startswith("Azure"):
            direct = on_azure(direct)
        cfg = direct.replace(
            base_url=proxy.url, retry=PATIENT, timeouts=CALM, check_parts=True, concurrency=2, transport=None
        )
        try:
            yield Environment(place, cfg, direct, proxy)
        finally:
            direct.transport.close()  # type: ignore[union-attr]


def steps(environment: Environment, call: Callable[[Config], Any]) -> int:
    """How many requests a call makes when nothing goes wrong."""
    cfg = environment.through()
    environment.proxy.arm(faithful)
    call(cfg)
    environment.settled(cfg)
    return environment.proxy.count


def bounded(call: Callable[[], Any]) -> Any:
    """What a call returns, or the error that it raised; it must not take long."""
    began = time.monotonic()
    try:
        return call()
    except LumlError as error:
        assert str(error)
        return error
    finally:
        assert time.monotonic() - began < LONG
