"""Errors and logs of the pool show no secret."""

from __future__ import annotations

import logging
import pickle
import traceback
from pathlib import Path
from typing import Any

import pytest

from luml_lite.core.request import FileSink, FileSlice
from luml_lite.errors import LumlError

from .conftest import SECRET, Client, free_port, ok
from .scripted_server import Peer, always, serving


def test_no_log_shows_a_presigned_query(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    broken = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n: nameless\r\n\r\n"
    with serving(always(ok, lambda peer: peer.send(broken))) as server:
        for _ in range(2):
            client("GET", f"{server.url}/key?{SECRET}")
        client("GET", f"{server.url}/k\u00e9y?{SECRET}")
    assert "/key HTTP" in caplog.text
    assert "/k%C3%A9y HTTP" in caplog.text
    assert "c0ffee" not in caplog.text


def failure(client: Client, url: str, **fields: Any) -> LumlError:
    """The error of a request that fails."""
    with pytest.raises(LumlError) as caught:
        client(
            "PUT" if "body" in fields else "GET",
            url,
            presigned=True,
            headers=(("Authorization", "bearer-of-secrets"),),
            **fields,
        )
    return caught.value


def test_no_error_carries_a_presigned_query_or_a_key(client: Client, tmp_path: Path) -> None:
    """Neither its text, nor its pickle, nor its causes, nor any variable of a frame in its traceback."""

    def reset(peer: Peer, number: int) -> None:
        peer.head()
        peer.reset()

    def truncated(peer: Peer, number: int) -> None:
        peer.request()
        peer.answer(b"x", content_length="9")

    path = client.file(tmp_path / "file", 1000)
    errors = [failure(client, f"http://127.0.0.1:{free_port()}/k?{SECRET}")]
    with serving(reset) as server:
        errors.append(failure(client, f"{server.url}/k?{SECRET}"))
    with serving(truncated) as server:
        errors.append(failure(client, f"{server.url}/k?{SECRET}"))
        errors.append(failure(client, f"{server.url}/k?{SECRET}", into=FileSink(str(tmp_path / "t"))))
        errors.append(failure(client, f"{server.url}/k?{SECRET}", body=FileSlice(str(path), 0, 2000)))
        errors.append(failure(client, f"{server.url}/k?{SECRET}", body=FileSlice(str(tmp_path / "no"), 0, 2000)))
        errors.append(failure(client, f"{server.url}/k?{SECRET}", limit=0))
    for error in errors:
        shown = [*traceback.format_exception(error), repr(pickle.dumps(error))]
        seen: list[BaseException | None] = [error]
        while seen:
            one = seen.pop()
            if one is None:
                continue
            seen += [one.__cause__, one.__context__]
            shown.append(repr(one.args))
            for frame, _ in traceback.walk_tb(one.__traceback__):
                if "luml_lite" in frame.f_code.co_filename or "urllib3" in frame.f_code.co_filename:
                    shown += [repr(value) for name, value in frame.f_locals.items() if name != "self"]
        assert "c0ffee" not in "".join(shown)
        assert "bearer-of-secrets" not in "".join(shown)
