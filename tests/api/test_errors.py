"""What the errors of the platform's answers advise, and what they leave out."""

from __future__ import annotations

import asyncio
import json
import pickle
from typing import Any

import pytest

import luml_lite
from luml_lite import Config, Response, aio
from luml_lite.api import errors
from luml_lite.testing import Scripted, json_response

ID = "0199c455-21ee-74c6-b747-19a82f1a1e75"
KEY = "aHVzaC1odXNoLWh1c2g="
CONNECTION = f"DefaultEndpointsProtocol=https;AccountName=lab;AccountKey={KEY};EndpointSuffix=core.example"


@pytest.mark.parametrize(
    ("code", "detail", "advice"),
    [
        (401, "Not authenticated", "check the API key"),
        (403, "Not enough rights", "the role lacks the right"),
        (404, "Artifact not found", "check the ids"),
        (404, "Orbit not found", "check the ids"),
        (404, "Not Found", "base_url, which ends before /v1, and the dialect"),
        (500, "Internal Server Error", "try again later"),
        (503, "busy", "try again later"),
    ],
)
def test_an_error_says_what_to_do_next(code: int, detail: str, advice: str) -> None:
    error = errors.status_error(json_response({"detail": detail}, code))
    assert str(error).startswith(f"{code}: {detail}; ")
    assert advice in str(error)


ECHOES: dict[str, Any] = {
    "the input of a validation error": [
        {
            "type": "x",
            "loc": ["body", "azure"],
            "msg": "bad",
            "input": {"endpoint": CONNECTION},
            "ctx": {"v": CONNECTION},
        }
    ],
    "the words of a validation error": [{"type": "x", "loc": ["body"], "msg": f"{CONNECTION!r} is no URL", "input": 1}],
    "a sentence": f"cannot connect with {CONNECTION}",
    "the key alone": f"the key {KEY} is refused",
    "something of another shape": {"what": {"is": ["wrong", f"{KEY}, and {CONNECTION}"]}},
}


@pytest.mark.parametrize("verb", ["create", "update"])
@pytest.mark.parametrize("echo", ECHOES)
def test_no_error_repeats_the_secret_of_a_bucket(echo: str, verb: str) -> None:
    """Whatever part of what was sent a server's answer quotes, the error shows none of it."""
    cfg = Config(api_key="k", organization=ID, transport=Scripted([json_response({"detail": ECHOES[echo]}, 422)]))
    arguments = (CONNECTION, "container", None, "azure") if verb == "create" else (ID, CONNECTION)
    with pytest.raises(luml_lite.UnprocessableEntityError) as caught:
        getattr(luml_lite.bucket_secrets, verb)(cfg, *arguments)
    error = caught.value
    assert KEY not in f"{error} {error!r} {json.dumps(error.body)} {vars(error)} {error.args}"
    assert KEY.encode() not in pickle.dumps(error)


def test_no_error_repeats_the_keys_of_s3() -> None:
    said = "hush-hush of AKIA-hush with very-hush is refused at https://s3.example"
    cfg = Config(api_key="k", organization=ID, transport=Scripted([Response(400, {}, said.encode())]))
    keys = {"access_key": "AKIA-hush", "secret_key": "hush-hush", "session_token": "very-hush"}
    with pytest.raises(luml_lite.BadRequestError) as caught:
        asyncio.run(aio.bucket_secrets.create(cfg, "https://s3.example", "b", "r", **keys))
    assert "hush" not in f"{caught.value} {vars(caught.value)}"
