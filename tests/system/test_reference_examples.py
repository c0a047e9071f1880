"""Every example of the reference runs as it stands against the embedded registry, whose rows have the examples' ids.

Two things of the text are changed: the absolute paths lead to a folder of the test, and one example whose indentation
is no Python is indented.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

import luml_lite
from luml_lite import Config, local
from luml_lite.testing import write_model

from ..reference_examples import BLOCKS, TEXT, Example, examples

KEY = "luml_your_key"
IDS = {
    "organization": "0199c455-21ec-7c74-8efe-41470e29bae5",
    "orbit": "0199c455-21ed-7aba-9fe5-5231611220de",
    "collection": "0199c455-21ee-74c6-b747-19a82f1a1e75",
}
MODEL = "0199c455-21ee-74c6-b747-19a82f1a1e67"
NAMES = ("LumlClient", "AsyncLumlClient", "ModelArtifactSortBy", "SortOrder", "ModelArtifactStatus")
EXAMPLES = examples()
MANIFEST = {
    "artifact_type": "model",
    "variant": "pipeline",
    "producer_name": "test",
    "producer_version": "1",
    "producer_tags": [],
    "payload": {},
}


class Place:
    """A served registry as the examples expect it, and what it saw."""

    def __init__(self, folder: Path, served: local.Served, seen: list[local.Seen]) -> None:
        self.folder = folder
        self.config = Config(base_url=served.base_url, api_key=KEY, **IDS)
        self.seen = seen

    def asked(self) -> list[tuple[str, str, int]]:
        """What was asked, with ids and keys that differ from run to run left out."""
        steps = (re.sub(r"[0-9a-f]{32}|(?!0199c455)[0-9a-f]{8}-[0-9a-f-]{27}", "*", each.path) for each in self.seen)
        return [(each.method, path, each.status) for each, path in zip(self.seen, steps, strict=True)]


def prepared(folder: Path, *, pending: bool) -> None:
    """A registry with the examples' ids: two models with F1, the older being "my_model", and the examples' key."""
    with local.serve(folder / "registry") as served:
        cfg = served.config
        write_model(str(folder / "model.fnnx"), {"F1": 0.9})
        write_model(str(folder / "other.fnnx"), {"F1": 0.8})
        mine = luml_lite.upload(cfg, folder / "model.fnnx", "my_model").id
        luml_lite.upload(cfg, folder / "other.fnnx", "other")
        key = served.make_key("owner")
        was = {name: getattr(served, name) for name in IDS}
    db = sqlite3.connect(folder / "registry" / "registry.db")
    with db:
        for name, new in IDS.items():
            db.execute(f"UPDATE {name}s SET id = ? WHERE id = ?", (new, was[name]))
            db.execute("UPDATE settings SET value = ? WHERE name = ?", (new, name))
            for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                if f"{name}_id" in [row[1] for row in db.execute(f"PRAGMA table_info({table})")]:
                    db.execute(f"UPDATE {table} SET {name}_id = ? WHERE {name}_id = ?", (new, was[name]))
        db.execute("UPDATE artifacts SET id = ? WHERE id = ?", (MODEL, mine))
        db.execute("UPDATE metrics SET artifact_id = ? WHERE artifact_id = ?", (MODEL, mine))
        if pending:
            db.execute("UPDATE artifacts SET status = 'pending_upload' WHERE id = ?", (MODEL,))
        digests = [sha256(each.encode()).digest() for each in (KEY, key)]
        db.execute("UPDATE api_keys SET digest = ? WHERE digest = ?", digests)
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    db.close()


@pytest.fixture
def place(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """Where an example runs: an empty working directory, and a registry that the environment leads to."""
    example: Example = request.getfixturevalue("example")
    prepared(tmp_path, pending=example.method == "update")
    for folder in ("path/to", "local/path", "here"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "model.fnnx").rename(tmp_path / "path/to/model.fnnx")
    monkeypatch.chdir(tmp_path / "here")
    seen: list[local.Seen] = []
    with local.serve(tmp_path / "registry", seen=seen.append) as served:
        monkeypatch.setenv("LUML_BASE_URL", served.base_url)
        monkeypatch.setenv("LUML_API_KEY", "the examples give their own")
        yield Place(tmp_path, served, seen)


def run(example: Example, place: Place, code: str | None = None) -> dict[str, Any]:
    """Run an example as a program would that imports what it needs; the names that it leaves behind."""
    code = example.code if code is None else code
    for path in ("/path/to", "/local/path"):
        code = code.replace(f'"{path}/', f'"{place.folder}{path}/')
    names: dict[str, Any] = {name: getattr(luml_lite, name) for name in NAMES}
    exec(compile(code, f"{example.mode} {example.method}", "exec"), names)
    if example.mode == "async":
        asyncio.run(names["main"]())
    return names


def mended(example: Example) -> str:
    """The example as Python: in one, the first statement is indented by three blanks and the rest by four."""
    try:
        compile(example.code, "example", "exec")
    except IndentationError:
        assert (example.mode, example.method) == ("async", "download_url")
        return example.code.replace("\n   await", "\n    await")
    return example.code


def proof(example: Example, place: Place, names: dict[str, Any]) -> None:
    """What must be true once an example has run."""
    cfg, source = place.config, (place.folder / "path/to/model.fnnx").read_bytes()
    mine = luml_lite.get(cfg, MODEL)
    match example.method:
        case "get" if example.mode == "sync":
            assert names["model_by_id"] == mine
            assert names["model_by_name"].id == MODEL
        case "list" if example.mode == "sync":
            assert [row.metrics["F1"] for row in names["models"].items] == [0.9, 0.8]
        case "download_url" | "delete_url" if example.mode == "sync":
            assert names["url_info"]["url"].startswith(cfg.base_url)
        case "upload":
            assert [row.model_name for row in luml_lite.list(cfg).items].count("Production Model") == 1
            new = luml_lite.get(cfg, "Production Model")
            assert new is not None
            assert (new.status, new.tags, new.size) == ("uploaded", ["ml", "production"], len(source))
            assert b"".join(luml_lite.open_download(cfg, new.id)) == source
        case "download":
            assert (place.folder / "here/model.fnnx").read_bytes() == source
            assert (place.folder / "local/path/downloaded_model.fnnx").read_bytes() == source
        case "update":
            assert mine is not None
            assert (mine.model_name, mine.status) == ("Updated Model", "uploaded")
        case "delete":
            assert mine is None


RUN = [each for each in EXAMPLES if each.method != "create"]


@pytest.mark.parametrize("example", RUN, ids=[f"{each.mode}-{each.method}" for each in RUN])
def test_the_example_runs_as_it_stands(example: Example, place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    names = run(example, place, mended(example))
    assert place.seen
    assert {each.status for each in place.seen} <= {200, 204, 206}
    proof(example, place, names)
    if example.method == "list_all":
        printed = capsys.readouterr().out.splitlines()
        assert set(printed[:2]) > {MODEL}
        assert printed[2:] == ["my_model: F1=0.9", "other: F1=0.8"]


CREATE = [each for each in EXAMPLES if each.method == "create"]


@pytest.mark.parametrize("example", CREATE, ids=[each.mode for each in CREATE])
def test_the_example_of_create_works_with_a_manifest_that_servers_take(example: Example, place: Place) -> None:
    """Every server refuses the manifest that the reference shows; the call around it is good."""
    with pytest.raises(luml_lite.UnprocessableEntityError, match="manifest"):
        run(example, place)
    valid = example.code.replace('{"version": "1.0"}', repr(MANIFEST))
    if example.mode == "async":
        valid += "    return result\n"
        names = run(example, place, valid.replace("    return result", "    globals().update(result=result)"))
    else:
        names = run(example, place, valid)
        assert names["upload_url"] == names["result"].url
        assert names["model"] == names["result"].model
    result = names["result"]
    assert (result.model.model_name, result.model.status) == ("Test Model", "pending_upload")
    assert result.url.startswith(place.config.base_url)


def test_both_colours_ask_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same example sends the same requests, whether it is awaited or not."""
    for method in {each.method for each in RUN}:
        asked = []
        for example in (each for each in RUN if each.method == method):
            folder = tmp_path / f"{example.mode}-{method}"
            folder.mkdir()
            prepared(folder, pending=method == "update")
            for below in ("path/to", "local/path"):
                (folder / below).mkdir(parents=True)
            (folder / "model.fnnx").rename(folder / "path/to/model.fnnx")
            monkeypatch.chdir(folder)
            seen: list[local.Seen] = []
            with local.serve(folder / "registry", seen=seen.append) as served:
                monkeypatch.setenv("LUML_BASE_URL", served.base_url)
                place = Place(folder, served, seen)
                run(example, place, mended(example))
                asked.append(place.asked())
        assert sorted(asked[0]) == sorted(asked[1]) != []  # what is asked for side by side comes in any order


