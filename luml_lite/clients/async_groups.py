"""The verbs of asyncio, bound when they are first used; `async_groups.pyi` shows them to static tools."""

from ..drivers.aio import iterate, run
from .binding import VERBS, lazy_verbs

__all__ = VERBS
__getattr__ = lazy_verbs(globals(), "luml_lite.aio", run, iterate)
