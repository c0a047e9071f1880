"""The README's examples run as they stand, against a served registry."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import luml_lite
from luml_lite import local
from luml_lite.testing import write_model

README = Path(__file__).parents[2] / "README.md"
BLOCKS = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory with a model file, as a user would have."""
    monkeypatch.chdir(tmp_path)
    write_model(str(tmp_path / "model.fnnx"), {"F1": 0.9})
    return tmp_path


def test_every_example_runs_in_the_order_it_is_read(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is shown is what works: one namespace, the blocks one after the other."""
    with local.serve(str(place / "served")) as served:
        monkeypatch.setenv("LUML_BASE_URL", served.base_url)
        monkeypatch.setenv("LUML_API_KEY", served.api_key)
        names: dict[str, object] = {}
        for block in BLOCKS:
            exec(compile(block, str(README), "exec"), names)
        test = names["test_my_pipeline"]
        assert callable(test)
        test(served)
    assert len(BLOCKS) >= 6
    assert (place / "copy.fnnx").read_bytes() == (place / "model.fnnx").read_bytes()
    assert (place / "async-copy.fnnx").exists()


def test_the_registry_fixture_serves_a_fresh_registry(luml_registry: local.Served, place: Path) -> None:
    """The pytest plugin gives a registry that is empty."""
    assert luml_lite.list(luml_registry.config).items == []
    assert luml_lite.upload(luml_registry.config, "model.fnnx").status == "uploaded"
