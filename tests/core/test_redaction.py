"""No value, error or header shows a secret."""

from __future__ import annotations

import pickle
import traceback
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luml_lite.api.errors import status_error
from luml_lite.api.uploads import WirePart, WirePlan
from luml_lite.config import Config
from luml_lite.core.flow import decode
from luml_lite.core.redaction import PresignedUrl, redact_url, scrub
from luml_lite.core.request import FileSlice, Request, Response, no_content
from luml_lite.errors import APIStatusError, LumlError
from luml_lite.files.archive import Archive
from luml_lite.files.journal import UploadState
from luml_lite.models.artifacts import ModelArtifact
from luml_lite.models.uploads import CreatedModel, MultipartPlan, Part, UploadDetails
from luml_lite.operations.put_object import Upload
from luml_lite.storage import azure, presigned, s3
from luml_lite.testing import json_response

from ..operations.flow_player import uid


def test_the_key_is_not_printed() -> None:
    """Only whether there is one."""
    assert "dfs_SECRET" not in repr(Config(api_key="dfs_SECRET")) + str(Config(api_key="dfs_SECRET"))
    assert "api_key='...'" in repr(Config(api_key="dfs_SECRET"))
    assert "api_key=''" in repr(Config())


def test_a_password_in_the_address_is_refused_and_not_shown() -> None:
    """It would be printed with the Config, and the API takes none."""
    with pytest.raises(ValueError, match="api_key") as caught:
        Config(base_url="https://user:hunter2@example.org/api")
    assert "hunter2" not in str(caught.value)


# Long enough and of such letters that one cannot appear by chance in a message.
secrets = st.text(st.sampled_from("GHJKMQVWXZ"), min_size=24, max_size=40)


def seen(value: Any) -> str:
    """Everything that printing, formatting and pretty-printing show of a value."""
    rich = "".join(map(repr, value.__rich_repr__())) if hasattr(value, "__rich_repr__") else ""
    return f"{value!r} {value!s} {[value]} {rich}"


@given(secrets)
def test_no_value_shows_a_secret(secret: str) -> None:
    """Requests, settings, presigned URLs and uploads under way hide keys and queries, in rich's repr too."""
    url = PresignedUrl(f"https://bucket.example/key?X-Amz-Signature={secret}&sig={secret}&comp=block&blockid=eA==")
    part = Part(1, url, 0, 5)
    details = UploadDetails(url=str(url))
    archive = Archive("/m.fnnx", "m.fnnx", 5, "0" * 64, {}, {}, {})
    record = UploadState(
        artifact_id="1",
        sha256="0" * 64,
        size=5,
        type="s3",
        multipart=True,
        bucket_location="key",
        bucket_secret_id=uid(9),
    )
    cfg = Config(api_key=secret)
    values: list[Any] = [
        cfg,
        part,
        details,
        CreatedModel(ModelArtifact(id="1"), details),
        MultipartPlan("s3", "u", (part,), url),
        WirePlan([WirePart(1, str(url), 0, 4)], str(url)),
        Upload(cfg, archive, record, url, None),
        Request(method="GET", url="/x", reply=no_content, headers=(("Authorization", f"Bearer {secret}"),)),
        Request(method="GET", url="https://b.example/k", query=(("sig", secret),), presigned=True, reply=no_content),
        Request(method="POST", url="/x", reply=no_content, body=secret.encode(), secrets=(secret,)),
        json_response({"url": str(url)}),
        Response(200, {"set-cookie": secret, "location": f"{url}#{secret}", "x-echo": f"Bearer {secret}"}),
        repr(PresignedUrl(f"https://user:{secret}@bucket.example/key?sig={secret}#{secret}")),
        s3.initiate(url),
        s3.put(url, FileSlice("/m", 0, 5)),
        s3.complete(url, {1: "0" * 32}),
        azure.put_block(part.url, FileSlice("/m", 0, 5)),
        azure.put_block(part.url, FileSlice("/m", 0, 5)).reply,
        azure.commit(url, {1: "eA=="}),
        azure.list_blocks(url),
        presigned.probe(url),
        presigned.delete(url),
        presigned.read_range(url, 0, 5, 10),
    ]
    for value in values:
        assert secret not in seen(value), type(value)


@given(secrets, st.sampled_from([400, 401, 403, 404, 409, 422, 500]))
def test_no_error_carries_a_secret(secret: str, code: int) -> None:
    """What was sent is never in an error, though servers echo it; neither printed, nor pickled, nor in a traceback."""
    url = f"https://bucket.example/key?X-Amz-Date=20261123T180000Z&X-Amz-Expires=1&X-Amz-Signature={secret}"
    request: Request[Any] = presigned.probe(url)
    refused = Response(code, {"date": "Tue, 24 Nov 2026 06:00:00 GMT"}, b"<Error><Code>AccessDenied</Code></Error>")
    entry = {"type": "x", "loc": ["body"], "msg": "bad", "input": secret, "ctx": {"given": secret}}
    echo = json_response({"detail": [entry]}, code)
    found: list[LumlError] = [presigned.storage_error(request, refused), status_error(echo)]
    for reply in (b"", b"\xff"):
        try:
            decode(s3.initiate(url), Response(200, {}, reply))
        except LumlError as error:
            found.append(error)
    for error in found:
        error.request, error.attempts = str(request), 2
        printed = "".join(traceback.format_exception(error))
        assert secret not in printed + repr(error) + str(error)
        assert secret.encode() not in pickle.dumps(error)
    assert len(found) == 4


@given(secrets)
def test_scrubbing_reaches_every_field_of_an_error(secret: str) -> None:
    """Strings at any place in it, in upper or lower case; numbers and other fields stay."""
    body = {secret: [{"a": f"x{secret}", "b": 1}], "c": None}
    error: Any = APIStatusError(f"bad {secret.lower()}", status_code=400, body=body)
    error.headers = {"etag": secret}
    scrub(error, [secret])
    assert (str(error), error.args, error.status_code) == ("bad ...", ("bad ...",), 400)
    assert (error.body, error.headers) == ({"...": [{"a": "x...", "b": 1}], "c": None}, {"etag": "..."})


def test_short_words_are_not_taken_for_secrets() -> None:
    """A key of few letters, and a query value such as the number of a part, stand in other words by chance."""
    url = "https://b.example/k?partNumber=1&X-Amz-Expires=3600&x-id=PutPart&X-Amz-Signature=0123%2Babcd"
    put = Request(method="PUT", url=url, presigned=True, reply=no_content)
    assert put.confidential() == [
        "0123%2Babcd",
        "0123+abcd",
    ]
    headers = (("Authorization", "Bearer key"),)
    assert Request(method="GET", url="/x?cursor=0123456789", headers=headers, reply=no_content).confidential() == []


def test_users_and_fragments_of_urls_are_hidden() -> None:
    assert redact_url("https://user:p@ss@b.example/k?sig=s#t") == "https://b.example/k?..."
    assert redact_url("https://b.example/k#t?s") == "https://b.example/k?..."


def test_secret_headers_are_hidden_in_any_case() -> None:
    """The bearer, and cookies."""
    for name in ("Authorization", "authorization", "Proxy-Authorization", "Cookie"):
        assert "SECRET" not in repr(Request(method="GET", url="/x", headers=((name, "SECRET"),), reply=no_content))
