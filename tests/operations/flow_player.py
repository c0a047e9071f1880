"""Driving a flow step by step: a script of expected steps with the reply to each, local work done for real.

A step is written as one line: `GET artifacts/1/download-url`, `PUT put [bytes=5- "e"]`, `AGAIN 1`, `EMIT a b`. Batches
of one read like their request, others are lists of such lines.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit

from luml_lite.config import Config
from luml_lite.core.events import Event
from luml_lite.core.flow import Backoff, Batch, Emit, Local, send
from luml_lite.core.request import FileSink, Request, Response
from luml_lite.errors import ConnectionFailed, Interrupted, LumlError
from luml_lite.files.streams import SinkWriter
from luml_lite.models.artifacts import ModelArtifact
from luml_lite.testing import json_response

from .io_guard import forbid_io

NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
CFG = Config(api_key="dfs_KEY", organization=f"{1:08}-0000-0000-0000-{0:012}", orbit=f"{2:08}-0000-0000-0000-{0:012}")
CFG = CFG.replace(collection=f"{3:08}-0000-0000-0000-{0:012}")


def uid(number: int) -> str:
    """The id that is shown as the number alone."""
    return f"{number:08}-0000-0000-0000-{number:012}"


def date(seconds: float = 0) -> dict[str, str]:
    """Headers of an answer so many seconds after NOW."""
    return {"date": format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)}


def shown(request: Request[Any]) -> str:
    """A request as one short line."""
    url = urlsplit(request.url)
    path = url.path.strip("/")
    if not request.presigned:
        for end in (
            "collections/" + str(CFG.collection),
            "orbits/" + str(CFG.orbit),
            "organizations/" + str(CFG.organization),
        ):
            path = path.rpartition(end + "/")[2]
        steps = [str(int(step[:8])) if step.count("-") == 4 else step for step in path.removeprefix("v1/").split("/")]
        path = "/".join(steps)
    line = f"{request.method} {path}"
    cursor = dict(request.query).get("cursor")
    by = dict(request.query).get("sort_by")
    line += f" by {by}" if by else ""
    line += f" from {cursor}" if cursor else ""
    guards = " ".join(value for name, value in request.headers if name in ("Range", "If-Match"))
    line += f" [{guards}]" if guards else ""
    if request.method == "PATCH":
        line += f" {json.loads(request.body)['status']}"  # type: ignore[arg-type]
    return line


def line_of(effect: Any) -> Any:
    """An effect as one line, or as a list of lines."""
    if isinstance(effect, Request):
        return shown(effect)
    if isinstance(effect, Batch):
        lines = [shown(request) for request in effect.requests]
        return lines[0] if len(lines) == 1 else lines
    if isinstance(effect, Backoff):
        return f"AGAIN {effect.attempt}"
    assert isinstance(effect, Emit), effect
    return " ".join(
        ["EMIT", *(item.file_name if hasattr(item, "file_name") else str(len(item)) for item in effect.items)]
    )


Reply = Any
Step = tuple[Any, Reply]


def play(work: Generator[Any, Any, Any] | Request[Any], *script: Step) -> Any:
    """Drive a flow or a request through the whole script and return its value; any other step is a failure.

    A reply is what the driver would answer, an error to throw, or a function that makes either from the effect.
    """
    flow = send(work) if isinstance(work, Request) else work
    lines = list(script)
    reply: Any = None
    failure: BaseException | None = None
    while True:
        try:
            with forbid_io():
                effect = flow.throw(failure) if failure is not None else flow.send(reply)
        except StopIteration as end:
            assert lines == [], "the flow ended before its script"
            return end.value
        except Exception:
            assert lines == [], "the flow failed before its script"
            raise
        reply = failure = None
        if isinstance(effect, Event):
            continue
        if isinstance(effect, Local):
            try:
                reply = effect.func(*effect.args)
            except Exception as error:
                failure = error
            continue
        assert lines, f"the script has no line for {line_of(effect)}"
        expected, reply = lines.pop(0)
        assert line_of(effect) == expected
        if callable(reply):
            reply = reply(effect)
        if isinstance(effect, Batch) and not isinstance(reply, Interrupted):
            reply = reply if isinstance(reply, list) else [reply]
            for index, each in enumerate(reply):
                if isinstance(each, Response):
                    settle(effect, index, each)
        elif isinstance(reply, BaseException):
            reply, failure = None, reply


def settle(batch: Batch, index: int, response: Response) -> None:
    """Do what a driver does as one request of a batch succeeds; `on_done` itself may touch no file and no socket."""
    if batch.on_done is None:
        return
    with forbid_io():
        effects = batch.on_done(index, response)
    for effect in effects:
        if isinstance(effect, Local):
            effect.func(*effect.args)


def artifact(number: int = 1, **fields: Any) -> dict[str, Any]:
    """A row as current servers send it."""
    row = {
        "id": uid(number),
        "file_name": f"{number}.fnnx",
        "name": f"model {number}",
        "collection_id": CFG.collection,
        "status": "uploaded",
        "created_at": NOW.isoformat(),
        "extra_values": {},
        "file_hash": "",
        "file_index": {},
        "size": 10,
    }
    return row | fields


def public(row: dict[str, Any]) -> ModelArtifact:
    """The row as the public model."""
    from luml_lite.api import artifacts

    return artifacts.get(CFG, row["id"]).reply(json_response(row))


def page(*rows: dict[str, Any], cursor: str | None = None) -> Response:
    """A page of rows, dated NOW."""
    return Response(200, date(), json.dumps({"items": rows, "cursor": cursor}).encode())


def url(name: str) -> Response:
    """An answer with a presigned URL that is shown as the name."""
    return json_response({"url": f"https://bucket.example/{name}?X-Amz-Signature=SECRET"})


def probe(size: int, etag: str = '"e"') -> Response:
    """The answer to a probe of an object of so many bytes."""
    return Response(206, {"content-range": f"bytes 0-0/{size}", "etag": etag}, b"x")


def sink_of(effect: Any) -> FileSink:
    """Where an effect wants its body."""
    (request,) = effect.requests
    assert request.into is not None
    return request.into  # type: ignore[no-any-return]


def body(
    content: bytes, *, total: int | None = None, etag: str = '"e"', status: int = 206, has_length: bool = True
) -> Callable[[Any], Response]:
    """An answer whose bytes land where the request wants them; with `total` it says which range it is."""

    def reply(effect: Any) -> Response:
        sink = sink_of(effect)
        headers = {"etag": etag} | ({"content-length": str(len(content))} if has_length else {})
        if total is not None:
            headers["content-range"] = f"bytes {sink.offset}-{sink.offset + len(content) - 1}/{total}"
        with SinkWriter(sink, lambda moved: None) as writer:
            writer.write(content)
            return Response(status, headers, b"", len(content), writer.sha256())

    return reply


def broken(content: bytes, etag: str = '"e"') -> Callable[[Any], LumlError]:
    """A body that breaks off after these bytes."""

    def reply(effect: Any) -> LumlError:
        with SinkWriter(sink_of(effect), lambda moved: None) as writer:
            writer.write(content)
        return ConnectionFailed("broken", received=len(content), headers={"etag": etag})

    return reply


def lost() -> ConnectionFailed:
    """An answer that never came."""
    error = ConnectionFailed("the answer was lost")
    error.elapsed = 1.0
    return error
