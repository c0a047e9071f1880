"""Where what a client sent meets the checks: query strings and JSON bodies, and a 422 for what does not fit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from .validation import REQUIRED, Check, Field, Problems, integer, one_of, problem, text, unprocessable

DEEPEST = 200  # levels of a body: what is kept must be readable from any depth of the caller's stack


def query_values(query: Sequence[tuple[str, str]], fields: Mapping[str, Field], many: frozenset[str]) -> dict[str, Any]:
    """The query with its values checked; `many` names the parameters that may be repeated."""
    problems: Problems = []
    result: dict[str, Any] = {}
    for name, field in fields.items():
        values = [value for key, value in query if key == name]
        if not values:
            result[name] = field.default
        elif name in many:
            result[name] = [field.check(value, ("query", name, index), problems) for index, value in enumerate(values)]
        else:
            result[name] = field.check(values[-1], ("query", name), problems)
    required = [name for name, value in result.items() if value is REQUIRED]
    problems.extend(problem("missing", ("query", name), "Field required", None) for name in required)
    if problems:
        raise unprocessable(problems)
    return result


def json_body(content: bytes, check: Check) -> Any:
    """The body as JSON that `check` takes; everything else is a 422."""
    problems: Problems = []
    if not content:
        raise unprocessable([problem("missing", ("body",), "Field required", None)])
    try:
        # Strictly: json.loads lets bytes of half a surrogate pair pass, and those are no text.
        text = content.decode()
        value = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()
        if text.count("[") + text.count("{") > DEEPEST and _deep(value):
            raise ValueError("too deeply nested")
    except json.JSONDecodeError as error:
        raise unprocessable(
            [problem("json_invalid", ("body", error.pos), "JSON decode error", {}, error=error.msg)]
        ) from None
    except (ValueError, RecursionError) as error:
        said = str(error) or "too deeply nested"
        raise unprocessable([problem("json_invalid", ("body", 0), "JSON decode error", {}, error=said)]) from None
    result = check(value, ("body",), problems)
    if problems:
        raise unprocessable(problems)
    return result


def _deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        inside = [item.values() if isinstance(item, dict) else item for item in level if isinstance(item, dict | list)]
        level = [child for children in inside for child in children]
        if not level:
            return False
    return True


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError("number out of range")
    return number


PAGED = {
    "cursor": Field(text(), None),
    "limit": Field(integer(above=0, most=100), 50),
    "order": Field(one_of("asc", "desc"), "desc"),
}
