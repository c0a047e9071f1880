"""Word of what happens: small values for `Config.on_event`, and the same as lines of the logger `luml_lite`.

An event is an effect of a flow, as a request is, or the driver's own; nothing that is secret is in one. INFO has one
line for each transfer or change, WARNING one for whatever makes a call slower than it should be, DEBUG one a request.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, ClassVar, Self, TypeAlias

from msgspec import Struct, structs

from ..errors import LumlError

_log = logging.getLogger("luml_lite")
_log.addHandler(logging.NullHandler())


class Event(Struct, frozen=True, kw_only=True):
    """Something that happened; `str(event)` says it in one line. Sizes are in bytes. Level 0 is never logged."""

    level: ClassVar[int] = 0


class RequestSent(Event, frozen=True, kw_only=True):
    """A request begins for the `attempt`th time; `request` has its method and its URL without secrets."""

    request: str
    attempt: int

    def __str__(self) -> str:
        return f"{self.request}, attempt {self.attempt}"


class RequestDone(Event, frozen=True, kw_only=True):
    """An attempt ended after so many `seconds`, with a `status` or, without an answer, 0, and with an `error` or ""."""

    level = logging.DEBUG
    request: str
    attempt: int
    seconds: float
    status: int = 0
    sent: int = 0
    received: int = 0
    error: str = ""

    def __str__(self) -> str:
        moved = f"{self.sent} bytes sent, {self.received} received"
        return f"{self.request}: {self.error or self.status} in {self.seconds:.3f} s, {moved}, attempt {self.attempt}"


class RetryScheduled(Event, frozen=True, kw_only=True):
    """After attempt number `attempt` failed, another one follows in `delay` seconds."""

    level = logging.WARNING
    request: str
    attempt: int
    delay: float
    reason: str

    def __str__(self) -> str:
        return f"{self.request} failed {self.attempt} times, again in {self.delay:.1f} s: {self.reason}"


class TransferDisturbed(Event, frozen=True, kw_only=True):
    """A transfer takes longer, for a `reason`."""

    level = logging.WARNING
    artifact_id: str
    file_name: str
    reason: str

    @classmethod
    def by(cls, error: LumlError, artifact_id: str, file_name: str) -> Self:
        """The event for a transfer that goes on after this error."""
        return cls(artifact_id=artifact_id, file_name=file_name, reason=reason(error))


class UrlRenewed(TransferDisturbed, frozen=True, kw_only=True):
    """The storage refused a presigned URL, and the transfer goes on with another one."""

    def __str__(self) -> str:
        return f"{self.file_name} ({self.artifact_id}) needs another URL: {self.reason}"


class TransferRestarted(TransferDisturbed, frozen=True, kw_only=True):
    """The bytes that had been moved are of no use, and the transfer begins again."""

    def __str__(self) -> str:
        return f"{self.file_name} ({self.artifact_id}) starts again: {self.reason}"


class FileHashed(Event, frozen=True, kw_only=True):
    """A file was read for its digest, before any byte of it is sent; `seconds` since the call began."""

    level = logging.DEBUG
    path: str
    size: int
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.path}: {self.size} bytes hashed in {self.seconds:.1f} s"


class PartStored(Event, frozen=True, kw_only=True):
    """The storage has a part of a file."""

    artifact_id: str
    number: int
    size: int

    def __str__(self) -> str:
        return f"part {self.number} of {self.artifact_id} is stored, {self.size} bytes"


class TransferDone(Event, frozen=True, kw_only=True):
    """An "upload" or a "download" is complete and proven; `seconds` since the call began."""

    level = logging.INFO
    kind: str
    artifact_id: str
    file_name: str
    size: int
    seconds: float = 0.0

    def __str__(self) -> str:
        rate = self.size / 1e6 / max(self.seconds, 1e-6)
        words = f"{self.size} bytes in {self.seconds:.1f} s, {rate:.1f} MB/s"
        return f"{self.kind} of {self.file_name} ({self.artifact_id}) done: {words}"


class ChangeDone(Event, frozen=True, kw_only=True):
    """The registry was changed by a call that moves no file; `request` is the last of its requests that did."""

    level = logging.INFO
    request: str
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.request} done in {self.seconds:.1f} s"


def reason(error: LumlError) -> str:
    """An error in words, without the request that the event names."""
    return f"{type(error).__name__}: {error.message}"


Listener: TypeAlias = Callable[[Event], Any]


def is_heard(listener: Listener | None, level: int = logging.DEBUG) -> bool:
    """Whether anybody wants events of this level."""
    return listener is not None or _log.isEnabledFor(level)


def notify(listener: Listener | None, event: Event, elapsed: float = 0.0) -> None:
    """Log an event and pass it on; `elapsed` becomes the seconds of one that a flow made, which knows no clock."""
    if elapsed and hasattr(event, "seconds"):
        event = structs.replace(event, seconds=elapsed)
    _log.log(event.level, "%s", event)
    if listener is not None:
        try:
            listener(event)
        except Exception:
            _log.exception("Config.on_event raised an exception")
