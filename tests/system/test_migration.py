"""The README's table of differences from the published client is right and complete."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import luml_lite

pytest.importorskip("luml_api", reason="the published client needs Python 3.12 and the extra test-all")

import luml_api
from luml_api import _exceptions, _types
from luml_api.resources import artifacts, bucket_secrets, collections, orbits, organizations, tracks

pytestmark = pytest.mark.published

README = (Path(__file__).parents[2] / "README.md").read_text()
TABLE = [
    [cell.strip() for cell in line.split("|")[1:-1]]
    for line in README.partition("| luml_api 0.4.0 |")[2].partition("\n\n")[0].splitlines()[2:]
]
THEIRS = {
    "artifacts": artifacts.ArtifactResource,
    "bucket_secrets": bucket_secrets.BucketSecretResource,
    "collections": collections.CollectionResource,
    "orbits": orbits.OrbitResource,
    "organizations": organizations.OrganizationResource,
    "tracks": tracks.TrackResource,
}
ID = "0199c455-21ee-74c6-b747-19a82f1a1e75"
OURS = luml_lite.LumlClient(api_key="k", organization=ID, orbit=ID, collection=ID)
CALL = re.compile(r"client\.(\w+)\.(\w+)\(([^`]*)\)")
WORDS = {"artifact_id", "model_id", "tracked_artifact_id", "entry_id"}  # arguments that are shown by their names
# Their names of parameters and ours, as in the table; methods that the README says are not here.
PARAMETERS = {
    "artifact_id": "model_id",
    "artifact_ids": "model_ids",
    "artifact_value": "model_value",
    "extra_values": "metrics",
    "name": "model_name",
}
TRACK_PARAMETERS = {"tracked_artifact_id": "entry_id", "tracked_artifact_ids": "entry_ids"}
ABSENT = re.compile(r"lineage|list_tags")


def parameters(method: Any) -> set[str]:
    return {*inspect.signature(method).parameters} - {"self"}


@pytest.mark.parametrize(("theirs", "ours", "better"), TABLE, ids=[row[0] for row in TABLE])
def test_what_a_row_names_exists(theirs: str, ours: str, better: str) -> None:
    """Methods with the parameters shown, classes, and fields, on either side."""
    if ours.startswith("the same"):
        ours = f"{theirs} {ours}"
    for said, groups, library in ((theirs, THEIRS, luml_api), (ours, vars(OURS), luml_lite)):
        for group, method, options in CALL.findall(said):
            named = {*re.findall(r"(\w+)=", options)} | (WORDS & {*options.split(", ")})
            assert named <= parameters(getattr(groups[group], method)), said
        for name in re.findall(r"`([A-Z]\w+)`", said):
            assert hasattr(library, name) or hasattr(_exceptions, name), name
        model = _types.Artifact.model_fields if library is luml_api else luml_lite.ModelArtifact.__struct_fields__
        assert {*re.findall(r"artifact\.(\w+)`", said)} <= {*model}
    assert len(TABLE) > 10


def methods() -> Iterator[tuple[str, str]]:
    for group, resource in THEIRS.items():
        for name, _ in inspect.getmembers(resource, inspect.isfunction):
            if not name.startswith("_") and not ABSENT.search(name) and name != "get_multipart_upload_urls":
                yield group, name


@pytest.mark.parametrize(("group", "name"), [*methods()])
def test_what_no_row_names_is_called_the_same(group: str, name: str) -> None:
    """Every public method of theirs that is here takes their parameters, under the names that the table gives."""
    ours = getattr(getattr(OURS, group), {"delete_batch": "delete_many"}.get(name, name))
    missing = set()
    for each in parameters(getattr(THEIRS[group], name)):
        known = PARAMETERS.get(each, each) if group == "artifacts" else TRACK_PARAMETERS.get(each, each)
        if known not in parameters(ours) and not ABSENT.search(each):
            missing.add(each)
    allowed = {("collections", "list"): {"tags", "orbit_id"}, ("collections", "list_all"): {"tags", "orbit_id"}}
    assert missing <= allowed.get((group, name), {"track_id"} if (group, name) == ("tracks", "get") else set())


def calls() -> Iterator[tuple[str, str, str, str]]:
    """Group, method, and the old and new name of a parameter that is named otherwise here."""
    for group, name in methods():
        ours = {"delete_batch": "delete_many"}.get(name, name)
        known = PARAMETERS if group == "artifacts" else {**TRACK_PARAMETERS, "track_id": "track_value"}
        taken = parameters(getattr(getattr(OURS, group), ours))
        for each in sorted(parameters(getattr(THEIRS[group], name)) - taken):
            if known.get(each) in taken:
                yield group, ours, each, known[each]


@pytest.mark.parametrize(("group", "name", "old", "new"), [*calls()])
def test_an_old_keyword_is_answered_with_the_new_one(group: str, name: str, old: str, new: str) -> None:
    """Both clients raise it before they send a request."""
    advice = re.escape(f"{name}() has no {old!r}: it is {new}")
    with pytest.raises(TypeError, match=f"^{advice}$"):
        getattr(getattr(OURS, group), name)(**{old: "x"})

    async def awaited() -> None:
        client = luml_lite.AsyncLumlClient(api_key="k")
        client.setup_config(organization=ID, orbit=ID, collection=ID)
        await getattr(getattr(client, group), name)(**{old: "x"})

    with pytest.raises(TypeError, match=f"^{advice}$"):
        asyncio.run(awaited())


def test_a_keyword_that_nothing_replaces_is_answered_by_python() -> None:
    """There is no advice where the new name is no parameter either, nor for other mistakes."""
    with pytest.raises(TypeError, match="unexpected keyword argument 'name'"):
        luml_lite.orbits.get(OURS.settings.config, name="x")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'file_path'"):
        luml_lite.upload(OURS.settings.config, model_name="x")  # type: ignore[call-arg]
