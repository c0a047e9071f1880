"""Arguments that become parameters of a request."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import pytest

from luml_lite import errors
from luml_lite.api import artifacts, collections, tracks

from .recorded import CFG, NIL


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (lambda: artifacts.page(CFG, limit=0), errors.InvalidArgumentError, "1 to 100"),
        (lambda: artifacts.page(CFG, limit=101), errors.InvalidArgumentError, "1 to 100"),
        (lambda: artifacts.page(CFG, limit=cast("int", "10")), errors.InvalidArgumentError, "whole number.*'10'"),
        (lambda: artifacts.page(CFG, limit=cast("int", 1.5)), errors.InvalidArgumentError, "whole number"),
        (lambda: artifacts.page(CFG, order="up"), errors.InvalidArgumentError, "asc"),
        (lambda: artifacts.page(CFG, sort_by="nope"), errors.InvalidArgumentError, "metric_key"),
        (lambda: artifacts.page(CFG, sort_by="metrics"), errors.ConfigurationError, "metric_key"),
        (lambda: artifacts.page(CFG, sort_by="file_name"), errors.InvalidArgumentError, "client"),
        (
            lambda: artifacts.page(CFG.replace(dialect="model_artifacts"), sort_by="type"),
            errors.InvalidArgumentError,
            "dialect",
        ),
        (
            lambda: artifacts.page(CFG.replace(dialect="model_artifacts"), search="x"),
            errors.ConfigurationError,
            "dialect",
        ),
        (lambda: artifacts.get(CFG, "my model"), errors.InvalidArgumentError, "luml_lite.get"),
        (lambda: artifacts.get(CFG.replace(collection=None), NIL), errors.ConfigurationError, "LUML_COLLECTION"),
        (lambda: artifacts.get(CFG.replace(orbit=None), NIL), errors.ConfigurationError, "LUML_ORBIT"),
        (lambda: artifacts.get(CFG.replace(orbit="Lab Orbit"), NIL), errors.ConfigurationError, "resolve"),
        (lambda: artifacts.get(CFG, NIL, collection_id="models"), errors.ConfigurationError, "resolve"),
        (lambda: artifacts.get(CFG, "../../" + NIL), errors.InvalidArgumentError, "not an artifact id"),
        (lambda: artifacts.get(CFG, cast("str", None)), errors.InvalidArgumentError, "None is not an artifact id"),
        (lambda: artifacts.delete(CFG, cast("str", None)), errors.InvalidArgumentError, "not an artifact id"),
        (lambda: artifacts.update(CFG, "", model_name="x"), errors.InvalidArgumentError, "'' is not an artifact id"),
        (lambda: artifacts.delete_url(CFG, cast("str", 7)), errors.InvalidArgumentError, "not an artifact id"),
        (lambda: artifacts.update(CFG, NIL), errors.InvalidArgumentError, "nothing to update"),
        (lambda: collections.delete_collection(CFG, cast("str", None)), errors.ConfigurationError, "no collection"),
    ],
)
def test_what_no_server_would_take_is_told_before_any_request(
    make: Callable[[], object], kind: type[Exception], words: str
) -> None:
    """A wrong argument or a missing setting is its own error, with what to do about it."""
    with pytest.raises(kind, match=words):
        make()


def test_no_limit_is_the_largest_page() -> None:
    """The servers refuse an empty limit."""
    for request in (
        artifacts.page(CFG, limit=None),
        collections.collections(CFG, limit=None),
        tracks.page(CFG, limit=None),
    ):
        assert ("limit", "100") in request.query
