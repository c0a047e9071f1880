"""One row in both dialects of the API."""

from __future__ import annotations

from ..client import RegistryClient


def test_both_dialects_show_one_row_under_their_own_names(client: RegistryClient) -> None:
    made = client.made(name="one", extra_values={"F1": 0.5}, tags=["t"])["artifact"]
    older = client.ask(
        "GET", f"{client.artifacts}/{made['id']}".removeprefix("/v1").replace("/artifacts", "/model_artifacts")
    )
    assert older.body["model_name"] == "one"
    assert older.body["metrics"] == {"F1": 0.5}
    assert "type" not in older.body
    for name in ("id", "size", "status", "tags", "created_at", "manifest", "file_index", "bucket_location"):
        assert older.body[name] == made[name]
