"""Fixtures of the tests with faults: worlds, and processes that can be killed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .environment import World
    from .killed_process import Victims


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], World]]:
    """Makes the world of a storage once, and hands it to each test as if it was new."""
    from .environment import built

    with ExitStack() as stack:
        made: dict[str, World] = {}

        def world(storage: str) -> World:
            if storage not in made:
                made[storage] = stack.enter_context(built(tmp_path_factory.mktemp("world"), storage))
            else:
                made[storage].begin()
            return made[storage]

        yield world


@pytest.fixture(scope="module")
def zygote() -> Iterator[Victims]:
    """The process whose children are interrupted and killed."""
    from .killed_process import victims

    with victims() as found:
        yield found
