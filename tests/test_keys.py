"""API keys from providers: read when a request is sent, again after a 401, and in no pickle."""

from __future__ import annotations

import multiprocessing
import pickle
import threading
import traceback
from pathlib import Path
from typing import Any

import pytest

import luml_lite
from luml_lite import AuthenticationError, Config, ConfigurationError, InvalidArgumentError, Response, keys, local
from luml_lite.core.request import Request, raw_response
from luml_lite.testing import Scripted, json_response

from .sync_async import SYNC_ASYNC

GET = Request(method="GET", url="/x", reply=raw_response)
each_mode = pytest.mark.parametrize("mode", SYNC_ASYNC)


def header(request: Request[Any], name: str) -> str:
    """A header of a prepared request."""
    return str(dict(request.headers)[name])


def write_key(path: Path, key: str) -> None:
    """Replace a key file as an editor or an agent does."""
    fresh = path.with_suffix(".new")
    fresh.write_text(f"{key}\n")
    fresh.chmod(0o600)
    fresh.replace(path)


@each_mode
def test_a_variable_is_read_for_each_request(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    script = Scripted([Response(200), Response(200)])
    cfg = Config(api_key=keys.from_env("SOME_KEY"), transport=script)
    for key in ("dfs_first", "dfs_second"):
        monkeypatch.setenv("SOME_KEY", key)
        SYNC_ASYNC[mode].run(GET, cfg)
        assert header(script.requests[-1], "Authorization") == f"Bearer {key}"
    monkeypatch.delenv("SOME_KEY")
    with pytest.raises(ConfigurationError, match="SOME_KEY"):
        SYNC_ASYNC[mode].run(GET, cfg)


@each_mode
def test_a_key_that_is_replaced_while_the_process_runs(mode: str, tmp_path: Path) -> None:
    """On sockets; the provider is called in no event loop."""
    path = tmp_path / "key"
    with local.serve(tmp_path / "registry") as served:
        cfg = served.config.replace(api_key=keys.from_file(path))
        write_key(path, "dfs_old")
        with pytest.raises(AuthenticationError):
            SYNC_ASYNC[mode].list(cfg)
        write_key(path, served.api_key)
        assert SYNC_ASYNC[mode].list(cfg).items == []

        given = ["dfs_old", served.api_key]
        threads = []

        def rotate() -> str:
            threads.append(threading.current_thread().name)
            return given.pop(0)

        assert SYNC_ASYNC[mode].list(cfg.replace(api_key=rotate)).items == []
        assert given == []
        assert mode == "sync" or "MainThread" not in threads


@each_mode
@pytest.mark.parametrize("keys_given", [["dfs_a", "dfs_a"], ["dfs_a", "dfs_b"]])
def test_the_key_is_asked_for_once_more_after_a_401(mode: str, keys_given: list[str]) -> None:
    """A create as well, since the server did nothing; the same key again is not sent twice."""
    refusal = json_response({"detail": "Not authenticated"}, 401)
    script, left = Scripted([refusal] * 2), list(keys_given)
    post = Request(method="POST", url="/x", reply=raw_response)
    with pytest.raises(AuthenticationError):
        SYNC_ASYNC[mode].run(post, Config(api_key=lambda: left.pop(0), transport=script))
    assert left == []
    assert [header(each, "Authorization")[7:] for each in script.requests] == list(dict.fromkeys(keys_given))


def fail() -> str:
    raise KeyError("dfs_vault")


@each_mode
@pytest.mark.parametrize("provider", [fail, dict, lambda: b"dfs_x", str, "dfs_x\n", lambda: "dfs\n", lambda: "ключ"])
def test_a_provider_without_a_key_is_told_before_anything_is_sent(mode: str, provider: Any) -> None:
    script = Scripted([])
    with pytest.raises(ConfigurationError) as caught:
        SYNC_ASYNC[mode].run(GET, Config(api_key=provider, transport=script))
    assert script.requests == []
    assert isinstance(caught.value.__cause__, KeyError) == (provider is fail)
    assert "dfs" not in str(caught.value)
    if provider is not fail:
        shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        assert "dfs" not in "".join(each for each in shown.format() if "headers.py" in each)


def test_a_key_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    """As ssh has it; a folder, or a file that is missing, is named."""
    path = tmp_path / "key"
    write_key(path, "dfs_x")
    provider = keys.from_file(path)
    assert provider() == "dfs_x"
    assert "dfs" not in repr(provider())
    for mode in (0o640, 0o604, 0o660):
        path.chmod(mode)
        with pytest.raises(ConfigurationError, match="chmod 600"):
            provider()
    for wrong in (tmp_path, tmp_path / "missing"):
        with pytest.raises(ConfigurationError, match=str(wrong)):
            keys.from_file(wrong)()


def key_in_child(pickled: bytes) -> tuple[str, bytes]:
    """The key that a worker process has, and its own pickle of the Config."""
    cfg = pickle.loads(pickled)  # noqa: S301
    return str(luml_lite.list(cfg).items), pickle.dumps(cfg)


def test_no_pickle_has_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither here nor in a spawned process, which reads the key itself."""
    with local.serve(tmp_path / "registry") as served:
        monkeypatch.setenv("LUML_API_KEY", served.api_key)
        write_key(tmp_path / "key", served.api_key)
        made = [served.config.replace(api_key=each) for each in (keys.from_env(), keys.from_file(tmp_path / "key"))]
        pickled = [pickle.dumps(cfg) for cfg in made]
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            for items, again in pool.map(key_in_child, pickled):
                assert items == "[]"
                assert b"dfs_" not in again
    assert not any(b"dfs_" in each for each in pickled)
    assert len({*made}) == 2  # hashable
    assert pickle.loads(pickled[0]) == made[0]  # noqa: S301


def test_agent_is_put_in_front() -> None:
    """Products as RFC 9110 has them, and nothing that could end the header."""
    script = Scripted([Response(200)])
    SYNC_ASYNC["sync"].run(GET, Config(api_key="k", agent="lumlflow/0.2", transport=script))
    assert header(script.requests[0], "User-Agent") == f"lumlflow/0.2 luml-lite/{luml_lite.__version__}"
    for wrong in ("a\r\nX: y", "a b/", "a/1 ", "ü/1", "a(b)", "a/1/2"):
        with pytest.raises(InvalidArgumentError, match="agent"):
            Config(agent=wrong)


def test_a_key_is_a_text_or_a_function() -> None:
    for wrong in (b"dfs_x", None):
        with pytest.raises(InvalidArgumentError, match="api_key"):
            Config(api_key=wrong)  # type: ignore[arg-type]
