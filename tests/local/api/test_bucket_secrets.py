"""Bucket secrets: stored, changed, probed and never shown."""

from __future__ import annotations

from typing import Any

import pytest

from ..client import AZURE, KEYS, SECRET, RegistryClient


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


PROBES = "/v1/bucket-secrets/urls"
STRING = "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=QUJD"


def probe(client: RegistryClient, urls: dict[str, str], **headers: str) -> list[int]:
    """The statuses of what a client does with the URLs of a probe."""
    put = client.ask("PUT", urls["presigned_url"], b"probe", **headers).status
    got = client.ask("GET", urls["download_url"])
    return [put, got.status, client.ask("DELETE", urls["delete_url"]).status] if got.body == b"probe" else [put]


@pytest.mark.parametrize("is_stored", [True, False])
def test_a_bucket_is_probed_before_and_after_its_secret_is_stored(client: RegistryClient, is_stored: bool) -> None:
    if is_stored:
        assert client.ask("POST", f"{client.organization}/bucket-secrets", SECRET).status == 200
    urls = client.ask("POST", PROBES, SECRET).body
    assert probe(client, urls) == [200, 200, 204]
    assert client.ask("GET", urls["download_url"]).status == 404
    other = urls["presigned_url"].replace("test_file", "other")
    assert client.ask("PUT", other, b"").status == 403
    azure = client.ask("POST", PROBES, {**AZURE, "endpoint": STRING}).body
    assert probe(client, azure, x_ms_blob_type="BlockBlob") == [201, 200, 202]
    unsigned = client.ask("POST", PROBES, {**SECRET, "access_key": None}).body
    assert probe(client, unsigned) == [403], "as on the platform, which signs nothing without both keys"


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"bucket_name": "b"}, "Failed to generate upload URL: invalid bucket name b"),
        ({"bucket_name": "a/b/c"}, "Failed to generate upload URL: invalid bucket name a/b/c"),
        ({"bucket_name": "x" * 64}, f"Failed to generate upload URL: invalid bucket name {'x' * 64}"),
        (
            {"bucket_name": "a..b"},
            "Failed to generate upload URL: bucket name a..b contains invalid successive characters",
        ),
        ({"type": "azure", "endpoint": "nope"}, "Failed to create Azure Blob Service client."),
    ],
)
def test_a_probe_of_what_no_vendor_takes_is_refused(client: RegistryClient, changes: Any, detail: str) -> None:
    assert client.ask("POST", PROBES, {**SECRET, **changes})[:2] == (400, {"detail": detail})


def test_changes_of_a_secret_are_probed(client: RegistryClient) -> None:
    secrets = f"{client.organization}/bucket-secrets"
    made = client.ask("POST", secrets, SECRET).body["id"]
    azure = client.ask("POST", secrets, {**AZURE, "endpoint": STRING}).body["id"]
    url = f"{secrets}/{made}/urls"
    assert probe(client, client.ask("POST", url, {"id": made}).body) == [200, 200, 204]
    assert probe(client, client.ask("POST", url, {"id": made, "bucket_name": "another"}).body) == [200, 200, 204]
    assert probe(client, client.ask("POST", url, {"id": made, "secret_key": None}).body) == [403]
    nobody = "00000000-0000-0000-0000-000000000000"
    answers = {
        (url, ()): (422, "Field required"),
        (url, (("id", azure),)): (400, "Secret id does not match the path"),
        (url, (("id", made), ("type", "azure"))): (400, "Bucket type cannot be changed"),
        (f"{secrets}/{azure}/urls", (("id", azure),)): (400, "Bucket type cannot be changed"),
        (f"{secrets}/{nobody}/urls", (("id", nobody),)): (404, "Secret not found"),
    }
    for (path, body), (status, detail) in answers.items():
        answer = client.ask("POST", path, dict(body))
        assert (answer.status, detail in str(answer.body["detail"])) == (status, True), (path, body, answer)


def test_a_bucket_whose_keys_were_erased_refuses_every_url(client: RegistryClient) -> None:
    one = client.uploaded(b"bytes")
    secret = f"{client.organization}/bucket-secrets/{client.registry.names.bucket_secret}"
    place = {"endpoint": "local", "bucket_name": "local", "region": "us-east-1"}
    assert client.ask("PATCH", secret, place).body["secure"] is None
    url = client.ask("GET", f"{client.artifacts}/{one}/download-url").body["url"]
    assert client.ask("GET", url).status == 403
    assert client.ask("PUT", client.made()["upload_details"]["url"], b"bytes").status == 403
    assert client.ask("PATCH", secret, {**place, **KEYS}).status == 200
    assert client.content(one) == b"bytes"


def test_a_change_is_partial_on_older_servers_only(client: RegistryClient) -> None:
    secrets = f"{client.organization}/bucket-secrets"
    azure = client.ask("POST", secrets, {**AZURE, "endpoint": STRING}).body["id"]
    refused = client.ask("PATCH", f"{secrets}/{azure}", {"secure": True, "region": "r", "bucket_name": "c"})
    assert refused.body == {"detail": "Fields ['region', 'secure'] cannot be set for Azure bucket secrets"}
    assert client.ask("PATCH", f"{secrets}/{azure}", {"bucket_name": "c"}).status == 409
    assert (
        client.ask("PATCH", f"{secrets}/{azure}", {"bucket_name": "c", "endpoint": STRING}).body["bucket_name"] == "c"
    )
    made = client.ask("POST", secrets, {**SECRET, "secure": True}).body
    older = f"{secrets}/{made['id']}".removeprefix("/v1")
    assert client.ask("PATCH", older, {"type": "s3"}).body["detail"][0]["loc"] == ["body", "s3", "id"]
    made.pop("orbits")  # older servers do not show them
    changed = client.ask("PATCH", older, {"type": "s3", "id": made["id"], "bucket_name": "other"}).body
    assert {**changed, "updated_at": None} == {**made, "bucket_name": "other"}
    assert client.ask("PATCH", older, {"type": "s3", "id": made["id"], "region": None}).status == 409
