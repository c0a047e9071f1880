"""The verbs of `luml_lite` for asyncio: coroutine functions, and functions that return async iterators.

No verb blocks the event loop.
"""

from .clients.async_groups import *  # noqa: F403
from .drivers.aio import iterate as iterate
from .drivers.aio import run as run
