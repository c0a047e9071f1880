"""Every step of every operation meets every fault of the wire, on real sockets; the environment is right afterwards.

The steps are counted, not listed: an operation runs once without a fault, and then again with the fault at each request
it made. Whatever the outcome: the right bytes or the old ones under the target's name, no row that lies, nothing left
open, and a second call, over the connections that the first one left, succeeds.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

import luml_lite
from luml_lite import Config, LumlError, Retry
from luml_lite.operations import get_object

from ..sync_async import SYNC_ASYNC
from .faults.environment import CALM, PATIENT, SLOW, STORAGES, Environment, bounded, patience, steps
from .faults.fault_proxy import Fault
from .faults.socket_faults import (
    FAULTS,
    acted_500,
    answer_lost,
    busy_503,
    error_in_200,
    expired_403,
    failed_500,
    flipped,
    refused,
    reset_before,
    reset_in_request,
    stalled,
)

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:check_parts has no effect")]

# Faults of the bucket that one call may not survive: what cannot be renewed, proven or distinguished from damage.
HARD = (expired_403, error_in_200, flipped)

# Faults that spoil every exchange, also one whose answer has no body.
LOUD = (reset_before, reset_in_request, answer_lost, stalled, failed_500, acted_500, busy_503)


def hasty(fault: Fault) -> Retry:
    """How often a fault that lasts is met again by one request."""
    return Retry(attempts=1 if fault in SLOW else 2, base=0.002, cap=0.002)


def recovering(cfg: Config) -> Config:
    """The same connections for a call that meets no fault, and has all the time that a busy machine takes."""
    return cfg.replace(retry=PATIENT, timeouts=CALM)


def ensure_reported(environment: Environment, fault: Fault, lasting: bool) -> None:
    """A fault that passes is the error of exactly one attempt; none where the answer is too short to be spoilt."""
    troubles = environment.troubles()
    if fault is not refused and not lasting:
        assert (fault in LOUD) <= len(troubles) <= 1, [*map(str, environment.events)]


def upload(environment: Environment, verbs: Any, fault: Fault, *, lasting: bool = False) -> None:
    """Upload with the fault at each step, and look at the rows."""
    retry = hasty(fault) if lasting else environment.cfg.retry
    for at in range(steps(environment, lambda cfg: verbs.upload(cfg, environment.model, "counted"))):
        name = f"{fault.__name__} at {at}{' lasting' if lasting else ''}"
        cfg = environment.through(retry=retry, timeouts=patience(fault))
        environment.proxy.arm(fault, at, lasting=lasting)
        made = bounded(lambda: verbs.upload(cfg, environment.model, name))  # noqa: B023
        ensure_reported(environment, fault, lasting)
        environment.proxy.arm()
        rows = {row.id: str(row.status) for row in environment.rows(name)}
        if isinstance(made, LumlError):
            assert lasting or fault in HARD, f"{name}: {made}"
            # It may say something else (but never a lie) only where the platform could not be reached.
            told = (
                {"upload_failed"} if not lasting or fault in HARD else {"upload_failed", "pending_upload", "uploaded"}
            )
            assert {*rows.values()} <= told, f"{name}: {rows}"
            assert verbs.upload(recovering(cfg), environment.model, "again").status == "uploaded", name
        else:
            assert rows == {made.id: "uploaded"}, name
            assert verbs.get(recovering(cfg), made.id) == made, name
        environment.truthful()
        environment.settled(cfg)
        environment.emptied()


def download(environment: Environment, verbs: Any, fault: Fault, *, lasting: bool = False, **changes: Any) -> None:
    """Download with the fault at each step, and look at the target."""
    made = luml_lite.upload(environment.direct, environment.model)
    retry = hasty(fault) if lasting else environment.cfg.retry
    for at in range(
        steps(environment, lambda cfg: verbs.download(cfg.replace(**changes), made.id, environment.target))
    ):
        name = f"{fault.__name__} at {at}{' lasting' if lasting else ''}"
        environment.target.write_bytes(b"before")
        cfg = environment.through(retry=retry, timeouts=patience(fault), **changes)
        environment.proxy.arm(fault, at, lasting=lasting)
        failure = bounded(lambda: verbs.download(cfg, made.id, environment.target))  # noqa: B023
        ensure_reported(environment, fault, lasting)
        environment.proxy.arm()
        if failure is None:
            assert environment.target.read_bytes() == environment.bytes, name
        else:
            assert lasting or fault in (flipped, error_in_200), f"{name}: {failure}"
            assert environment.target.read_bytes() == b"before", name
        assert os.listdir(environment.folder) == [environment.target.name], name
        verbs.download(recovering(cfg), made.id, environment.target)
        assert environment.target.read_bytes() == environment.bytes, name
        environment.settled(cfg)
    environment.target.unlink()
    environment.emptied()


def download_in_ranges(environment: Environment, verbs: Any, fault: Fault, *, lasting: bool = False) -> None:
    """The same with several ranges side by side, in two waves."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(get_object, "RANGE", 60_000)
        patch.setattr(get_object, "WAVE", 120_000)
        download(environment, verbs, fault, lasting=lasting, ranged_from=1)


