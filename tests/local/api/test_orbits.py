"""Orbits: created, changed and removed."""

from __future__ import annotations

from typing import Any

from ..client import AZURE, RegistryClient


def test_an_orbit_is_created_changed_and_removed(client: RegistryClient) -> None:
    secret = client.ask("POST", f"{client.organization}/bucket-secrets", AZURE).body
    orbits = f"{client.organization}/orbits"
    made = client.ask("POST", orbits, {"name": "new", "bucket_secret_id": secret["id"]}).body
    assert client.ask("GET", f"{orbits}/{made['id']}").body == made
    changed = client.ask("PATCH", f"{orbits}/{made['id']}", {"name": "newer"}).body
    assert (changed["name"], changed["bucket_secret_id"]) == ("newer", secret["id"])
    assert changed["permissions"] is None
    again = client.ask("PATCH", f"{orbits}/{made['id']}", {"name": "newer", "id": made["id"]}).body
    assert again["updated_at"] == changed["updated_at"], "nothing has changed"
    cleared = client.ask("PATCH", f"{orbits}/{made['id']}", {"bucket_secret_id": None})
    assert (cleared.status, cleared.body) == (404, {"detail": "Bucket secret not found"})
    missing = {"name": "x", "bucket_secret_id": "00000000-0000-0000-0000-000000000000"}
    assert client.ask("POST", orbits, missing).body == {"detail": "Bucket secret not found"}
    assert client.ask("DELETE", f"{orbits}/{made['id']}").status == 204
    assert client.ask("GET", f"{orbits}/{made['id']}").body == {"detail": "Orbit not found"}
    made = client.made()
    assert client.ask("PUT", made["upload_details"]["url"], b"bytes").status == 200
    one = made["artifact"]["id"]
    kept = client.ask("GET", f"{client.artifacts}/{one}/download-url").body["url"]
    track = client.ask("POST", f"{client.orbit}/tracks", {"name": "t", "artifact_type": "model"}).body["id"]
    assert client.ask("POST", f"{client.orbit}/tracks/{track}/entries", {"artifact_id": one}).status == 200
    assert client.ask("DELETE", client.orbit).status == 204, "as on the platform, its artifacts are lost with it"
    assert client.ask("GET", client.orbit).status == 404
    assert client.ask("GET", kept).body == b"bytes", "nothing refers to the object, and it stays"


def members_of(client: RegistryClient) -> list[dict[str, Any]]:
    """The members that GET of the orbit shows."""
    members: list[dict[str, Any]] = client.ask("GET", client.orbit).body["members"]
    return members


def test_an_orbit_shows_its_members_and_the_tags_of_its_collections(client: RegistryClient) -> None:
    client.registry.make_key("orbit_member", "A Member")
    client.registry.make_key("orbit_admin", "An Admin")
    for tags in (["b", "a"], ["a", "c"], None):
        client.ask(
            "POST", f"{client.orbit}/collections", {"name": "c", "description": "", "type": "model", "tags": tags}
        )
    assert client.ask("GET", client.orbit).body["collections_tags"] == ["a", "b", "c"]
    shown = members_of(client)
    assert [(each["role"], each["user"]["full_name"]) for each in shown] == [
        ("admin", "Local User"),
        ("admin", "An Admin"),
        ("member", "A Member"),
    ]
    assert {each["orbit_id"] for each in shown} == {client.registry.names.orbit}
    listed = client.ask("GET", f"{client.organization}/orbits").body[0].keys()
    assert client.ask("GET", client.orbit).body.keys() - listed == {"members", "collections_tags"}


def test_a_new_orbit_has_the_members_that_were_asked_for(client: RegistryClient) -> None:
    client.registry.make_key("orbit_member", "A Member")
    me, other = (each["user"]["id"] for each in members_of(client))
    nobody = "00000000-0000-0000-0000-000000000000"
    body: dict[str, Any] = {"name": "new", "bucket_secret_id": client.registry.names.bucket_secret}

    def create(*members: tuple[str, str]) -> Any:
        given = [{"user_id": user, "role": role} for user, role in members]
        return client.ask("POST", f"{client.organization}/orbits", {**body, "members": given})

    made = create((other, "member")).body
    assert [(each["user"]["id"], each["role"]) for each in made["members"]] == [(me, "admin"), (other, "member")]
    refused = {
        ((other, "member"), (other, "admin")): "Orbit members should contain only unique values.",
        ((me, "member"),): "You can not add yourself to orbit.",
        ((nobody, "member"), (other, "member")): f"Users {{UUID('{nobody}')}} are not in the organization.",
    }
    for members, detail in refused.items():
        assert create(*members)[:2] == (400, {"detail": detail})
    wrong = create((other, "owner"))
    assert (wrong.status, wrong.body["detail"][0]["loc"]) == (422, ["body", "members", 0, "role"])
    assert len(client.ask("GET", f"{client.organization}/orbits").body) == 2
