"""Answers that do not decode."""

from __future__ import annotations

from typing import Any

import pytest

from luml_lite import errors
from luml_lite.api import artifacts, organizations, uploads
from luml_lite.config import Config
from luml_lite.core.flow import decode
from luml_lite.core.request import Request, Response

from .recorded import NIL


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b'{"items": 3}', b"\xff", b'{"upload_details": {}}'])
@pytest.mark.parametrize("kind", ["get", "page", "create", "plan", "organizations"])
def test_a_malformed_answer_is_a_decode_error(kind: str, body: bytes) -> None:
    """A good status with a body that the protocol does not know is told as such, with the request."""
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
