"""Signed URLs: valid for their time, method and object only."""

from __future__ import annotations

from pathlib import Path

from luml_lite.local.registry import Registry

from ..client import RegistryClient, element
from .uploads import Upload


def test_a_url_works_for_its_time_its_method_and_its_object_only(tmp_path: Path) -> None:
    clock = [1_800_000_000.0]
    registry = Registry(tmp_path / "r", lifetime=60, clock=lambda: clock[0])
    client = RegistryClient(registry)
    url = client.made(3)["upload_details"]["url"]
    assert client.ask("GET", url).status == 403
    assert client.ask("PUT", url.replace("m.luml", "n.luml"), b"abc").status == 403
    assert client.ask("PUT", url.replace("Expires=60", "Expires=600"), b"abc").status == 403
    assert client.ask("PUT", url, b"abc", x_amz_acl="public-read").status == 403
    assert client.ask("PUT", url, b"abc").status == 200
    clock[0] += 59
    assert client.ask("PUT", url, b"abc").status == 200
    clock[0] += 1
    answer = client.ask("PUT", url, b"abc")
    assert (answer.status, element(answer.body, "Code")) == (403, "AccessDenied")
    registry.close()


def test_a_blob_url_works_for_its_time_and_its_permission_only(tmp_path: Path, azure: RegistryClient) -> None:
    upload = Upload(azure, b"x" * 3)
    url = str(upload.details["url"])
    assert azure.ask("GET", url).headers["x-ms-error-code"] == "AuthorizationPermissionMismatch"
    assert azure.ask("PUT", url.replace("sp=cw", "sp=r"), b"abc").headers["x-ms-error-code"] == "AuthorizationFailure"
    later = Registry(azure.registry.path, clock=lambda: 4_000_000_000.0)
    assert RegistryClient(later).ask("PUT", url, b"abc", x_ms_blob_type="BlockBlob").status == 403
    later.close()
