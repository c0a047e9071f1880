"""Requests and responses as values."""

from __future__ import annotations

import pickle
from typing import Any

import msgspec
import pytest

from luml_lite.core.request import FileSink, FileSlice, Json, Request, Response, no_content, raw_response
from luml_lite.errors import DecodeError
from luml_lite.models.organizations import Organization


@pytest.mark.parametrize(
    ("method", "given", "expected"),
    [
        ("GET", None, True),
        ("PUT", None, True),
        ("DELETE", None, True),
        ("HEAD", None, True),
        ("POST", None, False),
        ("PATCH", None, False),
        ("POST", True, True),
        ("GET", False, False),
    ],
)
def test_the_method_decides_what_may_be_repeated_unless_it_is_said(
    method: str, given: bool | None, expected: bool
) -> None:
    """`idempotent` None leaves it to the method."""
    assert Request(method=method, url="/x", reply=no_content, idempotent=given).repeatable is expected


def test_a_request_is_a_value() -> None:
    """Equal, hashable and the same after pickling, with a body on disk as well."""
    request = Request(
        method="PUT",
        url="https://b.example/k?sig=s",
        reply=Json[Organization](Organization),
        headers=(("A", "b"),),
        body=FileSlice("/m", 0, 5, True),
        into=FileSink("/t", 5, limit=3),
        presigned=True,
    )
    again: Request[Any] = pickle.loads(pickle.dumps(request))  # noqa: S301
    assert again == request
    assert hash(again) == hash(request)
    assert msgspec.structs.replace(request, method="GET") != request


def test_a_request_is_shown_as_method_path_and_query() -> None:
    """Of the API whole, of a bucket without what makes it a secret."""
    api = Request(method="GET", url="/v1/x", query=(("limit", "5"), ("search", "m")), reply=no_content)
    assert str(api) == "GET /v1/x?limit=5&search=m"
    assert str(Request(method="GET", url="/v1/x?a=b", reply=no_content)) == "GET /v1/x?a=b"
    both = Request(method="GET", url="/v1/x?a=b", query=(("limit", "5"),), reply=no_content)
    assert str(both) == "GET /v1/x?a=b&limit=5"
    bucket = Request(method="GET", url="https://b.example/k?sig=s", presigned=True, reply=no_content)
    assert str(bucket) == "GET https://b.example/k?..."
    assert str(Request(method="GET", url="https://b.example/k", presigned=True, reply=no_content)).endswith("/k")
    assert "<3 bytes>" in repr(Request(method="POST", url="/x", body=b"abc", reply=no_content))


def test_headers_are_asked_for_by_their_lower_case_name() -> None:
    """An absent one is an empty string."""
    assert Response(200, {"etag": "x"}).header("etag") == "x"
    assert Response(200).header("etag") == ""


def test_replies_turn_responses_into_values() -> None:
    """JSON into its type, nothing into None, or the response itself."""
    response = Response(200, {}, b'{"id": "1", "name": "Lab"}')
    assert Json[Organization](Organization)(response) == Organization(id="1", name="Lab")
    assert raw_response(response) is response
    no_content(Response(204))
    with pytest.raises(DecodeError, match="200 instead of 204"):
        no_content(response)
    with pytest.raises(DecodeError, match="another resource"):
        Json[Organization](Organization, id="2")(response)
    with pytest.raises(msgspec.ValidationError):
        Json[Organization](Organization)(Response(200, {}, b'{"id": 1}'))
