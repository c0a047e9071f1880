"""Artifacts: creation, changes of status, deletion and lists."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from luml_lite.local.registry import Registry
from luml_lite.local.responses import Bytes
from luml_lite.local.storage.object_index import ObjectName

from ..client import Desk, dataset, model

STATUSES = ("pending_upload", "uploaded", "upload_failed", "pending_deletion", "deletion_failed")
ALLOWED = {
    ("pending_upload", "uploaded"),
    ("pending_upload", "upload_failed"),
    ("pending_deletion", "deletion_failed"),
}


def artifact_in(desk: Desk, status: str) -> str:
    """The path of a new artifact that requests have brought into a status."""
    path = f"{desk.artifacts}/{desk.made()['artifact']['id']}"
    if status in ("uploaded", "upload_failed"):
        assert desk.ask("PATCH", path, {"status": status}).status == 200
    if status in ("pending_deletion", "deletion_failed"):
        assert desk.ask("GET", f"{path}/delete-url").status == 200
    if status == "deletion_failed":
        assert desk.ask("PATCH", path, {"status": status}).status == 200
    assert desk.ask("GET", path).body["status"] == status
    return path


@pytest.mark.parametrize("target", ["uploaded", "upload_failed", "deletion_failed"])
@pytest.mark.parametrize("status", STATUSES)
def test_a_status_changes_only_where_the_platform_allows_it(desk: Desk, status: str, target: str) -> None:
    path = artifact_in(desk, status)
    answer = desk.ask("PATCH", path, {"status": target, "description": "changed"})
    if (status, target) in ALLOWED:
        assert (answer.status, answer.body["status"]) == (200, target)
    else:
        assert (answer.status, answer.body) == (
            400,
            {"detail": f"Invalid status transition from {status} to {target}"},
        )
        assert desk.ask("GET", path).body["description"] is None


@pytest.mark.parametrize("status", STATUSES)
def test_the_row_is_removed_only_when_its_deletion_is_pending(desk: Desk, status: str) -> None:
    path = artifact_in(desk, status)
    is_removed = status == "pending_deletion"
    assert desk.ask("DELETE", path).status == (204 if is_removed else 400)
    assert desk.ask("GET", path).status == (404 if is_removed else 200)


@pytest.mark.parametrize("status", STATUSES)
def test_force_removes_the_row_from_any_status_and_leaves_the_object(desk: Desk, status: str) -> None:
    path = artifact_in(desk, status)
    url = desk.ask("GET", f"{path}/download-url").body["url"]
    key = desk.ask("GET", path).body["bucket_location"]
    stored = desk.registry.objects.receive(Bytes(b"bytes"), lambda digest: None)
    desk.registry.blobs.put(ObjectName(desk.registry.names.bucket_secret, key), stored, '"e"', "a/b")
    assert desk.ask("DELETE", f"{path}/force").status == 204
    assert desk.ask("GET", path).status == 404
    assert desk.ask("GET", url).body == b"bytes"


def test_both_dialects_show_one_row_under_their_own_names(desk: Desk) -> None:
    made = desk.made(name="one", extra_values={"F1": 0.5}, tags=["t"])["artifact"]
    older = desk.ask(
        "GET", f"{desk.artifacts}/{made['id']}".removeprefix("/v1").replace("/artifacts", "/model_artifacts")
    )
    assert older.body["model_name"] == "one"
    assert older.body["metrics"] == {"F1": 0.5}
    assert "type" not in older.body
    for name in ("id", "size", "status", "tags", "created_at", "manifest", "file_index", "bucket_location"):
        assert older.body[name] == made[name]


@pytest.mark.parametrize(
    ("change", "status", "detail"),
    [
        ({"file_index": {}}, 400, "Could not define artifact type."),
        ({"type": "dataset"}, 400, "Artifact's real type does not match the type you specified."),
        ({"file_name": "../x.luml"}, 200, None),
        ({"file_name": "a/../x.luml"}, 400, "Failed to generate upload URL: "),
        ({"size": 5_497_558_138_880}, 200, None),
        ({"size": 5_497_558_138_881}, 422, "size"),
        ({"size": -(10**30)}, 422, "size"),
        ({"extra_values": []}, 422, "extra_values"),
        ({"file_index": {"a": [1]}}, 422, "file_index"),
        ({"manifest": {}}, 422, "manifest"),
        ({"manifest": None}, 422, "manifest"),
        ({"name": None}, 422, "name"),
        ({"name": "a\0b"}, 422, "name"),
        ({"name": "\ud800"}, 422, "body"),
        ({"tags": "t"}, 422, "tags"),
        ({"extra_values": {"F1": 10**400, "F2": "high", "F3": True}}, 200, None),
    ],
)
def test_creation_accepts_the_bodies_that_the_platform_accepts(
    desk: Desk, change: dict[str, Any], status: int, detail: str
) -> None:
    answer = desk.ask("POST", desk.artifacts, model(**change))
    assert answer.status == status, answer
    assert detail is None or detail in str(answer.body["detail"])


def test_a_row_whose_url_cannot_be_signed_stays_pending(desk: Desk) -> None:
    assert desk.ask("POST", desk.artifacts, model(file_name="a/../x.luml")).status == 400
    items = desk.ask("GET", f"{desk.orbit}/artifacts").body["items"]
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
    desk: Desk, collection: str, body: Any, status: int
) -> None:
    made = desk.ask("POST", f"{desk.orbit}/collections", {"name": "c", "description": "", "type": collection}).body
    assert desk.ask("POST", f"{desk.orbit}/collections/{made['id']}/artifacts", body()).status == status


def test_no_more_artifacts_are_created_than_the_limit_allows(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "limited", artifact_limit=2)
    desk = Desk(registry)
    first = desk.made()["artifact"]["id"]
    desk.made()
    answer = desk.ask("POST", desk.artifacts, model())
    assert (answer.status, answer.body) == (409, {"detail": "Organization reached maximum number of artifacts"})
    assert desk.ask("DELETE", f"{desk.artifacts}/{first}/force").status == 204
    desk.made()
    registry.close()


def rows_of(desk: Desk) -> list[dict[str, Any]]:
    """Artifacts in two collections, with equal values, missing values and metrics of all kinds."""
    other = desk.ask("POST", f"{desk.orbit}/collections", {"name": "o", "description": "", "type": "mixed"}).body["id"]
    chance = random.Random(7)
    values: list[Any] = [None, 0, 1, 1, 2.5, -3, 10**30, "high", True]
    rows = []
    for number in range(37):
        metrics = {} if (value := chance.choice(values)) is None else {"F1": value}
        body = chance.choice([model, dataset])(
            name=chance.choice(["a", "B", "b", "é", "z"]),
            description=chance.choice([None, "", "x", "y"]),
            size=chance.choice([1, 2, 3]),
            extra_values=metrics,
        )
        path = desk.artifacts if number % 2 else f"{desk.orbit}/collections/{other}/artifacts"
        rows.append(desk.ask("POST", path, body).body["artifact"])
    return rows


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("types", [[], ["dataset"], ["experiment", "model"]], ids=str)
@pytest.mark.parametrize("sort", ["created_at", "name", "size", "description", "status", "type", "file_hash", "F1"])
def test_the_pages_together_are_the_sorted_list(desk: Desk, sort: str, order: str, types: list[str]) -> None:
    rows = [row for row in rows_of(desk) if row["type"] in (types or ("model", "dataset"))]

    def key(row: dict[str, Any]) -> Any:
        value = row.get(sort, row["extra_values"].get(sort))
        if sort == "F1" and (not isinstance(value, int | float) or isinstance(value, bool)):
            value = None
        return value is not None, value if value is not None else 0, row["id"]

    expected = [row["id"] for row in sorted(rows, key=key, reverse=order == "desc")]
    for limit in (1, 5, 100):
        found: list[str] = []
        cursor = None
        while True:
            query = {"sort_by": sort, "order": order, "limit": limit, "types": types}
            query |= {"cursor": cursor} if cursor else {}
            page = desk.ask("GET", f"{desk.orbit}/artifacts?{urlencode(query, doseq=True)}").body
            found += [item["id"] for item in page["items"]]
            cursor = page["cursor"]
            if cursor is None:
                break
        assert found == expected


def test_a_cursor_of_another_list_is_ignored(desk: Desk) -> None:
    rows_of(desk)
    path = f"{desk.orbit}/artifacts"
    first = desk.ask("GET", f"{path}?limit=3&sort_by=name").body
    again = desk.ask("GET", f"{path}?limit=3&sort_by=name&cursor={first['cursor']}").body
    assert again["items"] != first["items"]
    for other in ("sort_by=size", "sort_by=name&order=asc", "sort_by=name&search=a", "sort_by=name&types=model"):
        fresh = desk.ask("GET", f"{path}?limit=3&{other}").body
        assert desk.ask("GET", f"{path}?limit=3&{other}&cursor={first['cursor']}").body["items"] == fresh["items"]


def test_search_finds_a_part_of_the_name_in_any_case(desk: Desk) -> None:
    for name in ("Größe", "100%", "a_b", "other"):
        desk.made(name=name)
    for search, found in (("GRÖSSE", ["Größe"]), ("%", ["100%"]), ("_", ["a_b"]), ("THE", ["other"]), ("nope", [])):
        items = desk.ask("GET", f"{desk.orbit}/artifacts?{urlencode({'search': search})}").body["items"]
        assert [item["name"] for item in items] == found


def test_deleting_artifacts_removes_their_metric_keys_and_lowers_totals(desk: Desk) -> None:
    first = desk.made(extra_values={"F1": 1, "ACC": 2}, tags=["a", "b"])["artifact"]["id"]
    desk.made(extra_values={"F1": 1}, tags=["b"])
    shown = desk.ask("GET", desk.collection).body
    assert (shown["artifacts_extra_values"], shown["artifacts_tags"], shown["total_artifacts"]) == (
        ["ACC", "F1"],
        ["a", "b"],
        2,
    )
    desk.ask("DELETE", f"{desk.artifacts}/{first}/force")
    shown = desk.ask("GET", desk.collection).body
    assert (shown["artifacts_extra_values"], shown["artifacts_tags"], shown["total_artifacts"]) == (["F1"], ["b"], 1)
    assert desk.ask("GET", f"{desk.orbit}/artifacts?sort_by=ACC").status == 400
