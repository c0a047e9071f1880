"""Names to ids step by step."""

from __future__ import annotations

import json
from typing import Any

import pytest

from luml_lite.core.request import Response
from luml_lite.errors import MultipleResourcesFoundError, ResourceNotFoundError
from luml_lite.operations.orbits import get as get_orbit
from luml_lite.operations.resolve import resolve
from luml_lite.testing import json_response

from .flow_player import CFG, play, uid


def things(*names: str) -> list[dict[str, Any]]:
    """Organizations, orbits or collections of these names, numbered from 1."""
    return [{"id": uid(number), "name": name} for number, name in enumerate(names, 1)]


def collections(*names: str, cursor: str | None = None) -> Response:
    """A page of collections."""
    return Response(200, {}, json.dumps({"items": things(*names), "cursor": cursor}).encode())


def test_ids_need_no_request() -> None:
    """What is an id already stays as it is."""
    assert play(resolve(CFG)) == CFG


def test_names_become_ids_one_below_the_other() -> None:
    """Each path is built from the id that was found before."""
    cfg = CFG.replace(organization="Lab", orbit="Orbit", collection="Models")
    found = play(
        resolve(cfg),
        ("GET users/me/organizations", json_response(things("Other", "Lab"))),
        ("GET organizations/2/orbits", json_response(things("Orbit"))),
        ("GET organizations/2/orbits/1/collections", collections("Models 2", cursor="c")),
        ("GET organizations/2/orbits/1/collections from c", collections("x", "y", "Models")),
    )
    assert (found.organization, found.orbit, found.collection) == (uid(2), uid(1), uid(3))
    assert found.replace(organization="Lab", orbit="Orbit", collection="Models") == cfg


def test_nothing_given_is_the_only_one() -> None:
    """One that exists is taken as the default; of two nobody is chosen."""
    cfg = CFG.replace(collection=None)
    assert play(resolve(cfg), ("GET collections", collections("Only"))).collection == uid(1)
    with pytest.raises(MultipleResourcesFoundError, match="there are 2 collections") as caught:
        play(resolve(cfg), ("GET collections", collections("A", "B")))
    assert caught.value.ids == (uid(1), uid(2))


def test_a_missing_name_lists_what_exists() -> None:
    """Other cases and parts of names do not count, and the message helps to find the right one."""
    with pytest.raises(ResourceNotFoundError, match=r"'Lab'.*'lab '"):
        play(
            resolve(CFG.replace(organization="lab")),
            ("GET users/me/organizations", json_response(things("Lab", "lab "))),
        )
    with pytest.raises(ResourceNotFoundError, match="existing: 'A'"):
        play(
            resolve(CFG.replace(collection="Z")),
            ("GET collections", collections()),
            ("GET collections", collections("A")),
        )
    with pytest.raises(ResourceNotFoundError, match="there is no orbit yet"):
        play(resolve(CFG.replace(orbit=None)), ("GET orbits", json_response([])))


def test_an_ambiguous_name_lists_the_ids() -> None:
    """Collection names are not unique on the platform."""
    with pytest.raises(MultipleResourcesFoundError, match="2 collections are called 'twin'"):
        play(resolve(CFG.replace(collection="twin")), ("GET collections", collections("twin", "x", "twin")))


@pytest.mark.parametrize("name", [None, "x"], ids=["ambiguous", "missing"])
def test_names_of_the_registry_are_bounded_and_cleaned_in_messages(name: str | None) -> None:
    """However many there are, and whatever they consist of."""
    existing = [{"id": f"{number}\n\x1b[2J", "name": "\r\x1b[31m" + "n" * 10_000} for number in range(30)]
    with pytest.raises((MultipleResourcesFoundError, ResourceNotFoundError)) as caught:
        play(resolve(CFG.replace(organization=name)), ("GET users/me/organizations", json_response(existing)))
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) <= 4000
    assert "n" * 100 in message


def test_the_message_about_a_name_that_many_have_is_bounded() -> None:
    orbits = [{"id": f"{number}\n" + "i" * 10_000, "name": "Lab"} for number in range(30)]
    with pytest.raises(MultipleResourcesFoundError, match="30 orbits are called 'Lab'") as caught:
        play(get_orbit(CFG, "Lab"), ("GET orbits", json_response(orbits)))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) <= 4000
    assert len(caught.value.ids) == 30
