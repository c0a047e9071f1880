"""Artifacts and tracks that a recorded exchange implies, on top of their scope."""

from __future__ import annotations

import base64
import json
import re
from typing import Any
from urllib.parse import parse_qsl

from .recorded_scope import FIRST, LAST, MEMBER, MOMENT, SPARE, USER, Exchange, RecordedScope, body_of, objects_in

IGNORED = {
    "cursor_other_collection_ignored",
    "cursor.other_collection",
    "cursor.forged_extra",
    "cursor.forged_created_bad",
}


class RecordedRows(RecordedScope):
    """Writes all rows that an exchange implies."""

    def fill(self) -> None:
        self.organization = self._organization()
        self._bucket_secrets()
        self._orbits()
        self._collections()
        self._artifacts()
        self._tracks()
        self._totals()

    def _artifacts(self) -> None:
        collection = self.ids.get("collections", FIRST)
        if isinstance(self.answer, dict) and "items" in self.answer and "artifacts" in self.path:
            self._listed_artifacts(self.answer["items"])
        identity = self.ids.get("artifacts")
        if identity and self.status in (200, 204, 400, 409) and self.exchange["method"] != "POST":
            item = dict(self.known.get(identity, {}))
            item |= {"bucket_location": self._location(collection)}
            if isinstance(self.answer, dict) and "file_name" in self.answer:
                item |= self.answer
            self._artifact(identity, item, item.get("collection_id", collection), self._status_before(item))
        body = body_of(self.exchange["request_body"])
        if isinstance(body, dict) and "artifact_id" in body:
            entered = {**self.known.get(body["artifact_id"], {})}
            if isinstance(self.answer, dict) and "artifact_description" in self.answer:
                entered |= {"name": self.answer["artifact_name"], "description": self.answer["artifact_description"]}
            where = (self.answer or {}).get("artifact_collection_id", entered.get("collection_id", FIRST))
            self._collection(where, self.known.get(where, {}), self.ids.get("orbits", FIRST))
            self._artifact(body["artifact_id"], entered, where, "uploaded")

    def _listed_artifacts(self, items: list[dict[str, Any]]) -> None:
        for item in items:
            self._artifact(item["id"], item, item["collection_id"], item["status"])
        query = dict(re.findall(r"(\w+)=([^&]*)", self.exchange["query"] or ""))
        if self.answer["cursor"] and items:
            sort = query.get("sort_by", "created_at")
            beyond = _neighbour(items[-1], sort)
            if self._beyond() == LAST and sort not in items[-1] and not beyond["extra_values"].get(sort):
                beyond["extra_values"] = {sort: 1}  # somebody has the metric, or nobody could have sorted by it
            self._artifact(self._beyond(), beyond, items[-1]["collection_id"], items[-1]["status"])
        if items:
            position = position_of(self.exchange)
            if position:
                identity, value = position
                made = _neighbour(items[0], query.get("sort_by", "created_at"), value)
                status = made.get("status", items[0]["status"])
                self._artifact(identity, made, items[0]["collection_id"], status)

    def _location(self, collection: str) -> str:
        url = self.answer.get("url", "") if isinstance(self.answer, dict) else ""
        found = re.search(r"/(orbit-[^?]*)", url)
        orbit = self.ids.get("orbits", FIRST)
        return found[1] if found else f"orbit-{orbit}/collection-{collection}/{'0' * 32}-x.luml"

    def _status_before(self, item: dict[str, Any]) -> str:
        said = re.search(r"transition from (\w+) to|with status '(\w+)'", str(self.detail))
        if said:
            return said[1] or said[2]
        body = body_of(self.exchange["request_body"])
        if self.exchange["method"] == "PATCH" and isinstance(body, dict) and body.get("status"):
            return "pending_deletion" if body["status"] == "deletion_failed" else "pending_upload"
        if self.exchange["method"] == "DELETE" and not self.path.endswith("/force"):
            return "pending_deletion"
        status: str = item.get("status", "uploaded")
        return status

    def _artifact(self, identity: str, item: dict[str, Any], collection: str, status: str) -> None:
        body = body_of(self.exchange["request_body"])
        changed = body if self.exchange["method"] == "PATCH" and isinstance(body, dict) else {}
        values = {
            "name": item.get("name", item.get("model_name", "x")),
            "description": item.get("description"),
            "tags": item.get("tags"),
            "file_name": item.get("file_name", "x.luml"),
        }
        for name in values:
            if changed.get(name, changed.get("model_name") if name == "name" else None) is not None:
                values[name] = ["before"] if name == "tags" else "before.luml"
        metrics = item.get("extra_values", item.get("metrics")) or {}
        if values["tags"] is not None:
            values["tags"] = json.dumps(values["tags"])
        kind = item.get("type", "model")
        self._collection(collection, self.known.get(collection, {}), self.ids.get("orbits", FIRST))
        self._insert(
            "artifacts",
            id=identity,
            collection_id=collection,
            **values,
            size=item.get("size", 1),
            type=kind,
            status=status,
            file_hash=item.get("file_hash", "h"),
            bucket_location=item.get("bucket_location", self._location(collection)),
            unique_identifier=item.get("unique_identifier", "0" * 32),
            created_by_user=item.get("created_by_user", "Lab User"),
            created_at=item.get("created_at", MOMENT),
            updated_at=item.get("updated_at"),
            extra_values=json.dumps(metrics),
            manifest=json.dumps(item.get("manifest", {})),
            file_index=json.dumps(item.get("file_index", {})),
        )
        for key, value in metrics.items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                self._insert("metrics", collection_id=collection, key=key, type=kind, value=value, artifact_id=identity)

    def _tracks(self) -> None:
        orbit = self.ids.get("orbits", FIRST)
        if self.detail.__class__ is str and self.detail.startswith("Artifact is referenced"):
            self._track(FIRST, {}, orbit)
            self._entry(SPARE % 9, {"artifact_id": self.ids["artifacts"], "version": 1}, FIRST)
        if "tracks" not in self.path:
            return
        shown = [item for item in objects_in(self.answer) if "next_version" in item]
        if self.exchange["method"] != "POST":
            for item in shown:
                self._track(item["id"], item, orbit)
        if "tracks" in self.ids:
            self._track(self.ids["tracks"], self.known.get(self.ids["tracks"], {}), orbit)
            entered = [item for item in objects_in(self.answer) if "artifact_name" in item]
            for item in entered if self.exchange["method"] != "POST" else ():
                where = item["artifact_collection_id"]
                made = {"name": item["artifact_name"], "description": item["artifact_description"]}
                self._artifact(item["artifact_id"], made, where, "uploaded")
                self._entry(item["id"], item, self.ids["tracks"])
            if self.exchange["method"] == "DELETE" and "entries" in self.ids:
                self._artifact(SPARE % 3, {}, FIRST, "uploaded")
                self._entry(self.ids["entries"], {"artifact_id": SPARE % 3, "version": 1}, self.ids["tracks"])

    def _track(self, identity: str, item: dict[str, Any], orbit: str) -> None:
        self._insert(
            "tracks",
            id=identity,
            orbit_id=orbit,
            name="before" if self.exchange["method"] == "PATCH" else item.get("name", "t"),
            artifact_type=item.get("artifact_type", "model"),
            description=item.get("description"),
            tags=None if item.get("tags") is None else json.dumps(item["tags"]),
            next_version=item.get("next_version", 1),
            created_at=item.get("created_at", MOMENT),
            updated_at=item.get("updated_at"),
        )
        for position, stage in enumerate(item.get("stages") or ()):
            times = {"created_at": stage["created_at"], "updated_at": stage["updated_at"]}
            self._insert("stages", id=stage["id"], track_id=identity, name=stage["name"], position=position, **times)

    def _entry(self, identity: str, item: dict[str, Any], track: str) -> None:
        self._insert(
            "entries",
            id=identity,
            track_id=track,
            artifact_id=item["artifact_id"],
            version=item["version"],
            stage_id=item.get("stage_id"),
            added_by=USER,
            created_at=item.get("created_at", MOMENT),
            updated_at=item.get("updated_at"),
        )

    def _totals(self) -> None:
        """Totals are set, and not reached: nobody recorded what all the others were."""
        spare = 16
        for item in objects_in(self.answer):
            total = item.get("total_artifacts", item.get("total_models", item.get("total_model_artifacts")))
            if total is None:
                continue
            if "bucket_secret_id" not in item:
                self.db.execute("UPDATE collections SET total_artifacts = ? WHERE id = ?", (total, item["id"]))
                continue
            for _ in range(item["total_collections"]):
                spare += 1
                self._collection(SPARE % spare, {}, item["id"])
            here = "SELECT id FROM collections WHERE orbit_id = ? LIMIT 1"
            self.db.execute(f"UPDATE collections SET total_artifacts = ? WHERE id = ({here})", (total, item["id"]))
            for number in range(item["total_members"]):
                self._insert("users", id=SPARE % (number + 0x800), name="Member")
                self._insert("orbit_members", orbit_id=item["id"], user_id=SPARE % (number + 0x800), role="member")
        if self.status == 409 and "collections" in self.ids and "artifacts" not in self.ids:
            self.db.execute("UPDATE collections SET total_artifacts = 1")
        if self.status == 403:
            for (orbit,) in self.db.execute("SELECT id FROM orbits").fetchall():
                if "bucket-secrets" in self.path:
                    self._insert("orbit_members", orbit_id=orbit, user_id=MEMBER, role="member")


