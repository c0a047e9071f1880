"""Organizations, orbits, collections, bucket secrets and tracks, and the permissions that each role has on them."""

from __future__ import annotations

import hmac
from typing import Any

import pytest

from luml_lite.local.api import permissions
from luml_lite.local.api.permissions import ROLES, Role

from ..client import Desk, dataset, model

SECRET = {"type": "s3", "endpoint": "https://s3.example", "bucket_name": "b", "region": "r", "secret_key": "shh"}
AZURE = {"type": "azure", "endpoint": "AccountName=a;AccountKey=k", "bucket_name": "b"}


def test_a_directory_starts_with_one_of_each(desk: Desk) -> None:
    assert [item["role"] for item in desk.ask("GET", "/v1/users/me/organizations").body] == ["owner"]
    (orbit,) = desk.ask("GET", f"{desk.organization}/orbits").body
    assert (orbit["total_collections"], orbit["total_members"], orbit["role"]) == (1, 1, None)
    (collection,) = desk.ask("GET", f"{desk.orbit}/collections").body["items"]
    assert collection["type"] == "mixed"
    assert desk.ask("GET", "/v1/auth/api-keys/validate").status == 204
    for nothing in ("deployments", "satellites"):
        assert desk.ask("GET", f"{desk.orbit}/{nothing}").body == []


def test_an_orbit_is_created_changed_and_removed(desk: Desk) -> None:
    secret = desk.ask("POST", f"{desk.organization}/bucket-secrets", AZURE).body
    orbits = f"{desk.organization}/orbits"
    made = desk.ask("POST", orbits, {"name": "new", "bucket_secret_id": secret["id"]}).body
    assert desk.ask("GET", f"{orbits}/{made['id']}").body == made
    changed = desk.ask("PATCH", f"{orbits}/{made['id']}", {"name": "newer"}).body
    assert (changed["name"], changed["bucket_secret_id"]) == ("newer", secret["id"])
    missing = {"name": "x", "bucket_secret_id": "00000000-0000-0000-0000-000000000000"}
    assert desk.ask("POST", orbits, missing).body == {"detail": "Bucket secret not found"}
    assert desk.ask("DELETE", f"{orbits}/{made['id']}").status == 204
    assert desk.ask("GET", f"{orbits}/{made['id']}").body == {"detail": "Orbit not found"}
    desk.made()
    assert desk.ask("DELETE", desk.orbit).status == 409


def test_a_collection_with_artifacts_cannot_be_removed(desk: Desk) -> None:
    made = desk.made()["artifact"]
    assert desk.ask("DELETE", desk.collection).status == 409
    desk.ask("DELETE", f"{desk.artifacts}/{made['id']}/force")
    assert desk.ask("DELETE", desk.collection).status == 204
    assert desk.ask("DELETE", desk.collection).body == {"detail": "Collection not found"}


def test_collections_are_searched_by_name_and_tag_and_paged(desk: Desk) -> None:
    for name, tags in (("Alpha", None), ("beta", ["x-ALPHA-y"]), ("gamma", ["other"])):
        body = {"name": name, "description": "", "type": "model", "tags": tags}
        desk.ask("POST", f"{desk.orbit}/collections", body)
    found = desk.ask("GET", f"{desk.orbit}/collections?search=alpha&sort_by=name").body["items"]
    assert [item["name"] for item in found] == ["beta", "Alpha"]
    typed = desk.ask("GET", f"{desk.orbit}/collections?types=mixed&types=dataset").body["items"]
    assert [item["name"] for item in typed] == ["Local"]
    for sort in ("created_at", "name", "type", "description", "total_artifacts"):
        found, cursor = [], ""
        while cursor is not None:
            page = desk.ask("GET", f"{desk.orbit}/collections?limit=1&sort_by={sort}&cursor={cursor}").body
            found += [item["name"] for item in page["items"]]
            cursor = page["cursor"]
        assert sorted(found) == ["Alpha", "Local", "beta", "gamma"]


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


