"""Users, organizations, bucket secrets, orbits and collections that a recorded exchange implies."""

from __future__ import annotations

import json
import re
import sqlite3
from typing import Any

from luml_lite.local.api.dialects import Dialect
from luml_lite.local.api.permissions import digest_of

Exchange = dict[str, Any]
MOMENT = "2026-11-23T17:00:00.000000Z"
KEY, MEMBER_KEY = "dfs_EXAMPLE", "dfs_MEMBER"
USER, MEMBER = "00000000-0000-7000-8000-000000000001", "00000000-0000-7000-8000-000000000002"
FIRST, LAST = "00000000-0000-7000-8000-0000000000f0", "ffffffff-ffff-7fff-bfff-fffffffffff0"
SPARE = "00000000-0000-7000-8000-00000000%04x"
IDS = re.compile(
    r"/(organizations|orbits|collections|artifacts|model_artifacts|tracks|bucket-secrets|entries)/([0-9a-f-]{36})"
)
NIL = "00000000-0000-0000-0000-000000000000"


def body_of(recorded: dict[str, Any] | None) -> Any:
    """The JSON of a recorded body, or its text."""
    if recorded is None:
        return None
    return recorded.get("json", recorded.get("text"))


def objects_in(value: Any) -> list[dict[str, Any]]:
    """Every object in an answer that has an id, the answer itself included."""
    if isinstance(value, list):
        return [found for item in value for found in objects_in(item)]
    if not isinstance(value, dict):
        return []
    mine = (
        [value] if isinstance(value.get("id"), str) or "upload_details" in value or "bucket_secret_id" in value else []
    )
    return mine + [found for item in value.values() for found in objects_in(item)]


