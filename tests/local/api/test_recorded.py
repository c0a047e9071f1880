"""The registry gives the answers that real servers gave: every recorded exchange that can be replayed, one by one.

Before each exchange, `world.py` fills the registry with the rows that the recording implies. Status and JSON must be
equal; ids, times, signatures and object keys only need to have the same form.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from luml_lite.local.registry import Registry

from ..client import Bytes
from ..environment import RecordedRegistry
from ..recorded_rows import position_of
from ..recorded_scope import KEY, MEMBER_KEY, body_of

WIRE = Path(__file__).parents[2] / "recorded_servers"
BASE = "http://registry.test"

# Exchanges that the registry answers differently, by reason; a file and a line, counted from 0.
EXCEPTIONS = {
    "an unknown column, or a metric that is a number nowhere, is 400 and not 500": (
        *("current-67", "current-70", "current-72", "current-218", "current-273", "current-285"),
        *("model_artifacts_era-151", "model_artifacts_era-152"),
    ),
    "a metric sorts without collection_ids too": ("current-222", "current-277"),
    "a collection keeps the name and the description that a PATCH leaves out": ("current-324",),
    "part URLs for S3 without an upload_id are 422 and not 500": (
        *("current-340", "model_artifacts_era-268", "recovery-128", "recovery-134"),
    ),
    "a null name or status, NaN and NUL are 422 and not 500": (
        *("model_artifacts_era-167", "model_artifacts_era-205", "model_artifacts_era-341", "model_artifacts_era-342"),
    ),
    "an entry that a track does not have is 404 and not 500": ("current-428",),
    "an artifact is found under its own collection only": ("model_artifacts_era-174", "model_artifacts_era-177"),
    "a path without prefix belongs to the older dialect, which the registry has too": ("current-113", "current-116"),
    "a directory has no satellites and no deployments": (
        *("current-203", "current-204", "current-205", "current-207", "current-208"),
    ),
}
REASONS = {place: reason for reason, places in EXCEPTIONS.items() for place in places}


def exchanges() -> Iterator[Any]:
    """Every recorded exchange with the API that has an answer."""
    for file in sorted(WIRE.glob("*.jsonl")):
        for number, line in enumerate(file.read_text().splitlines()):
            exchange = {**json.loads(line), "place": f"{file.stem}-{number}"}
            if exchange["to"] == "api" and exchange["status"] is not None:
                yield pytest.param(exchange, id=f"{exchange['place']}-{exchange['case']}")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordedRegistry]:
    """One registry for all exchanges, emptied before each of them."""
    registry = Registry(tmp_path_factory.mktemp("replay"))
    yield RecordedRegistry(registry, (parameters.values[0] for parameters in exchanges()))
    registry.close()


@pytest.mark.parametrize("exchange", list(exchanges()))
def test_the_registry_answers_as_the_platform_did(world: RecordedRegistry, exchange: dict[str, Any]) -> None:
    """Every exception must still be needed, and must not be a 5xx."""
    world.prepare(exchange)
    status, answer = ask(world.registry, exchange)
    recorded = body_of(exchange["response_body"])
    if exchange["place"] in REASONS:
        assert (status, plain(answer)) != (exchange["status"], plain(recorded))
        assert status < 500
        return
    assert status == exchange["status"], answer
    if "stream_bytes" not in (exchange["response_body"] or {}):
        assert plain(answer) == plain(recorded)


def ask(registry: Registry, exchange: dict[str, Any]) -> tuple[int, Any]:
    """The status and the JSON, or the text, of the registry's answer."""
    body = exchange["request_body"] or {}
    content = json.dumps(body["json"]).encode() if "json" in body else body.get("text", "").encode()
    headers = {name.lower(): value for name, value in (exchange["request_headers"] or {}).items()}
    if exchange["status"] == 403 and "organizations/00000000" not in exchange["path"]:
        headers["authorization"] = f"Bearer {MEMBER_KEY}"
    elif headers.get("authorization", "").startswith("Bearer") and exchange["status"] != 401:
        headers["authorization"] = f"Bearer {KEY}"
    if body.get("json") and exchange["case"] == "create.nan_metric":
        content = content.replace(b'"NaN"', b"NaN")
    target = f"{exchange['path']}?{exchange['query']}" if exchange["query"] else exchange["path"]
    if position_of(exchange):
        target = with_own_cursor(registry, exchange, headers)
    reply = registry.handle(exchange["method"], target, headers, Bytes(content), BASE)
    assert isinstance(reply.body, bytes)
    if not reply.body:
        return reply.status, None
    is_json = reply.headers["content-type"] == "application/json"
    return reply.status, json.loads(reply.body) if is_json else reply.body.decode()


def with_own_cursor(registry: Registry, exchange: dict[str, Any], headers: dict[str, str]) -> str:
    """The target of an exchange with a cursor of this registry: the one that a first page of one row returns."""
    pairs = [(name, value) for name, value in parse_qsl(exchange["query"]) if name != "cursor"]
    first = urlencode([("limit", "1"), *((name, value) for name, value in pairs if name != "limit")])
    reply = registry.handle("GET", f"{exchange['path']}?{first}", headers, Bytes(), BASE)
    assert isinstance(reply.body, bytes)
    return f"{exchange['path']}?{urlencode([*pairs, ('cursor', json.loads(reply.body)['cursor'])])}"


FORMS = (
    (
        re.compile(r"https?://[^/\"]+/(storage/[^/]+|devstoreaccount1/[^/]+|[^/]+)/(?=orbit-|any/|test_file|k\?|x\?)"),
        "<bucket>/",
    ),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<id>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "<time>"),
    (re.compile(r"\b[0-9a-f]{32}(?=-)"), "<unique>"),
    (re.compile(r"(X-Amz-(Date|Signature|Credential)|se|sig)=[^&\"]*"), r"\1"),
)


def plain(value: Any, name: str = "") -> Any:
    """A value with ids, times, signatures and cursors replaced by placeholders."""
    if isinstance(value, dict):
        return {key: plain(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item, name) for item in value]
    if name == "total_satellites":
        return "none in a directory"
    if not isinstance(value, str) or name in ("file_hash", "input", "msg"):
        return value
    if name in ("unique_identifier", "cursor"):
        return f"<{name}>"
    for form, word in FORMS:
        value = form.sub(word, value)
    return value
