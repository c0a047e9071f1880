"""The files behind objects: what is kept, and what the sweep removes."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

from luml_lite.local.registry import Registry

from ..client import Bytes, RegistryClient, element
from .uploads import file_count, md5_hex


def test_the_sweep_takes_orphans_when_nobody_else_is_there(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "r")
    client = RegistryClient(registry)
    kept = client.uploaded(b"kept")
    forced = client.uploaded(b"forced")
    client.ask("DELETE", f"{client.artifacts}/{forced}/force")
    orphan = registry.files.receive(Bytes(b"orphan"), lambda digest: None)
    half = Path(registry.files.arriving) / "half"
    half.write_bytes(b"ha")
    beside = Registry(tmp_path / "r")
    assert half.exists(), "another process may be writing this very file"
    beside.close()
    registry.close()
    again = Registry(tmp_path / "r")
    assert not half.exists()
    assert not Path(again.files.path(orphan.file)).exists()
    assert sum(path.is_file() for path in Path(again.files.root).rglob("*")) == 2, "URLs of the forced one still work"
    again.close()
    later = Registry(tmp_path / "r", clock=lambda: (datetime.now(UTC) + timedelta(days=1)).timestamp())
    assert sum(path.is_file() for path in Path(later.files.root).rglob("*")) == 1
    assert RegistryClient(later).content(kept) == b"kept"
    later.close()


def test_a_body_with_another_digest_is_not_kept(client: RegistryClient) -> None:
    url = client.made(3)["upload_details"]["url"]
    right = base64.b64encode(bytes.fromhex(md5_hex(b"abc"))).decode()
    assert client.ask("PUT", url, b"abd", content_md5=right).status == 400
    assert element(client.ask("PUT", url, b"abc", content_md5="nonsense").body, "Code") == "InvalidDigest"
    assert file_count(client.registry) == 0
    assert client.ask("PUT", url, b"abc", content_md5=right).status == 200
