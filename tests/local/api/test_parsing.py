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
        (b'{"a": "\xed\xa0\x80"}', "json_invalid", ["body", 0]),
        ('{"a": "\\ud800"}'.encode("utf-16"), "json_invalid", ["body", 0]),
        (b'{"a": ' + b"[" * 200 + b"]" * 200 + b"}", "json_invalid", ["body", 0]),
        (b"[" * 200_000, "json_invalid", ["body", 0]),
        (b"\xff\xfe\xfd", "json_invalid", ["body", 0]),
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
