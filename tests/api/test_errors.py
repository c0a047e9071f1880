"""Errors for the answers of the platform: recorded refusals, advice, and secrets that they leave out."""

from __future__ import annotations

import asyncio
import json
import pickle
from typing import Any

import pytest

import luml_lite
from luml_lite import Config, Response, aio, errors
from luml_lite.api.errors import missing_resource, status_error
from luml_lite.core.request import Request, no_content
from luml_lite.drivers.attempts import error_for
from luml_lite.testing import Scripted, json_response

from ..recorded_exchanges import answer, named, recorded
from .recorded import KINDS, MISSING

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
    error = status_error(json_response({"detail": detail}, code))
    assert str(error).startswith(f"{code}: {detail}; ")
    assert advice in str(error)


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("https://new.example/v1/x?token=s#s", "https://new.example/v1/x?..."),
        ("https://user:s@new.example/#s", "https://new.example/"),
        ("", "another address"),
    ],
)
def test_a_redirect_says_where_it_leads(location: str, target: str) -> None:
    """And which setting to change; what is secret in the address is left out."""
    error = status_error(Response(301, {"location": location}))
    assert str(error) == (
        f"301: no detail; the server redirects to {target}, which the library does not follow: "
        "set base_url to the API's own"
    )


@pytest.mark.parametrize("presigned", [True, False])
def test_a_proxy_that_wants_a_password_is_told_as_that(presigned: bool) -> None:
    """Also where it stands before the bucket."""
    request: Request[Any] = Request(method="GET", url="http://x.example/y", reply=no_content, presigned=presigned)
    error = error_for(request, Response(407, {}, b"<html>login</html>"))
    assert "407" in str(error)
    assert "HTTP_PROXY, to http://user:password@host:port" in str(error)


def test_the_words_of_a_server_are_cut_and_cleaned() -> None:
    """A message is one line of bounded length, whatever a server says."""
    error = status_error(json_response({"detail": "a\x1b[31m\n\x00b" + "x" * 9999}, 400))
    assert str(error).startswith("400: a [31m  bxxx")
    assert len(str(error)) < 600


@pytest.mark.parametrize("depth", [60, 400, 900, 5000, 100_000])
def test_a_deeply_nested_answer_is_an_error_that_can_be_pickled(depth: int) -> None:
    """Levels beyond those that pickle takes are left out."""
    error = status_error(Response(400, {}, b'{"detail":' + b'{"a":[' * depth + b"1" + b"]}" * depth + b"}"))
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301
    assert len(str(error)) < 600


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
    now = json_response({"id": ID, "type": "azure", "endpoint": CONNECTION, "bucket_name": "container"})
    answers = [now] * (verb == "update") + [json_response({"detail": ECHOES[echo]}, 422)]
    cfg = Config(api_key="k", organization=ID, transport=Scripted(answers))
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


@pytest.mark.parametrize("exchange", recorded("errors"), ids=named)
def test_a_recorded_refusal_becomes_its_error(exchange: dict[str, Any]) -> None:
    """The class by the status, the server's own words in the message, and nothing of what was sent."""
    error = status_error(answer(exchange))
    assert isinstance(error, KINDS.get(exchange["status"], errors.APIStatusError))
    assert error.status_code == exchange["status"]
    said = exchange["answer"] or {}
    detail = said["json"]["detail"] if "json" in said else said.get("text", "no detail")
    assert (detail if isinstance(detail, str) else detail[0]["msg"]) in str(error)
    assert isinstance(error, errors.ArtifactNotFoundError) == (detail in MISSING)
    assert "input" not in json.dumps(error.body)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301


def test_every_missing_artifact_was_recorded() -> None:
    """The three ways in which servers say that an artifact is missing are all in the table."""
    said = [((each["answer"] or {}).get("json") or {}).get("detail") for each in recorded("errors")]
    assert {detail for detail in said if isinstance(detail, str)} >= set(MISSING)


@pytest.mark.parametrize(
    ("detail", "kind"),
    [
        *((detail, "artifact") for detail in MISSING),
        ("Orbit not found", "orbit"),
        ("Collection not found", "collection"),
        ("Secret not found", "bucket secret"),
        ("Track not found", "track"),
        ("Not Found", None),
        ([], None),
    ],
)
def test_a_missing_resource_is_named(detail: Any, kind: str | None) -> None:
    """Only a resource's own 404 may be taken for None."""
    error = status_error(Response(404, {}, json.dumps({"detail": detail}).encode()))
    assert isinstance(error, errors.NotFoundError)
    assert missing_resource(error) == kind


def test_every_recorded_missing_resource_is_known() -> None:
    """A 404 that is not in the table is an error where None is expected."""
    refused = [status_error(answer(each)) for each in recorded("errors") if each["status"] == 404]
    named = [error for error in refused if isinstance(error, errors.NotFoundError) and missing_resource(error)]
    unnamed = {error.message.partition(";")[0][:29] for error in refused if error not in named}
    assert unnamed == {"404: Not Found", "404: You don't have access to"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Bad Gateway</html>",
        b"[]",
        b'"words"',
        b'{"detail": []}',
        b'{"detail": ["x"]}',
        b"null",
        b"\xff\xfe",
    ],
)
def test_an_error_answer_of_any_shape_is_an_error(body: bytes) -> None:
    """A proxy's page or a JSON of another shape never breaks the judgement."""
    error = status_error(Response(502, {}, body))
    assert isinstance(error, errors.InternalServerError)
    assert str(error).startswith("502: ")
