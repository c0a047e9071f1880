"""Tracks: their entries, their stages, and the artifacts in them."""

from __future__ import annotations

from typing import Any

from ..client import RegistryClient, dataset


def track_of(client: RegistryClient, *stages: str) -> dict[str, Any]:
    """A new track for models."""
    body = {"name": "t", "artifact_type": "model", "stages": list(stages)}
    made: dict[str, Any] = client.ask("POST", f"{client.orbit}/tracks", body).body
    return made


def test_a_track_numbers_its_entries_and_a_stage_belongs_to_one_of_them(client: RegistryClient) -> None:
    track = track_of(client, "dev", "prod")
    prod = track["stages"][1]["id"]
    entries = f"{client.orbit}/tracks/{track['id']}/entries"
    ids = [client.made()["artifact"]["id"] for _ in range(3)]
    first = client.ask("POST", entries, {"artifact_id": ids[0], "stage_id": prod}).body
    assert len(client.ask("GET", f"{client.orbit}/tracks?tags=none").body["items"]) == 1, "the platform ignores tags"
    assert (first["version"], first["stage_name"]) == (1, "prod")
    taken = client.ask("POST", entries, {"artifact_id": ids[1], "stage_id": prod})
    assert (taken.status, taken.body["detail"]) == (409, "Stage 'prod' is already assigned to v1.")
    assert client.ask("POST", entries, {"artifact_id": ids[0]}).status == 409
    second = client.ask("POST", entries, {"artifact_id": ids[1]}).body
    assert client.ask("PATCH", f"{entries}/{second['id']}", {"stage_id": prod}).status == 409
    moved = client.ask("PATCH", f"{entries}/{second['id']}?force=true", {"stage_id": prod}).body
    assert moved["stage_name"] == "prod"
    assert client.ask("GET", f"{entries}/{first['id']}").body["stage_id"] is None
    assert client.ask("GET", f"{entries}/by-stage?stage_id={prod}").body["version"] == 2
    assert [s["is_used"] for s in client.ask("GET", f"{client.orbit}/tracks/{track['id']}/stages").body] == [
        False,
        True,
    ]
    assert client.ask("DELETE", f"{entries}/{second['id']}").status == 204
    assert client.ask("GET", f"{entries}/{second['id']}").status == 500, "as on the platform"
    third = client.ask("POST", entries, {"artifact_id": ids[1]}).body
    assert third["version"] == 3
    listed = client.ask("GET", f"{entries}?sort_by=version&order=asc&limit=1").body
    assert [item["version"] for item in listed["items"]] == [1]
    rest = client.ask("GET", f"{entries}?sort_by=version&order=asc&cursor={listed['cursor']}").body
    assert [item["version"] for item in rest["items"]] == [3]
    assert client.ask("DELETE", entries, {"entry_ids": []}).status == 422
    assert client.ask("DELETE", entries, {"entry_ids": [first["id"], second["id"], third["id"]]}).status == 204
    assert client.ask("GET", f"{client.orbit}/tracks/{track['id']}").body["total_entries"] == 0


def test_an_artifact_in_a_track_cannot_be_deleted(client: RegistryClient) -> None:
    track = track_of(client)
    held = client.made()["artifact"]["id"]
    entry = client.ask("POST", f"{client.orbit}/tracks/{track['id']}/entries", {"artifact_id": held}).body
    assert [t["name"] for t in client.ask("GET", f"{client.artifacts}/{held}").body["tracks"]] == ["t"]
    for method, path in (("GET", "delete-url"), ("DELETE", "force")):
        assert client.ask(method, f"{client.artifacts}/{held}/{path}").status == 409
    assert client.ask("GET", f"{client.orbit}/artifacts?excluded_tracks={track['id']}").body["items"] == []
    client.ask("DELETE", f"{client.orbit}/tracks/{track['id']}/entries/{entry['id']}")
    assert client.ask("DELETE", f"{client.artifacts}/{held}/force").status == 204


def test_a_track_accepts_artifacts_of_its_type_only(client: RegistryClient) -> None:
    track = track_of(client)
    data = client.ask("POST", client.artifacts, dataset()).body["artifact"]["id"]
    answer = client.ask("POST", f"{client.orbit}/tracks/{track['id']}/entries", {"artifact_id": data})
    assert answer.status == 400
    assert "does not match track artifact type 'model'" in answer.body["detail"]


def test_stages_are_renamed_swapped_added_and_removed(client: RegistryClient) -> None:
    track = track_of(client, "a", "b", "c")
    path = f"{client.orbit}/tracks/{track['id']}"
    a, b, _ = (stage["id"] for stage in track["stages"])
    wanted = [{"id": a, "name": "b"}, {"id": b, "name": "a"}, {"name": "d"}]
    changed = client.ask("PATCH", path, {"stages": wanted}).body
    assert [(s["id"] in (a, b), s["name"]) for s in changed["stages"]] == [(True, "b"), (True, "a"), (False, "d")]
    assert client.ask("PATCH", path, {"stages": [{"name": "x"}, {"name": "x"}]}).status == 409
    held = client.made()["artifact"]["id"]
    client.ask("POST", f"{path}/entries", {"artifact_id": held, "stage_id": a})
    assert client.ask("PATCH", path, {"stages": []}).status == 409
    assert client.ask("DELETE", path).status == 204
    assert client.ask("GET", path).status == 404
