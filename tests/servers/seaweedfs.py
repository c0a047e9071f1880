"""SeaweedFS from PyPI as an S3 bucket, with URLs signed by botocore."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote, urlencode

from .process import listens, running

if TYPE_CHECKING:
    from botocore.client import BaseClient

REGION = "us-east-1"
PORTS = (
    "s3.port",
    "s3.port.grpc",
    "master.port",
    "master.port.grpc",
    "volume.port",
    "volume.port.grpc",
    "volume.port.public",
    "filer.port",
    "filer.port.grpc",
    "filer.port.public",
    "admin.port",
    "admin.port.grpc",
)


class S3Bucket:
    """One bucket of an S3 server; `client` is boto3's, for tests that look at what is really stored."""

    type: Literal["s3"] = "s3"

    def __init__(self, endpoint: str, name: str, access_key: str, secret_key: str) -> None:
        import boto3
        from botocore.config import Config
        from botocore.credentials import Credentials

        self.endpoint = endpoint
        self.name = name
        self.expires = 43200  # seconds that a URL lives
        self._credentials = Credentials(access_key, secret_key)
        self.client: BaseClient = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name=REGION,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
        )

    def presign(self, method: str, key: str, query: Mapping[str, str]) -> str:
        """A URL that may do one thing with one object; only Host is signed."""
        from botocore.auth import S3SigV4QueryAuth
        from botocore.awsrequest import AWSRequest

        url = f"{self.endpoint}/{self.name}/{quote(key)}"
        request = AWSRequest(method, f"{url}?{urlencode(query)}" if query else url)
        S3SigV4QueryAuth(self._credentials, "s3", REGION, self.expires).add_auth(request)
        return str(request.url)

    def names(self) -> list[str]:
        """The names of every object in the bucket."""
        return [each["Key"] for each in self.client.list_objects_v2(Bucket=self.name).get("Contents", ())]

    def read(self, key: str) -> bytes:
        """The bytes of an object."""
        content: bytes = self.client.get_object(Bucket=self.name, Key=key)["Body"].read()
        return content


def executable() -> str | None:
    """The `weed` program beside this Python, or on the PATH."""
    return shutil.which("weed", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))


@contextmanager
def serve(program: str, data: Path) -> Iterator[S3Bucket]:
    """Run SeaweedFS over `data` with one empty bucket."""
    access_key, secret_key = "tests", secrets.token_hex(16)
    identity = {
        "name": "tests",
        "credentials": [{"accessKey": access_key, "secretKey": secret_key}],
        "actions": ["Admin"],
    }
    config = data / "s3.json"
    config.write_text(json.dumps({"identities": [identity]}))

    def command(ports: list[int]) -> list[str]:
        return [
            program,
            f"-logdir={data}",
            "mini",
            f"-dir={data}",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            "-master.telemetry=false",
            "-webdav=false",
            "-admin.ui=false",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            f"-s3.config={config}",
            f"-filer.localSocket={data / 'filer.sock'}",
            f"-s3.localSocket={data / 's3.sock'}",
            *(f"-{flag}={port}" for flag, port in zip(PORTS, ports, strict=True)),
        ]

    with running(command, len(PORTS), lambda ports: listens(ports[0]), data) as (port, *_):
        bucket = S3Bucket(f"http://127.0.0.1:{port}", "models", access_key, secret_key)
        bucket.client.create_bucket(Bucket=bucket.name)
        try:
            yield bucket
        finally:
            bucket.client.close()
