"""Orbits: created, changed and removed."""

from __future__ import annotations

from ..client import AZURE, Desk


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
