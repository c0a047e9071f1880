"""Responses that are about another resource than the request, or larger than any that the endpoint gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from luml_lite.api import artifacts, bucket_secrets, collections, orbits, tracks, uploads
from luml_lite.config import Config
from luml_lite.core.request import Request
from luml_lite.errors import DecodeError
from luml_lite.testing import json_response

ASKED, OTHER = "0199c455-21ee-74c6-b747-19a82f1a1e75", "0199c455-21ee-74c6-b747-19a82f1a1e76"
CFG = Config(api_key="k", organization=ASKED, orbit=ASKED, collection=ASKED)
SECRET: dict[str, Any] = {"endpoint": "e", "bucket_name": "b"}
REQUESTS: list[Callable[[], Request[Any]]] = [
    lambda: artifacts.get(CFG, ASKED),
    lambda: artifacts.update(CFG, ASKED, model_name="x"),
    lambda: collections.collection(CFG),
    lambda: collections.update_collection(CFG, name="x", description="", tags=None, collection_id=ASKED),
    lambda: orbits.orbit(CFG),
    lambda: orbits.update_orbit(CFG, "x", orbit_id=ASKED),
    lambda: bucket_secrets.get(CFG, ASKED),
    lambda: bucket_secrets.update(CFG, ASKED, **SECRET),
    lambda: tracks.get(CFG, ASKED),
    lambda: tracks.update(CFG, ASKED, "x"),
    lambda: tracks.entry(CFG, OTHER, ASKED),
    lambda: tracks.move(CFG, OTHER, ASKED, stage_id=None),
]


@pytest.mark.parametrize("request_of", REQUESTS)
def test_a_response_about_another_resource_is_an_error(request_of: Callable[[], Request[Any]]) -> None:
    request = request_of()
    row = {"name": "x", "file_name": "x.fnnx", "status": "uploaded", "artifact_id": OTHER, "version": 1}
    assert request.reply(json_response({**row, "id": ASKED.upper()})).id == ASKED.upper()
    with pytest.raises(DecodeError, match=f"another resource than {ASKED}"):
        request.reply(json_response({**row, "id": OTHER}))


def test_an_endpoint_reads_no_more_than_it_can_need() -> None:
    assert artifacts.download_url(CFG, ASKED).limit == artifacts.delete_url(CFG, ASKED).limit == 64 * 1024
    plan = uploads.multipart_plan(CFG, bucket_secret_id=ASKED, bucket_location="l", size=1)
    assert plan.limit == 32 * 1024 * 1024 < artifacts.page(CFG).limit
