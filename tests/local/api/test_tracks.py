"""Tracks: their entries, their stages, and the artifacts in them."""

from __future__ import annotations

from typing import Any

from ..client import Desk, dataset


def track_of(desk: Desk, *stages: str) -> dict[str, Any]:
    """A new track for models."""
    body = {"name": "t", "artifact_type": "model", "stages": list(stages)}
    made: dict[str, Any] = desk.ask("POST", f"{desk.orbit}/tracks", body).body
    return made


def test_a_track_numbers_its_entries_and_a_stage_belongs_to_one_of_them(desk: Desk) -> None:
    track = track_of(desk, "dev", "prod")
    prod = track["stages"][1]["id"]
    entries = f"{desk.orbit}/tracks/{track['id']}/entries"
    ids = [desk.made()["artifact"]["id"] for _ in range(3)]
    first = desk.ask("POST", entries, {"artifact_id": ids[0], "stage_id": prod}).body
    assert (first["version"], first["stage_name"]) == (1, "prod")
    taken = desk.ask("POST", entries, {"artifact_id": ids[1], "stage_id": prod})
    assert (taken.status, taken.body["detail"]) == (409, "Stage 'prod' is already assigned to v1.")
    assert desk.ask("POST", entries, {"artifact_id": ids[0]}).status == 409
    second = desk.ask("POST", entries, {"artifact_id": ids[1]}).body
    assert desk.ask("PATCH", f"{entries}/{second['id']}", {"stage_id": prod}).status == 409
    moved = desk.ask("PATCH", f"{entries}/{second['id']}?force=true", {"stage_id": prod}).body
    assert moved["stage_name"] == "prod"
    assert desk.ask("GET", f"{entries}/{first['id']}").body["stage_id"] is None
    assert desk.ask("GET", f"{entries}/by-stage?stage_id={prod}").body["version"] == 2
    assert [s["is_used"] for s in desk.ask("GET", f"{desk.orbit}/tracks/{track['id']}/stages").body] == [False, True]
    assert desk.ask("DELETE", f"{entries}/{second['id']}").status == 204
    third = desk.ask("POST", entries, {"artifact_id": ids[1]}).body
    assert third["version"] == 3
    listed = desk.ask("GET", f"{entries}?sort_by=version&order=asc&limit=1").body
    assert [item["version"] for item in listed["items"]] == [1]
    rest = desk.ask("GET", f"{entries}?sort_by=version&order=asc&cursor={listed['cursor']}").body
    assert [item["version"] for item in rest["items"]] == [3]
    assert desk.ask("DELETE", entries, {"entry_ids": [first["id"], third["id"]]}).status == 204
    assert desk.ask("GET", f"{desk.orbit}/tracks/{track['id']}").body["total_entries"] == 0


def test_an_artifact_in_a_track_cannot_be_deleted(desk: Desk) -> None:
    track = track_of(desk)
    held = desk.made()["artifact"]["id"]
    entry = desk.ask("POST", f"{desk.orbit}/tracks/{track['id']}/entries", {"artifact_id": held}).body
    assert [t["name"] for t in desk.ask("GET", f"{desk.artifacts}/{held}").body["tracks"]] == ["t"]
    for method, path in (("GET", "delete-url"), ("DELETE", "force")):
        assert desk.ask(method, f"{desk.artifacts}/{held}/{path}").status == 409
    assert desk.ask("GET", f"{desk.orbit}/artifacts?excluded_tracks={track['id']}").body["items"] == []
    desk.ask("DELETE", f"{desk.orbit}/tracks/{track['id']}/entries/{entry['id']}")
    assert desk.ask("DELETE", f"{desk.artifacts}/{held}/force").status == 204


def test_a_track_accepts_artifacts_of_its_type_only(desk: Desk) -> None:
    track = track_of(desk)
    data = desk.ask("POST", desk.artifacts, dataset()).body["artifact"]["id"]
    answer = desk.ask("POST", f"{desk.orbit}/tracks/{track['id']}/entries", {"artifact_id": data})
    assert answer.status == 400
    assert "does not match track artifact type 'model'" in answer.body["detail"]


def test_stages_are_renamed_swapped_added_and_removed(desk: Desk) -> None:
    track = track_of(desk, "a", "b", "c")
    path = f"{desk.orbit}/tracks/{track['id']}"
    a, b, _ = (stage["id"] for stage in track["stages"])
    wanted = [{"id": a, "name": "b"}, {"id": b, "name": "a"}, {"name": "d"}]
    changed = desk.ask("PATCH", path, {"stages": wanted}).body
    assert [(s["id"] in (a, b), s["name"]) for s in changed["stages"]] == [(True, "b"), (True, "a"), (False, "d")]
    assert desk.ask("PATCH", path, {"stages": [{"name": "x"}, {"name": "x"}]}).status == 409
    held = desk.made()["artifact"]["id"]
    desk.ask("POST", f"{path}/entries", {"artifact_id": held, "stage_id": a})
    assert desk.ask("PATCH", path, {"stages": []}).status == 409
    assert desk.ask("DELETE", path).status == 204
    assert desk.ask("GET", path).status == 404