def position_of(exchange: Exchange) -> tuple[str, Any] | None:
    """The id and the value in the cursor of a request, if the platform took it for one of this list."""
    query = dict(parse_qsl(exchange["query"] or ""))
    if exchange["case"] in IGNORED:
        return None
    try:
        hexadecimal, value, sort, *rest = json.loads(base64.urlsafe_b64decode(query.get("cursor", "")))
    except ValueError:
        return None
    if sort != query.get("sort_by", "created_at") or rest[:1] not in ([], [query.get("order", "desc")]):
        return None
    plain = hexadecimal.replace("-", "")
    return f"{plain[:8]}-{plain[8:12]}-{plain[12:16]}-{plain[16:20]}-{plain[20:]}", value


def _neighbour(item: dict[str, Any], sort: str, value: Any = ...) -> dict[str, Any]:
    """A row like another one in the sort column, or with that value there."""
    made = {
        name: item[name]
        for name in ("created_at", "name", "model_name", "size", "description", "type", "status", "file_hash")
        if name in item
    }
    metrics = item.get("extra_values", item.get("metrics", {}))
    made["extra_values"] = {sort: metrics[sort]} if sort in metrics else {}
    if value is not ...:
        column = {"model_name": "name"}.get(sort, sort)
        if sort == "created_at" and isinstance(value, str):
            value = value.replace("+00:00", "Z")
        if sort in item:
            made[sort] = made[column] = value
        else:
            made["extra_values"] = {} if value is None else {sort: value}
    return made
