"""Every fault of the wire at every step that goes to a real bucket, SeaweedFS or Azurite, led through the proxy.

The bucket's URLs are signed for the proxy's address, which the proxy leaves in the Host header, so that the real server
checks them. The registry is reached in process: its own steps have had their faults elsewhere.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import luml_lite
from luml_lite import Config, LumlError, local
from luml_lite.local.storage.buckets import Layout
from luml_lite.testing import write_model
from luml_lite.transport import pool

from ..servers.azurite import AzureBucket
from ..servers.seaweedfs import S3Bucket
from ..sync_async import SYNC_ASYNC
from .faults.environment import CALM, PATIENT, bounded, eventually, patience
from .faults.fault_proxy import Fault, Proxy, before
from .faults.socket_faults import FAULTS, error_in_200, expired_403, flipped

pytestmark = [pytest.mark.slow, pytest.mark.real_server, pytest.mark.filterwarnings("ignore:check_parts has no effect")]

HARD = (expired_403, error_in_200, flipped)
MiB = 1024**2
IN_PARTS = {"s3": Layout(MiB, 5 * MiB), "azure": Layout(MiB, 3 * MiB)}  # S3 takes no part below 5 MiB but the last


@pytest.fixture(scope="module", params=["s3_bucket", "azure_bucket"])
def bucket(request: pytest.FixtureRequest) -> S3Bucket | AzureBucket:
    """A bucket of each vendor."""
    found: S3Bucket | AzureBucket = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="module")
def proxy(bucket: Any) -> Iterator[Proxy]:
    """A proxy before the bucket."""
    with before(bucket.endpoint) as found:
        yield found
        pool.SHARED.close()


@pytest.fixture
def registry(bucket: Any, proxy: Proxy, tmp_path: Path) -> Callable[..., Config]:
    """Makes a registry whose URLs lead through the proxy."""
    led = copy.copy(bucket)
    led.endpoint = proxy.url

    def make(layout: Layout | None = None) -> Config:
        cfg = local.open(tmp_path / "registry", bucket=led, layout=layout)
        return cfg.replace(retry=PATIENT, timeouts=CALM, check_parts=True, concurrency=2)

    return make


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Callable[[bool], Path]:
    """A model of two parts, and one of a single PUT."""
    folder = tmp_path_factory.mktemp("models")
    write_model(str(folder / "small.fnnx"), {})
    write_model(str(folder / "large.fnnx"), {}, weights=5 * MiB + 1000)
    return lambda large: folder / ("large.fnnx" if large else "small.fnnx")


def counted(proxy: Proxy, call: Callable[[], Any]) -> int:
    """How many requests of a call reach the bucket."""
    proxy.arm()
    call()
    assert proxy.count
    return proxy.count


def settled(proxy: Proxy) -> None:
    """No connection to the bucket is left."""
    pool.SHARED.close()
    eventually(lambda: proxy.connections() == 0, "a connection is left")


each_fault = pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)


@each_fault
@pytest.mark.parametrize(("large", "mode"), [(False, "async"), (True, "sync")])
def test_upload(bucket: Any, proxy: Proxy, registry: Any, models: Any, fault: Fault, large: bool, mode: str) -> None:
    """An uploaded row has its bytes in the bucket, a failed one says so, and a second call is right."""
    verbs = SYNC_ASYNC[mode]
    model = models(large)
    cfg = registry(IN_PARTS[bucket.type] if large else None)
    for at in range(counted(proxy, lambda: verbs.upload(cfg, model, "counted"))):
        name = f"{fault.__name__} at {at}"
        proxy.arm(fault, at)
        made = bounded(lambda: verbs.upload(cfg.replace(timeouts=patience(fault)), model, name))  # noqa: B023
        proxy.arm()
        if isinstance(made, LumlError):
            assert fault in HARD, f"{name}: {made}"
            assert {str(row.status) for row in luml_lite.list_all(cfg) if row.model_name == name} == {"upload_failed"}
            made = verbs.upload(cfg, model, name)
        assert made.status == "uploaded", name
        assert bucket.read(made.bucket_location) == model.read_bytes(), name
        verbs.delete(cfg, made.id)
        assert made.bucket_location not in bucket.names()
    settled(proxy)


@each_fault
@pytest.mark.parametrize("mode", ["sync", "async"])
def test_download(proxy: Proxy, registry: Any, models: Any, tmp_path: Path, fault: Fault, mode: str) -> None:
    """The right bytes or the old ones are under the target's name, and nothing is beside it."""
    verbs = SYNC_ASYNC[mode]
    cfg = registry()
    row = luml_lite.upload(cfg, models(True))
    folder = tmp_path / "target"
    folder.mkdir()
    target = folder / "copy.fnnx"
    for at in range(counted(proxy, lambda: verbs.download(cfg, row.id, target))):
        target.write_bytes(b"before")
        proxy.arm(fault, at)
        failure = bounded(lambda: verbs.download(cfg.replace(timeouts=patience(fault)), row.id, target))
        proxy.arm()
        if failure is not None:
            assert fault in (flipped, error_in_200), failure
            assert target.read_bytes() == b"before"
        assert [path.name for path in folder.iterdir()] == [target.name]
        verbs.download(cfg, row.id, target)
        assert target.read_bytes() == models(True).read_bytes()
    settled(proxy)


@each_fault
@pytest.mark.parametrize("mode", ["sync", "async"])
def test_delete(bucket: Any, proxy: Proxy, registry: Any, models: Any, fault: Fault, mode: str) -> None:
    """Object and row are gone, or the row says that they are not."""
    verbs = SYNC_ASYNC[mode]
    cfg = registry()
    row = luml_lite.upload(cfg, models(False))
    proxy.arm(fault, 0)
    failure = bounded(lambda: verbs.delete(cfg.replace(timeouts=patience(fault)), row.id))
    proxy.arm()
    if failure is not None:
        assert fault in HARD, failure
        left = luml_lite.get(cfg, row.id)
        assert left is not None
        assert left.status == "deletion_failed"
        verbs.delete(cfg, row.id)
    assert luml_lite.get(cfg, row.id) is None
    assert row.bucket_location not in bucket.names()
    settled(proxy)