def desk_for(desk: Desk, role: Role) -> Desk:
    """The same registry, asked with the key of a new user in that role."""
    return Desk(desk.registry, desk.registry.make_key(role))


@pytest.mark.parametrize("role", ROLES)
def test_a_role_has_the_permissions_that_the_platform_gives_it(desk: Desk, role: Role) -> None:
    theirs = desk_for(desk, role)
    made = desk.made()["artifact"]
    path = f"{desk.artifacts}/{made['id']}"
    everything = role in ("owner", "admin")
    deletes = role != "orbit_member"
    collection = {"name": "c", "description": "", "type": "model"}
    parts = {"bucket_id": desk.registry.names.bucket_secret, "bucket_location": "k", "size": 1, "upload_id": "u"}
    allowed = {
        ("GET", f"{desk.organization}/orbits"): True,
        ("GET", desk.orbit): True,
        ("GET", f"{desk.orbit}/artifacts"): True,
        ("GET", path): True,
        ("POST", desk.artifacts): True,
        ("PATCH", path): True,
        ("POST", f"{desk.orbit}/collections"): True,
        ("GET", f"{path}/delete-url"): deletes,
        ("DELETE", path): deletes,
        ("GET", f"{desk.organization}/bucket-secrets"): everything,
        ("POST", "/v1/bucket-secrets/upload/multipart"): everything,
        ("POST", f"{desk.organization}/orbits"): everything,
    }
    bodies: dict[Any, Any] = {
        ("POST", desk.artifacts): model(),
        ("PATCH", path): {"status": "uploaded"},
        ("POST", f"{desk.orbit}/collections"): collection,
        ("POST", "/v1/bucket-secrets/upload/multipart"): parts,
        ("POST", f"{desk.organization}/orbits"): {
            "name": "o",
            "bucket_secret_id": desk.registry.names.bucket_secret,
        },
    }
    for (method, url), allows in allowed.items():
        answer = theirs.ask(method, url, bodies.get((method, url)))
        assert (answer.status < 300) is allows, (method, url, answer)
        if not allows:
            assert answer.body == {"detail": "Not enough rights"}


def test_a_member_sees_their_orbit_only(desk: Desk) -> None:
    secret = desk.registry.names.bucket_secret
    other = desk.ask("POST", f"{desk.organization}/orbits", {"name": "o", "bucket_secret_id": secret}).body["id"]
    theirs = desk_for(desk, "orbit_member")
    shown = theirs.ask("GET", f"{desk.organization}/orbits").body
    assert [(orbit["id"], orbit["role"]) for orbit in shown] == [(desk.registry.names.orbit, "member")]
    assert "delete" not in shown[0]["permissions"]["artifact"]
    for path in ("", "/artifacts", "/collections"):
        assert theirs.ask("GET", f"{desk.organization}/orbits/{other}{path}").status == 403


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer dfs_wrong", "Basic Zm9v", "bearer \udcff", "x"])
def test_a_request_without_a_known_key_is_not_authenticated(desk: Desk, header: str) -> None:
    answer = desk.ask("GET", f"{desk.orbit}/artifacts", authorization=header)
    assert (answer.status, answer.body) == (401, {"detail": "Not authenticated"})


@pytest.mark.parametrize("known", [True, False])
def test_keys_are_compared_as_digests_in_constant_time(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    """A request makes one comparison, known key or not, and it takes the same time wherever the digests differ."""
    compared: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return hmac_digest(one, other)

    hmac_digest = hmac.compare_digest
    monkeypatch.setattr(permissions.hmac, "compare_digest", compare)
    key = desk.key if known else desk.key[:-1] + "?"
    assert desk.ask("GET", desk.orbit, authorization=f"Bearer {key}").status == (200 if known else 401)
    ((one, other),) = compared
    assert (len(one), other) == (32, permissions.digest_of(key))


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