class RecordedScope:
    """Writes the rows above artifacts; what an exchange's path, answer and status say of them is guessed here."""

    def __init__(
        self, db: sqlite3.Connection, known: dict[str, Any], exchange: Exchange, dialect: Dialect, answer: Any
    ) -> None:
        self.db = db
        self.known = known
        self.exchange = exchange
        self.dialect = dialect
        self.answer = answer
        self.status = exchange["status"]
        self.ids = {name.replace("model_", ""): value for name, value in IDS.findall(exchange["path"])}
        self.path = IDS.sub(lambda found: f"/{found[1]}/#", exchange["path"])
        self.detail = answer.get("detail", "") if isinstance(answer, dict) else ""

    def _insert(self, table: str, **values: Any) -> None:
        marks = ", ".join("?" * len(values))
        self.db.execute(f"INSERT OR IGNORE INTO {table} ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))

    def _organization(self) -> str:
        who = next(
            (item.get("created_by_user") for item in objects_in(self.answer) if item.get("created_by_user")), None
        )
        for user, name, key in ((USER, who or "Lab User", KEY), (MEMBER, "Member", MEMBER_KEY)):
            self._insert("users", id=user, name=name)
            self._insert("api_keys", digest=digest_of(key), user_id=user)
        shown = self.answer if self.path.endswith("/users/me/organizations") and isinstance(self.answer, list) else []
        identity: str = shown[0]["id"] if shown else self.ids.get("organizations", FIRST)
        if self.status == 403 and identity == NIL:
            identity = FIRST
        for item in shown or [{"id": identity}]:
            times = {"created_at": item.get("created_at", MOMENT), "updated_at": item.get("updated_at")}
            self._insert("organizations", id=item["id"], name=item.get("name", "Lab Org"), **times)
            self._insert("organization_members", organization_id=item["id"], user_id=USER, role="owner")
            self._insert("organization_members", organization_id=item["id"], user_id=MEMBER, role="member")
        return identity

    def _bucket_secrets(self) -> None:
        self._secret(FIRST, {})
        for item in objects_in(self.answer):
            if "bucket_secret_id" in item:
                self._secret(item["bucket_secret_id"], self.known.get(item["bucket_secret_id"], {}))
            if item.get("type") in ("s3", "azure") and "bucket_name" in item:
                self._secret(item["id"], item)
        body = body_of(self.exchange["request_body"])
        for name in ("bucket_id", "bucket_secret_id"):
            if isinstance(body, dict) and name in body and self.status != 404:
                kind = self.answer.get("type", "s3") if isinstance(self.answer, dict) else "s3"
                self._secret(body[name], {"type": kind})
        if "bucket-secrets" in self.ids and self.status != 404:
            self._secret(self.ids["bucket-secrets"], self.known.get(self.ids["bucket-secrets"], {}))
        if self.status == 409 and self.path.endswith("/bucket-secrets"):
            self._secret(SPARE % 1, {"endpoint": "s3.example", "bucket_name": body["bucket_name"]})
        if self.path.endswith("/bucket-secrets") and self.status == 200 and self.exchange["method"] == "GET":
            self.db.execute("DELETE FROM bucket_secrets WHERE id = ?", (FIRST,))

    def _secret(self, identity: str, item: dict[str, Any]) -> None:
        kind = item.get("type") if item.get("type") in ("s3", "azure") else self._storage_kind()
        access = {name: item.get(name) for name in ("secure", "region", "cert_check")}
        self._insert(
            "bucket_secrets",
            id=identity,
            organization_id=self.organization,
            type=kind,
            endpoint=item.get("endpoint", "local"),
            bucket_name=item.get("bucket_name", "local"),
            access=json.dumps(access),
            created_at=item.get("created_at", MOMENT),
            updated_at=item.get("updated_at"),
        )

    def _storage_kind(self) -> str:
        text = json.dumps(self.answer)
        return "azure" if '"type": "azure"' in text or "&sig=" in text else "s3"

    def _secret_for_orbit(self) -> str:
        row = self.db.execute("SELECT id FROM bucket_secrets WHERE id <> ? LIMIT 1", (FIRST,)).fetchone()
        return row[0] if row and self.status != 409 else FIRST

    def _orbits(self) -> None:
        for item in objects_in(self.answer):
            if "bucket_secret_id" in item and "organization_id" in item:
                self._orbit(item["id"], item, item["bucket_secret_id"])
            for orbit in item.get("orbits") or ():
                self._orbit(orbit["id"], orbit, item["id"])
        if "orbits" in self.ids and self.detail != "Orbit not found":
            self._orbit(self.ids["orbits"], self.known.get(self.ids["orbits"], {}), self._secret_for_orbit())
        if self.status == 409 and "bucket-secrets" in self.ids:
            self._orbit(FIRST, {}, self.ids["bucket-secrets"])

    def _orbit(self, identity: str, item: dict[str, Any], secret: str) -> None:
        self._secret(secret, {})
        self._insert(
            "orbits",
            id=identity,
            organization_id=self.organization,
            bucket_secret_id=secret,
            name=item.get("name", "Lab Orbit"),
            created_at=item.get("created_at", MOMENT),
            updated_at=item.get("updated_at"),
        )

    def _collections(self) -> None:
        orbit = self.ids.get("orbits", FIRST)
        listing = self.path.endswith("/collections") and self.exchange["method"] == "GET" and self.status == 200
        if listing:
            for item in self.answer["items"]:
                self._collection(item["id"], item, orbit)
            if self.answer["cursor"]:
                self._collection(self._beyond(), {}, orbit)
            return
        wanted = [self.ids.get("collections", "")] if self.detail != "Collection not found" else []
        wanted += re.findall(r"collection_ids=([0-9a-f-]{36})", self.exchange["query"] or "")
        wanted += [item["collection_id"] for item in objects_in(self.answer) if "collection_id" in item]
        for identity in filter(None, wanted):
            if identity != NIL and self.detail != "Orbit not found":
                self._collection(identity, self.known.get(identity, {}), orbit)

    def _collection(self, identity: str, item: dict[str, Any], orbit: str) -> None:
        if self.db.execute("SELECT 1 FROM collections WHERE id = ?", (identity,)).fetchone():
            return
        body = body_of(self.exchange["request_body"])
        before = "before" if self.exchange["method"] == "PATCH" and isinstance(body, dict) else None
        type_ = item.get("type", item.get("collection_type", "mixed"))
        tags = item.get("tags") if before is None else ["before"]
        self._insert(
            "collections",
            id=identity,
            orbit_id=orbit,
            name=before or item.get("name", "c"),
            description=before or item.get("description", ""),
            type=type_,
            tags=None if tags is None else json.dumps(tags),
            created_at=item.get("created_at", MOMENT),
            updated_at=item.get("updated_at"),
        )
        keys = item.get("artifacts_extra_values", item.get("models_metrics")) or []
        found = item.get("artifacts_tags", item.get("models_tags")) or []
        if (keys or found) and self.path.endswith("/collections/#"):
            self._artifact(SPARE % 7, {"extra_values": dict.fromkeys(keys, 1), "tags": found}, identity, "uploaded")

    def _beyond(self) -> str:
        return LAST if "order=asc" in (self.exchange["query"] or "") else FIRST
