"""The tree of errors: every one can be pickled, says what to do, and carries no secret."""

from __future__ import annotations

import inspect
import pickle

import pytest

from luml_lite import errors
from luml_lite.errors import LumlError

TREE = sorted(
    (value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, LumlError)),
    key=lambda kind: kind.__name__,
)


@pytest.mark.parametrize("kind", TREE)
def test_an_error_is_the_same_after_pickling(kind: type[LumlError]) -> None:
    """Class, message, what was tried, and every field of its own."""
    error = kind("what happened; what to do")
    error.request, error.attempts, error.elapsed, error.retry_after = "GET /x", 3, 1.25, 2.0
    for name, value in {"status_code": 404, "code": "NoSuchKey", "ids": ("a", "b"), "sent": False}.items():
        if hasattr(error, name):
            setattr(error, name, value)
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert type(again) is kind
    assert vars(again) == vars(error)
    assert str(again) == str(error) == "what happened; what to do [GET /x, tried 3 times in 1.2 s]"


@pytest.mark.parametrize("kind", TREE)
def test_an_error_is_drawn_in_the_tree_and_documented(kind: type[LumlError]) -> None:
    """The module's docstring names every class."""
    assert kind.__name__ in str(errors.__doc__)
    assert kind.__doc__


def test_the_names_of_the_ecosystem_keep_their_bases() -> None:
    """What programs catch today is still caught."""
    assert issubclass(errors.ArtifactNotFoundError, errors.NotFoundError)
    assert issubclass(errors.ArtifactNotFoundError, ValueError)
    assert issubclass(errors.InvalidArgumentError, ValueError)
    assert issubclass(errors.FileUploadError, errors.FileError)
    assert issubclass(errors.FileDownloadError, errors.FileError)
    caught = (errors.APIStatusError, errors.ConfigurationError, errors.MultipleResourcesFoundError)
    for kind in TREE:
        assert issubclass(kind, errors.LumlAPIError) == (issubclass(kind, caught) or kind is errors.LumlAPIError)


def test_one_try_is_not_counted_aloud() -> None:
    """Only what was tried again says how often."""
    error = LumlError("broken")
    assert str(error) == "broken"
    error.request, error.attempts = "GET /x", 1
    assert str(error) == "broken [GET /x]"


@pytest.mark.parametrize("kind", TREE)
def test_every_message_is_one_line_of_bounded_length(kind: type[LumlError]) -> None:
    """Whatever an error quotes, from a server or from a caller."""
    message = str(kind("a\nb\x1b[31m" + "n" * 10_000))
    assert message.isprintable()
    assert len(message) == 4000
