"""Each check against pydantic, word for word: pydantic writes the platform's 422 answers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luml_lite.local.api.validation import (
    WRONG,
    Check,
    Field,
    Problems,
    boolean,
    integer,
    list_of,
    mapping,
    model,
    nullable,
    one_of,
    pair_of,
    text,
    uuid_of,
)

pydantic = pytest.importorskip("pydantic")

CASES: list[tuple[Check, Any]] = [
    (text(), str),
    (text(longest=3), Annotated[str, pydantic.Field(max_length=3)]),
    (text(pattern=r"^a+$"), Annotated[str, pydantic.Field(pattern=r"^a+$")]),
    (integer(), int),
    (integer(above=0, most=100), Annotated[int, pydantic.Field(gt=0, le=100)]),
    (integer(least=5), Annotated[int, pydantic.Field(ge=5)]),
    (boolean, bool),
    (nullable(integer()), int | None),
    (list_of(text()), list[str]),
    (list_of(text(), least=1), Annotated[list[str], pydantic.Field(min_length=1)]),
    (list_of(integer(), most=2), Annotated[list[int], pydantic.Field(max_length=2)]),
    (mapping(), dict[str, Any]),
    (mapping(pair_of(integer())), dict[str, tuple[int, int]]),
    (partial(uuid_of, terse=True), UUID),
]
VALUES = [
    *(None, True, False, 0, 1, 2, 5, 100, 101, -1, 1.0, 1.5, "", "a", "aaaa", "b", "12", " 12 ", "1.0", "1.5", "x1"),
    *("true", "off", "yes", "maybe", [], ["a"], [1, "2", 3], [1, 2], [None], {}, {"a": 1}, {"a": [1, 2]}),
    *({"a": [1]}, {"a": [1, 2, 3]}, {"a": ["x", 2]}, {"a": "b"}),
    *("0199c455-21ee-74c6-b747-19a82f1a1e67", "0199C45521EE74C6B74719A82F1A1E67", "abc", "tags", "0199c455-21ee"),
]


def outcome(check: Check, value: Any) -> tuple[Any, list[tuple[str, tuple[Any, ...], str]]]:
    """The value that a check returns, and the problems that it adds."""
    problems: Problems = []
    result = check(value, (), problems)
    assert (result is WRONG) is bool(problems)
    return result, [(each["type"], tuple(each["loc"]), each["msg"]) for each in problems]


@pytest.mark.parametrize(("check", "kind"), CASES, ids=[str(kind) for _, kind in CASES])
def test_a_check_accepts_and_rejects_the_values_that_pydantic_does(check: Check, kind: Any) -> None:
    adapter = pydantic.TypeAdapter(kind)
    for value in VALUES:
        result, problems = outcome(check, value)
        try:
            expected = adapter.validate_python(value)
        except pydantic.ValidationError as error:
            assert problems == [(each["type"], each["loc"], each["msg"]) for each in error.errors()], value
        else:
            assert problems == [], value
            plain = pydantic.TypeAdapter(Any).dump_python(expected, mode="json")
            assert result == plain, value


def test_a_pattern_meets_the_end_of_a_short_text_only() -> None:
    """Python's `$` takes a line break after the end; a pattern may take the square of the text's length."""
    check = text(pattern=r"^[a-z]+\.[a-z]+$")
    assert outcome(check, "a.fnnx") == ("a.fnnx", [])
    assert outcome(check, "a.fnnx\n")[1][0][0] == "string_pattern_mismatch"
    assert outcome(check, "a" + "." * 60_000 + " ")[1][0][0] == "string_too_long"


def test_a_model_reports_missing_fields_and_drops_unknown_ones() -> None:
    class Known(pydantic.BaseModel):  # type: ignore[misc]
        a: int
        b: str
        c: Literal["x", "y"] = "x"

    check = model(a=Field(integer()), b=Field(text()), c=Field(one_of("x", "y"), "x"))
    assert outcome(check, {"a": "1", "b": "b", "unknown": 1}) == ({"a": 1, "b": "b", "c": "x"}, [])
    for value in ({}, {"a": "z"}, {"b": 1}, [], "x", None):
        with pytest.raises(pydantic.ValidationError) as refused:
            Known.model_validate(value)
        found = [(each["type"], each["loc"]) for each in refused.value.errors()]
        ours = [(kind, where) for kind, where, _ in outcome(check, value)[1]]
        assert ours == found or ours == [("model_attributes_type", ())], value


def test_a_check_stops_after_a_thousand_problems() -> None:
    check = model(a=Field(list_of(text())), b=Field(mapping(pair_of(integer()))))
    value = {"a": [1] * 100_000, "b": {str(number): [] for number in range(100_000)}}
    _, problems = outcome(check, value)
    assert 1000 < len(problems) < 1010


json_values: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
checks: list[Callable[..., Any]] = [check for check, _ in CASES]


@given(value=json_values, check=st.sampled_from(checks))
def test_no_value_breaks_a_check(value: Any, check: Check) -> None:
    outcome(check, value)
