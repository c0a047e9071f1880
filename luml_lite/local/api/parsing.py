"""Query strings and JSON bodies become checked values here; input that fails a check is a 422."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ..responses import HTTPError, http_error
from .validation import REQUIRED, Check, Field, Problems, integer, one_of, problem, text, unprocessable

MAX_OBJECTS = 500_000  # lists and objects of a body, which cost 100 times their characters
MAX_DEPTH = 200  # levels of a body: a stored value must be readable from any depth of the caller's stack

PAGED = {
    "cursor": Field(text(), None),
    "limit": Field(integer(above=0, most=100), 50),
    "order": Field(one_of("asc", "desc"), "desc"),
}


def query_values(
    query: Sequence[tuple[str, str]], fields: Mapping[str, Field], many: Collection[str]
) -> dict[str, Any]:
    """The checked values of a query string; `many` names the parameters that may be repeated."""
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


def json_body(content: bytes, check: Check, content_type: str = "") -> Any:
    """The value of a JSON body after `check`; one of another type is checked as the text that it is."""
    problems: Problems = []
    try:
        # Decode strictly: json.loads would accept the bytes of a lone surrogate, which cannot be encoded again.
        document = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise http_error(400, "There was an error parsing the body") from None
    is_json = re.fullmatch(r"(?i)(\s*application/([\w.-]+\+)?json\s*(;.*)?)?", content_type)
    value = (_json_value(document) if is_json else document) if document else None
    if value is None:
        raise unprocessable([problem("missing", ("body",), "Field required", None)])
    result = check(value, ("body",), problems)
    if problems:
        raise unprocessable(problems)
    return result


def _json_value(document: str) -> Any:
    try:
        if document.count("[") + document.count("{") > MAX_OBJECTS:
            raise ValueError(f"more than {MAX_OBJECTS} lists and objects")
        value = json.loads(document, parse_constant=_reject_constant, parse_float=_finite_float)
        if "\\u" in document:
            json.dumps(value, ensure_ascii=False).encode()
        if document.count("[") + document.count("{") > MAX_DEPTH and _is_too_deep(value):
            raise ValueError("too deeply nested")
    except json.JSONDecodeError as error:
        raise _invalid_json(error.pos, error.msg) from None
    except (ValueError, RecursionError) as error:
        raise _invalid_json(0, str(error) or "too deeply nested") from None
    return value


def _invalid_json(position: int, message: str) -> HTTPError:
    return unprocessable([problem("json_invalid", ("body", position), "JSON decode error", {}, error=message)])


def _is_too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        inside = [item.values() if isinstance(item, dict) else item for item in level if isinstance(item, dict | list)]
        level = [child for children in inside for child in children]
        if not level:
            return False
    return True


def _reject_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _finite_float(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError("number out of range")
    return number
