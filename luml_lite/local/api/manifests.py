"""Schemas of manifests, and the type of artifact that a manifest describes.

A manifest with `artifact_type` is a LUML manifest. Any other describes a model, and then the archive must hold the
members that make a model runnable.
"""

from __future__ import annotations

from typing import Any

from ..responses import http_error
from .validation import Field, Loc, Problems, integer, list_of, mapping, model, nullable, reject, text

TYPES = ("model", "experiment", "dataset")
MODEL_MEMBERS = frozenset({"dtypes.json", "env.json", "manifest.json", "meta.json", "ops.json", "variant_config.json"})
ALLOWED_TYPES: dict[str, set[str]] = {
    "model": {"model"},
    "dataset": {"dataset"},
    "experiment": {"experiment"},
    "model_dataset": {"model", "dataset"},
    "dataset_experiment": {"dataset", "experiment"},
    "model_experiment": {"model", "experiment"},
    "mixed": set(TYPES),
}

_text = text()
_tags = Field(nullable(list_of(_text)), None)
_json_io = model(name=Field(_text), content_type=Field(_text), dtype=Field(_text), tags=_tags)
_array = text(pattern=r"^(Array\[.+\]|NDContainer\[.+\])$")


def _dimension(value: Any, loc: Loc, problems: Problems) -> Any:
    return value if isinstance(value, str) else integer()(value, loc, problems)


_ndjson_io = model(
    name=Field(_text), content_type=Field(_text), dtype=Field(_array), tags=_tags, shape=Field(list_of(_dimension))
)


def _io(value: Any, loc: Loc, problems: Problems) -> Any:
    kind = value.get("content_type") if isinstance(value, dict) else None
    if kind == "NDJSON":
        return _ndjson_io(value, loc, problems)
    if kind == "JSON" or not isinstance(value, dict) or "content_type" not in value:
        return _json_io(value, loc, problems)
    expected = "'NDJSON' or 'JSON'"
    where = (*loc, "content_type")
    return reject(problems, "literal_error", where, f"Input should be {expected}", kind, expected=expected)


_variable = model(name=Field(_text), description=Field(_text), tags=_tags)
_model_manifest = model(
    variant=Field(_text),
    name=Field(nullable(_text), None),
    version=Field(nullable(_text), None),
    description=Field(nullable(_text), None),
    producer_name=Field(_text),
    producer_version=Field(_text),
    producer_tags=Field(list_of(_text)),
    inputs=Field(list_of(_io)),
    outputs=Field(list_of(_io)),
    dynamic_attributes=Field(list_of(_variable)),
    env_vars=Field(list_of(_variable)),
)
_luml_manifest = model(
    artifact_type=Field(_text),
    variant=Field(_text),
    name=Field(nullable(_text), None),
    description=Field(nullable(_text), None),
    version=Field(nullable(_text), None),
    producer_name=Field(_text),
    producer_version=Field(_text),
    producer_tags=Field(list_of(_text)),
    payload=Field(mapping()),
)


def model_manifest(value: Any, loc: Loc, problems: Problems) -> Any:
    """A manifest of a model, the only kind in the older dialect."""
    return _model_manifest(value, loc, problems) if isinstance(value, dict) else mapping()(value, loc, problems)


def any_manifest(value: Any, loc: Loc, problems: Problems) -> Any:
    """A manifest of either kind."""
    if isinstance(value, dict) and "artifact_type" in value:
        return _luml_manifest(value, loc, problems)
    return model_manifest(value, loc, problems)


def type_of(manifest: dict[str, Any], file_index: dict[str, Any]) -> str:
    """The type of artifact that a manifest and its archive describe; 400 if there is none."""
    if "artifact_type" in manifest:
        kind: str = manifest["artifact_type"]
        if kind not in TYPES:
            raise http_error(400, "Unsupported LUML Artifact type.")
        return kind
    if not file_index.keys() >= MODEL_MEMBERS:
        raise http_error(400, "Could not define artifact type.")
    return "model"
