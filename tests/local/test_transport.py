"""The in-process face: what it sends back, what it shares with HTTP, and how it travels between processes."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest

import luml_lite
from luml_lite import local
from luml_lite.clients import groups
from luml_lite.core.cancellation import CancelToken, Stopped
from luml_lite.core.request import FileSink, FileSlice, Request, Response, raw_response
from luml_lite.core.timeouts import Timeouts
from luml_lite.errors import ConnectionFailed, IntegrityError
from luml_lite.local import responses
from luml_lite.local.storage.buckets import Layout
from luml_lite.local.transport import LocalTransport, _content
from luml_lite.testing import write_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model archive of a few hundred kilobytes."""
    path = tmp_path / "m.luml"
    write_model(str(path), {"F1": 0.5})
    return path


def send(cfg: luml_lite.Config, request: Request[Response], stop: CancelToken | None = None) -> tuple[Response, int]:
    """One request through the transport, and how many bytes it said that it moved."""
    moved: list[int] = []
    assert isinstance(cfg.transport, LocalTransport)
    answer = cfg.transport.send(request, timeouts=Timeouts(), stop=stop or CancelToken(), on_bytes=moved.append)
    return answer, sum(moved)


def urls(cfg: luml_lite.Config, size: int) -> tuple[str, str]:
    """A fresh artifact's URLs to write and to read its bytes."""
    created = groups.create(
        cfg,
        file_name="m.luml",
        metrics={},
        manifest={
            "variant": "v",
            "producer_name": "p",
            "producer_version": "1",
            "producer_tags": [],
            "inputs": [],
            "outputs": [],
            "dynamic_attributes": [],
            "env_vars": [],
        },
        file_hash="h",
        file_index=dict.fromkeys(
            ("dtypes.json", "env.json", "manifest.json", "meta.json", "ops.json", "variant_config.json"), (0, 1)
        ),
        size=size,
        model_name="m",
    )
    return str(created.url), groups.download_url(cfg, created.model.id)["url"]


def test_a_slice_goes_in_and_comes_out_into_a_sink(tmp_path: Path) -> None:
    cfg = local.open(tmp_path / "r")
    content = os.urandom(3_000_000)
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"before" + content + b"after")
    put, get = urls(cfg, len(content))
    body = FileSlice(str(source), 6, len(content), md5=True)
    stored, sent = send(cfg, Request(method="PUT", url=put, body=body, reply=raw_response, presigned=True))
    assert (stored.status, sent) == (200, len(content))
    assert stored.header("etag") == f'"{stored.sent_md5}"'
    target.write_bytes(b"kept")
    sink = FileSink(str(target), 4, digest=False)
    headers = (("Range", "bytes=4-"),)
    answer, received = send(
        cfg, Request(method="GET", url=get, headers=headers, into=sink, reply=raw_response, presigned=True)
    )
    assert (answer.status, received, answer.received) == (206, len(content) - 4, len(content) - 4)
    assert target.read_bytes() == b"kept" + content[4:]
    assert "date" in answer.headers


def test_an_error_or_another_range_does_not_go_into_the_sink(tmp_path: Path) -> None:
    cfg = local.open(tmp_path / "r")
    _, get = urls(cfg, 3)
    target = tmp_path / "target"
    request = Request(method="GET", url=get, into=FileSink(str(target)), reply=raw_response, presigned=True)
    answer, _ = send(cfg, request)
    assert answer.status == 404
    assert b"NoSuchKey" in answer.body
    assert not target.exists()


def test_more_than_the_sink_wants_is_an_integrity_error(tmp_path: Path) -> None:
    cfg = local.open(tmp_path / "r")
    put, get = urls(cfg, 3)
    send(cfg, Request(method="PUT", url=put, body=b"abc", reply=raw_response, presigned=True))
    sink = FileSink(str(tmp_path / "t"), limit=2)
    with pytest.raises(IntegrityError):
        send(cfg, Request(method="GET", url=get, into=sink, reply=raw_response, presigned=True))


