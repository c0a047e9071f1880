"""Checks of request values, and the 422 problems that they report: type, loc, msg, input and ctx, in pydantic's words.

A check takes a value, its location and the list of problems. It returns the converted value, or adds a problem and
returns WRONG. Models combine checks and drop unknown fields.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from ..responses import HTTPError, http_error

Loc: TypeAlias = tuple[str | int, ...]
Problems: TypeAlias = list[dict[str, Any]]
Check: TypeAlias = Callable[[Any, Loc, Problems], Any]

WRONG: Any = object()  # the result of a check that added a problem
REQUIRED: Any = ...  # the default of a field that must be given
ABSENT: Any = object()  # the default of a field that is left out of the result: for PATCH bodies
INT64 = 2**63 - 1
MAX_PROBLEMS = 1000  # each problem costs memory, so a list or an object is checked no further after this many
MAX_ECHO = 100_000  # characters and values of the inputs that a 422 repeats
MAX_PATTERN_TEXT = 1024  # characters of a text with a pattern: patterns may take the square of that; as S3's keys


class Field(NamedTuple):
    """A field of a model: its check, and the value that it has when the request leaves it out."""

    check: Check
    default: Any = REQUIRED


def problem(kind: str, loc: Loc, msg: str, value: Any, **ctx: Any) -> dict[str, Any]:
    """One entry in the detail of a 422."""
    entry: dict[str, Any] = {"type": kind, "loc": list(loc), "msg": msg, "input": value}
    if ctx:
        entry["ctx"] = ctx
    return entry


def reject(problems: Problems, kind: str, loc: Loc, msg: str, value: Any, **ctx: Any) -> Any:
    """Add a problem to the list and return WRONG."""
    problems.append(problem(kind, loc, msg, value, **ctx))
    return WRONG


def unprocessable(problems: Problems) -> HTTPError:
    """The 422 that lists the problems; it repeats inputs as long as all of them are small."""
    left = MAX_ECHO
    for each in problems:
        inside = [each["input"]]
        while inside and left > 0:
            value = inside.pop()
            left -= 1 + (len(value) if isinstance(value, str | dict | list) else 0)
            if left > 0 and isinstance(value, dict | list):
                inside += [*value, *value.values()] if isinstance(value, dict) else value
        if left <= 0:
            each["input"] = "..."
    return http_error(422, problems)


def text(*, longest: int | None = None, pattern: str | None = None) -> Check:
    """A string of at most `longest` characters that matches `pattern`."""
    # Python's `$` would take a line break after the end, too.
    search = re.compile(pattern.removesuffix("$") + r"\Z").search if pattern else None
    longest = MAX_PATTERN_TEXT if longest is None and pattern else longest

    def check(value: Any, loc: Loc, problems: Problems) -> Any:
        if not isinstance(value, str):
            return reject(problems, "string_type", loc, "Input should be a valid string", value)
        if longest is not None and len(value) > longest:
            message = f"String should have at most {longest} character{'s' if longest != 1 else ''}"
            return reject(problems, "string_too_long", loc, message, value, max_length=longest)
        if search is not None and not search(value):
            message = f"String should match pattern '{pattern}'"
            return reject(problems, "string_pattern_mismatch", loc, message, value, pattern=pattern)
        if "\0" in value:
            return reject(problems, "string_type", loc, "Input should not contain NUL characters", value)
        return value

    return check


def integer(*, above: int | None = None, least: int = -INT64, most: int = INT64) -> Check:
    """An integer; whole floats, booleans and strings of digits are converted."""

    def check(value: Any, loc: Loc, problems: Problems) -> Any:
        if isinstance(value, str):
            try:
                number = _whole(value)
            except ValueError:
                message = "Input should be a valid integer, unable to parse string as an integer"
                return reject(problems, "int_parsing", loc, message, value)
        elif isinstance(value, float) and not value.is_integer():
            message = "Input should be a valid integer, got a number with a fractional part"
            return reject(problems, "int_from_float", loc, message, value)
        elif isinstance(value, int | float):
            number = int(value)
        else:
            return reject(problems, "int_type", loc, "Input should be a valid integer", value)
        if above is not None and number <= above:
            return reject(problems, "greater_than", loc, f"Input should be greater than {above}", value, gt=above)
        if number < least:
            message = f"Input should be greater than or equal to {least}"
            return reject(problems, "greater_than_equal", loc, message, value, ge=least)
        if number > most:
            message = f"Input should be less than or equal to {most}"
            return reject(problems, "less_than_equal", loc, message, value, le=most)
        return number

    return check


def _whole(value: str) -> int:
    if not re.fullmatch(r"\s*[+-]?\d+(\.0+)?\s*", value, re.ASCII):
        raise ValueError(value)
    return int(value.strip().partition(".")[0])


def boolean(value: Any, loc: Loc, problems: Problems) -> Any:
    """True or false, also as 0, 1 and the words that the platform accepts."""
    words = {"true": True, "1": True, "yes": True, "on": True, "t": True, "y": True}
    words |= {"false": False, "0": False, "no": False, "off": False, "f": False, "n": False}
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float) and value in (0, 1):
        return bool(value)
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    if isinstance(value, str | int) or (isinstance(value, float) and value.is_integer()):
        message = "Input should be a valid boolean, unable to interpret input"
        return reject(problems, "bool_parsing", loc, message, value)
    return reject(problems, "bool_type", loc, "Input should be a valid boolean", value)


def one_of(*values: str) -> Check:
    """A member of an enumeration that has these values."""
    return _member("enum", values, [repr(value) for value in values])


def literal(enumeration: str, *values: str) -> Check:
    """One of these members of the named enumeration, which may have others."""
    return _member("literal_error", values, [f"<{enumeration}.{value.upper()}: {value!r}>" for value in values])


def _member(kind: str, values: Sequence[str], names: Sequence[str]) -> Check:
    expected = names[0] if len(names) == 1 else ", ".join(names[:-1]) + " or " + names[-1]

    def check(value: Any, loc: Loc, problems: Problems) -> Any:
        if isinstance(value, str) and value in values:
            return value
        return reject(problems, kind, loc, f"Input should be {expected}", value, expected=expected)

    return check


def nullable(inner: Check) -> Check:
    """A value that `inner` accepts, or null."""
    return lambda value, loc, problems: None if value is None else inner(value, loc, problems)


def list_of(inner: Check, *, least: int = 0, most: int | None = None) -> Check:
    """A list of `least` to `most` items."""

    def check(value: Any, loc: Loc, problems: Problems) -> Any:
        if not isinstance(value, list):
            return reject(problems, "list_type", loc, "Input should be a valid list", value)
        if most is not None and len(value) > most:
            return _reject_length("List", most, loc, value, problems)
        if len(value) < least:
            message = f"List should have at least {least} item after validation, not {len(value)}"
            ctx = {"field_type": "List", "min_length": least, "actual_length": len(value)}
            return reject(problems, "too_short", loc, message, value, **ctx)
        items = _check_each(enumerate(value), inner, loc, problems)
        return items if items is WRONG else [item for _, item in items]

    return check


def _reject_length(kind: str, most: int, loc: Loc, value: list[Any], problems: Problems) -> Any:
    message = f"{kind} should have at most {most} items after validation, not {len(value)}"
    ctx = {"field_type": kind, "max_length": most, "actual_length": len(value)}
    return reject(problems, "too_long", loc, message, value, **ctx)


def _check_each(pairs: Iterable[tuple[str | int, Any]], inner: Check, loc: Loc, problems: Problems) -> Any:
    """The pairs with their values checked, or WRONG if there were problems; stops after MAX_PROBLEMS."""
    before = len(problems)
    checked = []
    for key, item in pairs:
        checked.append((key, inner(item, (*loc, key), problems)))
        if len(problems) > MAX_PROBLEMS:
            break
    return checked if len(problems) == before else WRONG


def mapping(inner: Check | None = None) -> Check:
    """An object whose values `inner` accepts; any values without `inner`."""

    def check(value: Any, loc: Loc, problems: Problems) -> Any:
        if not isinstance(value, dict):
            return reject(problems, "dict_type", loc, "Input should be a valid dictionary", value)
        if inner is None:
            return value
        items = _check_each(value.items(), inner, loc, problems)
        return items if items is WRONG else dict(items)

    return check


def pair_of(inner: Check) -> Check:
    """A list of exactly two items."""

    def check(value: Any, loc: Loc, problems: Problems) -> Any:
        if not isinstance(value, list):
            return reject(problems, "tuple_type", loc, "Input should be a valid tuple", value)
        if len(value) > 2:
            return _reject_length("Tuple", 2, loc, value, problems)
        before = len(problems)
        items = [inner(item, (*loc, index), problems) for index, item in enumerate(value)]
        problems.extend(problem("missing", (*loc, index), "Field required", value) for index in range(len(value), 2))
        return items if len(problems) == before else WRONG

    return check


def model(**fields: Field) -> Check:
    """An object with these fields; other fields are dropped."""

    def check(value: Any, loc: Loc, problems: Problems) -> Any:
        if not isinstance(value, dict):
            message = "Input should be a valid dictionary or object to extract fields from"
            return reject(problems, "model_attributes_type", loc, message, value)
        before = len(problems)
        result: dict[str, Any] = {}
        for name, field in fields.items():
            if name in value:
                result[name] = field.check(value[name], (*loc, name), problems)
            elif field.default is REQUIRED:
                problems.append(problem("missing", (*loc, name), "Field required", value))
            elif field.default is not ABSENT:
                result[name] = field.default
        return result if len(problems) == before else WRONG

    return check


def tagged(**models: Check) -> Check:
    """An object whose `type` selects its model."""

    def check(value: Any, loc: Loc, problems: Problems) -> Any:
        if not isinstance(value, dict) or "type" not in value:
            message = "Unable to extract tag using discriminator 'type'"
            return reject(problems, "union_tag_not_found", loc, message, value, discriminator="'type'")
        kind = value["type"]
        if not isinstance(kind, str) or kind not in models:
            expected = ", ".join(map(repr, models))
            message = f"Input tag '{kind}' found using 'type' does not match any of the expected tags: {expected}"
            ctx = {"discriminator": "'type'", "tag": str(kind), "expected_tags": expected}
            return reject(problems, "union_tag_invalid", loc, message, value, **ctx)
        return models[kind](value, (*loc, kind), problems)

    return check


def uuid_of(value: Any, loc: Loc, problems: Problems, *, terse: bool = False) -> Any:
    """A UUID, returned in lower case with dashes; `terse` words problems as the older dialect does."""
    if not isinstance(value, str):
        return reject(problems, "uuid_type", loc, "UUID input should be a string, bytes or UUID object", value)
    plain = value.lower().removeprefix("urn:uuid:")
    if re.fullmatch(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", plain):
        return str(UUID(plain))
    fault = _uuid_fault(value, terse)
    return reject(problems, "uuid_parsing", loc, f"Input should be a valid UUID, {fault}", value, error=fault)


def _uuid_fault(value: str, terse: bool) -> str:
    odd = re.search(r"[^0-9a-fA-F-]", value)
    if odd and terse:
        return f"invalid character: found `{odd[0]}` at {odd.start()}"
    if odd:
        expected = "expected an optional prefix of `urn:uuid:` followed by [0-9a-fA-F-]"
        return f"invalid character: {expected}, found `{odd[0]}` at {odd.start() + 1}"
    groups = value.split("-")
    if len(groups) == 1:
        expected = "" if terse else "expected length 32 for simple format, "
        return f"invalid length: {expected}found {len(value)}"
    if len(groups) != 5:
        return f"invalid group count: expected 5, found {len(groups)}"
    for index, (group, length) in enumerate(zip(groups, (8, 4, 4, 4, 12), strict=True)):
        if len(group) != length:
            return f"invalid group length in group {index}: expected {length}, found {len(group)}"
    return "invalid UUID"
