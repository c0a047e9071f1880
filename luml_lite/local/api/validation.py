"""Checks of what a client sent, and the 422 bodies they give: type, loc, msg, input, ctx as the platform writes them.

A check takes a value, its location and the list of problems; it returns the value as the rules want it, or WRONG after
adding to the problems. Checks are composed into models; a model drops unknown fields.
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

WRONG: Any = object()
INT64 = 2**63 - 1
ENOUGH = 1000  # problems after which a body is not looked at further: each of them costs memory


class Field(NamedTuple):
    """A field of a model: its check, and what stands for it when it is left out (REQUIRED: nothing may)."""

    check: Check
    default: Any = ...


REQUIRED: Any = ...
ABSENT: Any = object()  # a default that leaves the field out of the result: PATCH bodies


def problem(kind: str, loc: Loc, msg: str, value: Any, **ctx: Any) -> dict[str, Any]:
    """One entry of a 422's detail."""
    entry: dict[str, Any] = {"type": kind, "loc": list(loc), "msg": msg, "input": value}
    if ctx:
        entry["ctx"] = ctx
    return entry


def unprocessable(problems: Problems) -> HTTPError:
    """The 422 that lists the problems."""
    return http_error(422, problems)


def text(*, longest: int | None = None, pattern: str | None = None) -> Check:
    """A string of at most `longest` characters that fits `pattern`."""
    fits = re.compile(pattern).search if pattern else None

    def check(value: Any, loc: Loc, problems: Problems) -> Any:
        if not isinstance(value, str):
            problems.append(problem("string_type", loc, "Input should be a valid string", value))
        elif longest is not None and len(value) > longest:
            said = f"String should have at most {longest} character{'s' if longest != 1 else ''}"
            problems.append(problem("string_too_long", loc, said, value, max_length=longest))
        elif fits is not None and not fits(value):
            said = f"String should match pattern '{pattern}'"
            problems.append(problem("string_pattern_mismatch", loc, said, value, pattern=pattern))
        elif "\0" in value:
            problems.append(problem("string_type", loc, "Input should not contain NUL characters", value))
        else:
            return value
        return WRONG

    return check


def integer(*, above: int | None = None, least: int = -INT64, most: int = INT64) -> Check:
    """An integer, also as a whole float or as a string of digits."""

    def check(value: Any, loc: Loc, problems: Problems) -> Any:
        number = value
        if isinstance(value, bool):
            number = int(value)
        elif isinstance(value, str):
            try:
                number = _whole(value)
            except ValueError:
                said = "Input should be a valid integer, unable to parse string as an integer"
                problems.append(problem("int_parsing", loc, said, value))
                return WRONG
        elif isinstance(value, float):
            if not value.is_integer():
                said = "Input should be a valid integer, got a number with a fractional part"
                problems.append(problem("int_from_float", loc, said, value))
                return WRONG
            number = int(value)
        elif not isinstance(value, int):
            problems.append(problem("int_type", loc, "Input should be a valid integer", value))
            return WRONG
        if above is not None and number <= above:
            problems.append(problem("greater_than", loc, f"Input should be greater than {above}", value, gt=above))
        elif number < least:
            said = f"Input should be greater than or equal to {least}"
            problems.append(problem("greater_than_equal", loc, said, value, ge=least))
        elif number > most:
            said = f"Input should be less than or equal to {most}"
            problems.append(problem("less_than_equal", loc, said, value, le=most))
        else:
            return number
        return WRONG

    return check


def _whole(value: str) -> int:
    if not re.fullmatch(r"\s*[+-]?\d+(\.0+)?\s*", value, re.ASCII):
        raise ValueError(value)
    return int(value.strip().partition(".")[0])


def boolean(value: Any, loc: Loc, problems: Problems) -> Any:
    """True or false, also in the words that the platform takes for them."""
    words = {"true": True, "1": True, "yes": True, "on": True, "t": True, "y": True}
    words |= {"false": False, "0": False, "no": False, "off": False, "f": False, "n": False}
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float) and value in (0, 1):
        return bool(value)
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    kind = ("bool_parsing", "Input should be a valid boolean, unable to interpret input")
    if not isinstance(value, str | int) and not (isinstance(value, float) and value.is_integer()):
        kind = ("bool_type", "Input should be a valid boolean")
    problems.append(problem(kind[0], loc, kind[1], value))
    return WRONG


def one_of(*values: str) -> Check:
    """One of the members of an enumeration."""
    expected = _or([repr(value) for value in values])

    def check(value: Any, loc: Loc, problems: Problems) -> Any:
        if isinstance(value, str) and value in values:
            return value
        problems.append(problem("enum", loc, f"Input should be {expected}", value, expected=expected))
        return WRONG

    return check


