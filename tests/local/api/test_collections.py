"""Collections: search, pages, and when one can be removed."""

from __future__ import annotations

from ..client import Desk


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
