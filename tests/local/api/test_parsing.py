"""Parsing of requests: JSON objects and query parameters."""

from __future__ import annotations

import json
from typing import Any

import pytest

from luml_lite.local.api.parsing import json_body, query_values
from luml_lite.local.api.validation import Field, integer, model, one_of
from luml_lite.local.responses import HTTPError


@pytest.mark.parametrize(
    ("content", "kind", "where"),
    [
        (b"", "missing", ["body"]),
        (b"{", "json_invalid", ["body", 1]),
        (b'{"a": NaN}', "json_invalid", ["body", 0]),
        (b'{"a": 1e400}', "json_invalid", ["body", 0]),
        (b'{"a": "\\ud800"}', "json_invalid", ["body", 0]),
        (b'{"a": ' + b"[" * 200 + b"]" * 200 + b"}", "json_invalid", ["body", 0]),
        (b"[" * 200_000, "json_invalid", ["body", 0]),
        (b'{"a": [' + b"[]," * 500_000 + b"[]]}", "json_invalid", ["body", 0]),
        (b"null", "missing", ["body"]),
        (b'{"a": ' + b"9" * 5000 + b"}", "json_invalid", ["body", 0]),
        (b"[]", "model_attributes_type", ["body"]),
    ],
)
def test_a_body_that_is_no_json_object_is_unprocessable(content: bytes, kind: str, where: list[Any]) -> None:
    with pytest.raises(HTTPError) as refused:
        json_body(content, model(a=Field(integer(), None)))
    assert isinstance(refused.value.reply.body, bytes)
    detail = json.loads(refused.value.reply.body)["detail"][0]
    assert (refused.value.reply.status, detail["type"], detail["loc"]) == (422, kind, where)


@pytest.mark.parametrize("content", [b'{"a": "\xed\xa0\x80"}', '{"a": 1}'.encode("utf-16"), b"\xff\xfe\xfd"])
def test_a_body_that_is_no_utf_8_cannot_be_parsed(content: bytes) -> None:
    with pytest.raises(HTTPError) as refused:
        json_body(content, model(a=Field(integer(), None)))
    assert refused.value.reply.status == 400
    assert b"There was an error parsing the body" in refused.value.reply.body  # type: ignore[operator]


def test_a_byte_order_mark_is_no_part_of_the_json() -> None:
    assert json_body(b'\xef\xbb\xbf{"a": 1}', model(a=Field(integer()))) == {"a": 1}


@pytest.mark.parametrize("media", ["application/json; charset=utf-8", "application/problem+json", ""])
def test_a_body_is_json_by_its_type(media: str) -> None:
    assert json_body(b'{"a": 1}', model(a=Field(integer())), media) == {"a": 1}
    with pytest.raises(HTTPError) as refused:
        json_body(b'{"a": 1}', model(a=Field(integer())), "text/plain")
    assert b"model_attributes_type" in refused.value.reply.body  # type: ignore[operator]


def test_a_422_repeats_no_large_input() -> None:
    """Once for each missing field, it would be an answer many times as large as the question."""
    fields = {name: Field(integer()) for name in "abcdefgh"}
    for junk in ("x" * 1_000_000, ["x"] * 100_000):
        with pytest.raises(HTTPError) as refused:
            json_body(json.dumps({"junk": junk}).encode(), model(**fields))
        assert len(refused.value.reply.body) < 200_000  # type: ignore[arg-type]
    with pytest.raises(HTTPError) as refused:
        json_body(b'{"a": "x"}', model(a=Field(integer())))
    assert json.loads(refused.value.reply.body)["detail"][0]["input"] == "x"  # type: ignore[arg-type]


def test_only_some_parameters_may_be_repeated() -> None:
    fields = {"limit": Field(integer(), 50), "types": Field(one_of("a", "b"), None)}
    many = frozenset({"types"})
    assert query_values([("limit", "1"), ("limit", "2")], fields, many) == {"limit": 2, "types": None}
    assert query_values([("types", "a"), ("types", "b"), ("x", "y")], fields, many) == {
        "limit": 50,
        "types": ["a", "b"],
    }
    with pytest.raises(HTTPError):
        query_values([("types", "a"), ("types", "c")], fields, many)
