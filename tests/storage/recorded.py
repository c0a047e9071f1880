"""The recorded exchanges with storage servers, by what they are."""

from __future__ import annotations

from typing import Any

import pytest

from ..recorded_exchanges import named, recorded

EXCHANGES = recorded("storage")
CASES = {(each["server"], each["case"]): each for each in EXCHANGES}


def url_of(exchange: dict[str, Any]) -> str:
    """The presigned URL that an exchange went to."""
    return f"https://bucket.example{exchange['path']}?{exchange['query']}"


def text(exchange: dict[str, Any]) -> str:
    """The recorded body of an answer."""
    return str((exchange["answer"] or {}).get("text", ""))


def of(method: str, *statuses: int) -> Any:
    """A table of the exchanges of one method that ended with one of the statuses."""
    rows = [each for each in EXCHANGES if each["method"] == method and each["status"] in statuses]
    return pytest.mark.parametrize("exchange", rows, ids=named)


COMPLETED = [each for each in EXCHANGES if each["method"] == "POST" and "CompleteMultipartUploadResult" in text(each)]
