"""Providers of an API key for `Config(api_key=...)`: they read it whenever a request is sent; no pickle has it."""

from __future__ import annotations

import os

from msgspec import Struct

from .core.redaction import SecretText
from .errors import ConfigurationError


class from_env(Struct, frozen=True):
    """A provider that reads the environment variable `name` whenever a request is sent."""

    name: str = "LUML_API_KEY"

    def __call__(self) -> str:
        if not (key := SecretText(os.environ.get(self.name, ""))):
            raise ConfigurationError(f"no API key is set: the environment variable {self.name} is empty or missing")
        return key


class from_file(Struct, frozen=True):
    """A provider that reads a file whenever a request is sent: so no change is missed, and it takes microseconds.

    White space around the key is dropped. To change the key, rename another file over this one. A file of this user
    that others may use is a ConfigurationError.
    """

    path: str | os.PathLike[str]

    def __call__(self) -> str:
        try:
            with open(self.path, "rb") as file:
                status = os.fstat(file.fileno())
                # As ssh does. Files of other owners, such as mounted secrets, are for their owners to protect.
                if hasattr(os, "getuid") and status.st_uid == os.getuid() and status.st_mode & 0o077:
                    raise ConfigurationError(f"others may use the key in {self.path}: run chmod 600 {self.path}")
                # A decoding error would hold the bytes; characters that no key has are refused later.
                return SecretText(file.read(4096).decode(errors="replace").strip())
        except OSError as error:
            raise ConfigurationError(f"cannot read the API key from {self.path}: {error.strerror}") from error
