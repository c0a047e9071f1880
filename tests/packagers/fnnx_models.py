"""Models made and run by the `fnnx` package."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

REGISTRY_METRICS = "dataforce.studio::registry_metrics:v1"
CLASSIFICATION = "falcon.beastbyte.ai::tabular_classification:v1"
CLASSIFICATION_METRICS = "falcon.beastbyte.ai::tabular_classification_metrics:v1"


def meta_entry(tag: str, payload: dict[str, Any]) -> dict[str, Any]:
    """An entry of meta.json as the format's own model writes it."""
    from fnnx.extras.pydantic_models.meta import MetaEntry

    entry: dict[str, Any] = MetaEntry(
        id="metrics", producer="tests", producer_version="1", producer_tags=[tag], payload=payload
    ).model_dump()
    return entry


def build(
    path: Path, *, tags: Sequence[str] = (), meta: Sequence[dict[str, Any]] = (), payload: Path | None = None
) -> Path:
    """A pyfunc model that doubles its input; `payload` is a further file inside it."""
    from fnnx.extras.builder import PyfuncBuilder
    from fnnx.extras.pydantic_models.manifest import NDJSON

    from .doubler import Doubler

    builder = PyfuncBuilder(
        Doubler,
        model_name=path.stem,
        model_version="1.0",
        create_meta_callback=lambda file: file.create_file("meta.json", json.dumps(meta)),
    )
    builder.set_producer_info("tests", "1", list(tags))
    builder.add_input(NDJSON(name="x", content_type="NDJSON", dtype="Array[float32]", shape=["batch"]))
    builder.add_output(NDJSON(name="y", content_type="NDJSON", dtype="Array[float32]", shape=["batch"]))
    builder.set_extra_values({"factor": 2})
    builder.add_fnnx_runtime_dependency()
    if payload is not None:
        builder.add_file(str(payload), payload.name)
    builder.save(str(path))
    return path


def compute(path: Path, inputs: dict[str, Any], output: str = "y") -> list[Any]:
    """What the model at `path` answers when fnnx's own runtime opens and runs it."""
    from fnnx.runtime import Runtime

    answer: list[Any] = Runtime(str(path)).compute(inputs, {})[output].tolist()
    return answer
