"""Orbits: created, changed and removed."""

from __future__ import annotations

from ..client import AZURE, RegistryClient


def test_an_orbit_is_created_changed_and_removed(client: RegistryClient) -> None:
    secret = client.ask("POST", f"{client.organization}/bucket-secrets", AZURE).body
    orbits = f"{client.organization}/orbits"
    made = client.ask("POST", orbits, {"name": "new", "bucket_secret_id": secret["id"]}).body
    assert client.ask("GET", f"{orbits}/{made['id']}").body == made
    changed = client.ask("PATCH", f"{orbits}/{made['id']}", {"name": "newer"}).body
    assert (changed["name"], changed["bucket_secret_id"]) == ("newer", secret["id"])
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
