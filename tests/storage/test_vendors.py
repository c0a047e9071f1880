"""The vendor of a bucket is looked up by its type, and nothing else asks for the type."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import luml_lite
from luml_lite.errors import ConfigurationError
from luml_lite.storage.vendors import vendor_of


def test_parts_without_an_upload_id_are_azures_alone() -> None:
    """S3 begins every multipart upload with a request; Azure's blocks can be sent at any time."""
    assert vendor_of("s3").initiate is not None
    assert vendor_of("azure").initiate is None


@pytest.mark.parametrize("name", ["gcs", "", "S3"])
def test_an_unknown_type_is_an_error_that_says_so(name: str) -> None:
    """With the type, the known ones and what to do."""
    with pytest.raises(ConfigurationError, match=re.escape(repr(name)) + r".*s3 and azure.*upgrade"):
        vendor_of(name)


def test_no_operation_names_a_vendor() -> None:
    """What differs is in the vendor's value."""
    files = (Path(luml_lite.__file__).parent / "operations").glob("*_object.py")
    assert not [path for path in files if re.search(r"\b(s3|azure)\b", path.read_text())]
