"""Answers that do not decode."""

from __future__ import annotations

from typing import Any

import pytest

from luml_lite import errors
from luml_lite.api import artifacts, organizations, uploads, wire
from luml_lite.config import Config
from luml_lite.core.flow import decode
from luml_lite.core.request import Request, Response

from .recorded import NIL


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b'{"items": 3}', b"\xff", b'{"upload_details": {}}'])
@pytest.mark.parametrize("kind", ["get", "page", "create", "plan", "organizations"])
def test_a_malformed_answer_is_a_decode_error(kind: str, body: bytes) -> None:
    """A good status with a body that the protocol does not know is an error that says so, with the request."""
    cfg = Config(organization=NIL, orbit=NIL, collection=NIL)
    request: Request[Any] = {
        "get": artifacts.get(cfg, NIL),
        "page": artifacts.page(cfg),
        "create": artifacts.create(
            cfg, file_name="m.fnnx", metrics={}, manifest={}, file_hash="", file_index={}, size=1
        ),
        "plan": uploads.multipart_plan(cfg, bucket_secret_id=NIL, bucket_location="x", size=1),
        "organizations": organizations.organizations(cfg),
    }[kind]
    if kind == "organizations" and body == b"[]":
        assert decode(request, Response(200, {}, body)) == []
        return
    with pytest.raises(errors.DecodeError) as caught:
        decode(request, Response(200, {}, body))
    assert caught.value.request == str(request)


@pytest.mark.parametrize("dialect", ["artifacts", "model_artifacts"])
def test_a_large_page_is_decoded_row_by_row_to_the_same_value(dialect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that no single step of it holds the interpreter's lock for long."""
    page = artifacts.page(Config(organization=NIL, orbit=NIL, collection=NIL, dialect=dialect))
    row = b'{"id":"%d","file_name":"a.fnnx","status":"uploaded","manifest":null,"size":9,"new":[{"]":"\\""}]}'
    body = b'{"items":[%s, %s],"cursor":"c"}' % (row % 1, row % 2)
    whole = decode(page, Response(200, {}, body))
    monkeypatch.setattr(wire, "_LARGE", 10)
    assert decode(page, Response(200, {}, body)) == whole
    assert [item.id for item in whole.items] == ["1", "2"]
    for wrong in (body.replace(b'"size":9', b'"size":"x"'), body.replace(b'"items":[', b'"items":[3,'), body[:-30]):
        with pytest.raises(errors.DecodeError):
            decode(page, Response(200, {}, wrong))
