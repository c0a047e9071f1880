"""No key, signature or query value leaves the library, though every server repeats what it was sent."""

from __future__ import annotations

import gc
import hashlib
import json
import pickle
import signal
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest

from luml_lite import Config, LumlError, Retry, Timeouts
from luml_lite.testing import write_model

from ..operations.flow_player import uid
from ..sync_async import SYNC_ASYNC
from ..transport.scripted_server import Peer, serving

KEY = "dfs_K3YofTheOwner/0123456789"
SIGNATURE = "q9ZxW7hJ+of/the+bucket=="
QUERY = f"X-Amz-Date=20261123T180000Z&X-Amz-Expires=3600&X-Amz-Signature={quote(SIGNATURE, safe='')}"
SECRETS = {form for each in (KEY, SIGNATURE) for form in (each, quote(each, safe=""), each.replace("/", "\\/"))}

SCOPE = {"organization": uid(1), "orbit": uid(2), "collection": uid(3)}


def everything(error: BaseException) -> str:
    """All that a program can print, log or store of an error and its causes, the locals of its frames included."""
    found = []
    chain: BaseException | None = error
    while chain is not None:
        found += [str(chain), repr(vars(chain)), repr(chain.args), repr(pickle.dumps(chain, protocol=0))]
        chain = chain.__cause__ or chain.__context__
    own = error.with_traceback(error.__traceback__ and error.__traceback__.tb_next)  # without the frame of the test
    return "\n".join([*found, *traceback.TracebackException.from_exception(own, capture_locals=True).format()])


def assert_no_secret(error: BaseException) -> None:
    """Nothing of an error has a secret, or the first letters of one that was cut."""
    found = everything(error)
    assert not [each for each in (*SECRETS, KEY[:8], SIGNATURE[:8]) if each.lower() in found.lower()], found


def row(status: int) -> dict[str, Any]:
    """An artifact as the server sends it."""
    fields = {"id": uid(9), "collection_id": uid(3), "file_name": "m.fnnx", "name": "m", "status": status}
    digest = hashlib.sha256(b"").hexdigest()
    more = {"extra_values": {}, "manifest": {}, "file_index": {"a": [0, 5]}, "size": 1000, "type": "model"}
    return {**fields, **more, "file_hash": digest, "bucket_location": "k", "created_at": "2026-11-23T18:00:00Z"}


def api_answer(target: str, method: str, base: str, size: int, multipart: bool) -> Any:
    """What a server that works answers to a request of the API."""
    url = f"{base}/bucket/k?{QUERY}"
    if target.endswith("-url"):
        return {"url": url}
    if target.endswith("/upload/multipart"):
        part = {"part_number": 1, "url": f"{url}&partNumber=1", "start_byte": 0, "end_byte": size - 1}
        return {"parts": [part], "complete_url": f"{url}&uploadId=u", "type": "s3", "upload_id": "u"}
    if method == "POST":
        details = {"type": "s3", "url": url, "multipart": multipart, "bucket_location": "k", "bucket_secret_id": uid(7)}
        return {"artifact": row("pending_upload"), "upload_details": details}
    return row("uploaded")


def echo(head: str) -> str:
    """A request's head as servers repeat it: raw, decoded, and with other letters in its escapes."""
    return f"{head} {unquote(head)} {head.replace('%2B', '%2b').replace('%2F', '%2f')}".replace("\r\n", " ")


def bucket(
    status: int, size: int, works: str, is_dropped: Callable[[int], bool] = lambda count: False
) -> Callable[[Peer, int], None]:
    """A server whose API works; its bucket answers with what it was sent, but for requests with a word of `works`.

    It does not answer a request for which `is_dropped` is true; that gets the number of requests until then.
    """

    def script(peer: Peer, number: int) -> None:
        while True:
            peer.request()
            head = peer.server.heads[-1]
            if is_dropped(len(peer.server.heads)):
                continue
            method, target = head.split(" ")[:2]
            step = "part" if "partNumber" in target else "complete" if "uploadId" in target else "whole"
            if "/bucket/" not in target:
                answer = api_answer(target.partition("?")[0], method, peer.server.url, size, bool(works))
                peer.answer(json.dumps(answer).encode(), "201 Created" if method == "POST" else "200 OK")
            elif f"{method} {step}" in works:
                peer.answer(b"<UploadId>u</UploadId>" if method == "POST" else b"", etag='"x"')
            else:
                said = f"<Error><Code>{target}</Code><Message>{echo(head)}</Message></Error>".encode()
                peer.answer(said, f"{status} X", location=target, x_echo=echo(head))

    return script