def delete(environment: Environment, verbs: Any, fault: Fault, *, lasting: bool = False) -> None:
    """Delete with the fault at each step, and look at the row and its object."""
    retry = hasty(fault) if lasting else environment.cfg.retry
    first = luml_lite.upload(environment.direct, environment.model, "counted")
    for at in range(steps(environment, lambda cfg: verbs.delete(cfg, first.id))):
        name = f"{fault.__name__} at {at}{' lasting' if lasting else ''}"
        row = luml_lite.upload(environment.direct, environment.model, name)
        url = luml_lite.download_url(environment.direct, row.id)["url"]
        cfg = environment.through(retry=retry, timeouts=patience(fault))
        environment.proxy.arm(fault, at, lasting=lasting)
        failure = bounded(lambda: verbs.delete(cfg, row.id))  # noqa: B023
        ensure_reported(environment, fault, lasting)
        environment.proxy.arm()
        left = luml_lite.get(environment.direct, row.id)
        if failure is not None:
            assert lasting or fault in HARD, f"{name}: {failure}"
            if left is not None:
                told = {"deletion_failed"} if fault in HARD else {"uploaded", "pending_deletion", "deletion_failed"}
                assert left.status in told, f"{name}: {left.status}"
                verbs.delete(recovering(cfg), row.id)
        else:
            assert left is None, name
        assert luml_lite.get(environment.direct, row.id) is None, name
        assert environment.gone(url), name
        environment.settled(cfg)


CASES = [
    *((upload, storage) for storage in STORAGES),
    (download, "S3 at once"),
    (download_in_ranges, "Azure at once"),
    (delete, "S3 at once"),
]
PASSING = [
    pytest.param(call, kind, fault, mode, id=f"{call.__name__} {kind}-{fault.__name__}-{mode}")
    for call, kind in CASES
    for fault in FAULTS
    for mode in ("sync", "async")
    if mode == "sync" or (call, kind) != (upload, "Azure at once")  # whose only request of its own is one PUT
]
LASTING = [
    pytest.param(call, kind, fault, id=f"{call.__name__} {kind}-{fault.__name__}")
    for call, kind in CASES
    for fault in FAULTS
    if fault not in SLOW or call is not upload or kind == "S3 in parts"  # one kind must do
]


@pytest.mark.parametrize(("operation", "storage", "fault", "mode"), PASSING)
def test_a_fault_that_passes(environments: Any, operation: Any, storage: str, fault: Fault, mode: str) -> None:
    """Once, at each step: the call succeeds wherever anything could be done about it."""
    operation(environments(storage), SYNC_ASYNC[mode], fault)


@pytest.mark.parametrize(("operation", "storage", "fault"), LASTING)
def test_a_fault_that_lasts(environments: Any, operation: Any, storage: str, fault: Fault) -> None:
    """From each step on: the call fails within its bounds, and says the truth where it can be heard."""
    operation(environments(storage), SYNC_ASYNC["sync"], fault, lasting=True)
