"""Tracks: their entries, their stages, and the artifacts in them."""

from __future__ import annotations

from typing import Any

from ..client import RegistryClient, dataset, model


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
    for method, body in (("GET", None), ("PATCH", {}), ("DELETE", None)):
        gone = client.ask(method, f"{entries}/{second['id']}", body)
        assert (gone.status, gone.body) == (404, {"detail": "Entry not found"})
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


def test_stages_are_renamed_added_and_removed(client: RegistryClient) -> None:
    track = track_of(client, "a", "b", "c")
    path = f"{client.orbit}/tracks/{track['id']}"
    a, b, _ = sorted(stage["id"] for stage in track["stages"])
    names = {stage["id"]: stage["name"] for stage in track["stages"]}
    wanted = [{"name": "d"}, {"id": b, "name": "e"}, {"id": a, "name": names[a]}]
    changed = client.ask("PATCH", path, {"stages": wanted}).body
    assert [(s["id"], s["name"]) for s in changed["stages"][:2]] == [(a, names[a]), (b, "e")], "the older come first"
    assert [s["name"] for s in changed["stages"][2:]] == ["d"]
    refused: list[Any] = [
        [{"id": a, "name": names[a]}, {"id": b, "name": names[a]}],
        [{"id": a, "name": "e"}, {"id": b, "name": names[a]}],  # a swap: when the first is renamed, its name is taken
        [{"name": "x"}, {"name": "x"}],
        [{"id": b, "name": "e"}, {"name": names[a]}],  # the name of a stage that goes
    ]
    for stages in refused:
        answer = client.ask("PATCH", path, {"name": "renamed", "stages": stages})
        assert (answer.status, answer.body["detail"]) == (409, "Duplicate stage names are not allowed.")
    assert client.ask("GET", path).body == changed, "a refused change changes nothing"
    unknown = client.ask("PATCH", path, {"stages": [{"id": track["id"], "name": "x"}]})
    assert (unknown.status, unknown.body["detail"]) == (422, "Stage does not belong to this track.")
    held = client.made()["artifact"]["id"]
    client.ask("POST", f"{path}/entries", {"artifact_id": held, "stage_id": b})
    kept = client.ask("PATCH", path, {"stages": [{"name": "x"}, {"name": "x"}]})
    detail = f"Cannot remove stages that are assigned to a version: 'e' ({b})."
    assert (kept.status, kept.body["detail"]) == (409, detail), "this is looked at before the names"
    assert client.ask("DELETE", path).status == 204
    assert client.ask("GET", path).status == 404


def test_a_list_of_tracks_searches_names_and_tags(client: RegistryClient) -> None:
    for name, tags in (("One", ["red", "blue"]), ("Two", ["green"]), ("red", None)):
        body = {"name": name, "artifact_type": "model", "tags": tags}
        assert client.ask("POST", f"{client.orbit}/tracks", body).status == 200
    found = {
        "search=RED": ["One", "red"],
        "search=d%22%2C+%22b": ["One"],
        "search=null": ["red"],
        "types=nope": [],
        "types=model&types=nope": ["One", "Two", "red"],
        "tags=green": ["One", "Two", "red"],
    }
    for query, names in found.items():
        answer = client.ask("GET", f"{client.orbit}/tracks?sort_by=name&order=asc&{query}").body
        assert [item["name"] for item in answer["items"]] == names, query
    answer = client.ask("GET", f"{client.orbit}/tracks/tags")
    assert (answer.status, answer.body["detail"][0]["loc"]) == (422, ["path", "track_id"]), "there is no such route"


def test_an_entry_is_refused_in_the_order_of_the_platform(client: RegistryClient) -> None:
    track = track_of(client, "dev")
    entries = f"{client.orbit}/tracks/{track['id']}/entries"
    secret = client.registry.names.bucket_secret
    orbit = client.ask("POST", f"{client.organization}/orbits", {"name": "o", "bucket_secret_id": secret}).body["id"]
    mixed = {"name": "c", "description": "", "type": "mixed"}
    there = f"{client.organization}/orbits/{orbit}/collections"
    there += f"/{client.ask('POST', there, mixed).body['id']}/artifacts"
    of_other_type = client.ask("POST", there, dataset()).body["artifact"]["id"]
    elsewhere = client.ask("POST", there, model()).body["artifact"]["id"]
    assert client.ask("POST", entries, {"artifact_id": of_other_type}).status == 400
    assert client.ask("POST", entries, {"artifact_id": elsewhere, "stage_id": orbit}).body == {
        "detail": "Artifact must belong to the same orbit as the track."
    }
    held = client.made()["artifact"]["id"]
    assert client.ask("GET", f"{client.artifacts}/{held}/delete-url").status == 200
    entry = client.ask("POST", entries, {"artifact_id": held})
    assert entry.status == 200, "as on the platform, although it is pending deletion"
    foreign = client.ask("POST", entries, {"artifact_id": held, "stage_id": orbit})
    assert foreign.body == {"detail": "Stage does not belong to this track."}
    other = f"{client.organization}/orbits/{orbit}/tracks/{track['id']}/entries/{entry.body['id']}"
    assert client.ask("GET", other).body == {"detail": "Track not found"}
    assert client.ask("DELETE", other).body == {"detail": "Entry not found"}
