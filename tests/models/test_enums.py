"""Open enums keep values that they do not know."""

from __future__ import annotations

import pickle

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from luml_lite.models.artifacts import ArtifactType, ModelArtifactSortBy, ModelArtifactStatus
from luml_lite.models.collections import CollectionType
from luml_lite.models.enums import OpenEnum, SortOrder

OPEN = [ArtifactType, CollectionType, ModelArtifactSortBy, ModelArtifactStatus]


@pytest.mark.parametrize("kind", OPEN)
@given(value=st.text())
def test_an_open_enum_keeps_what_it_does_not_know(kind: type[OpenEnum], value: str) -> None:
    """Compared, hashed, decoded, encoded and pickled as the text that it is."""
    member = kind(value)
    assert member == value
    assert str(member) == value
    assert isinstance(member, kind)
    assert hash(member) == hash(value)
    assert type(pickle.loads(pickle.dumps(member))) is kind  # noqa: S301
    assert pickle.loads(pickle.dumps(member)) == value  # noqa: S301
    raw = msgspec.json.encode(value)
    assert msgspec.json.decode(raw, type=kind) == value
    assert msgspec.json.encode(member) == raw


@pytest.mark.parametrize("kind", OPEN)
def test_an_open_enum_lists_only_what_it_knows(kind: type[OpenEnum]) -> None:
    """Meeting an unknown value does not make it known, and other types stay errors."""
    before = list(kind)
    kind("unheard_of")
    assert list(kind) == before
    with pytest.raises(ValueError, match="3"):
        kind(3)


def test_the_direction_is_a_closed_enum() -> None:
    """There are no other two."""
    with pytest.raises(ValueError, match="sideways"):
        SortOrder("sideways")
