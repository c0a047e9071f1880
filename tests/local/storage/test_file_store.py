"""The files behind objects: what is kept, and what the sweep removes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from luml_lite.local.registry import Registry
from luml_lite.local.responses import Bytes

from ..client import Desk


def test_the_sweep_takes_orphans_when_nobody_else_is_there(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "r")
    desk = Desk(registry)
    kept = desk.uploaded(b"kept")
    forced = desk.uploaded(b"forced")
    desk.ask("DELETE", f"{desk.artifacts}/{forced}/force")
    orphan = registry.objects.receive(Bytes(b"orphan"), lambda digest: None)
    half = Path(registry.objects.arriving) / "half"
    half.write_bytes(b"ha")
    beside = Registry(tmp_path / "r")
    assert half.exists(), "another process may be writing this very file"
    beside.close()
    registry.close()
    again = Registry(tmp_path / "r")
    assert not half.exists()
    assert not Path(again.objects.path(orphan.file)).exists()
    assert sum(path.is_file() for path in Path(again.objects.root).rglob("*")) == 2, "URLs of the forced one still work"
    again.close()
    later = Registry(tmp_path / "r", clock=lambda: (datetime.now(UTC) + timedelta(days=1)).timestamp())
    assert sum(path.is_file() for path in Path(later.objects.root).rglob("*")) == 1
    assert Desk(later).content(kept) == b"kept"
    later.close()
