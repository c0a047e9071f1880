"""Bucket secrets: stored, changed, probed and never shown."""

from __future__ import annotations

from typing import Any

import pytest

from ..client import SECRET, RegistryClient


def test_a_bucket_secret_is_stored_changed_and_never_shown(client: RegistryClient) -> None:
    path = f"{client.organization}/bucket-secrets"
    made = client.ask("POST", path, SECRET)
    assert "shh" not in str(made)
    assert client.ask("POST", path, SECRET).status == 409
    one = f"{path}/{made.body['id']}"
    assert client.ask("PATCH", one, {"bucket_name": "other", "secret_key": "shh2"}).status == 409
    older = client.ask("PATCH", one.removeprefix("/v1"), {"bucket_name": "other"})
    assert (older.status, older.body["detail"][0]["type"]) == (422, "union_tag_not_found")
    whole = {name: value for name, value in SECRET.items() if name != "cert_check"}
    changed = client.ask("PATCH", one, {**whole, "bucket_name": "other", "secret_key": "shh2"})
    assert changed.body["cert_check"] is None, "as on the platform, a field that is left out is erased"
    assert changed.body["bucket_name"] == "other"
    assert "shh" not in str(client.ask("GET", path)) + str(client.ask("GET", one)) + str(changed)
    assert client.ask("DELETE", one).status == 204
    assert client.ask("GET", one).status == 404
    assert client.ask("DELETE", f"{path}/{client.registry.names.bucket_secret}").status == 409


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"type": "ftp"}, "union_tag_invalid"),
        ({"type": 3}, "union_tag_invalid"),
        ([], "union_tag_not_found"),
        ({"type": "s3", "endpoint": "e", "bucket_name": "b"}, "missing"),
    ],
)
def test_a_wrong_bucket_secret_is_unprocessable(client: RegistryClient, body: Any, kind: str) -> None:
    answer = client.ask("POST", f"{client.organization}/bucket-secrets", body)
    assert (answer.status, answer.body["detail"][0]["type"]) == (422, kind)


def test_a_bucket_can_be_probed(client: RegistryClient) -> None:
    client.ask("POST", f"{client.organization}/bucket-secrets", SECRET)
    urls = client.ask("POST", "/v1/bucket-secrets/urls", SECRET).body
    assert client.ask("PUT", urls["presigned_url"], b"probe").status == 200
    assert client.ask("GET", urls["download_url"]).body == b"probe"
    assert client.ask("DELETE", urls["delete_url"]).status == 204
    elsewhere = client.ask("POST", "/v1/bucket-secrets/urls", {**SECRET, "bucket_name": "nobody's"}).body
    assert b"NoSuchBucket" in client.ask("PUT", elsewhere["presigned_url"], b"probe").body
