"""Exchanges recorded from real servers, one JSON object a line: `api`, `errors` (both of the platform), `storage`.

`dialect` names the server generation, `server` the storage that answered; keys and signatures are made up.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from luml_lite.core.request import Response


def recorded(name: str) -> list[dict[str, Any]]:
    """The exchanges of one file."""
    return [json.loads(line) for line in (Path(__file__).parent / f"{name}.jsonl").read_text().splitlines()]


def answer(exchange: dict[str, Any]) -> Response:
    """The recorded answer as the transports give it."""
    body = exchange["answer"] or {}
    if "json" in body:
        content = json.dumps(body["json"]).encode()
    else:
        content = body.get("text", "").encode() or b"\0" * body.get("bytes", 0)
    return Response(exchange["status"], exchange.get("headers", {}), content, len(content))


def named(exchange: dict[str, Any]) -> str:
    """How a test of an exchange is called."""
    return f"{exchange.get('dialect') or exchange['server']} {exchange['case']} {exchange['method']}"
