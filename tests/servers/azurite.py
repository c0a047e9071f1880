"""Azurite from npm as an Azure container, with URLs signed by azure-storage-blob."""

from __future__ import annotations

import base64
import os
import secrets
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal
from urllib.parse import quote, urlencode

from .process import listens, running

ACCOUNT = "tests"
PERMISSIONS = {"GET": "r", "PUT": "cw", "DELETE": "d"}
ROOT = Path(__file__).parents[2]


class AzureBucket:
    """One container of an Azure account; `client` is the vendor's, for tests that look at what is really stored."""

    type: Literal["azure"] = "azure"

    def __init__(self, endpoint: str, name: str, key: str) -> None:
        from azure.storage.blob import ContainerClient

        self.endpoint = endpoint
        self.name = name
        self.expires = 43200  # seconds that a URL lives
        self._key = key
        self.client = ContainerClient(
            endpoint, name, credential={"account_name": ACCOUNT, "account_key": key}, retry_total=0
        )

    def presign(self, method: str, key: str, query: Mapping[str, str]) -> str:
        """A URL that may do one thing with one blob."""
        from azure.storage.blob import generate_blob_sas

        expiry = datetime.now(UTC) + timedelta(seconds=self.expires)
        sas = generate_blob_sas(
            ACCOUNT, self.name, key, account_key=self._key, permission=PERMISSIONS[method], expiry=expiry
        )
        return f"{self.endpoint}/{self.name}/{quote(key)}?{sas}{'&' if query else ''}{urlencode(query)}"

    def names(self) -> list[str]:
        """The names of every committed blob in the container."""
        return list(self.client.list_blob_names())

    def read(self, key: str) -> bytes:
        """The bytes of a blob."""
        return self.client.download_blob(key).readall()


def executable() -> str | None:
    """The `azurite-blob` program: LUML_AZURITE, an npm prefix `azurite` in the environment or .venv, or the PATH."""
    prefixes = [Path(sys.prefix), ROOT / ".venv"]
    folders = [str(prefix / "azurite" / "node_modules" / ".bin") for prefix in prefixes]
    return os.environ.get("LUML_AZURITE") or shutil.which(
        "azurite-blob", path=os.pathsep.join([*folders, os.environ.get("PATH", "")])
    )


@contextmanager
def serve(program: str, data: Path) -> Iterator[AzureBucket]:
    """Run Azurite over `data` with one empty container."""
    key = base64.b64encode(secrets.token_bytes(64)).decode()

    def command(ports: list[int]) -> list[str]:
        return [
            program,
            "--blobHost=127.0.0.1",
            f"--blobPort={ports[0]}",
            f"--location={data}",
            "--disableTelemetry",
            "--skipApiVersionCheck",
            "--silent",
        ]

    env = {**os.environ, "AZURITE_ACCOUNTS": f"{ACCOUNT}:{key}"}
    with running(command, 1, lambda ports: listens(ports[0]), data, env) as (port,):
        bucket = AzureBucket(f"http://127.0.0.1:{port}/{ACCOUNT}", "models", key)
        with bucket.client:
            bucket.client.create_container()
            yield bucket