def test_a_file_that_was_replaced_while_it_was_read_is_a_lost_connection(tmp_path: Path) -> None:
    """Which is tried again, and then reads the new one."""
    gone = responses.Response(200, {}, (responses.FileRange(str(tmp_path / "gone"), 0, 3),))
    with pytest.raises(ConnectionFailed):
        list(_content(gone, CancelToken()))


def test_a_directory_that_fails_is_a_lost_connection(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """No error of sqlite3 comes out of the library."""
    cfg = local.open(tmp_path / "r")
    _, get = urls(cfg, 3)
    assert isinstance(cfg.transport, LocalTransport)
    with cfg.transport.registry.database.writing() as db:
        db.execute("DROP TABLE segments")
        db.execute("DROP TABLE objects")
    with pytest.raises(ConnectionFailed, match="no such table"):
        send(cfg, Request(method="GET", url=get, reply=raw_response, presigned=True))
    assert "failed" in caplog.text


def test_a_set_token_ends_a_transfer_and_nothing_is_kept(tmp_path: Path) -> None:
    cfg = local.open(tmp_path / "r")
    put, get = urls(cfg, 10)
    source = tmp_path / "source"
    source.write_bytes(bytes(3_000_000))
    stop = CancelToken()
    stop.set()
    body = FileSlice(str(source), 0, 3_000_000)
    with pytest.raises(Stopped):
        send(cfg, Request(method="PUT", url=put, body=body, reply=raw_response, presigned=True), stop)
    assert send(cfg, Request(method="GET", url=get, reply=raw_response, presigned=True))[0].status == 404
    assert isinstance(cfg.transport, LocalTransport)
    assert os.listdir(cfg.transport.registry.files.arriving) == []


def test_a_source_that_shrinks_is_an_error_and_nothing_is_kept(tmp_path: Path) -> None:
    cfg = local.open(tmp_path / "r")
    put, get = urls(cfg, 10)
    (tmp_path / "source").write_bytes(b"short")
    body = FileSlice(str(tmp_path / "source"), 0, 10)
    with pytest.raises(IntegrityError):
        send(cfg, Request(method="PUT", url=put, body=body, reply=raw_response, presigned=True))
    assert send(cfg, Request(method="GET", url=get, reply=raw_response, presigned=True))[0].status == 404


def test_a_config_is_pickled_by_path_and_shows_no_key(tmp_path: Path) -> None:
    cfg = local.open(tmp_path / "r", layout=Layout(1000, 1000))
    copy = pickle.loads(pickle.dumps(cfg))  # noqa: S301 - made in this line
    assert copy.organization == cfg.organization
    assert isinstance(copy.transport, LocalTransport)
    assert isinstance(cfg.transport, LocalTransport)
    assert copy.transport.registry is not cfg.transport.registry
    assert copy.transport.registry.settings.layout == Layout(1000, 1000)
    assert cfg.api_key not in repr(cfg) + repr(cfg.transport)


def test_both_faces_and_both_generations_see_one_directory(tmp_path: Path, model: Path) -> None:
    inside = local.open(tmp_path / "r")
    older = local.open(tmp_path / "r", dialect="model_artifacts")
    made = groups.upload(inside, str(model), "shared")
    with local.serve(tmp_path / "r") as served:
        for cfg in (inside, older, served.config):
            found = groups.get(cfg, "shared")
            assert found is not None
            assert (found.id, found.metrics) == (made.id, {"F1": 0.5})
            groups.download(cfg, made.id, str(tmp_path / "copy"))
            assert (tmp_path / "copy").read_bytes() == model.read_bytes()


def test_a_dropped_registry_leaves_the_directory(tmp_path: Path) -> None:
    """Nobody must remember to close: a dropped Config holds neither files nor the lock that keeps the sweep away."""
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    for _ in range(5):
        cfg = local.open(tmp_path / "r")
        urls(cfg, 1)
        del cfg
    if before:
        assert len(os.listdir("/proc/self/fd")) <= before