ANSWERS = [each for each in EXAMPLES if each.answer]


@pytest.mark.parametrize("example", ANSWERS, ids=[f"{each.mode}-{each.method}" for each in ANSWERS])
def test_the_answers_that_are_shown_can_be_written_down(example: Example) -> None:
    """The reference's objects take the same names here, two lists of theirs lacking commas."""
    names = {name: getattr(luml_lite, name) for name in luml_lite.__all__}
    text = re.sub(r"^( +)(}|\)')$", r"\1\2,", dedent(example.answer), flags=re.MULTILINE)
    text = text.replace("file_index = {", "file_index={")
    value = eval(text, names)  # noqa: S307
    assert type(value).__name__ == text.partition("(")[0].strip()
    assert re.sub(r"\W", "", str(value.items[0].id if hasattr(value, "items") else getattr(value, "model", value).id))


def test_the_reference_has_ten_methods_in_each_colour() -> None:
    for mode in ("sync", "async"):
        methods = [each.method for each in EXAMPLES if each.mode == mode]
        assert len(methods) == len(set(methods)) == 10
    assert all(each.code for each in EXAMPLES)


def test_no_block_of_the_reference_is_left_out() -> None:
    """Every fence is of a block that was read, every block has its place, and every example is among those run."""
    assert TEXT.count("```") == 2 * len(BLOCKS)
    assert "".join(BLOCKS).count("LumlClient(") == len(EXAMPLES) == len(RUN) + len(CREATE) == 20
    assert len(ANSWERS) == sum("    id=" in block and "LumlClient(" not in block for block in BLOCKS)
    assert len(BLOCKS) == 2 + 2 * len(EXAMPLES) + len(ANSWERS)  # two classes; a signature and an example a method
    assert {name for block in BLOCKS for name in re.findall(r"luml\.model_artifacts\.(\w+)", block)} == {
        each.method for each in EXAMPLES
    }
    for each in EXAMPLES:  # what runs is the example of that method
        assert f"model_artifacts.{each.method}(" in each.code
