"""The public models and their open enums: a newer server never breaks decoding."""

from __future__ import annotations

import json
import pickle

import msgspec
import pytest

from luml_lite.api.wire import CurrentArtifact, OlderArtifact
from luml_lite.models.artifacts import ModelArtifact, ModelArtifactStatus


def test_unknown_fields_and_statuses_of_a_newer_server_are_taken() -> None:
    """What is not known is skipped or kept, never refused."""
    raw = b'{"id": "1", "file_name": "m", "status": "frozen", "type": "agent", "new": {"deep": [1]}, "name": null}'
    found = msgspec.json.decode(raw, type=CurrentArtifact).public()
    assert (found.status, found.type, found.model_name) == ("frozen", "agent", None)
    assert found.status != ModelArtifactStatus.UPLOADED


@pytest.mark.parametrize(
    ("row", "names"),
    [(OlderArtifact, '"model_name": "m", "metrics"'), (CurrentArtifact, '"name": "m", "extra_values"')],
)
def test_a_row_becomes_an_artifact_in_place(row: type, names: str) -> None:
    """It is equal to one that was made so, and is shown and pickled as one."""
    raw = f'{{"id": "1", "file_name": "f", "status": "uploaded", {names}: {{"F1": 1}}, "manifest": null}}'
    found = msgspec.json.decode(raw, type=row).public()
    made = ModelArtifact(id="1", model_name="m", file_name="f", status=ModelArtifactStatus.UPLOADED, metrics={"F1": 1})
    assert found == made
    assert repr(found) == repr(made)
    assert type(pickle.loads(pickle.dumps(found))) is ModelArtifact  # noqa: S301
    assert msgspec.json.encode(found) == msgspec.json.encode(made)


@pytest.mark.parametrize("missing", ["file_name", "status", "id"])
def test_a_row_without_what_makes_one_is_refused(missing: str) -> None:
    """A status that was not sent must not look like one that was."""
    row = {"id": "1", "file_name": "m", "status": "uploaded"}
    del row[missing]
    with pytest.raises(msgspec.ValidationError, match=missing):
        msgspec.convert(row, type=CurrentArtifact)


def test_the_wire_types_have_the_fields_of_an_artifact() -> None:
    """Rows become artifacts by assigning their class, which needs equal fields."""
    assert OlderArtifact.__struct_fields__ == CurrentArtifact.__struct_fields__ == ModelArtifact.__struct_fields__


def test_an_artifact_is_shown_in_one_line_and_converts_to_json() -> None:
    artifact = ModelArtifact(id="1", model_name="m", size=7, manifest={"variant": "v"}, file_index={"a": (512, 2)})
    assert repr(artifact) == "ModelArtifact(id='1', model_name='m', status='pending_upload', size=7)"
    plain = msgspec.to_builtins(artifact)
    assert [*plain] == [*ModelArtifact.__struct_fields__]
    assert json.loads(msgspec.json.encode(artifact)) == json.loads(json.dumps(plain))


def test_artifacts_do_not_share_their_defaults() -> None:
    """Each has dicts of its own."""
    one, two = ModelArtifact(id="1"), ModelArtifact(id="2")
    one.metrics["F1"] = 1
    assert two.metrics == {}
    assert pickle.loads(pickle.dumps(one)) == one  # noqa: S301
