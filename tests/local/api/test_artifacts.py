"""Artifacts: creation, changes of status, deletion and lists."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from luml_lite.local.registry import Registry
from luml_lite.local.storage.object_index import ObjectName

from ..client import Bytes, RegistryClient, dataset, model

STATUSES = ("pending_upload", "uploaded", "upload_failed", "pending_deletion", "deletion_failed")
ALLOWED = {
    ("pending_upload", "uploaded"),
    ("pending_upload", "upload_failed"),
    ("pending_deletion", "deletion_failed"),
}


def artifact_in(client: RegistryClient, status: str) -> str:
    """The path of a new artifact that requests have brought into a status."""
    path = f"{client.artifacts}/{client.made()['artifact']['id']}"
    if status in ("uploaded", "upload_failed"):
        assert client.ask("PATCH", path, {"status": status}).status == 200
    if status in ("pending_deletion", "deletion_failed"):
        assert client.ask("GET", f"{path}/delete-url").status == 200
    if status == "deletion_failed":
        assert client.ask("PATCH", path, {"status": status}).status == 200
    assert client.ask("GET", path).body["status"] == status
    return path


@pytest.mark.parametrize("target", ["uploaded", "upload_failed", "deletion_failed"])
@pytest.mark.parametrize("status", STATUSES)
def test_a_status_changes_only_where_the_platform_allows_it(client: RegistryClient, status: str, target: str) -> None:
    path = artifact_in(client, status)
    answer = client.ask("PATCH", path, {"status": target, "description": "changed"})
    if (status, target) in ALLOWED:
        assert (answer.status, answer.body["status"]) == (200, target)
    else:
        assert (answer.status, answer.body) == (
            400,
            {"detail": f"Invalid status transition from {status} to {target}"},
        )
        assert client.ask("GET", path).body["description"] is None


@pytest.mark.parametrize("status", STATUSES)
def test_the_row_is_removed_only_when_its_deletion_is_pending(client: RegistryClient, status: str) -> None:
    path = artifact_in(client, status)
    is_removed = status == "pending_deletion"
    assert client.ask("DELETE", path).status == (204 if is_removed else 400)
    assert client.ask("GET", path).status == (404 if is_removed else 200)


@pytest.mark.parametrize("status", STATUSES)
def test_force_removes_the_row_from_any_status_and_leaves_the_object(client: RegistryClient, status: str) -> None:
    path = artifact_in(client, status)
    url = client.ask("GET", f"{path}/download-url").body["url"]
    key = client.ask("GET", path).body["bucket_location"]
    stored = client.registry.files.receive(Bytes(b"bytes"), lambda digest: None)
    client.registry.objects.put(ObjectName(client.registry.names.bucket_secret, key), stored, '"e"', "a/b")
    assert client.ask("DELETE", f"{path}/force").status == 204
    assert client.ask("GET", path).status == 404
    assert client.ask("GET", url).body == b"bytes"


def test_a_row_whose_url_cannot_be_signed_stays_pending(client: RegistryClient) -> None:
    assert client.ask("POST", client.artifacts, model(file_name="a/../x.luml")).status == 400
    items = client.ask("GET", f"{client.orbit}/artifacts").body["items"]
    assert [item["status"] for item in items] == ["pending_upload"]


@pytest.mark.parametrize(
    ("collection", "body", "status"),
    [
        ("model", model, 200),
        ("model", dataset, 400),
        ("dataset", dataset, 200),
        ("model_dataset", model, 200),
        ("model_experiment", dataset, 400),
        ("mixed", dataset, 200),
    ],
)
def test_a_collection_holds_the_artifacts_that_its_type_allows(
    client: RegistryClient, collection: str, body: Any, status: int
) -> None:
    made = client.ask("POST", f"{client.orbit}/collections", {"name": "c", "description": "", "type": collection}).body
    assert client.ask("POST", f"{client.orbit}/collections/{made['id']}/artifacts", body()).status == status


def test_no_more_artifacts_are_created_than_the_limit_allows(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "limited", artifact_limit=2)
    client = RegistryClient(registry)
    first = client.made()["artifact"]["id"]
    client.made()
    answer = client.ask("POST", client.artifacts, model())
    assert (answer.status, answer.body) == (409, {"detail": "Organization reached maximum number of artifacts"})
    assert client.ask("DELETE", f"{client.artifacts}/{first}/force").status == 204
    client.made()
    registry.close()


def test_deleting_artifacts_removes_their_metric_keys_and_lowers_totals(client: RegistryClient) -> None:
    first = client.made(extra_values={"F1": 1, "ACC": 2}, tags=["a", "b"])["artifact"]["id"]
    client.made(extra_values={"F1": 1}, tags=["b"])
    shown = client.ask("GET", client.collection).body
    assert (shown["artifacts_extra_values"], shown["artifacts_tags"], shown["total_artifacts"]) == (
        ["ACC", "F1"],
        ["a", "b"],
        2,
    )
    client.ask("DELETE", f"{client.artifacts}/{first}/force")
    shown = client.ask("GET", client.collection).body
    assert (shown["artifacts_extra_values"], shown["artifacts_tags"], shown["total_artifacts"]) == (["F1"], ["b"], 1)
    assert client.ask("GET", f"{client.orbit}/artifacts?sort_by=ACC").status == 400
