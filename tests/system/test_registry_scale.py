"""100,000 artifacts: every page costs the same, because every statement reads an index."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from luml_lite.local.api.artifact_lists import by_column, by_metric, condition_for
from luml_lite.local.database.database import new_id
from luml_lite.local.database.keyset import Position, statements
from luml_lite.local.registry import Registry

from ..local.client import RegistryClient

pytestmark = pytest.mark.slow

ROWS = 100_000
SORTS = ("created_at", "name", "size", "description", "status", "type", "file_hash")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegistryClient]:
    """A registry with many artifacts in one collection; every tenth has no metric F1, few are datasets."""
    registry = Registry(tmp_path_factory.mktemp("large"))
    chance = random.Random(5)
    collection = registry.names.collection
    ids = [new_id() for _ in range(ROWS)]
    rows, metrics = [], []
    for number, identity in enumerate(ids):
        value = None if number % 10 == 0 else round(chance.random(), 3)
        kind = "dataset" if number % 500 == 1 else "model"
        rows.append(
            (
                *(identity, collection, "m.luml", f"model {chance.randrange(ROWS)}"),
                *(None if number % 3 else "described", chance.randrange(1000), kind, "uploaded", f"{number:064x}"),
                *(f"key-{number}", f"{number:032x}", "Local User", f"2026-01-01T00:00:00.{number:06d}Z"),
                *(json.dumps({} if value is None else {"F1": value}), "{}", "{}"),
            )
        )
        if value is not None:
            metrics.append((collection, "F1", kind, value, identity))
    columns = (
        "id, collection_id, file_name, name, description, size, type, status, file_hash, bucket_location,"
        " unique_identifier, created_by_user, created_at, extra_values, manifest, file_index"
    )
    with registry.database.writing() as db:
        db.executemany(f"INSERT INTO artifacts ({columns}) VALUES ({', '.join('?' * 16)})", rows)
        db.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?, ?)", metrics)
    yield RegistryClient(registry)
    registry.close()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("sort", ["created_at", "description", "F1"])
def test_the_last_page_costs_what_the_first_one_costs(large: RegistryClient, sort: str) -> None:
    """Late pages may take a few times as long as early ones, not a thousand times."""
    cursor, seen, costs = "", 0, []
    while cursor is not None:
        query = urlencode({"sort_by": sort, "limit": 100, "cursor": cursor})
        began = time.thread_time()
        page = large.ask("GET", f"{large.orbit}/artifacts?{query}").body
        costs.append(time.thread_time() - began)  # what others take from this thread does not count
        seen += len(page["items"])
        cursor = page["cursor"]
    assert seen == ROWS
    early, late = sorted(costs[:200])[100], sorted(costs[-200:])[100]
    assert late < 4 * early + 0.002
    assert sorted(costs)[len(costs) // 2] < 0.1


@pytest.mark.parametrize("filtered", [False, True], ids=["all", "filtered"])
@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("sort", [*SORTS, "F1"])
def test_every_statement_of_a_page_reads_an_index_and_sorts_nothing(
    large: RegistryClient, sort: str, order: str, filtered: bool
) -> None:
    """With any filter: types select a range of the index, and the other filters are tested row by row in it."""
    collection = large.registry.names.collection
    query = {"search": "a", "excluded_tracks": [new_id()]} if filtered else {}
    condition = condition_for(query)
    one = by_column(collection, "model", sort, condition)
    sources = by_metric(collection, "model", sort, condition) if sort == "F1" else [one]
    value = {"size": 5, "F1": 0.5}.get(sort, "m")
    positions = (None, Position(value, new_id()), Position(None, new_id()))
    plans = set()
    with large.registry.database.reading() as db:
        for source in sources:
            for position in positions:
                for sql, values in statements(source, order, position):
                    rows = db.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
                    plans.add("; ".join(row["detail"] for row in rows))
    assert plans
    for plan in plans:
        assert "TEMP B-TREE" not in plan, plan
        assert "SCAN" not in plan, plan
        if sort != "F1":
            assert f"SEARCH a USING INDEX artifacts_by_{sort} (collection_id=? AND type=?" in plan
    if sort == "F1":
        assert any("SEARCH m USING PRIMARY KEY (collection_id=? AND key=? AND type=?" in plan for plan in plans)


@pytest.mark.parametrize("sort", [*SORTS, "F1"])
def test_a_rare_type_is_found_without_reading_the_others(large: RegistryClient, sort: str) -> None:
    """Counts the steps of SQLite's virtual machine for two hundred datasets among a hundred thousand models."""
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1

    with large.registry.database.reading() as db:
        db.set_progress_handler(step, 100)
    query = urlencode({"sort_by": sort, "limit": 100, "types": "dataset"})
    page = large.ask("GET", f"{large.orbit}/artifacts?{query}").body
    rest = large.ask("GET", f"{large.orbit}/artifacts?{query}&cursor={page['cursor']}").body
    with large.registry.database.reading() as db:
        db.set_progress_handler(None, 0)
    assert [len(page["items"]), len(rest["items"]), rest["cursor"]] == [100, 100, None]
    assert {item["type"] for item in page["items"] + rest["items"]} == {"dataset"}
    assert 0 < steps < 1000


def test_empty_collections_cost_a_page_nothing(large: RegistryClient) -> None:
    """A collection without artifacts of a type is not searched for that type."""
    for _ in range(20):
        body = {"name": "empty", "description": "", "type": "mixed"}
        assert large.ask("POST", f"{large.orbit}/collections", body).status == 200
    executed: list[str] = []
    with large.registry.database.reading() as db:
        db.set_trace_callback(executed.append)
    assert len(large.ask("GET", f"{large.orbit}/artifacts?sort_by=name").body["items"]) == 50
    with large.registry.database.reading() as db:
        db.set_trace_callback(None)
    assert sum("FROM artifacts" in sql for sql in executed) == 3


def test_other_requests_read_indexes_too(large: RegistryClient) -> None:
    """Lists of collections and orbits, one artifact and its deletion: none of them reads a hundred thousand rows."""
    path = f"{large.artifacts}/{large.ask('GET', f'{large.orbit}/artifacts?limit=1').body['items'][0]['id']}"
    for method, url in (
        ("GET", f"{large.orbit}/collections"),
        ("GET", f"{large.organization}/orbits"),
        ("GET", path),
        ("GET", f"{path}/delete-url"),
        ("DELETE", path),
    ):
        began = time.thread_time()
        assert large.ask(method, url).status in (200, 204)
        assert time.thread_time() - began < 0.1
