"""Bucket secrets: stored, changed, probed and never shown."""

from __future__ import annotations

from typing import Any

import pytest

from ..client import SECRET, Desk


def test_a_bucket_secret_is_stored_changed_and_never_shown(desk: Desk) -> None:
    path = f"{desk.organization}/bucket-secrets"
    made = desk.ask("POST", path, SECRET)
    assert "shh" not in str(made)
    assert desk.ask("POST", path, SECRET).status == 409
    one = f"{path}/{made.body['id']}"
    changed = desk.ask("PATCH", one, {"bucket_name": "other", "secret_key": "shh2"})
    assert changed.body["bucket_name"] == "other"
    assert "shh" not in str(desk.ask("GET", path)) + str(desk.ask("GET", one)) + str(changed)
    assert desk.ask("DELETE", one).status == 204
    assert desk.ask("GET", one).status == 404
    assert desk.ask("DELETE", f"{path}/{desk.registry.names.bucket_secret}").status == 409


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"type": "ftp"}, "union_tag_invalid"),
        ({"type": 3}, "union_tag_invalid"),
        ([], "union_tag_not_found"),
        ({"type": "s3", "endpoint": "e", "bucket_name": "b"}, "missing"),
    ],
)
def test_a_wrong_bucket_secret_is_unprocessable(desk: Desk, body: Any, kind: str) -> None:
    answer = desk.ask("POST", f"{desk.organization}/bucket-secrets", body)
    assert (answer.status, answer.body["detail"][0]["type"]) == (422, kind)


def test_a_bucket_can_be_probed(desk: Desk) -> None:
    desk.ask("POST", f"{desk.organization}/bucket-secrets", SECRET)
    urls = desk.ask("POST", "/v1/bucket-secrets/urls", SECRET).body
    assert desk.ask("PUT", urls["presigned_url"], b"probe").status == 200
    assert desk.ask("GET", urls["download_url"]).body == b"probe"
    assert desk.ask("DELETE", urls["delete_url"]).status == 204
    elsewhere = desk.ask("POST", "/v1/bucket-secrets/urls", {**SECRET, "bucket_name": "nobody's"}).body
    assert b"NoSuchBucket" in desk.ask("PUT", elsewhere["presigned_url"], b"probe").body
