"""Fixtures of the tests with faults: environments, and processes that can be killed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .environment import Environment
    from .killed_process import KilledProcesses


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Environment]]:
    """Makes the environment of a storage once, and hands it to each test as if it was new."""
    from .environment import built

    with ExitStack() as stack:
        made: dict[str, Environment] = {}

        def environment(storage: str) -> Environment:
            if storage not in made:
                made[storage] = stack.enter_context(built(tmp_path_factory.mktemp("environment"), storage))
            else:
                made[storage].begin()
            return made[storage]

        yield environment


@pytest.fixture(scope="module")
def zygote() -> Iterator[KilledProcesses]:
    """The process whose children are interrupted and killed."""
    from .killed_process import killed_processes

    with killed_processes() as found:
        yield found
