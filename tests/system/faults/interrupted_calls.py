"""What an upload, a download and a deletion are, and what must be so when one was interrupted or killed."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import luml_lite
from luml_lite import Config, Timeouts
from luml_lite.models.artifacts import ModelArtifact

from .environment import Environment, steps
from .fault_proxy import Exchange, Fault

STORAGES = ("S3 at once", "S3 in parts", "Azure blocks")
QUICK = Timeouts(connect=50, read=80, stall_window=80, cleanup=3)
PROMPT = 30.0  # seconds from a signal to the end, on a busy machine; the cleanup is bounded by a tenth of that
WAYS = ("before", "after")


def striking(strike: Callable[[], None], way: str, *, answers: bool) -> Fault:
    """Strikes when a request has come: before it goes on, or when the server has acted, whose answer may follow."""

    def fault(exchange: Exchange) -> None:
        exchange.read()
        answer = exchange.forward() if way == "after" else None
        strike()
        if answer is not None and answers:
            exchange.give(answer)
        else:
            exchange.hang()

    return fault


class Upload:
    """What an upload is and leaves behind."""

    verb = "upload"

    def __init__(self, environment: Environment) -> None:
        self.environment = environment

    def arguments(self, name: str) -> tuple[Any, ...]:
        return self.environment.model, name

    def look(self, name: str, at: int, way: str) -> None:
        """After an interruption: a row that was made is marked, unless it was confirmed by then."""
        rows = self.environment.rows(name)
        if at == 0 and way == "before":
            assert rows == []
        for row in rows:
            assert row.status in ("upload_failed", "uploaded"), (name, row.status)
        self.environment.truthful()

    def again(self, cfg: Config, verbs: Any, name: str) -> None:
        made: ModelArtifact = verbs.upload(cfg, self.environment.model, name)
        assert made.status == "uploaded"
        self.environment.truthful()
        self.environment.emptied()


class Download:
    """What a download is and leaves behind."""

    verb = "download"

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.row = luml_lite.upload(environment.direct, environment.model)

    def arguments(self, name: str) -> tuple[Any, ...]:
        if not name.startswith("counted"):
            self.environment.target.write_bytes(b"before")
        return self.row.id, self.environment.target

    def look(self, name: str, at: int, way: str) -> None:
        """After an interruption: the target is as it was, and nothing lies beside it."""
        assert self.environment.target.read_bytes() in (b"before", self.environment.bytes), name
        assert os.listdir(self.environment.folder) == [self.environment.target.name], name

    def again(self, cfg: Config, verbs: Any, name: str) -> None:
        verbs.download(cfg, self.row.id, self.environment.target)
        assert self.environment.target.read_bytes() == self.environment.bytes
        assert os.listdir(self.environment.folder) == [self.environment.target.name], name


class Delete:
    """What a deletion is and leaves behind."""

    verb = "delete"

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.row: Any = None

    def arguments(self, name: str) -> tuple[Any, ...]:
        self.row = luml_lite.upload(self.environment.direct, self.environment.model, name)
        self.url = luml_lite.download_url(self.environment.direct, self.row.id)["url"]
        return (self.row.id,)

    def look(self, name: str, at: int, way: str) -> None:
        """After an interruption: the row is there and says that it is to go, or all is gone."""
        left = luml_lite.get(self.environment.direct, self.row.id)
        if left is None:
            assert self.environment.gone(self.url), name
        elif left.status == "uploaded":
            assert (at, way) == (0, "before"), name
            self.environment.truthful()
        else:
            assert left.status in ("pending_deletion", "deletion_failed"), (name, left.status)

    def again(self, cfg: Config, verbs: Any, name: str) -> None:
        if luml_lite.get(self.environment.direct, self.row.id) is not None:
            verbs.delete(cfg, self.row.id)
        assert luml_lite.get(self.environment.direct, self.row.id) is None, name
        assert self.environment.gone(self.url), name


def counted(job: Any, verbs: Any) -> int:
    """How many steps a job has."""
    arguments = job.arguments("counted")
    return steps(job.environment, lambda cfg: getattr(verbs, job.verb)(cfg, *arguments))
