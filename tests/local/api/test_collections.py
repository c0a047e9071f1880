"""Collections: search, pages, and when one can be removed."""

from __future__ import annotations

from ..client import RegistryClient


def test_a_collection_with_artifacts_cannot_be_removed(client: RegistryClient) -> None:
    made = client.made()["artifact"]
    assert client.ask("DELETE", client.collection).status == 409
    client.ask("DELETE", f"{client.artifacts}/{made['id']}/force")
    assert client.ask("DELETE", client.collection).status == 204
    assert client.ask("DELETE", client.collection).body == {"detail": "Collection not found"}


def test_collections_are_searched_by_name_and_tag_and_paged(client: RegistryClient) -> None:
    for name, tags in (("Alpha", None), ("beta", ["x-ALPHA-y"]), ("gamma", ["other"])):
        body = {"name": name, "description": "", "type": "model", "tags": tags}
        client.ask("POST", f"{client.orbit}/collections", body)
    found = client.ask("GET", f"{client.orbit}/collections?search=alpha&sort_by=name").body["items"]
    assert [item["name"] for item in found] == ["beta", "Alpha"]
    typed = client.ask("GET", f"{client.orbit}/collections?types=mixed&types=dataset").body["items"]
    assert [item["name"] for item in typed] == ["Local"]
    assert client.ask("GET", f"{client.orbit}/collections?types=model_dataset").status == 422
    assert len(client.ask("GET", f"{client.orbit}/collections?types=x".removeprefix("/v1")).body["items"]) == 4
    for sort in ("created_at", "name", "type", "description", "total_artifacts"):
        found, cursor = [], ""
        while cursor is not None:
            page = client.ask("GET", f"{client.orbit}/collections?limit=1&sort_by={sort}&cursor={cursor}").body
            found += [item["name"] for item in page["items"]]
            cursor = page["cursor"]
        assert sorted(found) == ["Alpha", "Local", "beta", "gamma"]