CALLS: dict[str, Callable[[Any, Config, Path], Any]] = {
    "upload": lambda verbs, cfg, folder: verbs.upload(cfg, folder / "m.fnnx"),
    "checked upload": lambda verbs, cfg, folder: verbs.upload(cfg.replace(check_parts=True), folder / "m.fnnx"),
    "upload of parts": lambda verbs, cfg, folder: verbs.upload(cfg, folder / "m.fnnx"),
    "completion": lambda verbs, cfg, folder: verbs.upload(cfg, folder / "m.fnnx"),
    "download": lambda verbs, cfg, folder: verbs.download(cfg, uid(9), str(folder / "copy")),
    "ranges": lambda verbs, cfg, folder: verbs.download(cfg.replace(ranged_from=1), uid(9), str(folder / "copy")),
    "member": lambda verbs, cfg, folder: verbs.read_member(cfg, uid(9), "a"),
    "delete": lambda verbs, cfg, folder: verbs.delete(cfg, uid(9)),
}
WORKS = {"upload of parts": "POST whole", "completion": "POST whole, PUT part"}


@pytest.mark.parametrize("mode", SYNC_ASYNC)
@pytest.mark.parametrize("status", [200, 307, 400, 403, 404, 407, 503])
@pytest.mark.parametrize("call", CALLS)
def test_no_error_repeats_a_presigned_url(call: str, status: int, mode: str, tmp_path: Path) -> None:
    """Not in its words, fields, causes, pickles or the locals of its frames."""
    write_model(tmp_path / "m.fnnx", {"F1": 0.9}, 1000)
    with serving(bucket(status, (tmp_path / "m.fnnx").stat().st_size, WORKS.get(call, ""))) as server:
        cfg = Config(api_key=KEY, base_url=server.url, retry=Retry(attempts=2, base=0.0), **SCOPE)
        try:
            CALLS[call](SYNC_ASYNC[mode], cfg, tmp_path)
        except LumlError as error:
            assert_no_secret(error)
        else:
            assert call == "delete"
            assert status in (200, 404)


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("step", [1, 2, 3, 4])
@pytest.mark.parametrize("call", CALLS)
def test_no_frame_that_ctrl_c_ends_has_a_secret(call: str, step: int, tmp_path: Path) -> None:
    """Those of urllib3 and http.client included: a traceback with locals shows no header and no query."""
    write_model(tmp_path / "m.fnnx", {"F1": 0.9}, 1000)
    main = threading.main_thread().ident
    assert main is not None

    def strike(count: int) -> bool:
        if count == step:
            signal.pthread_kill(main, signal.SIGINT)
        return count == step

    works = "POST whole, PUT part, PUT whole"
    with serving(bucket(403, (tmp_path / "m.fnnx").stat().st_size, works, strike)) as server:
        limits = Timeouts(cleanup=0.5)
        cfg = Config(api_key=KEY, base_url=server.url, retry=Retry(attempts=1), timeouts=limits, **SCOPE)
        with pytest.raises((KeyboardInterrupt, LumlError)) as caught:
            CALLS[call](SYNC_ASYNC["sync"], cfg, tmp_path)
        is_struck = len(server.heads) >= step
    assert isinstance(caught.value, KeyboardInterrupt) == is_struck
    assert_no_secret(caught.value)
    del caught
    gc.collect()  # of a socket that Ctrl-C has cut off from the code that would close it, Python warns


KEY_ECHOES = {
    "a sentence": {"detail": f"the key {KEY} is unknown"},
    "a page": f"<pre>Authorization: Bearer {KEY}</pre>",
    "a validation error": {"detail": [{"type": "x", "loc": ["header", KEY], "msg": f"bad {KEY}", "input": KEY}]},
    "a tree": {"detail": {"headers": {"authorization": [f"Bearer {KEY}"], KEY: 1}}},
    "the end of a long text": {"detail": "x" * 490 + KEY},
    "the end of a long page": "x" * 190 + KEY,
}


@pytest.mark.parametrize("mode", SYNC_ASYNC)
@pytest.mark.parametrize("status", [301, 400, 401, 404, 407, 422, 500])
@pytest.mark.parametrize("shape", KEY_ECHOES)
def test_no_error_repeats_the_key(shape: str, status: int, mode: str) -> None:
    """Nor half of it, where a long text is cut."""
    said = KEY_ECHOES[shape]
    body = (said if isinstance(said, str) else json.dumps(said).replace("/", "\\/")).encode()

    def script(peer: Peer, number: int) -> None:
        while True:
            peer.request()
            peer.answer(body, f"{status} X", location=f"https://user:{KEY}@new.example/x?token={KEY}#{KEY}")

    with serving(script) as server:
        cfg = Config(api_key=KEY, base_url=server.url, retry=Retry(attempts=1), **SCOPE)
        with pytest.raises(LumlError) as caught:
            SYNC_ASYNC[mode].list(cfg)
    assert_no_secret(caught.value)