def literal(kind: str, *values: str) -> Check:
    """One of some members of the enumeration `kind`."""
    expected = _or([f"<{kind}.{value.upper()}: {value!r}>" for value in values])

    def check(value: Any, loc: Loc, problems: Problems) -> Any:
        if isinstance(value, str) and value in values:
            return value
        problems.append(problem("literal_error", loc, f"Input should be {expected}", value, expected=expected))
        return WRONG

    return check


def _or(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]


def nullable(inner: Check) -> Check:
    """What `inner` takes, or null."""
    return lambda value, loc, problems: None if value is None else inner(value, loc, problems)


def list_of(inner: Check, *, most: int | None = None) -> Check:
    """A list of at most `most` items."""

    def check(value: Any, loc: Loc, problems: Problems) -> Any:
        if not isinstance(value, list):
            problems.append(problem("list_type", loc, "Input should be a valid list", value))
            return WRONG
        if most is not None and len(value) > most:
            said = f"List should have at most {most} items after validation, not {len(value)}"
            ctx = {"field_type": "List", "max_length": most, "actual_length": len(value)}
            problems.append(problem("too_long", loc, said, value, **ctx))
            return WRONG
        items = _each(enumerate(value), inner, loc, problems)
        return items if items is WRONG else [item for _, item in items]

    return check


def _each(pairs: Iterable[tuple[str | int, Any]], inner: Check, loc: Loc, problems: Problems) -> Any:
    """The pairs with their values checked; WRONG at the end of them, or as soon as there are enough problems."""
    before = len(problems)
    checked = []
    for key, item in pairs:
        checked.append((key, inner(item, (*loc, key), problems)))
        if len(problems) > ENOUGH:
            break
    return checked if len(problems) == before else WRONG


def mapping(inner: Check | None = None) -> Check:
    """An object whose values `inner` takes."""

    def check(value: Any, loc: Loc, problems: Problems) -> Any:
        if not isinstance(value, dict):
            problems.append(problem("dict_type", loc, "Input should be a valid dictionary", value))
            return WRONG
        if inner is None:
            return value
        items = _each(value.items(), inner, loc, problems)
        return items if items is WRONG else dict(items)

    return check


def pair_of(inner: Check) -> Check:
    """A list of exactly two items."""

    def check(value: Any, loc: Loc, problems: Problems) -> Any:
        if not isinstance(value, list):
            problems.append(problem("tuple_type", loc, "Input should be a valid tuple", value))
            return WRONG
        if len(value) > 2:
            said = f"Tuple should have at most 2 items after validation, not {len(value)}"
            ctx = {"field_type": "Tuple", "max_length": 2, "actual_length": len(value)}
            problems.append(problem("too_long", loc, said, value, **ctx))
            return WRONG
        before = len(problems)
        items = [inner(item, (*loc, index), problems) for index, item in enumerate(value)]
        problems.extend(problem("missing", (*loc, index), "Field required", value) for index in range(len(value), 2))
        return items if len(problems) == before else WRONG

    return check


def model(**fields: Field) -> Check:
    """An object with these fields; others are dropped."""

    def check(value: Any, loc: Loc, problems: Problems) -> Any:
        if not isinstance(value, dict):
            said = "Input should be a valid dictionary or object to extract fields from"
            problems.append(problem("model_attributes_type", loc, said, value))
            return WRONG
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


def uuid_of(value: Any, loc: Loc, problems: Problems, *, terse: bool = False) -> Any:
    """A UUID as a lower-case dashed string; `terse` is the wording of the older generation."""
    if isinstance(value, str):
        plain = value.lower().removeprefix("urn:uuid:")
        if re.fullmatch(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", plain):
            return str(UUID(plain))
        said = _uuid_fault(value, terse)
        problems.append(problem("uuid_parsing", loc, f"Input should be a valid UUID, {said}", value, error=said))
    else:
        said = "UUID input should be a string, bytes or UUID object"
        problems.append(problem("uuid_type", loc, said, value))
    return WRONG


def _uuid_fault(value: str, terse: bool) -> str:
    odd = re.search(r"[^0-9a-fA-F-]", value)
    if odd:
        if terse:
            return f"invalid character: found `{odd[0]}` at {odd.start()}"
        expected = "expected an optional prefix of `urn:uuid:` followed by [0-9a-fA-F-]"
        return f"invalid character: {expected}, found `{odd[0]}` at {odd.start() + 1}"
    groups = value.split("-")
    if len(groups) == 1:
        wanted = "" if terse else "expected length 32 for simple format, "
        return f"invalid length: {wanted}found {len(value)}"
    if len(groups) != 5:
        return f"invalid group count: expected 5, found {len(groups)}"
    for index, (group, wanted_length) in enumerate(zip(groups, (8, 4, 4, 4, 12), strict=True)):
        if len(group) != wanted_length:
            return f"invalid group length in group {index}: expected {wanted_length}, found {len(group)}"
    return "invalid UUID"
